package published

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

// Gzip is a Check for compressed archives: it reads all of the file and compares the checksum at its end.
func Gzip(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("not a gzip file: %w", err)
	}
	if n, err := io.Copy(io.Discard, z); err != nil {
		return fmt.Errorf("damaged or cut off: after %d bytes of its content: %w", n, err)
	}
	return nil
}
