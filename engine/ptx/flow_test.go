package ptx

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestDivergence(t *testing.T) {
	// Collatz: every lane loops another number of times; all meet again for the ballot.
	body := `mov.u32 %r5, 0;
	add.s32 %r6, %r3, 1;
LOOP:
	setp.eq.s32 %p1, %r6, 1;
	@%p1 bra DONE;
	add.s32 %r5, %r5, 1;
	and.b32 %r7, %r6, 1;
	setp.eq.s32 %p2, %r7, 0;
	@%p2 bra EVEN;
	mad.lo.s32 %r6, %r6, 3, 1;
	bra.uni LOOP;
EVEN:
	shr.u32 %r6, %r6, 1;
	bra.uni LOOP;
DONE:
	activemask.b32 %r8;
	setp.eq.s32 %p3, %r8, -1;
	@!%p3 mov.u32 %r5, -1;
` + storeQ
	mustGive(t, Options{}, body, 2, 64, 128, func(i int) uint32 {
		n := uint32(0)
		for x := i + 1; x != 1; n++ {
			if x%2 == 0 {
				x /= 2
			} else {
				x = 3*x + 1
			}
		}
		return n
	})
	// Lanes that return leave the others to go on; a block of 45 threads has a warp of 13.
	mustGive(t, Options{}, "mov.u32 %r5, 7; st.global.u32 [%rd6], 1; and.b32 %r6, %r1, 3; setp.eq.s32 %p1, %r6, 2; @%p1 ret;"+storeQ, 1, 45, 45,
		func(i int) uint32 {
			if i%4 == 2 {
				return 1
			}
			return 7
		})
	mustGive(t, Options{}, "{ .reg .b32 %r5; mov.u32 %r5, 3; } mov.u32 %r5, 4;"+storeQ, 1, 32, 32, func(int) uint32 { return 4 })
}

// Random programs of branches, each run on its lanes together and, by an interpreter of one thread, apart.
func TestRandomBranches(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 3 + r.IntN(12)
		type step struct{ bit, to, add int }
		program := make([]step, n)
		var text strings.Builder
		text.WriteString("mul.lo.s32 %r6, %r3, 40503; xor.b32 %r6, %r6, %r3; mov.u32 %r5, 0; mov.u32 %r7, 200;\n")
		for i := range program {
			program[i] = step{r.IntN(12), r.IntN(n + 1), 1 + r.IntN(1000)}
			p := program[i]
			// While there is fuel: add, rotate, and jump where a bit of the thread's number is set.
			fmt.Fprintf(&text, "L%d: sub.s32 %%r7, %%r7, 1; setp.lt.s32 %%p1, %%r7, 0; @%%p1 bra L%d;\n", i, n)
			fmt.Fprintf(&text, "mad.lo.s32 %%r5, %%r5, 3, %d; add.s32 %%r6, %%r6, %%r5; shr.u32 %%r8, %%r6, %d; and.b32 %%r8, %%r8, 1; setp.ne.s32 %%p2, %%r8, 0; @%%p2 bra L%d;\n", p.add, p.bit, p.to)
		}
		fmt.Fprintf(&text, "L%d: activemask.b32 %%r8; setp.ne.s32 %%p1, %%r8, -1; @%%p1 mov.u32 %%r5, 0;\n%s", n, storeQ)
		mustGive(t, Options{}, text.String(), 1, 64, 64, func(thread int) uint32 {
			x, sum := uint32(thread*40503)^uint32(thread), uint32(0)
			for pc, fuel := 0, 199; pc < n && fuel >= 0; fuel-- {
				p := program[pc]
				sum = sum*3 + uint32(p.add)
				x += sum
				pc++
				if x>>p.bit&1 != 0 {
					pc = p.to
				}
			}
			return sum
		})
	}
}

func TestPostDominators(t *testing.T) {
	m, err := Parse("t", kernelText(`setp.eq.s32 %p1, %r1, 0;
	@%p1 bra A;
	@%p2 bra B;
	mov.u32 %r5, 1;
A:	mov.u32 %r5, 2;
	bra.uni B;
C:	bra.uni C;
B:	@%p3 bra D;
	mov.u32 %r5, 3;
D:	mov.u32 %r5, 4;`))
	if err != nil {
		t.Fatal(err)
	}
	k := m.kernels["k"]
	var joins []string
	for _, in := range k.code {
		if in.kind == kindBranch {
			at := "exit"
			if in.join >= 0 {
				at = k.body[in.join].op
				for _, o := range k.body[in.join].args {
					if o.kind == operandNumber {
						at += fmt.Sprint(" ", o.number)
					}
				}
			}
			joins = append(joins, at)
		}
	}
	want := "[bra bra bra exit mov.u32 4]"
	if got := fmt.Sprint(joins); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// Blocks in any order, on any number of workers, give the same bits.
func TestOrder(t *testing.T) {
	body := "ld.global.u32 %r5, [%rd5]; mad.lo.s32 %r5, %r5, %r5, %r2;" + storeQ
	for _, o := range []Options{{}, {Workers: 1}, {Workers: 3, Permute: 1}, {Workers: 1, Permute: 2}, {Memory: make([]byte, 1<<16)}} {
		mustGive(t, o, body, 37, 32, 37*32, func(i int) uint32 { return uint32(i*i + i/32) })
	}
	for seed := range uint64(50) {
		l := launch{permute: seed, from: 3, to: 3 + int64(1+seed%13)}
		place, seen := l.order(), map[int64]bool{}
		for i := range l.to - l.from {
			b := place(i)
			if b < l.from || b >= l.to || seen[b] {
				t.Fatalf("seed %d: block %d of %d to %d, a second time: %v", seed, b, l.from, l.to, seen[b])
			}
			seen[b] = true
		}
	}
}
