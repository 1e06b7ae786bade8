package ptx

import "math/bits"

// operation is an instruction of fixed operand sizes: what computes it, and the bits of its destination
// and sources. A size of 1 is a predicate.
type operation struct {
	alu  alu
	dst  int
	srcs []int
}

// operations are all that are a plain function of registers, by name.
var operations = makeOperations()

type table map[string]operation

// add enters an operation under several names: every base with every type.
func (t table) add(bases, types []string, f alu, dst int, srcs ...int) {
	for _, b := range bases {
		for _, ty := range types {
			t[b+"."+ty] = operation{f, dst, srcs}
		}
	}
}

func makeOperations() table {
	t := table{}
	addNarrow(t)
	integers[int32, uint32](t, 32, "s32", "u32", "b32")
	integers[int64, uint64](t, 64, "s64", "u64", "b64")
	absNeg(t)
	addMixed(t)
	addFloats(t)
	return t
}

// integers adds what 32 and 64 bits have alike.
func integers[S int32 | int64, U uint32 | uint64](t table, n int, s, u, b string) {
	both := []string{s, u}
	t.add([]string{"add"}, both, addLanes[U], n, n, n)
	t.add([]string{"sub"}, both, subLanes[U], n, n, n)
	t.add([]string{"mul.lo"}, both, mulLanes[U], n, n, n)
	t.add([]string{"mad.lo"}, both, madLanes[U], n, n, n, n)
	t.add([]string{"div"}, []string{s}, divLanes[S], n, n, n)
	t.add([]string{"div"}, []string{u}, divLanes[U], n, n, n)
	t.add([]string{"rem"}, []string{s}, remLanes[S], n, n, n)
	t.add([]string{"rem"}, []string{u}, remLanes[U], n, n, n)
	t.add([]string{"min"}, []string{s}, minLanes[S], n, n, n)
	t.add([]string{"min"}, []string{u}, minLanes[U], n, n, n)
	t.add([]string{"max"}, []string{s}, maxLanes[S], n, n, n)
	t.add([]string{"max"}, []string{u}, maxLanes[U], n, n, n)
	t.add([]string{"and"}, []string{b}, andLanes[U], n, n, n)
	t.add([]string{"or"}, []string{b}, orLanes[U], n, n, n)
	t.add([]string{"xor"}, []string{b}, xorLanes[U], n, n, n)
	t.add([]string{"not"}, []string{b}, notLanes[U], n, n)
	t.add([]string{"cnot"}, []string{b}, cnotLanes[U], n, n)
	t.add([]string{"shl"}, []string{b}, shlLanes[U], n, n, 32)
	t.add([]string{"shr"}, []string{s}, shrLanes[S], n, n, 32)
	t.add([]string{"shr"}, []string{u, b}, shrLanes[U], n, n, 32)
	t.add([]string{"bfe"}, []string{s}, three(extract[S]), n, n, 32, 32)
	t.add([]string{"bfe"}, []string{u}, three(extract[U]), n, n, 32, 32)
	t.add([]string{"mov"}, []string{s, u, b, "f" + b[1:]}, moveLanes[U], n, n)
	t.add([]string{"copysign"}, []string{"f" + b[1:]}, two(copySign[U]), n, n, n)
}

func absNeg(t table) {
	t.add([]string{"neg"}, []string{"s32"}, negLanes[int32], 32, 32)
	t.add([]string{"neg"}, []string{"s64"}, negLanes[int64], 64, 64)
	t.add([]string{"abs"}, []string{"s32"}, absLanes[int32], 32, 32)
	t.add([]string{"abs"}, []string{"s64"}, absLanes[int64], 64, 64)
	t.add([]string{"neg"}, []string{"f32"}, one(func(a uint32) uint32 { return a ^ 1<<31 }), 32, 32)
	t.add([]string{"neg"}, []string{"f64"}, one(func(a uint64) uint64 { return a ^ 1<<63 }), 64, 64)
	t.add([]string{"abs"}, []string{"f32"}, one(func(a uint32) uint32 { return a &^ (1 << 31) }), 32, 32)
	t.add([]string{"abs"}, []string{"f64"}, one(func(a uint64) uint64 { return a &^ (1 << 63) }), 64, 64)
}

