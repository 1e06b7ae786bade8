package ptx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	in := func(line string) string { return kernelText("\n\n" + line) }
	for name, c := range map[string]struct{ text, says string }{
		"unknown instruction":  {in("tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [s, {%f1,%f2}];"), ":30:"},
		"outside the subset":   {in("sin.approx.f32 %f1, %f2;"), ":30: sin.approx.f32: this instruction is not in the subset of the virtual machine: its result is not defined to the bit (.approx)"},
		"flushing":             {in("add.rn.ftz.f32 %f1, %f2, %f3;"), ":30: add.rn.ftz.f32: this instruction is not in the subset"},
		"approximate quotient": {in("div.full.f32 %f1, %f2, %f3;"), "div.full.f32"},
		"call":                 {in("call.uni f;"), "call.uni"},
		"another barrier":      {in("bar.sync 1;"), ":30: bar.sync: "},
		"part of a block":      {in("bar.sync 0, 64;"), "2 operands where 1 belong"},
		"float atomics":        {in("atom.global.add.f32 %f1, [%rd1], %f2;"), "no defined order"},
		"operands":             {in("add.s32 %r1, %r2;"), "2 operands where 3 belong"},
		"width":                {in("add.s32 %r1, %r2, %rd3;"), "%rd3 has 64 bits where 32 belong"},
		"destination width":    {in("mul.wide.s32 %r1, %r2, %r3;"), "%r1 has 32 bits where 64 belong"},
		"undeclared register":  {in("add.s32 %r1, %r2, %x9;"), `"%x9" is neither a declared register`},
		"register number":      {in("add.s32 %r1, %r2, %r19;"), `"%r19"`},
		"special register":     {in("mov.u32 %r1, %clock;"), `"%clock"`},
		"label":                {in("bra NOWHERE;"), ":30: bra: there is no label NOWHERE"},
		"two labels":           {in("A: A: ret;"), "a second label A"},
		"guard":                {in("@%r1 bra A; A:"), `"%r1" is not a predicate`},
		"rounding":             {in("cvt.f32.s32 %f1, %r1;"), "a rounding is missing"},
		"no rounding":          {in("cvt.rn.f64.f32 %rd1, %f1;"), "cvt.rn.f64.f32"},
		"vector":               {in("ld.global.v4.f32 {%f1,%f2}, [%rd1];"), "2 registers where 4 belong"},
		"address":              {in("ld.global.f32 %f1, [%r1];"), "the address %r1 has 32 bits"},
		"parameter":            {in("ld.param.u32 %r1, [nothing];"), "there is no parameter nothing"},
		"beyond a parameter":   {in("ld.param.u64 %rd1, [n];"), "of parameter n"},
		"wrong space":          {in("ld.local.u32 %r1, [s];"), "s lies in shared memory"},
		"literal":              {in("mov.f32 %f1, 0d0000000000000000;"), "a literal of 64 bits where 32 belong"},
		"semicolon":            {in("add.s32 %r1, %r2, %r3 add.s32 %r1, %r2, %r3;"), `"add.s32" where "," belongs`},
		"character":            {in("add.s32 %r1, %r2, #;"), "the character"},
		"function":             {".version 6.4\n.func f() { ret; }", `:2: ".func" is not in the subset`},
		"32-bit addresses":     {".version 6.4\n.address_size 32", "addresses of 32 bits"},
		"struct parameter":     {".entry k(.param .align 8 .b8 p[16]) { ret; }", "is not the type of a scalar parameter"},
		"end":                  {".entry k() { ret;", "has no end"},
		"comment":              {"/* open", "a comment has no end"},
		"debug":                {in(".loc 1 2 3;"), `".loc" is not in the subset`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("file.ptx", c.text)
			if err == nil || !strings.HasPrefix(err.Error(), "ptx: file.ptx:") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\nwant %q in it", err, c.says)
			}
		})
	}
}

// Variables of the module: constants, also as a list of values, and shared ones, whose address each
// kernel has elsewhere.
func TestModuleVariables(t *testing.T) {
	text := ".global .align 4 .u32 table[4] = {5, 6, 0x7, -1};\n.const .f32 one = 0f3F800000;\n.shared .align 4 .b8 both[256];\n.extern .shared .align 16 .b8 more[];\n"
	text += strings.Replace(kernelText("mov.u64 %rd9, table; and.b32 %r5, %r1, 3; mul.wide.u32 %rd10, %r5, 4; add.s64 %rd9, %rd9, %rd10; ld.global.u32 %r5, [%rd9];"+
		"ld.const.u32 %r6, [one]; add.s32 %r5, %r5, %r6; ld.global.u32 %r6, [table+4]; add.s32 %r5, %r5, %r6;"+
		"st.shared.u32 [both+252], %r1; st.shared.u32 [more+60], %r1; ld.shared.u32 %r6, [both+252];"+storeQ), ".version", "\n// .version", 1)
	text = strings.NewReplacer(".target", "// .target", ".address_size", "// .address_size").Replace(text)
	d := NewDriver(Options{})
	if err := d.Open(0); err != nil {
		t.Fatal(err)
	}
	m, err := d.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Function(m, "k")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := d.Alloc(4)
	q, _ := d.Alloc(4)
	if err := d.Launch(f, [3]int{1, 1, 1}, [3]int{1, 1, 1}, 64, 0, []uint64{p, q, 0}); err != nil {
		t.Fatal(err)
	}
	got := make([]uint32, 1)
	if err := d.CopyOut(words(got), q); err != nil || got[0] != 5+0x3f800000+6 {
		t.Errorf("%#x, %v", got, err)
	}
	// Dynamic shared memory ends where the launch says.
	err = d.Launch(f, [3]int{1, 1, 1}, [3]int{1, 1, 1}, 60, 0, []uint64{p, q, 0})
	if err == nil || !strings.Contains(err.Error(), "byte 60 of dynamic shared memory (60 bytes)") {
		t.Error(err)
	}
}

// The committed PTX is in the subset, and no piece of it makes the parser panic.
func TestCommitted(t *testing.T) {
	files, err := filepath.Glob("../../kernels/*/*.ptx")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(filepath.Base(file), string(text))
		if err != nil || len(m.Parameters()) == 0 {
			t.Errorf("%s: %v", file, err)
		}
		if len(text) > 30000 && i > 0 {
			continue
		}
		for cut := 100; cut < len(text); cut += 97 {
			_, _ = Parse("cut", string(text[:cut]))
			_, _ = Parse("hole", string(text[:cut])+string(text[min(cut+53, len(text)):]))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(kernelText("bar.sync 0;"))
	f.Fuzz(func(_ *testing.T, text string) { _, _ = Parse("fuzz", text) })
}
