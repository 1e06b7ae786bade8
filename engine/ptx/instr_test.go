package ptx_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"avcu/engine/ptx"
)

// one is an instruction with its operands as bits, and the bits that it must leave.
type one struct {
	op   string   // with types: "fma.rn.f32"
	dst  string   // register type of the result, "pred" for setp
	src  []string // register types of the operands; an immediate is written as "=text"
	args []uint64
	want uint64
}

func f(x float64) uint64 { return uint64(math.Float32bits(float32(x))) }
func d(x float64) uint64 { return math.Float64bits(x) }
func i(x int64) uint64   { return uint64(x) }
func w(x int32) uint64   { return uint64(uint32(x)) }

var (
	nan  = math.NaN()
	inf  = math.Inf(1)
	qnan = uint64(0x7fffffff) // what arithmetic makes of any NaN
	neg0 = uint64(0x80000000)
)

// registers of a type: prefix and width of the memory access.
func register(typ string) (prefix string, bytes int) {
	switch typ {
	case "pred":
		return "%p", 4
	case "b16", "u16", "s16":
		return "%rs", 2
	case "f32":
		return "%f", 4
	case "b64", "u64", "s64":
		return "%rd", 8
	case "f64":
		return "%fd", 8
	}
	return "%r", 4
}

// text is a kernel that loads the operands, executes the instruction and stores its result.
func (c one) text() string {
	var b strings.Builder
	b.WriteString(`.version 6.4
.target sm_61
.address_size 64
.visible .entry k(
	.param .u64 k_param_0,
	.param .u64 k_param_1
)
{
	.reg .pred %p<9>;
	.reg .b16 %rs<9>;
	.reg .b32 %r<9>;
	.reg .f32 %f<9>;
	.reg .b64 %rd<20>;
	.reg .f64 %fd<9>;
	ld.param.u64 %rd10, [k_param_0];
	cvta.to.global.u64 %rd11, %rd10;
	ld.param.u64 %rd12, [k_param_1];
	cvta.to.global.u64 %rd13, %rd12;
`)
	var operands []string
	n := 0
	for _, typ := range c.src {
		if text, ok := strings.CutPrefix(typ, "="); ok {
			operands = append(operands, text)
			continue
		}
		prefix, bytes := register(typ)
		load := typ
		if typ == "pred" {
			fmt.Fprintf(&b, "\tld.global.u32 %%r%d, [%%rd11+%d];\n\tsetp.ne.s32 %%p%d, %%r%d, 0;\n", n, 8*n, n, n)
		} else {
			if bytes == 4 && typ != "f32" {
				load = "u32"
			}
			fmt.Fprintf(&b, "\tld.global.%s %s%d, [%%rd11+%d];\n", load, prefix, n, 8*n)
		}
		operands = append(operands, fmt.Sprintf("%s%d", prefix, n))
		n++
	}
	prefix, bytes := register(c.dst)
	fmt.Fprintf(&b, "\t%s %s8, %s;\n", c.op, prefix, strings.Join(operands, ", "))
	switch {
	case c.dst == "pred":
		b.WriteString("\tselp.b32 %r7, 1, 0, %p8;\n\tst.global.u32 [%rd13], %r7;\n")
	case c.dst == "f32" || c.dst == "f64":
		fmt.Fprintf(&b, "\tst.global.%s [%%rd13], %s8;\n", c.dst, prefix)
	default:
		fmt.Fprintf(&b, "\tst.global.u%d [%%rd13], %s8;\n", 8*bytes, prefix)
	}
	b.WriteString("\tret;\n}\n")
	return b.String()
}

// launch runs a kernel of two pointers, and returns what it leaves in 8 zeroed bytes.
func launch(t *testing.T, text string, threads int, in []byte) ([]byte, error) {
	t.Helper()
	drv := ptx.NewDriver(ptx.Options{Workers: 1})
	if err := drv.Open(0); err != nil {
		t.Fatal(err)
	}
	defer drv.Close()
	m, err := drv.Load(text)
	if err != nil {
		return nil, err
	}
	fn, err := drv.Function(m, "k")
	if err != nil {
		return nil, err
	}
	src, err := drv.Alloc(int64(max(8, len(in))))
	if err != nil {
		t.Fatal(err)
	}
	dst, err := drv.Alloc(int64(8 * threads))
	if err != nil {
		t.Fatal(err)
	}
	if err := drv.CopyIn(src, append(in, make([]byte, max(0, 8-len(in)))...)); err != nil {
		t.Fatal(err)
	}
	if err := drv.Fill(dst, 0, int64(8*threads), 0); err != nil {
		t.Fatal(err)
	}
	if err := drv.Launch(fn, [3]int{1, 1, 1}, [3]int{threads, 1, 1}, 0, 0, []uint64{src, dst}); err != nil {
		return nil, err
	}
	if err := drv.Sync(); err != nil {
		return nil, err
	}
	out := make([]byte, 8*threads)
	return out, drv.CopyOut(out, dst)
}