// addMixed adds operations whose operands differ in size, and those of 32 bits alone.
func addMixed(t table) {
	t.add([]string{"mul.wide"}, []string{"s32"}, mulWideLanes[int32, int64], 64, 32, 32)
	t.add([]string{"mul.wide"}, []string{"u32"}, mulWideLanes[uint32, uint64], 64, 32, 32)
	t.add([]string{"mad.wide"}, []string{"s32"}, madWideLanes[int32, int64], 64, 32, 32, 64)
	t.add([]string{"mad.wide"}, []string{"u32"}, madWideLanes[uint32, uint64], 64, 32, 32, 64)
	t.add([]string{"mul.hi"}, []string{"s32"}, mulHighLanes[int32, int64], 32, 32, 32)
	t.add([]string{"mul.hi"}, []string{"u32"}, mulHighLanes[uint32, uint64], 32, 32, 32)
	t.add([]string{"mad.hi"}, []string{"s32"}, madHighLanes[int32, int64], 32, 32, 32, 32)
	t.add([]string{"mad.hi"}, []string{"u32"}, madHighLanes[uint32, uint64], 32, 32, 32, 32)
	t.add([]string{"mul.hi"}, []string{"s64"}, mulHighSigned64, 64, 64, 64)
	t.add([]string{"mul.hi"}, []string{"u64"}, mulHigh64, 64, 64, 64)
	t.add([]string{"popc"}, []string{"b32"}, one(func(a uint32) uint32 { return uint32(bits.OnesCount32(a)) }), 32, 32)
	t.add([]string{"popc"}, []string{"b64"}, one(func(a uint64) uint32 { return uint32(bits.OnesCount64(a)) }), 32, 64)
	t.add([]string{"clz"}, []string{"b32"}, one(func(a uint32) uint32 { return uint32(bits.LeadingZeros32(a)) }), 32, 32)
	t.add([]string{"clz"}, []string{"b64"}, one(func(a uint64) uint32 { return uint32(bits.LeadingZeros64(a)) }), 32, 64)
	t.add([]string{"brev"}, []string{"b32"}, one(bits.Reverse32), 32, 32)
	t.add([]string{"brev"}, []string{"b64"}, one(bits.Reverse64), 64, 64)
	t.add([]string{"prmt"}, []string{"b32"}, three(permute), 32, 32, 32, 32)
	for name, f := range map[string]func(a, b, n uint32) uint32{
		"shf.l.wrap":  func(a, b, n uint32) uint32 { return funnel(a, b, n, true, true) },
		"shf.l.clamp": func(a, b, n uint32) uint32 { return funnel(a, b, n, true, false) },
		"shf.r.wrap":  func(a, b, n uint32) uint32 { return funnel(a, b, n, false, true) },
		"shf.r.clamp": func(a, b, n uint32) uint32 { return funnel(a, b, n, false, false) },
		"dp4a.u32":    dot4[uint8, uint8],
		"dp4a.s32":    dot4[int8, int8],
	} {
		ty := "b32"
		switch name {
		case "dp4a.u32":
			ty = "u32"
		case "dp4a.s32":
			ty = "s32"
		}
		t.add([]string{name}, []string{ty}, three(f), 32, 32, 32, 32)
	}
	t.add([]string{"dp4a.u32"}, []string{"s32"}, three(dot4[uint8, int8]), 32, 32, 32, 32)
	t.add([]string{"dp4a.s32"}, []string{"u32"}, three(dot4[int8, uint8]), 32, 32, 32, 32)
	t.add([]string{"slct.b32", "slct.u32", "slct.s32", "slct.f32"}, []string{"s32"}, three(slct32[uint32]), 32, 32, 32, 32)
	t.add([]string{"slct.b64", "slct.u64", "slct.s64", "slct.f64"}, []string{"s32"}, three(slct32[uint64]), 64, 64, 64, 32)
	t.add([]string{"slct.b32", "slct.u32", "slct.s32", "slct.f32"}, []string{"f32"}, three(slctFloat[uint32]), 32, 32, 32, 32)
	t.add([]string{"slct.b64", "slct.u64", "slct.s64", "slct.f64"}, []string{"f32"}, three(slctFloat[uint64]), 64, 64, 64, 32)
}

// slct32 is a where c is not negative.
func slct32[T word](a, b T, c int32) T {
	if c >= 0 {
		return a
	}
	return b
}

func slctFloat[T word](a, b T, c float32) T {
	if c >= 0 {
		return a
	}
	return b
}

