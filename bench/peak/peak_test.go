package peak

import (
	"testing"

	"avcu/engine/cuda"
	"avcu/engine/ptx"
)

// What is measured is plausible.
func TestPeaks(t *testing.T) {
	flop, err := FMA(0)
	if err != nil {
		t.Skip(err)
	}
	half, err := BF16(0)
	if err != nil {
		t.Fatal(err)
	}
	far, err := Triad(0)
	if err != nil {
		t.Fatal(err)
	}
	near, err := TriadWithin(1, 16<<10)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f GFLOP/s, %.0f of bfloat16; %.1f GB/s from memory, %.1f GB/s of one core from its first cache", flop/1e9, half/1e9, far/1e9, near/1e9)
	// Some processors multiply bfloat16 at half the rate of float32.
	if flop < 1e9 || flop > 1e15 || half < flop/3 || far < 1e8 || far > 1e14 || near < far/8 {
		t.Error("no processor has such limits")
	}
}

// The CUDA kernels run, as far as the virtual machine can tell: it checks every access.
func TestCUDAPeaks(t *testing.T) {
	d, err := cuda.Open(ptx.NewDriver(ptx.Options{Workers: 2}), cuda.Options{Name: "emu", Checks: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if flop, err := CUDAFMA(d); err != nil || flop < 1e3 {
		t.Errorf("%v operations a second, %v", flop, err)
	}
	if bytes, err := cudaTriad(d, 64<<10); err != nil || bytes < 1e3 {
		t.Errorf("%v bytes a second, %v", bytes, err)
	}
}
