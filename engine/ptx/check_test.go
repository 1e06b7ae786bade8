package ptx

import (
	"fmt"
	"testing"
)

const (
	storeQ = "st.global.u32 [%rd6], %r5;\n"
	fillS  = "st.shared.u32 [%rd8], %r1;\n"
	wait   = "bar.sync 0;\n"
)

func TestBounds(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		says []string
	}{
		"past the end":         {"ld.global.u32 %r5, [%rd5+128];" + storeQ, []string{"reads 4 bytes", thread(0), "0 bytes after the end of the 128 bytes"}},
		"before the start":     {"st.global.u32 [%rd6+-4], %r1;", []string{"writes 4 bytes", thread(0)}},
		"last lane alone":      {"ld.global.u32 %r5, [%rd5+4];", []string{thread(31), "0 bytes after the end"}},
		"half of a vector":     {"mul.wide.u32 %rd9, %r1, 16; add.s64 %rd9, %rd1, %rd9; ld.global.v4.u32 {%r5,%r6,%r7,%r8}, [%rd9];", []string{thread(8)}},
		"null":                 {"mov.u64 %rd9, 0; ld.global.u32 %r5, [%rd9];", []string{"0x0, which is no address of device memory"}},
		"misaligned":           {"ld.global.u32 %r5, [%rd5+2];", []string{"not a multiple of 4"}},
		"misaligned vector":    {"add.s64 %rd9, %rd1, 8; ld.global.v4.u32 {%r5,%r6,%r7,%r8}, [%rd9];", []string{"not a multiple of 16"}},
		"shared, past the end": {"st.shared.u32 [t+512], %r1;", []string{"byte 512 of t (512 bytes)"}},
		"shared, in between":   {"st.shared.u32 [%rd8+512], %r1;", []string{"byte 512 of s (512 bytes)"}},
		"shared, far":          {"mov.u64 %rd9, 65536; ld.shared.u32 %r5, [%rd9];", []string{"reads 4 bytes at 0x10000"}},
		"local":                {"mov.u64 %rd9, depot; st.local.u32 [%rd9+16], %r1;", []string{"of the 16 bytes of local memory"}},
	} {
		t.Run(name, func(t *testing.T) { mustFail(t, Options{}, c.body, 1, 32, 32, c.says...) })
		t.Run(name+"/NoChecks", func(t *testing.T) {
			if name != "shared, in between" { // found by the race checks' cells
				mustFail(t, Options{NoChecks: true}, c.body, 1, 32, 32)
			}
		})
	}
}

func TestNeverWritten(t *testing.T) {
	mustFail(t, Options{}, "ld.global.u32 %r5, [%rd6];"+storeQ, 1, 32, 32, "never written", thread(0))
	mustFail(t, Options{}, "setp.ne.s32 %p1, %r1, 7; @%p1 st.global.u32 [%rd6], %r1; ld.global.u32 %r5, [%rd6];", 1, 32, 32, "never written", thread(7))
	mustFail(t, Options{}, "st.global.u8 [%rd6], %r1; ld.global.u16 %rs1, [%rd6];", 1, 32, 32, "reads 2 bytes", "never written")
	mustFail(t, Options{}, "ld.shared.u32 %r5, [%rd8];", 1, 32, 32, "never written", "byte 0 of s")
	mustFail(t, Options{}, "mov.u64 %rd9, depot; st.local.u16 [%rd9], %rs1; ld.local.u32 %r5, [%rd9];", 1, 32, 32, "never written")
	mustFail(t, Options{}, "atom.global.add.u32 %r5, [%rd2], 1;", 1, 32, 32, "never written", "updates")
	// Shared memory of the block before does not count.
	mustFail(t, Options{Workers: 1}, "setp.eq.s32 %p1, %r2, 0; @%p1 st.shared.u32 [%rd8], %r1; ld.shared.u32 %r5, [%rd8];", 2, 32, 64, "never written", "block (1,0,0)")
	mustGive(t, Options{NoChecks: true}, "ld.global.u32 %r5, [%rd5]; st.global.u32 [%rd6], %r5;", 2, 32, 64, func(i int) uint32 { return uint32(i) })
}

