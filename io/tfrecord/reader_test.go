package tfrecord

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"avcu/io/allocation"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zlib"
)

func write(t testing.TB, content []byte) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDetect(t *testing.T) {
	header := func(length int) []byte {
		h := make([]byte, HeaderSize)
		putHeader(h, length)
		return h
	}
	cases := []struct {
		name string
		head []byte
		want Form
	}{
		{"empty", nil, Plain},
		{"a header", header(77), Plain},
		{"a header whose length begins like gzip", header(0x00088b1f), Plain},
		{"a header whose length begins like zlib", header(0x9c78), Plain},
		{"the same with a damaged checksum", append(header(0x00088b1f)[:11], 0), Gzip},
		{"gzip", []byte{0x1f, 0x8b, 8, 0}, Gzip},
		{"gzip of an unknown method", []byte{0x1f, 0x8b, 7, 0}, Unknown},
		{"zlib", []byte{0x78, 0x9c}, Zlib},
		{"zlib with a dictionary", []byte{0x78, 0xbb}, Unknown},
		{"text", []byte("hello, world, hello"), Unknown},
	}
	for _, c := range cases {
		if got := Detect(c.head); got != c.want {
			t.Errorf("%s: form %d, want %d", c.name, got, c.want)
		}
	}
}

func TestZlib(t *testing.T) {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(frame([]byte("one")))
	w.Write(frame(nil))
	w.Close()
	records, err := readAll(write(t, z.Bytes()))
	if diff := cmp.Diff([][]byte{[]byte("one"), nil}, records); diff != "" || err != io.EOF {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestSkipMixesWithNext checks that both leave the reader at the same place, whichever buffer sizes are crossed.
func TestSkipMixesWithNext(t *testing.T) {
	var content []byte
	var want [][]byte
	for i, n := range []int{0, 1, 5000, 64 << 10, 3, 200_000, 4096 - 16, 7, 70_000, 0} {
		data := bytes.Repeat([]byte{byte(i + 1)}, n)
		want = append(want, data)
		content = append(content, frame(data)...)
	}
	for form, stored := range map[Form][]byte{Plain: content, Gzip: zipped(t, content)} {
		for pattern := range 1 << len(want) {
			if pattern%37 != 0 && pattern < 1<<len(want)-1 { // every 37th pattern, and all skipped
				continue
			}
			r, err := newReader("mixed", bytes.NewReader(stored), int64(len(stored)), scanBuffer)
			if err != nil {
				t.Fatal(err)
			}
			if r.Form() != form {
				t.Fatalf("form %d, want %d", r.Form(), form)
			}
			offset := int64(0)
			for i, data := range want {
				if pattern>>i&1 == 1 {
					n, err := r.Skip()
					if err != nil || n != int64(len(data)) {
						t.Fatalf("form %d, pattern %b: record %d: Skip gives %d, %v", form, pattern, i, n, err)
					}
				} else if got, err := r.Next(); err != nil || !bytes.Equal(got, data) {
					t.Fatalf("form %d, pattern %b: record %d: Next gives %d bytes, %v", form, pattern, i, len(got), err)
				}
				if want := (Position{"mixed", int64(i), offset}); r.Position() != want {
					t.Fatalf("form %d, pattern %b: position %v, want %v", form, pattern, r.Position(), want)
				}
				offset += int64(len(data)) + HeaderSize + FooterSize
			}
			if _, err := r.Skip(); err != io.EOF {
				t.Fatalf("form %d, pattern %b: after the last record: %v", form, pattern, err)
			}
		}
	}
}

func TestReadAt(t *testing.T) {
	const name = "testdata/narrow.tfrecord"
	want, _ := readAll(name)
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i, buf := 0, []byte(nil)
	err = Scan(name, func(offset, length int64) bool {
		at := Position{name, int64(i), offset}
		var data []byte
		if data, buf, err = ReadAt(f, at, length, buf); err != nil || !bytes.Equal(data, want[i]) {
			t.Errorf("record %d: %d bytes, %v", i, len(data), err)
		}
		if _, _, err := ReadAt(f, at, length+1, nil); !errors.Is(err, ErrChanged) {
			t.Errorf("record %d with a wrong length: %v", i, err)
		}
		i++
		return true
	})
	if err != nil || i != 6 {
		t.Fatalf("%d records: %v", i, err)
	}
	if _, _, err := ReadAt(f, Position{name, 5, 2808}, 1<<20, nil); !errors.Is(err, ErrChanged) {
		t.Errorf("past the end: %v", err)
	}
	damaged, _ := os.ReadFile(name)
	damaged[2808+9] ^= 4
	if _, _, err := ReadAt(bytes.NewReader(damaged), Position{name, 5, 2808}, 1998, nil); !errors.Is(err, ErrChanged) {
		t.Errorf("damaged length checksum: %v", err)
	}
	damaged[2808+9] ^= 4
	damaged[2808+12+40] ^= 4
	if _, _, err := ReadAt(bytes.NewReader(damaged), Position{name, 5, 2808}, 1998, nil); !errors.Is(err, ErrDataChecksum) {
		t.Errorf("damaged data: %v", err)
	}
}

// TestClaimsAllocateNothing checks that a record which claims a gigabyte, with a right length checksum, costs no memory.
func TestClaimsAllocateNothing(t *testing.T) {
	claim := make([]byte, HeaderSize)
	putHeader(claim, 1<<30)
	for name, content := range map[string][]byte{"plain": claim, "gzip": zipped(t, claim)} {
		file := write(t, content)
		var err error
		used := allocation.Of(func() { _, err = readAll(file) })
		if !errors.Is(err, ErrTruncated) {
			t.Errorf("%s: %v", name, err)
		}
		if used > allocation.Limit(len(content)+len(claim)) {
			t.Errorf("%s: %d bytes were allocated for a claim", name, used)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder is opened")
	}
	r, err := Open("testdata/narrow.tfrecord")
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := r.Next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Next after Close: %v", err)
	}
}
