package npy

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"avcu/io/allocation"
)

// How FuzzRead packs its input before it reads it.
const (
	storeBit   = 1 << iota // in an archive, as its one array
	deflateBit             // in an archive, compressed
)

// FuzzRead reads any file. What is read takes no more memory than the file, and what it unpacks to, account for, and fits its
// shape.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"numpy.npz", "stored.npz", "version1.npy", "version2.npy", "records.npy", "objects.npy"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(0))
		if strings.HasSuffix(name, ".npy") {
			f.Add(data, uint8(storeBit|deflateBit))
		}
	}
	f.Add(array(dict("'>f2'", "True", "(2, 1, 0)")), uint8(storeBit))
	f.Fuzz(func(t *testing.T, data []byte, how uint8) {
		var list []member
		if how&storeBit != 0 {
			list = append(list, member{"a", data, zip.Store})
		}
		if how&deflateBit != 0 {
			list = append(list, member{"b", data, zip.Deflate})
		}
		if list != nil {
			data = packed(t, list...)
		}
		readWithin(t, data)
	})
}

// readWithin reads a file of these bytes, within the memory that this may take.
func readWithin(t *testing.T, data []byte) (arrays []Array, err error) {
	t.Helper()
	size, ok := unpackedSize(data)
	if !ok {
		return nil, nil // a bomb takes too long
	}
	used := allocation.Of(func() { arrays, err = readContent(bytes.NewReader(data), int64(len(data)), nil) })
	if used > allocation.Limit(len(data)+size) {
		t.Errorf("%d bytes allocated for %d, which unpack to %d", used, len(data), size)
	}
	if err != nil && arrays != nil {
		t.Errorf("arrays and error %v", err)
	}
	for _, a := range arrays {
		n := 1
		for _, size := range a.Shape {
			n *= size
		}
		if got := max(len(a.Bytes), len(a.Floats)); got != n {
			t.Errorf("array %q of shape %v has %d elements", a.Name, a.Shape, got)
		}
	}
	return arrays, err
}

// unpackedSize is what the compressed members of an archive hold, 0 for anything else; ok: not too much to try.
func unpackedSize(data []byte) (size int, ok bool) {
	const most = 8 << 20
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return 0, true
	}
	for _, f := range archive.File {
		if f.Method != zip.Deflate {
			continue
		}
		if r, err := f.Open(); err == nil {
			n, _ := io.Copy(io.Discard, io.LimitReader(r, most))
			r.Close()
			if size += int(n); size >= most {
				return 0, false
			}
		}
	}
	return size, true
}

// member is a file of an archive.
type member struct {
	name   string
	data   []byte
	method uint16
}

func packed(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.HuffmanOnly) })
	for _, m := range members {
		to, err := w.CreateHeader(&zip.FileHeader{Name: m.name + ".npy", Method: m.method})
		if err == nil {
			_, err = to.Write(m.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMemory reads files that are made to take much memory for their size.
func TestMemory(t *testing.T) {
	floats := append(array(dict("'<f2'", "True", "(1024, 1025)")), make([]byte, 2*1024*1025)...)
	small := append(array(dict("'|u1'", "False", "(1,)")), 7)
	var many []member
	for i := range 4000 {
		many = append(many, member{fmt.Sprintf("%x", i), small, zip.Deflate * uint16(i%2)})
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"floats":          {floats, ""},
		"floats, packed":  {packed(t, member{"a", floats, zip.Deflate}), ""},
		"floats, stored":  {packed(t, member{"a", floats, zip.Store}), ""},
		"small arrays":    {packed(t, many...), ""},
		"many dimensions": {array(dict("'|u1'", "False", "("+strings.Repeat("1,", 32000)+")")), "at most 64"},
		"a claim":         {packed(t, member{"a", array(dict("'<f8'", "False", "(65536,)")), zip.Store}), "are there: it was cut off"},
		"in one place":    {inOnePlace(packed(t, member{"a", floats, zip.Store}, member{"b", small, zip.Store}, member{"c", small, zip.Store})), "lies where another does"},
		"tables":          {tables(t, 1000), "does not begin with"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readWithin(t, c.data); c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// inOnePlace is an archive whose members all are its first one.
func inOnePlace(data []byte) []byte {
	var first []byte
	for at := range data {
		if entry := data[at:]; bytes.HasPrefix(entry, []byte("PK\x01\x02")) {
			if first == nil {
				first = entry
			}
			copy(entry[10:28], first[10:28]) // method, time, checksum and sizes
			copy(entry[42:46], first[42:46]) // place
		}
	}
	return data
}

// tables is an archive of a member that unpacks to nothing: n blocks of a tree with very many tables and no data.
func tables(t *testing.T, n int) []byte {
	lengths := []uint{3, 4, 5, 7, 8, 9}
	for len(lengths) < 256 {
		lengths = append(lengths, 10)
	}
	lengths = append(lengths, 1) // the end of the block
	for len(lengths) < 280 {
		lengths = append(lengths, 10)
	}
	lengths = append(lengths, 11, 12, 13, 14, 15, 15, 0) // and one distance
	var out []byte
	var used int
	put := func(value, width uint) {
		for range width {
			if used++; used%8 == 1 {
				out = append(out, 0)
			}
			out[len(out)-1] |= byte(value&1) << ((used - 1) % 8)
			value >>= 1
		}
	}
	order := []uint{0, 1, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17} // of the codes, each of 4 bits, most significant first
	code := func(symbol uint) { put(uint(bits.Reverse8(uint8(slices.Index(order, symbol)))>>4), 4) }
	for range n {
		put(2<<1, 3) // not the last block, its own trees
		put(286-257, 5)
		put(0, 5)
		put(19-4, 4)
		for _, symbol := range []uint{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15} {
			if slices.Contains(order, symbol) {
				put(4, 3)
			} else {
				put(0, 3)
			}
		}
		for i := 0; i < len(lengths); i++ {
			code(lengths[i])
			for i+6 < len(lengths) && lengths[i+6] == 10 && lengths[i] == 10 && !slices.Contains(lengths[i:i+7], 1) {
				code(16)
				put(3, 2)
				i += 6
			}
		}
		put(0, 1) // the end
	}
	return archive(t, out, func(h *zip.FileHeader) { h.Method = zip.Deflate })
}
