package kerneltest

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sbinet/npyio/npz"
)

func TestLoadNPZ(t *testing.T) {
	file := filepath.Join(t.TempDir(), "case.npz")
	if err := npz.Write(file, map[string]any{
		"x": []float64{0.5, -1e300},
		"y": []float32{0.25},
		"q": []uint8{0, 255},
		"k": []int32{-7, 8},
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]Array{
		"x": {Shape: []int{2}, Data: []float64{0.5, -1e300}},
		"y": {Shape: []int{1}, Data: []float64{0.25}},
		"q": {Shape: []int{2}, Data: []float64{0, 255}},
		"k": {Shape: []int{2}, Data: []float64{-7, 8}},
	}
	got := LoadNPZ(t, file)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arrays (-want +got):\n%s", diff)
	}
	if !cmp.Equal(got["y"].Float32(), []float32{0.25}) || !cmp.Equal(got["q"].Uint8(), []uint8{0, 255}) || !cmp.Equal(got["k"].Int32(), []int32{-7, 8}) {
		t.Error("converted back to other values")
	}
	clone := got["x"].Clone()
	clone[0] = 9
	if got["x"].Data[0] != 0.5 {
		t.Error("a clone shares its values")
	}
}

// TestGoldenNeedsFiles: a pattern without files fails, in a child process.
func TestGoldenNeedsFiles(t *testing.T) {
	pattern := "none_*.npz"
	if mistaken() {
		Golden(t, pattern, func(*testing.T, string, map[string]Array) {})
		return
	}
	failsSaying(t, "TestGoldenNeedsFiles", "no files", "no golden file testdata/"+pattern)
}
