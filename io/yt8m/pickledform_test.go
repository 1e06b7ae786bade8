package yt8m

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"avcu/io/tfrecord"
)

func TestIsPickle(t *testing.T) {
	for _, c := range []struct {
		head string
		want bool
	}{
		{"\x80\x02]q\x00(}q\x01(U\x07", true},
		{"\x80\x04\x95\x63\x00\x00\x00\x00\x00\x00\x00]", true},
		{"\x80\x05]\x94.", true},
		{"\x80\x02", true},
		{"\x80\x02}q\x00(X\x05", true},
		{"(lp0\n(dp1\nVv", true},
		{"(lp1\n(dp2\nS'", true},
		{"(l(dS'video'", true},
		{"(lp0\n.", true},
		{"(dp0\nVvideo\n", true},
		{"]q\x00(}q\x01(X\x05", true},
		{"]q\x00}q\x01(U\x05", true},
		{"](}(U\x05video", true},
		{"].", true},

		{"", false},
		{"\x80", false},
		{"\x80\x06]q\x00(}q\x01", false},
		{"\x80\x02\x00\x00\x00\x00\x00\x00abcd", false}, // a TFRecord whose checksum is damaged
		{"](}(\x00\x00\x00\x00abcd", false},
		{"]q\x00\x00\x00\x00\x00\x00abcd", false},
		{"(lp\x00\x00\x00\x00\x00abcd", false},
		{"hello, this ", false},
		{"(less is more", false},
		{"(lp0 (dp1 tex", false},
		{"(lpx\n(dp1\nVv", false},
		{"(dear reader)", false},
		{"(l", false},
		{"]quite so", false},
		{"](see below)", false},
		{"[1, 2, 3]   ", false},
		{"{\"video\": 1} ", false},
		{"}\n}\n}\n}\n", false},
		{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x00\x00", false},
	} {
		if got := isPickle("x", []byte(c.head)); got != c.want {
			t.Errorf("%q: %v", c.head, got)
		}
	}
	if !isPickle("empty.pkl", nil) || isPickle("empty.tfrecord", nil) {
		t.Error("an empty file is what its name says")
	}
}

// TestEveryLengthIsNoPickle: no TFRecord is taken for a pickle, and neither is one whose checksum is damaged.
func TestEveryLengthIsNoPickle(t *testing.T) {
	for length := range uint64(1 << 16) {
		var head [tfrecord.HeaderSize]byte
		binary.LittleEndian.PutUint64(head[:], length)
		copy(head[8:], "(dq}")
		if isPickle("x", head[:]) {
			t.Errorf("length %d with a damaged checksum", length)
		}
	}
	dir := t.TempDir()
	for _, length := range []int{0x280, 0x5d0280, 0x7d285d, 0x715d, 0x706c28} {
		name := filepath.Join(dir, "shard")
		w, err := tfrecord.Create(name, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(make([]byte, length)), w.Close()); err != nil {
			t.Fatal(err)
		}
		head, err := readHead(name)
		if err != nil || isPickle(name, head) {
			t.Errorf("length %#x: %q, %v", length, head, err)
		}
	}
	for _, form := range []string{goldenDir, goldenDir + "/bad"} {
		files, err := filepath.Glob(form + "/*.tfrecord*")
		if err != nil || len(files) < 5 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil || isPickle(name, data[:min(len(data), tfrecord.HeaderSize)]) {
				t.Errorf("%s is taken for a pickle: %v", name, err)
			}
		}
	}
}
