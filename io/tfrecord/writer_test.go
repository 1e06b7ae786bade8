package tfrecord

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteGolden(t *testing.T) {
	const golden = "testdata/wide.tfrecord"
	records, _ := readAll(golden)
	for _, compress := range []bool{false, true} {
		name := filepath.Join(t.TempDir(), "written")
		w, err := Create(name, compress)
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range records {
			if err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file has its name before Close: %v", err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(nil); err == nil {
			t.Error("a closed file accepts a record")
		}
		got, err := readAll(name)
		if diff := cmp.Diff(records, got); diff != "" || err != io.EOF {
			t.Errorf("compress %v: %v (-want +got):\n%s", compress, err, diff)
		}
		if !compress { // byte for byte what TensorFlow writes
			want, _ := os.ReadFile(golden)
			if got, _ := os.ReadFile(name); !bytes.Equal(got, want) {
				t.Error("the file differs from TensorFlow's")
			}
		}
		checkFolder(t, filepath.Dir(name), "written")
	}
}

func checkFolder(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files in the folder (-want +got):\n%s", diff)
	}
}

func TestAbort(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "kept")
	if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	w, err := Create(name, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := w.Close(); err == nil {
		t.Error("Close after Abort reports success")
	}
	if b, _ := os.ReadFile(name); string(b) != "old" {
		t.Errorf("the file holds %q", b)
	}
	checkFolder(t, dir, "kept")
}

func TestCreateInMissingFolder(t *testing.T) {
	if _, err := Create(filepath.Join(t.TempDir(), "no", "file"), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestWriteFailureIsKept makes the storage fail by closing the file under the writer.
func TestWriteFailureIsKept(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "file"), false)
	if err != nil {
		t.Fatal(err)
	}
	w.file.Close()
	if err := w.Write(make([]byte, 2*writeBuffer)); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("Write: %v", err)
	}
	if err := w.Write([]byte("more")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the next Write: %v", err)
	}
	if err := w.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
	checkFolder(t, dir)
}

func TestWriteAllocatesNothing(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "file"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	data := make([]byte, 300_000)
	if n := testing.AllocsPerRun(50, func() {
		if err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	content := bytes.Repeat(frame(make([]byte, 300_000)), 60)
	r, err := newReader("memory", bytes.NewReader(content), int64(len(content)), readBuffer)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(50, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}