func TestInstructions(t *testing.T) {
	for _, table := range [][]one{floatCases, doubleCases, intCases, bitCases, convertCases, compareCases} {
		for _, c := range table {
			t.Run(fmt.Sprintf("%s_%v_%x", c.op, c.src, c.args), func(t *testing.T) {
				in := make([]byte, 8*len(c.args))
				for k, a := range c.args {
					binary.LittleEndian.PutUint64(in[8*k:], a)
				}
				out, err := launch(t, c.text(), 1, in)
				if err != nil {
					t.Fatalf("%v\n%s", err, c.text())
				}
				if got := binary.LittleEndian.Uint64(out); got != c.want {
					t.Errorf("%s of %x is %#x, want %#x", c.op, c.args, got, c.want)
				}
			})
		}
	}
}

func u(types string) []string { return strings.Fields(types) }

var floatCases = []one{
	{"add.rn.f32", "f32", u("f32 f32"), []uint64{f(1), f(0x1p-24)}, f(1)},                     // a tie goes to even
	{"add.rn.f32", "f32", u("f32 f32"), []uint64{f(1 + 0x1p-23), f(0x1p-24)}, f(1 + 0x1p-22)}, // and here that is up
	{"add.rn.f32", "f32", u("f32 f32"), []uint64{f(inf), f(-inf)}, qnan},
	{"add.rn.f32", "f32", u("f32 f32"), []uint64{neg0, neg0}, neg0},
	{"add.rn.f32", "f32", u("f32 f32"), []uint64{f(1), f(-1)}, 0},
	{"add.f32", "f32", u("f32 f32"), []uint64{0x7fa00000, f(1)}, qnan}, // a signalling NaN
	{"add.f32", "f32", u("f32 f32"), []uint64{1, 1}, 2},                // subnormal
	{"add.f32", "f32", u("f32 f32"), []uint64{f(math.MaxFloat32), f(math.MaxFloat32)}, f(inf)},
	{"sub.rn.f32", "f32", u("f32 f32"), []uint64{f(3), f(5)}, f(-2)},
	{"sub.f32", "f32", u("f32 f32"), []uint64{0x00800000, 1}, 0x007fffff},
	{"mul.rn.f32", "f32", u("f32 f32"), []uint64{f(1.5), f(-2)}, f(-3)},
	{"mul.rn.f32", "f32", u("f32 f32"), []uint64{f(0), f(inf)}, qnan},
	{"mul.f32", "f32", u("f32 f32"), []uint64{f(0x1p-149), f(0.5)}, 0},                     // half the smallest is a tie to 0
	{"mul.f32", "f32", u("f32 f32"), []uint64{f(0x1p-149), f(0.75)}, 1},                    // more is the smallest
	{"mul.f32", "f32", u("f32 f32"), []uint64{f(1 + 0x1p-23), f(1 + 0x1p-23)}, 0x3f800002}, // (1+ε)² = 1+2ε+ε²
	// 1+2⁻²² + 2⁻⁴⁶ is what the product is; the sum with −1−2⁻²² keeps the last bit that a product alone would lose.
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(1 + 0x1p-23), f(1 + 0x1p-23), f(-1 - 0x1p-22)}, f(0x1p-46)},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(2), f(3), f(4)}, f(10)},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(inf), f(0), f(1)}, qnan},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(1), f(1), f(nan)}, qnan},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(-0x1p-100), f(0x1p-100), 0}, neg0},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(-1), f(0), neg0}, neg0},
	// The product is exactly half a unit above 1 and the addend, far below what a double holds beside it, decides.
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(1 + 0x1p-12), f(1 - 0x1p-12 + 0x1p-23), f(0)}, 0x3f800001},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(0x1p-24), f(1), f(1)}, f(1)},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(0x1p-12), f(0x1p-12 + 0x1p-35), f(1)}, 0x3f800001}, // 2⁻²⁴ + 2⁻⁴⁷: above the tie
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(-0x1p-90), f(0x1p-60), f(1 + 0x1p-23)}, f(1 + 0x1p-23)},
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(0x1p-75), f(0x1p-75), 2}, 2},                     // half the smallest number more is a tie: to even
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(0x1p-75), f(0x1p-75 * (1 + 0x1p-23)), 2}, 3},     // a little more is not
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(0x1p-75), f(0x1p-75 * (1 - 0x1p-24)), 3}, 3},     // a little less is not either
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(math.MaxFloat32), f(1), f(0x1p103)}, f(inf)},     // the tie above the largest
	{"fma.rn.f32", "f32", u("f32 f32 f32"), []uint64{f(math.MaxFloat32), f(1), f(0x1p102)}, 0x7f7fffff}, // below it
	{"div.rn.f32", "f32", u("f32 f32"), []uint64{f(1), f(3)}, 0x3eaaaaab},
	{"div.rn.f32", "f32", u("f32 f32"), []uint64{f(-1), f(0)}, f(-inf)},
	{"div.rn.f32", "f32", u("f32 f32"), []uint64{f(0), f(0)}, qnan},
	{"div.rn.f32", "f32", u("f32 f32"), []uint64{f(0x1p-126), f(4)}, f(0x1p-128)},
	{"sqrt.rn.f32", "f32", u("f32"), []uint64{f(2)}, 0x3fb504f3},
	{"sqrt.rn.f32", "f32", u("f32"), []uint64{f(-1)}, qnan},
	{"sqrt.rn.f32", "f32", u("f32"), []uint64{neg0}, neg0},
	{"sqrt.rn.f32", "f32", u("f32"), []uint64{1}, 0x1a3504f3}, // √2⁻¹⁴⁹ = 2⁻⁷⁴·√½
	{"neg.f32", "f32", u("f32"), []uint64{f(2)}, f(-2)},
	{"abs.f32", "f32", u("f32"), []uint64{f(-2)}, f(2)},
	{"min.f32", "f32", u("f32 f32"), []uint64{f(nan), f(2)}, f(2)},
	{"max.f32", "f32", u("f32 f32"), []uint64{f(2), f(nan)}, f(2)},
	{"max.f32", "f32", u("f32 f32"), []uint64{f(nan), f(nan)}, qnan},
	{"max.f32", "f32", u("f32 f32"), []uint64{neg0, 0}, 0},
	{"min.f32", "f32", u("f32 f32"), []uint64{0, neg0}, neg0},
	{"mov.f32", "f32", u("=0f3FC00000"), nil, f(1.5)},
	{"selp.f32", "f32", u("f32 f32 pred"), []uint64{f(1), f(2), 1}, f(1)},
	{"selp.f32", "f32", u("f32 f32 pred"), []uint64{f(1), f(2), 0}, f(2)},
}

