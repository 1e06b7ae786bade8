package safetensors

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// image is a file of this header and n bytes of data.
func image(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenAccepts(t *testing.T) {
	for name, data := range map[string][]byte{
		"no tensors":           image(`{}`, 0),
		"spaces behind":        image(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}    `, 2),
		"unknown key":          image(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"more":{"x":[1,null]}}}`, 2),
		"any order":            image(`{"b":{"data_offsets":[2,4],"shape":[2],"dtype":"U8"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 4),
		"empty tensor between": image(`{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"e":{"dtype":"F32","shape":[9,0],"data_offsets":[2,2]}}`, 4),
		"BF16":                 image(`{"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}`, 2),
	} {
		t.Run(name, func(t *testing.T) { open(t, writeFile(t, "a.safetensors", data)) })
	}
}

func TestOpenRefuses(t *testing.T) {
	tensor := func(s string) string { return `{"fc1.weights":{` + s + `}}` }
	cut := image(tensor(`"dtype":"F32","shape":[2],"data_offsets":[0,8]`), 8)
	manyDims := "[1" + strings.Repeat(",1", maxDims) + "]"
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes are too few"},
		{"short", []byte("1234567"), "7 bytes are too few"},
		{"header too long for the format", append(binary.LittleEndian.AppendUint64(nil, maxHeader+1), '{'), "header of 100000001 bytes is longer than"},
		{"huge length", append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), '{'), "is longer than"},
		{"header past the end", append(binary.LittleEndian.AppendUint64(nil, 1000), '{'), "does not fit into the file of 9: it was cut off"},
		{"zero header", image("", 0), "does not begin with {"},
		{"pickle", image("\x80\x02}q\x00.", 0), "does not begin with {"},
		{"not UTF-8", image("{\"\xff\":1}", 0), "not UTF-8"},
		{"open JSON", image(`{"a":`, 0), "header: byte 5: unexpected end of JSON input"},
		{"open object", image(`{`, 0), "unexpected end"},
		{"bad JSON", image(`{"a" 1}`, 0), "header: byte"},
		{"something behind", image(`{}{}`, 0), "header: byte 3: invalid character '{' after top-level value"},
		{"tensor is no object", image(`{"fc1.weights":7}`, 0), `tensor "fc1.weights": header: 7 where an object should stand`},
		{"name twice", image(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}`, 2), `the name "a" comes twice`},
		{"key twice", image(tensor(`"dtype":"U8","dtype":"F32","shape":[],"data_offsets":[0,1]`), 1), `tensor "fc1.weights": header: the name "dtype" comes twice`},
		{"other case", image(tensor(`"DType":"U8","shape":[],"data_offsets":[0,1]`), 1), "must have a dtype"},
		{"no shape", image(tensor(`"dtype":"U8","data_offsets":[0,1]`), 1), "must have a dtype, a shape"},
		{"no offsets", image(tensor(`"dtype":"U8","shape":[]`), 1), "two data_offsets"},
		{"one offset", image(tensor(`"dtype":"U8","shape":[],"data_offsets":[0]`), 1), "two data_offsets"},
		{"three offsets", image(tensor(`"dtype":"U8","shape":[],"data_offsets":[0,1,2]`), 1), "data_offsets: more than 2 numbers"},
		{"dtype is no string", image(tensor(`"dtype":8,"shape":[],"data_offsets":[0,1]`), 1), "dtype: must be a string"},
		{"dtype unknown", image(tensor(`"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]`), 1), `tensor "fc1.weights": dtype "F8_E4M3" is not supported: convert`},
		{"shape is no array", image(tensor(`"dtype":"U8","shape":1,"data_offsets":[0,1]`), 1), "shape: header: 1 where an array"},
		{"negative size", image(tensor(`"dtype":"U8","shape":[-1],"data_offsets":[0,1]`), 1), "shape: -1 is not a whole number"},
		{"fraction", image(tensor(`"dtype":"U8","shape":[1.0],"data_offsets":[0,1]`), 1), "shape: 1.0 is not a whole number"},
		{"string size", image(tensor(`"dtype":"U8","shape":["1"],"data_offsets":[0,1]`), 1), `shape: "1" is not a whole number`},
		{"past 2^63", image(tensor(`"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]`), 1), "is not a whole number"},
		{"overflow", image(tensor(`"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]`), 0), "overflows"},
		{"overflow to a small number", image(tensor(`"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]`), 4), "overflows"},
		{"many dimensions", image(tensor(`"dtype":"U8","shape":`+manyDims+`,"data_offsets":[0,1]`), 1), "shape: more than 64 numbers"},
		{"size and shape", image(tensor(`"dtype":"F32","shape":[2,3],"data_offsets":[0,20]`), 20), `tensor "fc1.weights": data_offsets [0 20] hold 20 bytes, but shape [2 3] of F32 takes 24`},
		{"reversed", image(tensor(`"dtype":"U8","shape":[4],"data_offsets":[4,0]`), 4), "hold -4 bytes"},
		{"hole in front", image(tensor(`"dtype":"U8","shape":[2],"data_offsets":[2,4]`), 4), `tensor "fc1.weights": begins at byte 2 of the data, but the one before ends at 0: a hole`},
		{"hole between", image(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), `tensor "b": begins at byte 2`},
		{"overlap", image(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), `tensor "b": begins at byte 1 of the data, but the one before ends at 2: they overlap`},
		{"the same bytes", image(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2), "overlap"},
		{"past the end", image(tensor(`"dtype":"U8","shape":[9000],"data_offsets":[0,9000]`), 8), `tensor "fc1.weights": ends at byte 9000 of the data, but the file holds 8: it was cut off`},
		{"far past the end", image(tensor(`"dtype":"U8","shape":[4611686018427387904],"data_offsets":[0,4611686018427387904]`), 8), "it was cut off"},
		{"cut off", cut[:len(cut)-1], "it was cut off; fetch or write it again"},
		{"bytes behind", append(cut, 0), "1 bytes follow the last tensor"},
		{"metadata is no object", image(`{"__metadata__":[]}`, 0), `tensor "__metadata__": header: [ where an object`},
		{"metadata is no string", image(`{"__metadata__":{"step":7}}`, 0), "step: must be a string"},
		{"metadata twice", image(`{"__metadata__":{},"__metadata__":{}}`, 0), `"__metadata__" comes twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, "weights.safetensors", c.data)
			f, err := Open(path)
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "safetensors: "+path+": ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q, want the path and %q", err, c.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}