// addNarrow adds the operations of 16 bits.
func addNarrow(t table) {
	both := []string{"s16", "u16"}
	signed := func(f func(a, b int16) int16) alu { return short(f) }
	unsigned := func(f func(a, b uint16) uint16) alu { return short(f) }
	add := func(base string, types []string, f alu, srcs ...int) { t.add([]string{base}, types, f, 16, srcs...) }
	add("add", both, unsigned(func(a, b uint16) uint16 { return a + b }), 16, 16)
	add("sub", both, unsigned(func(a, b uint16) uint16 { return a - b }), 16, 16)
	add("mul.lo", both, unsigned(func(a, b uint16) uint16 { return a * b }), 16, 16)
	add("mul.hi", both[:1], signed(func(a, b int16) int16 { return int16(int32(a) * int32(b) >> 16) }), 16, 16)
	add("mul.hi", both[1:], unsigned(func(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) }), 16, 16)
	add("mad.lo", both, three(func(a, b, c uint32) uint32 { return (a*b + c) & 0xffff }), 16, 16, 16)
	add("div", both[:1], signed(quotient[int16]), 16, 16)
	add("div", both[1:], unsigned(quotient[uint16]), 16, 16)
	add("rem", both[:1], signed(remainder[int16]), 16, 16)
	add("rem", both[1:], unsigned(remainder[uint16]), 16, 16)
	add("min", both[:1], signed(func(a, b int16) int16 { return min(a, b) }), 16, 16)
	add("min", both[1:], unsigned(func(a, b uint16) uint16 { return min(a, b) }), 16, 16)
	add("max", both[:1], signed(func(a, b int16) int16 { return max(a, b) }), 16, 16)
	add("max", both[1:], unsigned(func(a, b uint16) uint16 { return max(a, b) }), 16, 16)
	add("neg", both[:1], signed(func(a, _ int16) int16 { return -a }), 16)
	add("abs", both[:1], signed(func(a, _ int16) int16 { return max(a, -a) }), 16)
	add("and", []string{"b16"}, andLanes[uint32], 16, 16)
	add("or", []string{"b16"}, orLanes[uint32], 16, 16)
	add("xor", []string{"b16"}, xorLanes[uint32], 16, 16)
	add("not", []string{"b16"}, unsigned(func(a, _ uint16) uint16 { return ^a }), 16)
	add("cnot", []string{"b16"}, cnotLanes[uint32], 16)
	add("shl", []string{"b16"}, two(func(a, n uint32) uint32 { return a << n & 0xffff }), 16, 32)
	add("shr", []string{"u16", "b16"}, two(func(a, n uint32) uint32 { return a >> n }), 16, 32)
	add("shr", both[:1], two(func(a, n uint32) uint32 { return uint32(uint16(int16(a) >> n)) }), 16, 32)
	add("mov", []string{"b16", "u16", "s16"}, moveLanes[uint32], 16)
	t.add([]string{"mul.wide"}, both[:1], two(func(a, b uint32) uint32 { return uint32(int32(int16(a)) * int32(int16(b))) }), 32, 16, 16)
	t.add([]string{"mul.wide"}, both[1:], two(func(a, b uint32) uint32 { return a * b }), 32, 16, 16)
	t.add([]string{"mad.wide"}, both[:1], three(func(a, b, c uint32) uint32 { return uint32(int32(int16(a))*int32(int16(b))) + c }), 32, 16, 16, 32)
	t.add([]string{"mad.wide"}, both[1:], three(func(a, b, c uint32) uint32 { return a*b + c }), 32, 16, 16, 32)
}

func quotient[T int16 | uint16](a, b T) T {
	if b == 0 {
		return ^T(0)
	}
	return a / b
}

func remainder[T int16 | uint16](a, b T) T {
	if b == 0 {
		return a
	}
	return a % b
}

func addFloats(t table) {
	f32, f64 := []string{"f32"}, []string{"f64"}
	t.add([]string{"add", "add.rn"}, f32, addLanes32, 32, 32, 32)
	t.add([]string{"sub", "sub.rn"}, f32, subLanes32, 32, 32, 32)
	t.add([]string{"mul", "mul.rn"}, f32, mulLanes32, 32, 32, 32)
	t.add([]string{"fma.rn", "mad.rn"}, f32, fmaLanes32, 32, 32, 32, 32)
	t.add([]string{"div.rn"}, f32, divLanes32, 32, 32, 32)
	t.add([]string{"sqrt.rn"}, f32, one(sqrt32), 32, 32)
	t.add([]string{"rcp.rn"}, f32, one(rcp32), 32, 32)
	t.add([]string{"min"}, f32, two(lesser32), 32, 32, 32)
	t.add([]string{"max"}, f32, two(greater32), 32, 32, 32)
	t.add([]string{"add", "add.rn"}, f64, two(add64), 64, 64, 64)
	t.add([]string{"sub", "sub.rn"}, f64, two(sub64), 64, 64, 64)
	t.add([]string{"mul", "mul.rn"}, f64, two(mul64), 64, 64, 64)
	t.add([]string{"fma.rn", "mad.rn"}, f64, three(fma64), 64, 64, 64, 64)
	t.add([]string{"div.rn"}, f64, two(div64), 64, 64, 64)
	t.add([]string{"sqrt.rn"}, f64, one(sqrt64), 64, 64)
	t.add([]string{"rcp.rn"}, f64, one(rcp64), 64, 64)
	t.add([]string{"min"}, f64, two(lesser64), 64, 64, 64)
	t.add([]string{"max"}, f64, two(greater64), 64, 64, 64)
}