func TestSharedRaces(t *testing.T) {
	neighbour := "xor.b32 %r5, %r1, %r9; mul.wide.u32 %rd9, %r5, 4; add.s64 %rd9, %rd7, %rd9;\n" // &s[tid^n]
	other := func(n int) string { return fmt.Sprintf("mov.u32 %%r9, %d;\n", n) + neighbour }
	read := "ld.shared.u32 %r5, [%rd9];\n"
	for name, c := range map[string]struct {
		body string
		says string // empty: no fault
	}{
		"read without a barrier":       {other(32) + fillS + wait + fillS + read, "since the last barrier"},
		"read with a barrier":          {other(32) + fillS + wait + read, ""},
		"write without a barrier":      {other(32) + fillS + wait + read + fillS, "since the last barrier"},
		"write with a barrier":         {other(32) + fillS + wait + read + wait + fillS, ""},
		"within a warp":                {other(1) + fillS + read, "which thread (1,0,0) wrote since the last barrier"},
		"a synchronised warp":          {other(1) + fillS + "bar.warp.sync -1;" + read, ""},
		"written in a warp":            {other(1) + fillS + "bar.warp.sync -1;" + read + fillS, "read since"},
		"written in step":              {other(1) + fillS + "bar.warp.sync -1;" + read + "bar.warp.sync -1;" + fillS, ""},
		"another warp, synchronised":   {other(32) + fillS + wait + fillS + "bar.warp.sync -1;" + read, "since the last barrier"},
		"two values":                   {"st.shared.u32 [s], %r1;", "wrote since"},
		"one value":                    {"setp.lt.s32 %p1, %r1, 32; @%p1 st.shared.u32 [s], 5;", ""},
		"one value of two warps":       {"st.shared.u32 [s], 5;", "wrote since"},
		"atomic":                       {"setp.eq.s32 %p1, %r1, 0; @%p1 st.shared.u32 [s], 0; bar.sync 0; atom.shared.add.u32 %r5, [s], 1;", ""},
		"atomic, no barrier":           {"setp.eq.s32 %p1, %r1, 0; @%p1 st.shared.u32 [s], 0; bar.sync 0; @%p1 st.shared.u32 [s], 0; atom.shared.add.u32 %r5, [s], 1;", "since the last barrier"},
		"read beside atomic":           {"setp.eq.s32 %p1, %r1, 0; @%p1 st.shared.u32 [s], 0; bar.sync 0; atom.shared.add.u32 %r5, [s], 1; ld.shared.u32 %r5, [s];", "an atomic operation updated"},
		"bytes of one word":            {"add.s64 %rd9, %rd7, %rd3; cvt.u64.u32 %rd9, %r1; add.s64 %rd9, %rd7, %rd9; st.shared.u8 [%rd9], %r1;", ""},
		"many readers, then a barrier": {fillS + wait + "ld.shared.u32 %r5, [s];" + wait + fillS, ""},
		"many readers, no barrier":     {fillS + wait + "ld.shared.u32 %r5, [s];" + fillS, "read since"},
	} {
		t.Run(name, func(t *testing.T) {
			body := c.body
			if c.says == "" {
				body += "mov.u32 %r5, 1;" + storeQ
				mustGive(t, Options{}, body, 3, 64, 192, func(int) uint32 { return 1 })
				mustGive(t, Options{Permute: 3}, body, 3, 64, 192, func(int) uint32 { return 1 })
				return
			}
			mustFail(t, Options{}, body, 3, 64, 192, "a race", c.says)
			mustFail(t, Options{Permute: 3}, body, 3, 64, 192, "a race")
			if _, err := try(t, Options{NoChecks: true, Workers: 1}, body, 3, 64, 192); err != nil {
				t.Errorf("without checks: %v", err)
			}
		})
	}
}

