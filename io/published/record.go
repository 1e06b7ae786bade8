package published

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"avcu/io/replace"
)

// verify compares a file with its record. A file without one, which somebody put there, gets one.
func verify(ctx context.Context, file string) error {
	sum, err := digest(ctx, file)
	if err != nil {
		return err
	}
	record := file + ".sha256"
	want, err := recorded(record)
	if err != nil {
		return err
	}
	if want == "" {
		return writeRecord(file, sum)
	}
	if sum != want {
		return fmt.Errorf("%s has SHA-256 %s and had %s when it was first there: it was damaged or replaced; delete it to fetch it again, or delete %s if the new one is meant", file, sum, want, record)
	}
	return nil
}

// recorded is the SHA-256 that a record holds in hexadecimal, "" if there is no record.
func recorded(record string) (string, error) {
	f, err := os.Open(record)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	sum, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%s holds no SHA-256: delete it if you trust the file beside it", record)
	}
	return strings.ToLower(sum), nil
}

// writeRecord writes the record of a file in the form of sha256sum.
func writeRecord(file, sum string) error {
	return put(file+".sha256", []byte(sum+"  "+filepath.Base(file)+"\n"))
}

// digest is the SHA-256 of a file in hexadecimal.
func digest(ctx context.Context, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	for {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if _, err := io.CopyN(h, f, 16<<20); errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
	}
}

// put puts data in the place of a file, whole or not at all.
func put(file string, data []byte) error {
	return replace.With(file, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
