package paddle

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"avcu/io/allocation"

	"github.com/klauspost/compress/gzip"
)

// How FuzzOpen packs its input before it opens it: the low two bits say what it is.
const (
	aFile     = iota // a file
	aMember          // the one file of an archive
	twoOfIt          // the two files of an archive, half of it each
	anArchive        // an archive, whose headers get the checksums that they should have

	zipBit  = 4 // and compressed with gzip
	wantBit = 8 // opened for weights of some names and shapes
)

// FuzzOpen opens any bytes, at a cost in memory that is bounded by their number, compressed and not. Where that succeeds, what
// is written from the tensors is the same again.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"fluid185/types/with_lod", "fluid185/types/f64", "fluid185/types/one", "paddle262/vars/learning_rate_0", "bad/dtype_unknown", "bad/pickle_unsafe2.pdparams"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		for how := range uint8(16) {
			if how&3 != anArchive {
				f.Add(append(data, data...), how)
			}
		}
		f.Add(data, uint8(0))
		f.Add(tarOf(f, member{"a/w", string(data), tar.TypeReg}, member{"b", "", tar.TypeDir}, member{"b/.v", "0123456789abcdef0123456789abcdef", tar.TypeReg}), uint8(anArchive))
	}
	for _, limit := range []int{1 << 30, 8} {
		var b bytes.Buffer
		if err := writePickle(&b, sample()[:3], limit); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), uint8(0))
		f.Add(b.Bytes(), uint8(aMember|zipBit))
	}
	f.Add(tarOf(f, member{"a", lod(f, 2), tar.TypeReg}), uint8(anArchive|zipBit))
	f.Add(holes(f), uint8(anArchive))
	f.Add(tarOf(f, member{strings.Repeat("long/", 50) + "w", lod(f, 2), tar.TypeReg}, member{"link", "", tar.TypeSymlink}), uint8(anArchive))
	f.Fuzz(func(t *testing.T, data []byte, how uint8) {
		data, err := packedAs(t, data, how)
		if err != nil {
			return // no name for a member
		}
		var names []string
		if how&wantBit != 0 {
			names = []string{"b", "a"}
		}
		w := openWithin(t, data, names)
		if w == nil {
			return
		}
		var tensors []Tensor
		var again bytes.Buffer
		for _, info := range w.Tensors() {
			b, err := w.Bytes(info.Name)
			if err != nil || info.DType == Uint16 || info.DType == Uint32 || info.DType == Uint64 { // not Paddle's
				continue
			}
			tensor := Tensor{info.Name, info.DType, info.Shape, raw(b)}
			tensors = append(tensors, tensor)
			if err := writeTensor(&again, tensor); err != nil {
				t.Fatal(err)
			}
		}
		if len(tensors) == 0 {
			return
		}
		if second := openWithin(t, again.Bytes(), namesOf(tensors)); second == nil {
			t.Fatal("what was written does not open")
		} else {
			same(t, second, tensors)
		}
	})
}

