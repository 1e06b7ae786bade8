package kerneltest

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"avcu/engine"
	"avcu/engine/host"
)

// double is a kernel for the harness to hold: y = 2x for x [R,N] and y [R,N], padded. What spoil does
// to a call on the cpu device is what the harness has to notice.
func double(spoil func(d *host.CPU, x, y engine.Tensor) error) Row {
	return Row{
		Kernel: "double",
		Name:   "5x7",
		Args: []Arg{
			In("x", Normal(Rand(1), 35, 1), 5, 7).Padded(9),
			Out("y", Tolerance{Abs: 1e-6, Why: "a test"}, 5, 7).Padded(8),
			Room("room", 4),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			if err := t[1].Check("double", "y", engine.Float32, t[0].Dim(0), t[0].Dim(1)); err != nil {
				return err
			}
			x := make([]float32, t[0].Len())
			if err := engine.Read(d, x, t[0]); err != nil {
				return err
			}
			for i := range x {
				x[i] *= 2
			}
			if err := engine.Write(d, t[1], x); err != nil {
				return err
			}
			if cpu, ok := d.(*host.CPU); ok && spoil != nil {
				return spoil(cpu, t[0], t[1])
			}
			return nil
		},
	}
}

// word is the float32 at an index of t's memory, which may lie outside of t.
func word(t engine.Tensor, i int) *float32 {
	return (*float32)(unsafe.Add(t.Buffer().Host(), 4*i))
}

// mistakes are what a kernel may do wrong, and what the harness says to it.
var mistakes = []struct {
	name, says string
	row        Row
}{
	{"wrong value", "y[9] = ", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 10) += 2e-6; return nil })},
	{"last value", "y[34] = ", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 4*8+6) += 1; return nil })},
	{"NaN", "y[0] = NaN", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 0) -= *word(x, 7); return nil })}, // padding read
	{"not written", "y[8] = NaN", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 9) = *word(y, -100); return nil })},
	{"guard before", "y: byte -4 outside its elements was overwritten", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, -1) = 0; return nil })},
	{"guard behind", "y: byte 164 outside its elements was overwritten", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 41) = 0; return nil })},
	{"padding", "y: byte 60 outside its elements was overwritten", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 15) = 0; return nil })},
	{"padding of the last row", "y: byte 156 outside", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 39) = 0; return nil })},
	{"padding of an input", "x: byte 32 outside", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(x, 8) = 0; return nil })},
	{"changed input", "x: an input was changed", double(func(_ *host.CPU, x, y engine.Tensor) error { *word(x, 0) += 1; return nil })},
	{"room overrun", "room: byte 16 outside", func() Row {
		row := double(nil)
		call := row.Call
		row.Call = func(d engine.Device, t []engine.Tensor) error {
			if !d.Separate() {
				*word(t[2], 4) = 0
			}
			return call(d, t)
		}
		return row
	}()},
	{"other bits", "a second call gave other bits", func() Row {
		calls := float32(0)
		return double(func(_ *host.CPU, x, y engine.Tensor) error {
			calls++
			*word(y, 0) += calls * 1e-7 // within the tolerance
			return nil
		})
	}()},
	{"other threads", "other bits than with another number of threads", double(func(d *host.CPU, x, y engine.Tensor) error {
		*word(y, 0) += float32(d.Threads()) * 1.5e-7
		return nil
	})},
	{"error", "the kernel refused", double(func(*host.CPU, engine.Tensor, engine.Tensor) error { return errors.New("the kernel refused") })},
	{"data of another length", "x has 34 elements of data for float32[5 7]", func() Row {
		row := double(nil)
		row.Args[0].Data = make([]float32, 34)
		return row
	}()},
}

func TestGoodRow(t *testing.T) { Run(t, []Row{double(nil)}) }

const spoiled = "KERNELTEST_MISTAKE" // the name of the mistake that a child process makes

func mistaken() bool { return os.Getenv(spoiled) != "" }

// TestRunNotices runs Run on every mistake, each in a process of its own, and demands that it fails
// and says why.
func TestRunNotices(t *testing.T) {
	if name := os.Getenv(spoiled); name != "" {
		for _, m := range mistakes {
			if m.name == name {
				Run(t, []Row{m.row})
			}
		}
		return
	}
	if len(Devices(t)) == 0 {
		t.Skip("there is no device beside the reference")
	}
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) { failsSaying(t, "TestRunNotices", m.name, m.says) })
	}
}

// failsSaying runs a test of this program in a child process that makes a mistake.
func failsSaying(t *testing.T, test, mistake, says string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), spoiled+"="+mistake)
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: "+test) || !strings.Contains(string(out), says) {
		t.Errorf("%v; its output does not say %q:\n%s", err, says, out)
	}
}

func TestCompare(t *testing.T) {
	d, err := host.NewCPU(host.Options{Threads: 1})
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	diffs, err := Compare(host.NewRef(), d, double(func(_ *host.CPU, x, y engine.Tensor) error {
		*word(y, 3) += 2.5e-7
		*word(y, 11) += 1
		*word(y, 20) += 0.5
		return nil
	}))
	if err != nil || len(diffs) != 1 || diffs[0].Arg != "y" || diffs[0].OK || diffs[0].At != 10 || diffs[0].Max < 0.99 {
		t.Errorf("%+v, %v; want a difference of 1 at element 10", diffs, err)
	}
	diffs, err = Compare(host.NewRef(), d, double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, 3) += 5e-7; return nil }))
	if err != nil || !diffs[0].OK || diffs[0].At != 3 || diffs[0].Max < 3e-7 {
		t.Errorf("%+v, %v; want a tolerated difference of 5e-7 at element 3", diffs, err)
	}
	if _, err = Compare(host.NewRef(), d, double(func(_ *host.CPU, x, y engine.Tensor) error { *word(y, -1) = 0; return nil })); err == nil {
		t.Error("a broken guard word is no error")
	}
}

// TestCompareInfinities: infinities and NaN where the reference has them are no difference, and hide
// none.
func TestCompareInfinities(t *testing.T) {
	row := Row{Args: []Arg{Out("y", Tolerance{Abs: 1}, 3)}}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	diffs := compare(row, [][]byte{encode([]float32{inf, nan, 1.5})}, [][]byte{encode([]float32{inf, nan, 1})})
	if d := diffs[0]; !d.OK || d.Max != 0.5 || d.At != 2 {
		t.Errorf("%+v, want a difference of 0.5 at 2", d)
	}
	diffs = compare(row, [][]byte{encode([]float32{inf, 7, 1})}, [][]byte{encode([]float32{inf, nan, 1})})
	if d := diffs[0]; d.OK || d.At != 1 {
		t.Errorf("%+v, want a failure at 1", d)
	}
}
