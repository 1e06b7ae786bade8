package kerneltest

import (
	"bytes"
	"flag"
	"fmt"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
	"avcu/engine/ptx"
)

// Long is the test flag -long: the full product of the edges in place of a pairwise cover.
var Long = flag.Bool("long", false, "every combination of the edge cases")

// Devices are the devices under test, beside the reference: the CPU with each instruction set that is
// here, and with 1, 2 and 3 threads for the widest, and with AMX; and the virtual machine that runs the CUDA kernels,
// once with the blocks in order and once in another; with the tag cuda also the first GPU. They are closed when the test ends.
func Devices(t testing.TB) map[string]engine.Device {
	devices := map[string]engine.Device{}
	best := host.Plain
	for _, isa := range isas {
		if addCPU(t, devices, "cpu/"+isa.String(), isa, host.Options{Threads: 1, NoAMX: true}) {
			best = isa
		}
	}
	for _, threads := range []int{2, 3} {
		addCPU(t, devices, fmt.Sprintf("cpu/%v/threads%d", best, threads), best, host.Options{Threads: threads, NoAMX: true})
	}
	for _, threads := range []int{1, 2} { // again without AMX where there is none
		addCPU(t, devices, fmt.Sprintf("cpu/amx/threads%d", threads), best, host.Options{Threads: threads})
	}
	emulate := func(name string, o ptx.Options) {
		d, err := cuda.Open(ptx.NewDriver(o), cuda.Options{Name: name, Arch: "ptx", Checks: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		devices[name] = d
	}
	emulate("emu", ptx.Options{})
	emulate("emu/permuted", ptx.Options{Permute: 0x5eed, Workers: 1})
	for _, d := range GPUs(t) {
		devices[d.Name()] = d
	}
	return devices
}

var isas = []host.ISA{host.Plain, host.AVX2, host.AVX512}

// addCPU opens a cpu device, and reports whether this processor has its instructions.
func addCPU(t testing.TB, devices map[string]engine.Device, name string, isa host.ISA, o host.Options) bool {
	o.Limit = &isa
	d, err := host.NewCPU(o)
	if err != nil {
		t.Logf("no cpu device here: %v", err)
		return false
	}
	t.Cleanup(func() { _ = d.Close() })
	if !strings.HasPrefix(d.Arch(), isa.String()) {
		t.Logf("not run on this processor: %v", isa)
		return false
	}
	devices[name] = d
	return true
}

// BF16Devices are the devices whose matrix products round their operands to bfloat16: the CPU with each
// instruction set that is here, with and without AMX. Their reference is host.NewRefBF16.
func BF16Devices(t testing.TB) map[string]engine.Device {
	devices := map[string]engine.Device{}
	for _, isa := range isas {
		addCPU(t, devices, "cpu/"+isa.String()+"/bf16", isa, host.Options{Threads: 1, BF16: true, NoAMX: true})
	}
	addCPU(t, devices, "cpu/avx512/bf16/threads2", host.AVX512, host.Options{Threads: 2, BF16: true, NoAMX: true})
	for _, threads := range []int{1, 2} { // again AVX512_BF16 where there is no AMX
		addCPU(t, devices, fmt.Sprintf("cpu/amx/bf16/threads%d", threads), host.AVX512, host.Options{Threads: threads, BF16: true})
	}
	return devices
}

// once reports a device whose second call is that of another device of the same bits: the virtual
// machine, which is slow.
func once(d engine.Device) bool {
	_, emulated := d.(*cuda.Device)
	return emulated && d.Arch() == "ptx"
}

// Run compares every row on every device with the reference, and demands the same bits of a second
// call and of every number of threads.
func Run(t *testing.T, rows []Row) { run(t, rows, host.NewRef(), Devices(t)) }

// RunBF16 is Run for kernels that are or contain matrix products, on the devices that round their operands.
func RunBF16(t *testing.T, rows []Row) { run(t, rows, host.NewRefBF16(), BF16Devices(t)) }

func run(t *testing.T, rows []Row, ref engine.Device, devices map[string]engine.Device) {
	for _, row := range rows {
		t.Run(row.Name, func(t *testing.T) {
			want, err := Execute(ref, row)
			if err != nil {
				t.Fatal(err)
			}
			bits := map[string][][]byte{} // by instruction set
			for name, d := range devices {
				got, err := Execute(d, row)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				for _, diff := range compare(row, got, want) {
					if !diff.OK {
						t.Errorf("%s: %s[%d] = %v, want %v within %g + %g·|want| (%s)", name, diff.Arg, diff.At,
							diff.Got, diff.Want, diff.Tol.Abs, diff.Tol.Rel, diff.Tol.Why)
					}
				}
				if !once(d) {
					again, err := Execute(d, row)
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					if !equal(got, again) {
						t.Errorf("%s: a second call gave other bits", name)
					}
				}
				if first, ok := bits[d.Arch()]; ok && !equal(got, first) {
					t.Errorf("%s: other bits than with another number of threads or order of blocks", name)
				}
				bits[d.Arch()] = got
			}
		})
	}
}

func equal(a, b [][]byte) bool {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
