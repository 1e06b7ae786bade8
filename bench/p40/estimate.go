package main

import (
	"math"
	"strings"
)

// The Tesla P40 (GP102).
const (
	peakFLOP        = 11.76e12 // fp32, a second
	bandwidth       = 346e9    // bytes a second
	reachable       = 0.85     // of the bandwidth, by streams of whole sectors
	multiprocessors = 30
	launchSeconds   = 3e-6
	registerFile    = 65536
	sharedBytes     = 96 << 10
	maxThreads      = 2048
	maxBlocks       = 32
)

// slots is how many issue slots of a multiprocessor an instruction takes, one for what runs on all 128
// lanes each cycle. Rates are those of compute capability 6.1 in NVIDIA's programming guide; division
// and square root are the lengths of their usual expansions.
func slots(op string) float64 {
	base, _, _ := strings.Cut(op, ".")
	switch {
	case strings.Contains(op, ".f64") && base != "mov" && base != "ld" && base != "st" && base != "selp":
		return 32 // 4 lanes
	case base == "div" && strings.HasSuffix(op, "f32"):
		return 10
	case base == "sqrt":
		return 10
	case base == "div" || base == "rem": // whole numbers
		return 20
	case base == "cvt":
		return 4
	case base == "mul" && !strings.HasSuffix(op, "f32"), base == "mad":
		return 3 // of 16-bit multiplications
	case base == "shfl", base == "popc", base == "clz", base == "bfe", base == "vote":
		return 4
	case base == "cvta", base == "ret", strings.HasPrefix(op, "ld.param"):
		return 0
	}
	return 1
}

// limits is what ptxas says of a kernel.
type limits struct {
	registers, spills, shared int
}

// resident is the number of blocks that a multiprocessor holds at once.
func resident(l launch, s limits) int {
	warps := (l.threads + 31) / 32
	perWarp := (s.registers*32 + 255) / 256 * 256
	n := min(maxBlocks, maxThreads/(warps*32))
	if perWarp > 0 {
		n = min(n, registerFile/(perWarp*warps))
	}
	if bytes := s.shared + l.shared; bytes > 0 {
		n = min(n, sharedBytes/bytes)
	}
	return max(n, 1)
}

// estimated is the time of a launch and what it is made of.
type estimated struct {
	seconds, issue, memory float64
	share                  float64 // fma of the issue slots
	quantisation           float64 // blocks over the places for blocks in whole waves
	flop                   float64
	resident               int
}

// estimate is one formula for all: the larger of the time to issue the counted instructions, which is
// FLOP / (peak × fma share × quantisation), and the time to move the counted sectors, and a launch.
func estimate(l launch, s limits) estimated {
	e := estimated{resident: resident(l, s)}
	total, fma := 0.0, 0.0
	for op, n := range l.instructions {
		total += n * slots(op)
		if op == "fma.rn.f32" {
			fma += n
		}
	}
	e.flop = 64 * fma
	if total > 0 {
		e.share = fma / total
	}
	places := float64(multiprocessors * e.resident)
	e.quantisation = l.blocks / (math.Ceil(l.blocks/places) * places)
	if l.blocks > 0 && total > 0 {
		e.issue = total * 64 / peakFLOP / e.quantisation
	}
	e.memory = (l.global.load + l.global.store) * 32 / (reachable * bandwidth)
	e.seconds = math.Max(e.issue, e.memory) + launchSeconds
	return e
}