var doubleCases = []one{
	{"add.rn.f64", "f64", u("f64 f64"), []uint64{d(1), d(0x1p-53)}, d(1)},
	{"add.rn.f64", "f64", u("f64 f64"), []uint64{d(0.1), d(0.2)}, 0x3fd3333333333334},
	{"sub.rn.f64", "f64", u("f64 f64"), []uint64{d(1), d(3)}, d(-2)},
	{"mul.rn.f64", "f64", u("f64 f64"), []uint64{d(1.5), d(1.5)}, d(2.25)},
	{"fma.rn.f64", "f64", u("f64 f64 f64"), []uint64{d(1 + 0x1p-52), d(1 + 0x1p-52), d(-1 - 0x1p-51)}, d(0x1p-104)},
	{"div.rn.f64", "f64", u("f64 f64"), []uint64{d(1), d(3)}, 0x3fd5555555555555},
	{"sqrt.rn.f64", "f64", u("f64"), []uint64{d(2)}, 0x3ff6a09e667f3bcd},
	{"neg.f64", "f64", u("f64"), []uint64{d(2)}, d(-2)},
	{"abs.f64", "f64", u("f64"), []uint64{d(-2)}, d(2)},
	{"max.f64", "f64", u("f64 f64"), []uint64{d(nan), d(2)}, d(2)},
	{"mov.f64", "f64", u("=0d3FF8000000000000"), nil, d(1.5)},
}

