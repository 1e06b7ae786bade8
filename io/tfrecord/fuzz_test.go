package tfrecord

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"avcu/io/allocation"

	"github.com/klauspost/compress/gzip"
)

// How FuzzRead changes its input before it reads it.
const (
	repairBit = 1 << iota // give records the checksums that their bytes have
	packBit               // compress it with gzip, storing its blocks
)

// FuzzRead feeds arbitrary files to the reader, at a cost in memory that is bounded by their number of bytes, compressed and
// not. It ends with an error or at the end of the file, agrees with Skip and ReadAt on what comes before, and every record it
// gives is framed as in the file. Compressed as a whole the file holds the same records.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/*.tfrecord*", "testdata/bad/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(b) < 5000 {
				f.Add(b, uint8(0))
				f.Add(b, uint8(repairBit|packBit))
			}
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, how uint8) {
		if how&repairBit != 0 {
			content = repaired(content)
		}
		records := walk(t, content)
		if how&packBit != 0 {
			if again := walk(t, stored(t, content)); Detect(content) == Plain && again != records {
				t.Fatalf("%d records, and %d in the compressed file", records, again)
			}
		}
	})
}

// walk reads a file in every way and returns the number of its records before its end or the first error.
func walk(t *testing.T, content []byte) (records int) {
	unpacked, ok := unpackedSize(content)
	if !ok {
		return 0 // a bomb takes too long
	}
	size := int64(len(content))
	within := func(what string, f func()) {
		if used := allocation.Of(f); used > allocation.Limit(len(content)+unpacked) {
			t.Fatalf("%s: %d bytes allocated for %d, %d more unpacked", what, used, size, unpacked)
		}
	}
	var ends []error
	for _, buffer := range []int{readBuffer, scanBuffer} {
		within("reading", func() {
			records = 0
			r, err := newReader("fuzz", bytes.NewReader(content), size, buffer)
			for err == nil {
				if buffer == readBuffer {
					_, err = r.Next()
				} else {
					_, err = r.Skip()
				}
				if err == nil {
					records++
				}
			}
			ends = append(ends, err)
		})
	}
	if ends[0] == io.EOF && ends[1] != io.EOF || ends[1] == io.EOF && ends[0] != io.EOF && !errors.Is(ends[0], ErrDataChecksum) {
		t.Fatalf("Next: %v, Skip: %v", ends[0], ends[1])
	}
	if _, err := newReader("fuzz", bytes.NewReader(content), size, readBuffer); err != nil {
		return 0
	}
	r, _ := newReader("fuzz", bytes.NewReader(content), size, readBuffer)
	s, _ := newReader("fuzz", bytes.NewReader(content), size, scanBuffer)
	var buffer []byte
	for records = 0; ; records++ {
		data, err := r.Next()
		length, scanErr := s.Skip()
		if err != nil {
			if !errors.Is(err, ErrDataChecksum) && scanErr == nil {
				t.Fatalf("Next: %v, Skip: no error", err)
			}
			return records
		}
		if scanErr != nil || length != int64(len(data)) || r.Position() != s.Position() {
			t.Fatalf("Next: %d bytes at %v; Skip: %d at %v, %v", len(data), r.Position(), length, s.Position(), scanErr)
		}
		if r.Form() != Plain {
			continue
		}
		at := r.Position()
		if n := binary.LittleEndian.Uint64(content[at.Offset:]); n != uint64(length) || !bytes.Equal(content[at.Offset+HeaderSize:at.Offset+HeaderSize+length], data) {
			t.Fatalf("the record at %d is not the file's", at.Offset)
		}
		var same []byte
		if same, buffer, err = ReadAt(bytes.NewReader(content), at, length, buffer); err != nil || !bytes.Equal(same, data) {
			t.Fatalf("ReadAt: %d bytes, %v", len(same), err)
		}
	}
}

// repaired is content with checksums that hold, as far as its lengths make records of it.
func repaired(content []byte) []byte {
	b := bytes.Clone(content)
	for at := 0; at+HeaderSize <= len(b); {
		n := binary.LittleEndian.Uint64(b[at:])
		binary.LittleEndian.PutUint32(b[at+8:], checksum(b[at:at+8]))
		at += HeaderSize
		if n > uint64(len(b)-at) || int(n) > len(b)-at-FooterSize {
			break
		}
		binary.LittleEndian.PutUint32(b[at+int(n):], checksum(b[at:at+int(n)]))
		at += int(n) + FooterSize
	}
	return b
}

// stored is a gzip file of content.
func stored(t *testing.T, content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.StatelessCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpackedSize is what a compressed file holds, 0 for a plain one; ok: not too much to try.
func unpackedSize(content []byte) (n int, ok bool) {
	const most = 4 << 20
	r, err := newReader("fuzz", bytes.NewReader(content), int64(len(content)), readBuffer)
	if err != nil || r.seeker != nil {
		return 0, true
	}
	size, _ := io.Copy(io.Discard, io.LimitReader(r.in, most))
	return int(size), size < most
}

// TestMemory reads files that are made to take much memory for their size.
func TestMemory(t *testing.T) {
	claim := make([]byte, HeaderSize)
	putHeader(claim, 1<<30)
	for name, content := range map[string][]byte{
		"empty records": bytes.Repeat(frame(nil), 1<<16),
		"no records":    make([]byte, 3<<20),
		"growing records": func() (b []byte) {
			for n := range 11 {
				b = append(b, frame(make([]byte, 1<<n<<10))...)
			}
			return b
		}(),
		"a cut record": append(bytes.Clone(claim), make([]byte, 3<<20)...),
		"many streams": bytes.Repeat(stored(t, frame(nil)), 1<<14),
	} {
		for form, content := range map[string][]byte{"plain": content, "gzip": stored(t, content)} {
			t.Run(fmt.Sprint(name, ", ", form), func(t *testing.T) { walk(t, content) })
		}
	}
}
