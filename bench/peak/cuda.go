package peak

import (
	"fmt"
	"strings"

	"avcu/engine"
	"avcu/engine/cuda"
)

const (
	cudaThreads = 256
	cudaChains  = 16
	cudaUnroll  = 8
	cudaBytes   = 1 << 29 // more than any device's cache
)

// CUDAFMA is FMA on a CUDA device: every multiprocessor full of threads.
func CUDAFMA(d *cuda.Device) (float64, error) {
	threads := 8 * max(d.Info().Multiprocessors, 1) * cudaThreads
	m, err := d.Reserve(4 * int64(threads))
	if err != nil {
		return 0, err
	}
	defer func() { _ = d.Free(m) }()
	out := engine.NewTensor(m, 0, engine.Float32, 0, threads)
	return best(d, func(n int) (float64, error) {
		work := 2 * float64(threads) * cudaChains * cudaUnroll * float64(n)
		return work, d.Launch(&fmaSource, "fma", cuda.Grid{X: threads / cudaThreads, Threads: cudaThreads}, cuda.Addr(out), cuda.Int(n))
	})
}

// CUDATriad is Triad on a CUDA device.
func CUDATriad(d *cuda.Device) (float64, error) { return cudaTriad(d, cudaBytes) }

func cudaTriad(d *cuda.Device, bytes int64) (float64, error) {
	m, err := d.Alloc(bytes)
	if err != nil {
		return 0, err
	}
	defer func() { _ = d.Free(m) }()
	n := int(bytes / 8)
	all := engine.NewTensor(m, 0, engine.Float32, 0, 2, n)
	grid := cuda.Grid{X: min(32*max(d.Info().Multiprocessors, 1), n/4/cudaThreads), Threads: cudaThreads}
	return best(d, func(passes int) (float64, error) {
		for range passes {
			if err := d.Launch(&triadSource, "triad", grid, cuda.Addr(all.Row(0)), cuda.Addr(all.Row(1)), cuda.Int(n/4)); err != nil {
				return 0, err
			}
		}
		return 12 * float64(n) * float64(passes), nil
	})
}

const cudaHead = ".version 6.4\n.target sm_61\n.address_size 64\n"

var fmaSource = cuda.Source{Name: "peak", PTX: fmaPTX()}

// fmaPTX is a loop of many independent chains of fused multiplications and additions. Each begins with another number, so
// that no assembler makes one of two.
func fmaPTX() string {
	var b strings.Builder
	b.WriteString(cudaHead + `.visible .entry fma(.param .u64 out, .param .u64 rounds)
{
	.reg .pred %p;
	.reg .b32 %t, %i, %n;
	.reg .b64 %at, %left;
	.reg .f32 %x, %a<16>;
	mov.u32 %t, %tid.x;
	mov.u32 %i, %ctaid.x;
	mov.u32 %n, %ntid.x;
	mad.lo.s32 %t, %i, %n, %t;
	cvt.rn.f32.u32 %x, %t;
	ld.param.u64 %left, [rounds];
	ld.param.u64 %at, [out];
	mad.wide.u32 %at, %t, 4, %at;
`)
	for i := range cudaChains {
		fmt.Fprintf(&b, "\tadd.f32 %%a%d, %%x, 0f%08X;\n", i, 0x3F800000+i<<20)
	}
	b.WriteString("again:\n")
	for range cudaUnroll {
		for i := range cudaChains {
			fmt.Fprintf(&b, "\tfma.rn.f32 %%a%d, %%a%d, 0f3F7FBE77, 0f3A83126F;\n", i, i) // 0.999 and 0.001
		}
	}
	b.WriteString(`	add.s64 %left, %left, -1;
	setp.gt.s64 %p, %left, 0;
	@%p bra again;
`)
	for i := range cudaChains - 1 {
		fmt.Fprintf(&b, "\tadd.f32 %%a%d, %%a%d, %%a%d;\n", i+1, i, i+1)
	}
	fmt.Fprintf(&b, "\tst.global.f32 [%%at], %%a%d;\n\tret;\n}\n", cudaChains-1)
	return b.String()
}

// The triad reads and writes four floats at a time.
var triadSource = cuda.Source{Name: "peak", PTX: cudaHead + `.visible .entry triad(.param .u64 a, .param .u64 b, .param .u64 fours)
{
	.reg .pred %p;
	.reg .b32 %t, %i, %n;
	.reg .b64 %a, %b, %at, %of, %k, %step, %fours;
	.reg .f32 %x<4>, %y<4>;
	mov.u32 %t, %tid.x;
	mov.u32 %i, %ctaid.x;
	mov.u32 %n, %ntid.x;
	mad.lo.s32 %t, %i, %n, %t;
	cvt.u64.u32 %k, %t;
	mov.u32 %i, %nctaid.x;
	mul.wide.u32 %step, %i, %n;
	ld.param.u64 %a, [a];
	ld.param.u64 %b, [b];
	ld.param.u64 %fours, [fours];
again:
	setp.ge.s64 %p, %k, %fours;
	@%p bra done;
	shl.b64 %of, %k, 4;
	add.s64 %at, %b, %of;
	ld.global.v4.f32 {%y0, %y1, %y2, %y3}, [%at];
	add.s64 %at, %a, %of;
	ld.global.v4.f32 {%x0, %x1, %x2, %x3}, [%at];
	fma.rn.f32 %x0, %y0, 0f3089705F, %x0;
	fma.rn.f32 %x1, %y1, 0f3089705F, %x1;
	fma.rn.f32 %x2, %y2, 0f3089705F, %x2;
	fma.rn.f32 %x3, %y3, 0f3089705F, %x3;
	st.global.v4.f32 [%at], {%x0, %x1, %x2, %x3};
	add.s64 %k, %k, %step;
	bra again;
done:
	ret;
}
`}
