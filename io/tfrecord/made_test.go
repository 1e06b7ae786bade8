package tfrecord

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// frame is a whole record with data.
func frame(data []byte) []byte {
	b := make([]byte, HeaderSize, HeaderSize+len(data)+FooterSize)
	putHeader(b, len(data))
	b = append(b, data...)
	c := checksum(data)
	return append(b, byte(c), byte(c>>8), byte(c>>16), byte(c>>24))
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// madeDamage writes damaged files that the golden ones do not cover.
func madeDamage(t *testing.T) []goldenCase {
	t.Helper()
	dir := t.TempDir()
	var cases []goldenCase
	add := func(name string, content []byte, good, end int64) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, goldenCase{Name: path, Wrong: name, Good: &good, Byte: end})
	}
	narrow, err := os.ReadFile("testdata/narrow.tfrecord")
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("videos are long "), 99)
	add("not_tfrecord", text, 0, 0)
	add("short", text[:7], 0, 7)
	add("gzip_of_text.gz", zipped(t, text), 0, 0)

	damaged := bytes.Clone(narrow)
	damaged[3] ^= 8
	add("first_header_damaged", damaged, 0, 0)
	add("trailing_longer_than_window", append(bytes.Clone(narrow[:416]), make([]byte, lookAhead+99)...), 2, 0)

	whole := zipped(t, narrow)
	damaged = bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // gzip's own checksum of everything
	add("gzip_bad_checksum.gz", damaged, 6, 0)
	add("gzip_trailing.gz", append(bytes.Clone(whole), "not a gzip member"...), 6, 0)

	claims := make([]byte, HeaderSize)
	putHeader(claims, 1<<30)
	b := zipped(t, append(append(bytes.Clone(narrow[:416]), claims...), 1, 2, 3))
	add("gzip_claims_2_to_the_30.gz", b, 2, 416+HeaderSize+3)
	putHeader(claims, 1<<31)
	add("gzip_claims_2_to_the_31.gz", zipped(t, claims), 0, 0)
	add("gzip_ends_inside_header.gz", zipped(t, narrow[:419]), 2, 419)
	add("gzip_head_cut.gz", whole[:4], 0, 4)

	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(narrow); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil { // everything is there, but the stream does not end
		t.Fatal(err)
	}
	add("zlib_cut", z.Bytes(), 6, int64(z.Len()))
	return cases
}