func TestRacesOfBlocks(t *testing.T) {
	for _, o := range []Options{{}, {Workers: 1}, {Workers: 1, Permute: 9}} {
		mustFail(t, o, "st.global.u32 [%rd2], %r2;", 2, 1, 64, "a race between blocks", "writes")
		mustFail(t, o, "setp.eq.s32 %p1, %r2, 1; @%p1 st.global.u32 [%rd1+128], %r2; @!%p1 ld.global.u32 %r5, [%rd1+128];", 2, 1, 64, "a race between blocks")
		mustFail(t, o, "atom.global.add.u32 %r5, [%rd1], 1; ld.global.u32 %r5, [%rd1];", 2, 1, 64, "a race between blocks", "an atomic operation updated")
		// Reading the same and writing neighbours is none, nor are atomic operations.
		mustGive(t, o, "ld.global.u32 %r5, [%rd1+4]; atom.global.add.u32 %r6, [%rd1+8], 1;"+storeQ, 64, 1, 64, func(int) uint32 { return 1 })
		mustGive(t, o, "cvt.u64.u32 %rd9, %r3; add.s64 %rd9, %rd2, %rd9; st.global.u8 [%rd9], 7;", 64, 4, 64, func(int) uint32 { return 0x07070707 })
	}
	mustGive(t, Options{NoChecks: true}, "st.global.u32 [%rd2], 1; mov.u32 %r5, 1;"+storeQ, 64, 1, 64, func(int) uint32 { return 1 })
}

func TestBarriers(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"part of a warp":  {"setp.lt.s32 %p1, %r1, 5; @%p1 bra A; bra.uni B; A: bar.sync 0; B:", "does not come to the barrier"},
		"guarded":         {"setp.lt.s32 %p1, %r1, 5; @%p1 bar.sync 0;", "does not come to the barrier"},
		"one warp":        {"setp.lt.s32 %p1, %r1, 32; @%p1 bra A; bra.uni B; A: bar.sync 0; B:", "this thread has returned"},
		"returned":        {"setp.lt.s32 %p1, %r1, 32; @%p1 ret; bar.sync 0;", "this thread has returned"},
		"a lane returned": {"setp.eq.s32 %p1, %r1, 3; @%p1 ret; bar.sync 0;", "(3,0,0): this thread has returned"},
		"two barriers":    {"setp.lt.s32 %p1, %r1, 32; @%p1 bra A; bar.sync 0; bra.uni B; A: bar.sync 0; B:", "waits at one barrier"},
		"endless":         {"A: add.s32 %r5, %r5, 1; bra.uni A;", "an endless loop"},
		"waiting":         {"st.shared.u32 [s], 0; A: ld.volatile.shared.u32 %r5, [s]; setp.eq.s32 %p1, %r5, 0; @%p1 bra A;", "a race"},
	} {
		t.Run(name, func(t *testing.T) { mustFail(t, Options{}, c.body, 1, 64, 64, c.says) })
	}
	mustGive(t, Options{}, "mov.u32 %r5, 0; A: bar.sync 0; add.s32 %r5, %r5, 1; setp.lt.s32 %p1, %r5, 100; @%p1 bra A;"+storeQ, 2, 96, 192,
		func(int) uint32 { return 100 })
}

func TestCollectives(t *testing.T) {
	mustFail(t, Options{}, "setp.lt.s32 %p1, %r1, 5; @%p1 bra A; bra.uni B; A: shfl.sync.bfly.b32 %r5, %r1, 1, 31, -1; B:", 1, 32, 32, "the warp has parted")
	mustFail(t, Options{}, "shfl.sync.bfly.b32 %r5, %r1, 16, 31, -1;", 1, 20, 32, "takes no part")
	mustFail(t, Options{}, "vote.sync.ballot.b32 %r5, %p1, 1;", 1, 32, 32, "is not of the mask")
	mustGive(t, Options{}, "setp.lt.s32 %p1, %r1, 5; vote.sync.ballot.b32 %r5, %p1, -1;"+storeQ, 1, 32, 32, func(int) uint32 { return 31 })
	mustGive(t, Options{}, "shfl.sync.down.b32 %r5|%p1, %r1, 3, 31, -1; @!%p1 mov.u32 %r5, 99;"+storeQ, 1, 32, 32, func(i int) uint32 {
		if i+3 > 31 {
			return 99
		}
		return uint32(i + 3)
	})
}
