// Package kerneltest is the one harness that holds every kernel to its reference: a kernel's table of
// rows (rows.go in its folder) gives its tests and its part of avcu check, on every device.
package kerneltest

import (
	"math"
	"math/rand/v2"

	"avcu/engine"
)

// Tolerance bounds the distance of a value from the reference's: |got−want| ≤ Abs + Rel·|want|. NaN
// equals only NaN, and an infinity only itself.
type Tolerance struct {
	Abs, Rel float64
	Why      string
}

// Exact is for values that are equal to the bit on every device.
var Exact = Tolerance{Why: "the same bits on every device"}

// Within reports that got is as near to want as tol says.
func (tol Tolerance) Within(got, want float64) bool {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return true
	}
	return !math.IsInf(want, 0) && math.Abs(got-want) <= tol.Abs+tol.Rel*math.Abs(want)
}

// Row is one call of a kernel: its arguments, and how to make it.
type Row struct {
	Kernel string // "adam"
	Name   string // the shape, "B3_L7_D24": also the name of the test
	Args   []Arg
	Call   func(d engine.Device, t []engine.Tensor) error // t in the order of Args
}

// Arg is a tensor argument of a call.
type Arg struct {
	Name  string
	Type  engine.DType
	Dims  []int
	LD    int       // elements between rows; 0: unpadded
	Data  any       // []float32, []uint8 or []int32, unpadded; nil: not initialised (bytes 0xFF, NaN)
	Write bool      // the kernel writes it; it is compared with the reference
	Tol   Tolerance // of a written argument
	Room  bool      // scratch memory: written, and not compared
}

// In is an argument that is only read.
func In[T engine.Element](name string, data []T, dims ...int) Arg {
	return Arg{Name: name, Type: typeOf(data), Dims: dims, Data: data}
}

// InOut is an argument that is read and written.
func InOut[T engine.Element](name string, tol Tolerance, data []T, dims ...int) Arg {
	return Arg{Name: name, Type: typeOf(data), Dims: dims, Data: data, Write: true, Tol: tol}
}

// Out is a float32 argument that is only written.
func Out(name string, tol Tolerance, dims ...int) Arg {
	return Arg{Name: name, Type: engine.Float32, Dims: dims, Write: true, Tol: tol}
}

// OutInt32 is an int32 argument that is only written.
func OutInt32(name string, dims ...int) Arg {
	return Arg{Name: name, Type: engine.Int32, Dims: dims, Write: true, Tol: Exact}
}

// Room is float32 scratch memory of a call.
func Room(name string, dims ...int) Arg {
	return Arg{Name: name, Type: engine.Float32, Dims: dims, Write: true, Room: true}
}

// Padded is the argument with rows ld elements apart.
func (a Arg) Padded(ld int) Arg {
	a.LD = ld
	return a
}

func typeOf[T engine.Element](data []T) engine.DType {
	switch any(data).(type) {
	case []uint8:
		return engine.Uint8
	case []int32:
		return engine.Int32
	}
	return engine.Float32
}

// Rand is the generator of a row's data, seeded by the row's name so that rows do not depend on each
// other.
func Rand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eed)) }

// Normal is n float32 drawn from a normal distribution of this standard deviation.
func Normal(r *rand.Rand, n int, std float64) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64() * std)
	}
	return s
}

// Bytes is n uniform bytes.
func Bytes(r *rand.Rand, n int) []uint8 {
	s := make([]uint8, n)
	for i := range s {
		s[i] = uint8(r.Uint32())
	}
	return s
}

// Cover returns combinations, one value from each list, such that every pair of values of two lists
// occurs in at least one of them (pairwise cover, built greedily and always the same). With long it is
// the full product.
func Cover(long bool, lists ...[]int) [][]int {
	var all [][]int
	var build func(prefix []int)
	build = func(prefix []int) {
		if len(prefix) == len(lists) {
			all = append(all, append([]int(nil), prefix...))
			return
		}
		for _, v := range lists[len(prefix)] {
			build(append(prefix, v))
		}
	}
	build(nil)
	if long || len(lists) < 3 {
		return all
	}
	type pair struct{ i, a, j, b int }
	done := map[pair]bool{}
	fresh := func(c []int) (n int) {
		for i := range c {
			for j := i + 1; j < len(c); j++ {
				if !done[pair{i, c[i], j, c[j]}] {
					n++
				}
			}
		}
		return n
	}
	var cover [][]int
	for {
		best, most := -1, 0
		for i, c := range all {
			if n := fresh(c); n > most {
				best, most = i, n
			}
		}
		if best < 0 {
			return cover
		}
		c := all[best]
		for i := range c {
			for j := i + 1; j < len(c); j++ {
				done[pair{i, c[i], j, c[j]}] = true
			}
		}
		cover = append(cover, c)
	}
}
