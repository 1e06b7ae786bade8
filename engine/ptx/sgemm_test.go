package ptx

import (
	_ "embed"
	"math/rand/v2"
	"testing"
	"unsafe"
)

//go:embed testdata/sgemm.ptx
var sgemmText string

func floats(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}

// sgemm is the product of testdata/sgemm.cu on m×n×k normal numbers, ready to be launched.
func sgemm(t testing.TB, o Options, m, n, k int) (d *Driver, run func() error, a, b []float32, c uint64) {
	t.Helper()
	d = NewDriver(o)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.Open(0))
	module, err := d.Load(sgemmText)
	must(err)
	f, err := d.Function(module, "sgemm")
	must(err)
	r := rand.New(rand.NewPCG(1, 1))
	var at [2]uint64
	for i, size := range []int{k * m, k * n} {
		x := make([]float32, size)
		for j := range x {
			x[j] = float32(r.NormFloat64())
		}
		at[i], err = d.Alloc(int64(4 * size))
		must(err)
		must(d.CopyIn(at[i], floats(x)))
		a, b = b, x
	}
	c, err = d.Alloc(int64(4 * m * n))
	must(err)
	return d, func() error {
		return d.Launch(f, [3]int{n / 128, m / 128, 1}, [3]int{256, 1, 1}, 0, 0, []uint64{at[0], at[1], c, uint64(m), uint64(n), uint64(k)})
	}, a, b, c
}

func TestSGEMM(t *testing.T) {
	const m, n, k = 128, 256, 40
	d, run, a, b, c := sgemm(t, Options{Count: true}, m, n, k)
	if err := run(); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, m*n)
	if err := d.CopyOut(floats(got), c); err != nil {
		t.Fatal(err)
	}
	for i := range m {
		for j := range n {
			want := float32(0)
			for s := range k {
				want = fma32(a[s*m+i], b[s*n+j], want)
			}
			if got[i*n+j] != want {
				t.Fatalf("c[%d,%d] = %v, want %v", i, j, got[i*n+j], want)
			}
		}
	}
	// By hand: 2 blocks of 8 warps; each thread k·64 fma; in each of k/8 steps two 16-byte loads from global
	// memory, of 512 bytes a warp, and two stores to shared memory; k·4 loads from it; 16 stores of c.
	x := d.Counters()["sgemm"]
	if x.Launches != 1 || x.Blocks != 2 || x.BlocksRun != 2 || x.Instructions["fma.rn.f32"] != 16*k*64 || x.Instructions["bar.sync"] != 16*k/8*2 {
		t.Errorf("%+v", x)
	}
	if g := x.Global; g.LoadRequests != 16*k/8*2 || g.LoadSectors != 16*g.LoadRequests || g.LoadIdeal != g.LoadSectors || g.StoreRequests != 16*16 || g.StoreSectors != g.StoreIdeal || g.StoreSectors != 16*g.StoreRequests {
		t.Errorf("%+v", g)
	}
	if s := x.Shared; s.Requests != 16*(k/8*2+k*4) || s.Ideal != 4*s.Requests || s.Wavefronts != s.Ideal {
		t.Errorf("%+v", s)
	}
	d.ResetCounters()
	if len(d.Counters()) != 0 {
		t.Error("counters are still there")
	}
}

// BenchmarkSGEMM is the speed of one core with all checks; the least that is wanted is 30 Mfma/s.
func BenchmarkSGEMM(b *testing.B) {
	const m, n, k = 256, 128, 256
	for name, o := range map[string]Options{"checks": {Workers: 1}, "nochecks": {Workers: 1, NoChecks: true}} {
		b.Run(name, func(b *testing.B) {
			_, run, _, _, _ := sgemm(b, o, m, n, k)
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mfma/s")
		})
	}
}
