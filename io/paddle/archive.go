package paddle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// What an archive may unpack to: so many bytes, and so many for each of its own. Weights hardly shrink; moments that are all
// zeros do.
const (
	mostUnpacked       = 64 << 20
	mostUnpackedFactor = 64
)

// archive reads the members of a tar archive into memory, as they come; nothing is written to disk. A gzip file that holds no
// archive is read as the one file it holds.
func (w *Weights) archive(r io.ReaderAt, size int64, zipped bool) ([]part, error) {
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16)
	left := size
	if zipped {
		left = mostUnpacked + mostUnpackedFactor*size
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, archiveError(err)
		}
		in = bufio.NewReaderSize(z, 1<<16)
		head, err := in.Peek(512)
		if err != nil && err != io.EOF {
			return nil, archiveError(err)
		}
		if !isTar(head) {
			data, err := readAll(in, size, &left)
			if err != nil {
				return nil, err
			}
			w.budget += unpackedFactor * int64(len(data))
			p, _, err := w.part("", bytes.NewReader(data), int64(len(data)))
			return []part{p}, err
		}
	}
	input := &tarInput{r: in}
	parts, err := w.members(input, size, &left)
	if err == nil && input.ended {
		err = archiveError(io.ErrUnexpectedEOF) // it ends without the two empty blocks that close an archive
	}
	if err == nil { // gzip's checksum comes last
		_, err = readAll(in, 0, &left)
	}
	return parts, err
}

// What a member of an archive may say about itself in its headers, which take many times their size in memory: so many bytes,
// and so many records beside the ones that every archive has.
const (
	maxTarHeader  = 64 << 10
	maxTarRecords = 32
)

// tarInput is an archive as its reader sees it: not more than left bytes of it at first. It notes that the end was read.
type tarInput struct {
	r     io.Reader
	left  int
	ended bool
}

func (t *tarInput) Read(b []byte) (int, error) {
	if t.left == 0 {
		return 0, fmt.Errorf("a header of more than %d bytes", maxTarHeader)
	}
	n, err := t.r.Read(b[:min(len(b), t.left)])
	t.left -= n
	t.ended = t.ended || err == io.EOF
	return n, err
}

// members reads the files of an archive of size bytes. Of their paths only the last element is used, as the name of a tensor.
func (w *Weights) members(input *tarInput, size int64, left *int64) ([]part, error) {
	t := tar.NewReader(input)
	var parts []part
	for {
		input.left = maxTarHeader
		h, err := t.Next()
		input.left = math.MaxInt
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return nil, archiveError(err)
		}
		if len(h.PAXRecords) > maxTarRecords || isSparse(h) {
			return nil, fmt.Errorf("member %.200q of the archive has holes or many attributes: refused; pack the files without", h.Name)
		}
		switch h.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue
		case tar.TypeReg:
		default:
			return nil, fmt.Errorf("member %.200q of the archive is a link or a device: refused; pack the files themselves", h.Name)
		}
		if !filepath.IsLocal(h.Name) {
			return nil, fmt.Errorf("member %.200q of the archive leads out of it: refused; do not unpack this file", h.Name)
		}
		name := path.Base(h.Name)
		if strings.HasPrefix(name, ".") {
			if _, err := io.Copy(io.Discard, t); err != nil {
				return nil, archiveError(err)
			}
			continue
		}
		if len(parts) == maxFiles {
			return nil, fmt.Errorf("more than %d files in the archive: not one of weights", maxFiles)
		}
		data, err := readAll(t, min(h.Size, 4*size), left)
		if err != nil {
			return nil, fmt.Errorf("member %.200q: %w", h.Name, err)
		}
		w.budget += unpackedFactor * int64(len(data))
		p, ok, err := w.part(name, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		if ok {
			parts = append(parts, p)
		}
	}
}

// isSparse reports whether a member has parts that are not stored, which need no room in an archive.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// readAll reads r to its end, at most left bytes, which become fewer. likely is how many there may be; room for so many is made
// at once.
func readAll(r io.Reader, likely int64, left *int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(likely, *left)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, *left+1))
	if err != nil {
		return nil, archiveError(err)
	}
	if *left -= n; *left < 0 {
		return nil, fmt.Errorf("the archive unpacks to more than weights ever do for its size: refused; unpack it by other means and give the folder")
	}
	return b.Bytes(), nil
}

func archiveError(err error) error {
	return fmt.Errorf("the archive is damaged or cut off: %w: %s", err, fetchAgain)
}
