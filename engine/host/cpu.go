package host

import (
	"fmt"
	"unsafe"
)

// ISA is a set of vector instructions for which the C kernels are compiled.
type ISA int

const (
	Plain  ISA = iota // what every processor of the architecture has
	AVX2              // AVX2 and FMA
	AVX512            // AVX-512 F, BW, DQ and VL
)

// String is the name that checkpoints record.
func (i ISA) String() string { return [...]string{"plain", "avx2", "avx512"}[i] }

// bf16Unit is what multiplies bfloat16: AVCU_NO_BF16 and so on of pool.h.
type bf16Unit int

const (
	noBF16 bf16Unit = iota
	avx512BF16
	amxBF16
)

// CPU is the device of the C kernels: all cores, the widest vectors there are.
type CPU struct {
	memory
	pool    unsafe.Pointer
	threads int
	isa     ISA
	unit    bf16Unit // noBF16 also where products are of float32 and AVX512_BF16 is no help
}

// Options of NewCPU. The zero value is all cores and the best instructions.
type Options struct {
	Threads int  // 0: as many as the process may use
	Limit   *ISA // not nil: no instructions beyond these
	BF16    bool // matrix products round their operands to bfloat16
	NoAMX   bool // AVX-512 multiplies them also where there is AMX
}

// Name is "cpu".
func (c *CPU) Name() string { return "cpu" }

// Describe says how many cores and which instructions are used.
func (c *CPU) Describe() string {
	s := fmt.Sprintf("%d threads, %v", c.threads, c.isa)
	switch {
	case c.unit == amxBF16 && !c.bf16:
		s += ", float32 products by AMX in three pieces"
	case c.unit == amxBF16:
		s += ", bfloat16 products by AMX"
	case c.unit == avx512BF16:
		s += ", bfloat16 products by AVX512_BF16"
	case c.bf16:
		s += ", bfloat16 products emulated (no AVX512_BF16 here: slower than float32)"
	}
	return s
}

// Arch is the instruction set: runs on another one differ in their last bits.
func (c *CPU) Arch() string {
	switch {
	case c.unit == amxBF16 && !c.bf16:
		return c.isa.String() + "+amx"
	case c.unit == amxBF16:
		return c.isa.String() + "amx"
	case c.unit == avx512BF16:
		return c.isa.String() + "bf16"
	case c.bf16:
		return c.isa.String() + "+bf16"
	}
	return c.isa.String()
}

// Threads is the number of workers, the caller's own thread included.
func (c *CPU) Threads() int { return c.threads }

// Pool is the C kernels' handle on the workers: an avcu_pool of pool.h.
func (c *CPU) Pool() unsafe.Pointer { return c.pool }
