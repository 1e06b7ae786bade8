// Package simdtest makes the vector functions of kernels/simd.h callable from Go, so that its tests
// can hold each of them to what simd.h states. No kernel uses it.
package simdtest

// Function is a vector function of simd.h.
type Function int

// The functions, with their arguments.
const (
	Exp   Function = iota // vexp(a)
	Log                   // vlog(a)
	Tanh                  // vtanh(a)
	Sqrt                  // vsqrt(a)
	Round                 // vround(a)
	Max                   // vmax(a, b)
	Min                   // vmin(a, b)
	Sel                   // vsel(a < 0, b, c)
	FMA                   // vfma(a, b, c)
)

// String is the name in simd.h.
func (f Function) String() string {
	return [...]string{"vexp", "vlog", "vtanh", "vsqrt", "vround", "vmax", "vmin", "vsel", "vfma"}[f]
}
