package mnist

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// idx is an IDX file of unsigned bytes.
func idx(magic uint32, dims []uint32, data []byte) []byte {
	file := binary.BigEndian.AppendUint32(nil, magic)
	for _, d := range dims {
		file = binary.BigEndian.AppendUint32(file, d)
	}
	return append(file, data...)
}

func zip(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pixels(n, seed int) []byte {
	data := make([]byte, n*Pixels)
	for i := range data {
		data[i] = byte(i*7 + i/Pixels*31 + seed)
	}
	return data
}

func images(n, seed int) []byte {
	return idx(0x803, []uint32{uint32(n), Size, Size}, pixels(n, seed))
}

func labels(values ...byte) []byte {
	return idx(0x801, []uint32{uint32(len(values))}, values)
}

func write(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRead(t *testing.T) {
	train := &Set{Images: pixels(3, 1), Labels: []uint8{0, 9, 4}}
	test := &Set{Images: pixels(2, 2), Labels: []uint8{7, 7}}
	for _, row := range []struct {
		name  string
		files map[string][]byte
	}{
		{"dashes", map[string][]byte{
			"train-images-idx3-ubyte": images(3, 1), "train-labels-idx1-ubyte": labels(0, 9, 4),
			"t10k-images-idx3-ubyte": images(2, 2), "t10k-labels-idx1-ubyte": labels(7, 7),
		}},
		{"dots and gzip", map[string][]byte{
			"train-images.idx3-ubyte.gz": zip(t, images(3, 1)), "train-labels.idx1-ubyte.gz": zip(t, labels(0, 9, 4)),
			"t10k-images.idx3-ubyte": images(2, 2), "t10k-labels.idx1-ubyte": labels(7, 7),
		}},
		{"endings that lie", map[string][]byte{
			"train-images-idx3-ubyte": zip(t, images(3, 1)), "train-labels-idx1-ubyte.gz": labels(0, 9, 4),
			"t10k-images-idx3-ubyte.gz": images(2, 2), "t10k-labels-idx1-ubyte": zip(t, labels(7, 7)),
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, row.files)
			gotTrain, gotTest, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]*Set{train, test}, []*Set{gotTrain, gotTest}); diff != "" {
				t.Errorf("sets differ (-want +got):\n%s", diff)
			}
			if gotTrain.Len() != 3 || !bytes.Equal(gotTrain.Image(1), pixels(3, 1)[Pixels:2*Pixels]) {
				t.Errorf("Len %d or Image(1) is wrong", gotTrain.Len())
			}
		})
	}
}

func TestReadMissing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string][]byte{"train-images-idx3-ubyte": images(1, 0)})
	_, _, err := Read(dir)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "train-labels.idx1-ubyte.gz") ||
		!strings.Contains(err.Error(), "go mod download") {
		t.Errorf("error %v, want one that names the files tried and the remedy", err)
	}
}

func TestReadSetBad(t *testing.T) {
	good := images(2, 0)
	zipped := zip(t, good)
	flipped := bytes.Clone(zipped)
	flipped[len(flipped)-5] ^= 1 // the checksum's last byte
	two := labels(1, 2)
	for _, row := range []struct {
		name           string
		images, labels []byte
		want           []string
	}{
		{"empty", nil, two, []string{"images: byte 0", "header"}},
		{"short header", good[:9], two, []string{"images: byte 9", "header of 16"}},
		{"exchanged", two, good, []string{"images: byte 0", "a file of labels", "exchanged"}},
		{"magic", idx(0xd03, []uint32{2, 28, 28}, pixels(2, 0)), two, []string{"images: byte 0", "0x00000d03", "0x00000803"}},
		{"no images", idx(0x803, []uint32{0, 28, 28}, nil), two, []string{"images: byte 4", "0 images"}},
		{"claims 4 billion", idx(0x803, []uint32{1<<32 - 1, 28, 28}, pixels(2, 0)), two, []string{"images: byte 4", "4294967295"}},
		{"claims a million", idx(0x803, []uint32{1 << 20, 28, 28}, pixels(2, 0)), two, []string{"images: byte 1584", "1568 of 822083584"}},
		{"height", idx(0x803, []uint32{2, 27, 28}, pixels(2, 0)), two, []string{"images: byte 8", "27", "28×28"}},
		{"width", idx(0x803, []uint32{2, 28, 14}, pixels(2, 0)), two, []string{"images: byte 12", "14", "28×28"}},
		{"truncated", good[:len(good)-1], two, []string{"images: byte 1583", "1567 of 1568"}},
		{"trailing", append(bytes.Clone(good), 0), two, []string{"images: byte 1584", "more bytes"}},
		{"gzip truncated", zipped[:len(zipped)-20], two, []string{"images: byte", "of 1568", "fetch it again"}},
		{"gzip trailer truncated", zipped[:len(zipped)-4], two, []string{"images: byte 1584", "unexpected EOF"}},
		{"gzip checksum", flipped, two, []string{"images: byte 1584", "checksum"}},
		{"gzip header", []byte{0x1f, 0x8b, 9}, two, []string{"images: byte 0", "gzip"}},
		{"label 10", good, labels(3, 10), []string{"labels: byte 9", "label 10 of image 1"}},
		{"counts", good, labels(1, 2, 3), []string{"2 images", "3 labels"}},
		{"labels truncated", good, two[:9], []string{"labels: byte 9", "1 of 2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string][]byte{"images": row.images, "labels": row.labels})
			set, err := ReadSet(filepath.Join(dir, "images"), filepath.Join(dir, "labels"))
			if err == nil {
				t.Fatalf("no error, read %d images", set.Len())
			}
			for _, part := range row.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

// FuzzReadSet holds the reader to what it promises for any bytes: no panic, and a set that is consistent.
func FuzzReadSet(f *testing.F) {
	f.Add(images(1, 0), labels(3))
	f.Add([]byte{0x1f, 0x8b, 8}, []byte{0, 0, 8, 1})
	f.Fuzz(func(t *testing.T, imageFile, labelFile []byte) {
		dir := t.TempDir()
		write(t, dir, map[string][]byte{"images": imageFile, "labels": labelFile})
		set, err := ReadSet(filepath.Join(dir, "images"), filepath.Join(dir, "labels"))
		if err == nil && len(set.Images) != set.Len()*Pixels {
			t.Errorf("%d pixels for %d labels", len(set.Images), set.Len())
		}
	})
}
