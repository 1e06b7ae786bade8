package safetensors

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"avcu/io/replace"
	"avcu/io/replace/faulty"
)

// TestFaults fills the disk after every possible number of bytes, and fails at the end: each time the earlier file stays as
// it was and nothing is left beside it.
func TestFaults(t *testing.T) {
	tensors := []Tensor{Float32("a", []int{2, 2}, ramp(4)), Float32Rows("b", []int{3}, func(_ int, dst []float32) error { return nil })}
	head, err := formatHeader(tensors, nil)
	if err != nil {
		t.Fatal(err)
	}
	total := len(head) + 4*7
	type fault struct {
		file faulty.File
		want error
	}
	faults := []fault{{faulty.File{Room: total, SyncFails: true}, faulty.ErrDisk}, {faulty.File{Room: total, CloseFails: true}, faulty.ErrDisk}}
	for room := range total {
		faults = append(faults, fault{faulty.File{Room: room}, syscall.ENOSPC})
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "last.safetensors")
	if err := os.WriteFile(path, []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(w io.Writer) error { return writeAll(w, head, tensors) }
	for _, fault := range faults {
		disk := fault.file
		err := replace.WithFile(path, disk.Create, write)
		if !errors.Is(err, fault.want) {
			t.Errorf("%+v: error %v", fault.file, err)
		}
		wantFiles(t, folder, map[string]string{"last.safetensors": "earlier"})
	}
	// With just enough room it is written.
	disk := faulty.File{Room: total}
	if err := replace.WithFile(path, disk.Create, write); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

// TestRenameFails: a folder stands where the file should come.
func TestRenameFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "taken")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, nil, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v (%v), want the folder alone", entries, err)
	}
}

// TestLeftover: files that a crash left aside are in nobody's way, and not touched.
func TestLeftover(t *testing.T) {
	folder := t.TempDir()
	leftover := filepath.Join(folder, ".a.0.tmp")
	if err := os.WriteFile(leftover, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	if err := Write("a", []Tensor{Float32("w", nil, []float32{1})}, nil); err != nil {
		t.Fatal(err)
	}
	open(t, "a")
	if text, err := os.ReadFile(leftover); err != nil || string(text) != "half a file" {
		t.Errorf("the leftover now holds %q, %v", text, err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("%v (%v), want two files", entries, err)
	}
}
