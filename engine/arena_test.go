package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
	"avcu/engine/host"
)

// recorder is a reference device that keeps a list of its allocations, and may want one a tensor.
type recorder struct {
	*host.Ref
	separate  bool
	allocated []int64
	freed     int
	fail      error
}

func (r *recorder) Separate() bool { return r.separate }

func (r *recorder) Alloc(bytes int64) (*engine.Memory, error) {
	if r.fail != nil {
		return nil, r.fail
	}
	r.allocated = append(r.allocated, bytes)
	return r.Ref.Alloc(bytes)
}

func (r *recorder) Reserve(bytes int64) (*engine.Memory, error) { return r.Alloc(bytes) }

func (r *recorder) Free(m *engine.Memory) error {
	r.freed++
	return r.Ref.Free(m)
}

func address(t engine.Tensor) uintptr { return uintptr(t.Buffer().Host()) }

func TestArena(t *testing.T) {
	d := &recorder{Ref: host.NewRef()}
	a := engine.NewArena(d)
	if a.Device() != d {
		t.Error("another device")
	}
	tensors := []engine.Tensor{
		a.Tensor(engine.Float32, 3, 5), a.Tensor(engine.Uint8, 1), a.Tensor(engine.Int32, 0), a.Padded(engine.Float32, 100, 7, 65),
		a.Tensor(engine.Float32, 64), a.Tensor(engine.Uint8, 2, 257),
	}
	// Each is rounded up to 256 bytes: 60, 1, 0, 7·100·4 = 2800, 256, 514.
	if want := int64(256 + 256 + 0 + 2816 + 256 + 768); a.Bytes() != want {
		t.Errorf("%d bytes planned, want %d", a.Bytes(), want)
	}
	if len(d.allocated) != 0 {
		t.Error("allocated before Commit")
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(d.allocated, []int64{a.Bytes()}) {
		t.Errorf("allocations of %v bytes, want one of %d", d.allocated, a.Bytes())
	}
	for i, x := range tensors {
		if address(x)%engine.Align != 0 {
			t.Errorf("tensor %d begins at %#x", i, address(x))
		}
		for k, y := range tensors {
			if x.Len() > 0 && y.Len() > 0 && i < k && address(x)+uintptr(x.Buffer().Bytes()) > address(y) {
				t.Errorf("tensors %d and %d overlap", i, k)
			}
		}
	}
	if tensors[3].LD() != 100 {
		t.Errorf("rows %d apart", tensors[3].LD())
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("gave a tensor after Commit")
			}
		}()
		a.Tensor(engine.Float32, 1)
	}()
	if err := a.Free(); err != nil || d.freed != 1 {
		t.Errorf("freed %d times: %v", d.freed, err)
	}
}

// TestArenaShares: what is reserved after Release lies where the released lay, and the plan is as
// large as the larger of the two.
func TestArenaShares(t *testing.T) {
	a := engine.NewArena(host.NewRef())
	parameters := a.Tensor(engine.Float32, 64)
	mark := a.Mark()
	train := a.Tensor(engine.Float32, 1000)
	a.Release(mark)
	eval := a.Tensor(engine.Float32, 100)
	if want := int64(256 + 4096); a.Bytes() != want {
		t.Errorf("%d bytes planned, want %d", a.Bytes(), want)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	if address(train) != address(eval) || address(train) != address(parameters)+256 {
		t.Errorf("parameters at %#x, training at %#x, evaluation at %#x", address(parameters), address(train), address(eval))
	}
	if err := a.Free(); err != nil {
		t.Fatal(err)
	}
}

// TestArenaSeparate: a checking device gets an allocation a tensor, of exactly its bytes, and nothing
// is shared.
func TestArenaSeparate(t *testing.T) {
	d := &recorder{Ref: host.NewRef(), separate: true}
	a := engine.NewArena(d)
	first := a.Tensor(engine.Float32, 3, 5)
	mark := a.Mark()
	a.Tensor(engine.Uint8, 7)
	a.Release(mark)
	last := a.Padded(engine.Float32, 6, 2, 4)
	a.Tensor(engine.Float32, 0)
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{60, 7, 48, 0}, d.allocated); diff != "" {
		t.Errorf("allocations (-want +got):\n%s", diff)
	}
	if err := engine.Write(d, first, make([]float32, 15)); err != nil {
		t.Error(err)
	}
	if err := engine.Write(d, last, make([]float32, 8)); err != nil {
		t.Error(err)
	}
	if err := a.Free(); err != nil || d.freed != 4 {
		t.Errorf("freed %d times: %v", d.freed, err)
	}
}

func TestArenaOutOfMemory(t *testing.T) {
	for _, separate := range []bool{false, true} {
		full := errors.New("the device is full")
		d := &recorder{Ref: host.NewRef(), separate: separate, fail: full}
		a := engine.NewArena(d)
		a.Tensor(engine.Float32, 3, 1<<20)
		err := a.Commit()
		if !errors.Is(err, full) || !strings.Contains(err.Error(), "reserving 12 MB for the graph") {
			t.Errorf("error %v", err)
		}
		if err := a.Free(); err != nil {
			t.Error(err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	if err := engine.Unsupported(host.NewRef(), "shift"); err.Error() != "shift: no implementation for device ref" {
		t.Error(err)
	}
}