var intCases = []one{
	{"add.s32", "s32", u("s32 s32"), []uint64{w(math.MaxInt32), w(1)}, w(math.MinInt32)},
	{"add.s64", "s64", u("s64 s64"), []uint64{i(math.MaxInt64), 1}, 1 << 63},
	{"add.s16", "s16", u("s16 s16"), []uint64{0xffff, 2}, 1},
	{"add.s32", "s32", u("s32 =-5"), []uint64{w(3)}, w(-2)},
	{"sub.s32", "s32", u("s32 s32"), []uint64{w(3), w(5)}, w(-2)},
	{"sub.s64", "s64", u("s64 s64"), []uint64{3, 5}, i(-2)},
	{"mul.lo.s32", "s32", u("s32 s32"), []uint64{w(0x10001), w(0x10001)}, 0x20001},
	{"mul.hi.u32", "u32", u("u32 u32"), []uint64{0xD2511F53, 0xffffffff}, 0xD2511F52},
	{"mul.hi.s32", "s32", u("s32 s32"), []uint64{w(-1), w(1)}, w(-1)},
	{"mul.hi.u64", "u64", u("u64 u64"), []uint64{1 << 63, 6}, 3},
	{"mul.wide.u32", "u64", u("u32 u32"), []uint64{0xffffffff, 0xffffffff}, 0xfffffffe00000001},
	{"mul.wide.s32", "s64", u("s32 s32"), []uint64{w(-1), w(7)}, i(-7)},
	{"mul.wide.s32", "s64", u("s32 =4"), []uint64{w(-3)}, i(-12)},
	{"mul.wide.u16", "u32", u("u16 u16"), []uint64{0xffff, 0xffff}, 0xfffe0001},
	{"mul.lo.s64", "s64", u("s64 s64"), []uint64{1 << 40, 1 << 30}, 0},
	{"mul.lo.s16", "s16", u("s16 s16"), []uint64{300, 300}, 90000 & 0xffff},
	{"mad.lo.s32", "s32", u("s32 s32 s32"), []uint64{w(-3), w(4), w(5)}, w(-7)},
	{"mad.lo.s64", "s64", u("s64 s64 s64"), []uint64{i(-3), 4, 5}, i(-7)},
	{"div.s32", "s32", u("s32 s32"), []uint64{w(-7), w(2)}, w(-3)},
	{"div.u32", "u32", u("u32 u32"), []uint64{0xfffffff9, 2}, 0x7ffffffc},
	{"div.s64", "s64", u("s64 s64"), []uint64{i(-7), 2}, i(-3)},
	{"div.u64", "u64", u("u64 u64"), []uint64{1 << 63, 3}, 0x2aaaaaaaaaaaaaaa},
	{"rem.s32", "s32", u("s32 s32"), []uint64{w(-7), w(2)}, w(-1)},
	{"rem.u32", "u32", u("u32 u32"), []uint64{7, 4}, 3},
	{"rem.s64", "s64", u("s64 s64"), []uint64{i(-7), 4}, i(-3)},
	{"neg.s32", "s32", u("s32"), []uint64{w(5)}, w(-5)},
	{"neg.s64", "s64", u("s64"), []uint64{5}, i(-5)},
	{"abs.s32", "s32", u("s32"), []uint64{w(-5)}, 5},
	{"min.s32", "s32", u("s32 s32"), []uint64{w(-5), 3}, w(-5)},
	{"min.u32", "u32", u("u32 u32"), []uint64{w(-5), 3}, 3},
	{"max.s64", "s64", u("s64 s64"), []uint64{i(-5), 3}, 3},
	{"max.u64", "u64", u("u64 u64"), []uint64{i(-5), 3}, i(-5)},
	{"mov.u32", "u32", u("=-1"), nil, 0xffffffff},
	{"mov.b64", "b64", u("=0x123456789abcdef0"), nil, 0x123456789abcdef0},
	{"selp.b64", "b64", u("b64 b64 pred"), []uint64{1, 2, 0}, 2},
	{"selp.b16", "b16", u("b16 b16 pred"), []uint64{1, 2, 1}, 1},
}