// packedAs is data as a file of the form that how says.
func packedAs(t *testing.T, data []byte, how uint8) ([]byte, error) {
	switch how & 3 {
	case aMember:
		data = tarOf(t, member{"a", string(data), tar.TypeReg})
	case twoOfIt:
		half := len(data) / 2
		data = tarOf(t, member{"a", string(data[:half]), tar.TypeReg}, member{"b/b", string(data[half:]), tar.TypeReg})
	case anArchive:
		data = withChecksums(data)
	}
	if how&zipBit == 0 {
		return data, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.StatelessCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// withChecksums is an archive with right checksums in its headers, as far as their sizes lead from one to the next.
func withChecksums(data []byte) []byte {
	data = bytes.Clone(data)
	for at := 0; at+512 <= len(data); {
		header := data[at : at+512]
		copy(header[148:156], "        ")
		sum := 0
		for _, c := range header {
			sum += int(c)
		}
		if sum == 8*' ' {
			copy(header[148:156], make([]byte, 8)) // an empty block
		} else {
			copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
		}
		size, err := strconv.ParseUint(strings.Trim(string(header[124:136]), " \x00"), 8, 32)
		if err != nil {
			size = 0
		}
		at += 512 + (int(size)+511)&^511
	}
	return data
}

// openWithin opens a file of these bytes and reads its first tensors, within the memory that this may take. Nil: it is none.
func openWithin(t *testing.T, data []byte, names []string) *Weights {
	t.Helper()
	n := len(data)
	if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		unpacked, _ := io.Copy(io.Discard, io.LimitReader(z, 8<<20))
		if unpacked == 8<<20 {
			return nil // a bomb takes too long
		}
		n += int(unpacked)
	}
	var w *Weights
	var err error
	within := func(f func()) {
		t.Helper()
		if used := allocation.Of(f); used > allocation.Limit(n) {
			t.Errorf("%d bytes allocated for %d, %d with what they unpack to", used, len(data), n)
		}
	}
	within(func() { w, err = inMemoryWeights(data, names) })
	if err != nil {
		return nil
	}
	list := w.Tensors()
	for _, info := range list[:min(4, len(list))] {
		within(func() { _, err = w.Bytes(info.Name) })
		if _, ok := toFloat32[info.DType]; ok && err == nil {
			if err := w.ReadFloat32(info.Name, make([]float32, info.Len())); err != nil {
				t.Error(err)
			}
		}
	}
	return w
}

// inMemoryWeights is Open for the bytes of a file.
func inMemoryWeights(data []byte, names []string) (*Weights, error) {
	w := newWeights("a")
	parts, err := w.file(bytes.NewReader(data), int64(len(data)))
	if err == nil {
		err = w.take(parts, names)
	}
	return w, err
}

// TestBombs opens files that name far more tensors than they hold, or hold many small ones.
func TestBombs(t *testing.T) {
	array := "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01)cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89U\x01atbq\x00"
	var dict, nested, scalars, names strings.Builder
	for i := range 1 << 15 {
		fmt.Fprintf(&dict, "U\x04%04xh\x00", i)
		if i%8 == 0 {
			if i > 0 {
				nested.WriteString("u")
			}
			fmt.Fprintf(&nested, "U\x05d%04x}(", i)
		}
		fmt.Fprintf(&nested, "U\x04%04xh\x00", i)
		fmt.Fprintf(&names, "U\x04%04xU\x02%02x", i, i&0xff)
		scalars.WriteString("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x08\x14a")
	}
	for _, c := range []struct{ name, data, want string }{
		{"one array, many names", "\x80\x02}(U\x01x" + array + dict.String() + "u.", "needs too much memory"},
		{"one array, some thousand names", "\x80\x02}(U\x01x" + array + dict.String()[:8*1600] + "u.", "it names more tensors than"},
		{"in many dicts", "\x80\x02}(U\x01x" + array + nested.String() + "uu.", "it names more tensors than"},
		{"many scalars", scalars.String(), ""},
		{"many names", "\x80\x02}(U\x01x" + array + "U\x1bStructuredToParameterName@@}(" + names.String() + "uu.", "needs too much memory"},
		{"archive of pickles", string(many(t, 2000, "\x80\x02}(U\x01a("+strings.Repeat("}", 490)+"lu.")), "needs too much memory"},
		{"archive of small pickles", string(many(t, 2000, "\x80\x02}.")), "needs too much memory"},
		{"archive of pickles that name one array", string(many(t, 300, "\x80\x02}(U\x01x"+array+dict.String()[:8*300]+"u.")), "needs too much memory"},
		{"archive of pickles with names", string(many(t, 300, "\x80\x02}U\x1bStructuredToParameterName@@}("+names.String()[:10*300]+"us.")), "it names more tensors"},
		{"archive of small tensors", string(many(t, 2000, lod(t))), ""},
		{"archive of scalars", string(tarOf(t, member{"a", scalars.String(), tar.TypeReg})), "it names more tensors"},
		{"archive of programs", string(many(t, 2000, "\x0a")), "no tensors"},
		{"holes", string(holes(t)), `member "a" of the archive has holes`},
		{"long extended header", string(manyRecords(t, 1, 1<<20)), "a header of more than 65536 bytes"},
		{"many extended headers", string(manyRecords(t, 20, 60<<10)), "many attributes"},
		{"some attributes", string(manyRecords(t, 1000, 32*9+9)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := inMemoryWeights([]byte(c.data), nil)
			if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			openWithin(t, []byte(c.data), nil)
			openWithin(t, zipped(t, []byte(c.data)), nil)
		})
	}
}

// holes is an archive of one member that is nearly all hole, in GNU's form 1.0 of such.
func holes(t testing.TB) []byte {
	b := tarOf(t, member{"headers", "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n32 GNU.sparse.realsize=50000000\n", tar.TypeReg},
		member{"a", "1\n50000000\n0\n" + strings.Repeat("\x00", 500), tar.TypeReg})
	b[156] = tar.TypeXHeader
	return withChecksums(b)
}

// manyRecords is an archive of members with as many extended records as fit into so many bytes.
func manyRecords(t testing.TB, members, bytes int) []byte {
	var records strings.Builder
	for i := 0; records.Len() < bytes-9; i++ {
		fmt.Fprintf(&records, "9 %04x=x\n", i)
	}
	var list []member
	for i := range members {
		list = append(list, member{"headers", records.String(), tar.TypeReg}, member{strconv.Itoa(i), lod(t), tar.TypeReg})
	}
	b := tarOf(t, list...)
	for at := 0; at < members*(512+(records.Len()+511)&^511+1024); at += 512 + (records.Len()+511)&^511 + 1024 {
		b[at+156] = tar.TypeXHeader
	}
	return withChecksums(b)
}

// many is an archive of n members that hold the same.
func many(t testing.TB, n int, data string) []byte {
	var list []member
	for i := range n {
		list = append(list, member{strconv.Itoa(i), data, tar.TypeReg})
	}
	return tarOf(t, list...)
}
