// Package ptx is a CUDA device without a GPU: a parser of PTX and a virtual machine that runs it warp by
// warp, exactly as IEEE 754 and the PTX manual say, and checks what a GPU does not: bounds, alignment,
// freed and never-written memory, data races between threads and between blocks, and barriers that not
// all threads reach. It takes the subset of PTX that the kernels of this repository use; an instruction
// outside it is an error when a module is loaded.
package ptx

import (
	"fmt"
)

// Module is a parsed and decoded PTX text.
type Module struct {
	name    string
	kernels map[string]*kernel
	globals []*variable // in the device's memory once the module is loaded
	names   map[string]*variable
}

// Parameters are the names of the module's entries and the number of parameters of each.
func (m *Module) Parameters() map[string]int {
	n := map[string]int{}
	for name, k := range m.kernels {
		n[name] = len(k.params)
	}
	return n
}

// Parse reads PTX and decodes it. An error names the file, the line and the instruction.
func Parse(name, text string) (*Module, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, fmt.Errorf("ptx: %s:%w", name, err)
	}
	m := &Module{name: name, kernels: map[string]*kernel{}, names: map[string]*variable{}}
	p := &parser{tokens: tokens, module: m}
	if err := p.parseModule(); err != nil {
		return nil, fmt.Errorf("ptx: %s:%w", name, err)
	}
	return m, nil
}

// space is a state space.
type space uint8

const (
	generic space = iota
	global
	shared
	local
	param
)

func (s space) String() string {
	return [...]string{"generic", "global", "shared", "local", "param"}[s]
}

// variable is a named piece of memory.
type variable struct {
	name  string
	space space
	align int
	bytes int    // 0 for an extern array
	addr  uint64 // offset in shared or local memory; in global memory the address, once loaded
	init  []byte // of a global; shorter than bytes where the rest is zero
}

// kernel is a decoded entry.
type kernel struct {
	name       string
	line       int
	params     []variable
	maxThreads int // 0: not said
	regs       []register
	body       []statement // as parsed
	code       []instruction

	sharedVars  []*variable
	sharedBytes int // static, without the gaps between variables
	sharedEnd   int // where dynamic shared memory begins
	sharedGrain int // of race checks: the smallest store, at most 4
	globalGrain int
	localBytes  int
	predicates  int
	fixed       []fixedSlot
	fixedAt     uint32 // byte offset of the first fixed slot
	fileBytes   uint32 // of a warp's register file
	undefined   bool   // a register may be read before it is written
}

// register is a virtual register as declared.
type register struct {
	name  string
	bits  int // 1 for a predicate
	float bool
	slot  uint32 // byte offset in the register file; the index of a predicate
}

// statement is an instruction as parsed.
type statement struct {
	line   int
	guard  int // predicate register, or -1
	negate bool
	op     string   // "fma.rn.f32"
	parts  []string // "fma", "rn", "f32"
	args   []operand
	target int // of a branch: index of a statement
}

type operandKind uint8

const (
	operandRegister operandKind = iota
	operandNumber
	operandSpecial // special register
	operandSymbol
	operandAddress // [reg+off] or [symbol+off]
	operandVector
	operandSink // _
)

// operand of a statement.
type operand struct {
	kind   operandKind
	reg    int // register; of an address -1 where a symbol is
	pair   int // second destination, "%r1|%p1"; -1: none
	negate bool
	float  int    // bits of a floating-point literal, 0 for an integer
	number uint64 // literal, or offset of an address
	symbol string
	vector []operand
}
