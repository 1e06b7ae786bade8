package ptx

import (
	"math/rand/v2"
	"os"
	"testing"
	"unsafe"
)

func f32bytes(f []float32) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&f[0])), 4*len(f)) }

func TestTemp(t *testing.T) {
	text, _ := os.ReadFile("/tmp/vm/sgemm.ptx")
	m, err := Parse("sgemm.ptx", string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range m.kernels {
		t.Log(k.name, len(k.code), k.fixedAt/128, k.fileBytes, k.undefined)
	}
	d := NewDriver(Options{})
	if err := d.Open(0); err != nil {
		t.Fatal(err)
	}
	mod, err := d.Load(string(text))
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Function(mod, "sgemm")
	if err != nil {
		t.Fatal(err)
	}
	M, N, K := 256, 128, 64
	a, b, c := make([]float32, K*M), make([]float32, K*N), make([]float32, M*N)
	for i := range a {
		a[i] = float32(rand.NormFloat64())
	}
	for i := range b {
		b[i] = float32(rand.NormFloat64())
	}
	pa, _ := d.Alloc(int64(4 * len(a)))
	pb, _ := d.Alloc(int64(4 * len(b)))
	pc, _ := d.Alloc(int64(4 * len(c)))
	d.CopyIn(pa, f32bytes(a))
	d.CopyIn(pb, f32bytes(b))
	if err := d.Launch(f, [3]int{N / 128, M / 128, 1}, [3]int{256, 1, 1}, 0, 0, []uint64{pa, pb, pc, uint64(M), uint64(N), uint64(K)}); err != nil {
		t.Fatal(err)
	}
	d.CopyOut(f32bytes(c), pc)
	for i := range M {
		for j := range N {
			var s float32
			for k := range K {
				s = fma32(a[k*M+i], b[k*N+j], s)
			}
			if s != c[i*N+j] {
				t.Fatal(i, j, s, c[i*N+j])
			}
		}
	}
}

func BenchmarkTemp(b *testing.B) {
	text, _ := os.ReadFile("/tmp/vm/sgemm.ptx")
	d := NewDriver(Options{Workers: 1})
	d.Open(0)
	mod, err := d.Load(string(text))
	if err != nil {
		b.Fatal(err)
	}
	f, _ := d.Function(mod, "sgemm")
	M, N, K := 256, 128, 256
	pa, _ := d.Alloc(int64(4 * M * K))
	pb, _ := d.Alloc(int64(4 * N * K))
	pc, _ := d.Alloc(int64(4 * M * N))
	x := make([]float32, M*K)
	for i := range x {
		x[i] = float32(rand.NormFloat64())
	}
	d.CopyIn(pa, f32bytes(x))
	d.CopyIn(pb, f32bytes(x[:N*K]))
	b.ResetTimer()
	for range b.N {
		if err := d.Launch(f, [3]int{N / 128, M / 128, 1}, [3]int{256, 1, 1}, 0, 0, []uint64{pa, pb, pc, uint64(M), uint64(N), uint64(K)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(M*N*K)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mfma/s")
}