var bitCases = []one{
	{"and.b32", "b32", u("b32 b32"), []uint64{0xff00ff00, 0x0ff00ff0}, 0x0f000f00},
	{"or.b64", "b64", u("b64 b64"), []uint64{1 << 63, 1}, 1<<63 | 1},
	{"xor.b32", "b32", u("b32 b32"), []uint64{0xff, 0x0f}, 0xf0},
	{"xor.b32", "b32", u("b32 =-1"), []uint64{0xff}, 0xffffff00},
	{"not.b32", "b32", u("b32"), []uint64{0}, 0xffffffff},
	{"not.b64", "b64", u("b64"), []uint64{0}, math.MaxUint64},
	{"and.b16", "b16", u("b16 =255"), []uint64{0x1234}, 0x34},
	{"shl.b32", "b32", u("b32 u32"), []uint64{1, 31}, 1 << 31},
	{"shl.b32", "b32", u("b32 u32"), []uint64{1, 32}, 0}, // counts beyond the width are clamped
	{"shl.b64", "b64", u("b64 u32"), []uint64{1, 63}, 1 << 63},
	{"shr.u32", "u32", u("u32 u32"), []uint64{1 << 31, 31}, 1},
	{"shr.u32", "u32", u("u32 u32"), []uint64{1 << 31, 40}, 0},
	{"shr.s32", "s32", u("s32 u32"), []uint64{w(-8), 1}, w(-4)},
	{"shr.s32", "s32", u("s32 u32"), []uint64{w(-8), 99}, w(-1)},
	{"shr.u64", "u64", u("u64 u32"), []uint64{1 << 63, 60}, 8},
	{"shr.s64", "s64", u("s64 u32"), []uint64{i(-16), 2}, i(-4)},
	{"bfe.u32", "u32", u("u32 =8 =8"), []uint64{0x12345678}, 0x56},
	{"bfe.s32", "s32", u("s32 =4 =4"), []uint64{0x000000f0}, w(-1)},
	{"bfe.u32", "u32", u("u32 =28 =8"), []uint64{0xf0000000}, 0xf}, // what reaches beyond the top is 0
	{"bfi.b32", "b32", u("b32 b32 =8 =4"), []uint64{0x5, 0xffffffff}, 0xfffff5ff},
	{"popc.b32", "u32", u("b32"), []uint64{0xf0f0f0f0}, 16},
	{"popc.b64", "u32", u("b64"), []uint64{math.MaxUint64}, 64},
	{"clz.b32", "u32", u("b32"), []uint64{1}, 31},
	{"clz.b32", "u32", u("b32"), []uint64{0}, 32},
	{"brev.b32", "b32", u("b32"), []uint64{1}, 1 << 31},
	{"prmt.b32", "b32", u("b32 b32 =0x7440"), []uint64{0x33221100, 0x4b000000}, 0x4b000000},
	{"prmt.b32", "b32", u("b32 b32 =0x3210"), []uint64{0x33221100, 0x77665544}, 0x33221100},
	{"prmt.b32", "b32", u("b32 b32 =0x7531"), []uint64{0x33221100, 0x77665544}, 0x77553311},
	{"prmt.b32", "b32", u("b32 b32 =0x8"), []uint64{0x000000f0, 0}, 0xf0f0f0ff}, // the sign of byte 0, and byte 0 three times
	{"shf.l.wrap.b32", "b32", u("b32 b32 u32"), []uint64{0x80000000, 0x00000001, 1}, 3},
	{"shf.r.wrap.b32", "b32", u("b32 b32 u32"), []uint64{0x00000002, 0x00000001, 1}, 0x80000001},
}

