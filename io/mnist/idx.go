package mnist

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// remedy ends the errors about damaged contents.
const remedy = "the file is damaged or is not MNIST's, fetch it again"

// maxItems bounds the images of one file, so that a small compressed file cannot unpack without end.
// MNIST has 60,000 and EMNIST, its largest relative in the same format, 814,255.
const maxItems = 1 << 20

// kind says what an IDX file of unsigned bytes must look like.
type kind struct {
	name string
	dims int // dimensions, the first is the number of items
	item int // bytes an item
}

var (
	imageFile = kind{name: "images", dims: 3, item: Pixels}
	labelFile = kind{name: "labels", dims: 1, item: 1}
)

// magic is the file's first word: element type 8 (unsigned byte) and the number of dimensions.
func (k kind) magic() uint32 { return 0x0800 | uint32(k.dims) }

// header is the number of bytes before the elements.
func (k kind) header() int { return 4 + 4*k.dims }

// readIDX returns the elements of the file at path. Byte positions in errors count in the unpacked file.
func readIDX(path string, k kind) (data []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mnist: %w", err)
	}
	defer file.Close()
	fail := func(at int, format string, args ...any) ([]byte, error) {
		return nil, fmt.Errorf("mnist: %s: byte %d: "+format, append([]any{path, at}, args...)...)
	}

	var r io.Reader = bufio.NewReaderSize(file, 1<<16)
	if start, err := r.(*bufio.Reader).Peek(2); err == nil && start[0] == 0x1f && start[1] == 0x8b {
		unzip, err := gzip.NewReader(r)
		if err != nil {
			return fail(0, "gzip: %w: %s", err, remedy)
		}
		r = unzip
	}

	header := make([]byte, k.header())
	got, err := io.ReadFull(r, header)
	if magic := binary.BigEndian.Uint32(header); got >= 4 && magic != k.magic() {
		for _, other := range []kind{imageFile, labelFile} {
			if magic == other.magic() {
				return fail(0, "this is a file of %s, want %s: the two files are exchanged", other.name, k.name)
			}
		}
		return fail(0, "magic number 0x%08x, want 0x%08x (%s): %s", magic, k.magic(), k.name, remedy)
	}
	if err != nil {
		return fail(got, "the file ends within its header of %d bytes (%w): %s", len(header), err, remedy)
	}
	count := binary.BigEndian.Uint32(header[4:])
	if count == 0 || count > maxItems {
		return fail(4, "%d %s, want 1 to %d: %s", count, k.name, maxItems, remedy)
	}
	for d := 1; d < k.dims; d++ {
		if side := binary.BigEndian.Uint32(header[4+4*d:]); side != Size {
			return fail(4+4*d, "dimension %d is %d, want %d: only images of %d×%d are read", d, side, Size, Size, Size)
		}
	}

	// The limit of one byte more than claimed shows what lies behind the elements; memory grows with what is there.
	want := int(count) * k.item
	data, err = io.ReadAll(io.LimitReader(r, int64(want)+1))
	switch {
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return fail(len(header)+len(data), "%w: %s", err, remedy)
	case len(data) < want:
		return fail(len(header)+len(data), "the file ends after %d of %d bytes of %s: %s", len(data), want, k.name, remedy)
	case err != nil:
		return fail(len(header)+len(data), "%w: %s", err, remedy)
	case len(data) > want:
		return fail(len(header)+want, "more bytes follow the %d %s: %s", count, k.name, remedy)
	}
	return data, nil
}