var convertCases = []one{
	{"cvt.u64.u32", "u64", u("u32"), []uint64{0xffffffff}, 0xffffffff},
	{"cvt.s64.s32", "s64", u("s32"), []uint64{w(-2)}, i(-2)},
	{"cvt.u32.u64", "u32", u("u64"), []uint64{0x1_0000_0007}, 7},
	{"cvt.u16.u32", "u16", u("u32"), []uint64{0x12345}, 0x2345},
	{"cvt.u32.u16", "u32", u("u16"), []uint64{0xffff}, 0xffff},
	{"cvt.s32.s16", "s32", u("s16"), []uint64{0xffff}, w(-1)},
	{"cvt.s16.s8", "s16", u("s16"), []uint64{0x80}, 0xff80},
	{"cvt.u32.u8", "u32", u("u32"), []uint64{0x1ff}, 0xff},
	{"cvt.s32.s8", "s32", u("s32"), []uint64{0x1ff}, w(-1)},
	{"cvt.rn.f32.u32", "f32", u("u32"), []uint64{0xffffffff}, f(0x1p32)},
	{"cvt.rn.f32.s32", "f32", u("s32"), []uint64{w(-16777217)}, f(-16777216)},
	{"cvt.rn.f32.u64", "f32", u("u64"), []uint64{math.MaxUint64}, f(0x1p64)},
	{"cvt.rn.f32.u16", "f32", u("u16"), []uint64{65535}, f(65535)},
	{"cvt.rn.f64.s32", "f64", u("s32"), []uint64{w(-3)}, d(-3)},
	{"cvt.rn.f64.u32", "f64", u("u32"), []uint64{0xffffffff}, d(4294967295)},
	{"cvt.rzi.s32.f32", "s32", u("f32"), []uint64{f(-1.9)}, w(-1)},
	{"cvt.rzi.s32.f32", "s32", u("f32"), []uint64{f(1e20)}, w(math.MaxInt32)},
	{"cvt.rzi.s32.f32", "s32", u("f32"), []uint64{f(nan)}, 0},
	{"cvt.rzi.u32.f32", "u32", u("f32"), []uint64{f(-5)}, 0},
	{"cvt.rni.s32.f32", "s32", u("f32"), []uint64{f(2.5)}, 2},
	{"cvt.rni.s32.f32", "s32", u("f32"), []uint64{f(3.5)}, 4},
	{"cvt.rni.f32.f32", "f32", u("f32"), []uint64{f(-2.5)}, f(-2)},
	{"cvt.rzi.f32.f32", "f32", u("f32"), []uint64{f(-2.7)}, f(-2)},
	{"cvt.rmi.f32.f32", "f32", u("f32"), []uint64{f(-2.2)}, f(-3)},
	{"cvt.rpi.f32.f32", "f32", u("f32"), []uint64{f(2.2)}, f(3)},
	{"cvt.f64.f32", "f64", u("f32"), []uint64{f(0.1)}, d(float64(float32(0.1)))},
	{"cvt.rn.f32.f64", "f32", u("f64"), []uint64{d(1 + 0x1p-24)}, f(1)},
	{"cvt.rn.f32.f64", "f32", u("f64"), []uint64{d(1 + 0x1p-24 + 0x1p-50)}, 0x3f800001},
	{"cvt.rn.f32.f64", "f32", u("f64"), []uint64{d(1e300)}, f(inf)},
	{"mov.b32", "b32", u("f32"), []uint64{f(1)}, 0x3f800000},
	{"mov.b32", "f32", u("b32"), []uint64{0x3f800000}, f(1)},
	{"mov.b64", "f64", u("b64"), []uint64{d(1)}, d(1)},
	{"cvta.to.global.u64", "u64", u("u64"), []uint64{1 << 40}, 1 << 40},
}

var compareCases = []one{
	{"setp.lt.s32", "pred", u("s32 s32"), []uint64{w(-1), 0}, 1},
	{"setp.lt.u32", "pred", u("u32 u32"), []uint64{w(-1), 0}, 0},
	{"setp.lo.u32", "pred", u("u32 u32"), []uint64{0, 1}, 1},
	{"setp.ge.s64", "pred", u("s64 s64"), []uint64{i(-1), i(-1)}, 1},
	{"setp.gt.u64", "pred", u("u64 u64"), []uint64{i(-1), 1}, 1},
	{"setp.ne.s16", "pred", u("s16 =0"), []uint64{0x100}, 1},
	{"setp.eq.f32", "pred", u("f32 f32"), []uint64{0, neg0}, 1},
	{"setp.eq.f32", "pred", u("f32 f32"), []uint64{f(nan), f(nan)}, 0},
	{"setp.neu.f32", "pred", u("f32 f32"), []uint64{f(nan), f(nan)}, 1},
	{"setp.ne.f32", "pred", u("f32 f32"), []uint64{f(nan), f(1)}, 0},
	{"setp.lt.f32", "pred", u("f32 f32"), []uint64{f(-inf), f(1)}, 1},
	{"setp.ltu.f32", "pred", u("f32 f32"), []uint64{f(nan), f(1)}, 1},
	{"setp.geu.f32", "pred", u("f32 f32"), []uint64{f(1), f(2)}, 0},
	{"setp.nan.f32", "pred", u("f32 f32"), []uint64{f(nan), f(2)}, 1},
	{"setp.num.f32", "pred", u("f32 f32"), []uint64{f(1), f(2)}, 1},
	{"setp.gt.f64", "pred", u("f64 f64"), []uint64{d(2), d(1)}, 1},
	{"and.pred", "pred", u("pred pred"), []uint64{1, 0}, 0},
	{"or.pred", "pred", u("pred pred"), []uint64{1, 0}, 1},
	{"xor.pred", "pred", u("pred pred"), []uint64{1, 1}, 0},
	{"not.pred", "pred", u("pred"), []uint64{1}, 0},
}
