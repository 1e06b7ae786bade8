package ptx

import "fmt"

// Fault is what a kernel did wrong, and where.
type Fault struct {
	Kernel      string
	Line        int    // of the PTX
	Instruction string // "ld.global.f32"
	Block       [3]int
	Thread      [3]int // x < 0: the block as a whole
	Text        string
}

// Error is one line.
func (f *Fault) Error() string {
	thread := ""
	if f.Thread[0] >= 0 {
		thread = fmt.Sprintf(", thread (%d,%d,%d)", f.Thread[0], f.Thread[1], f.Thread[2])
	}
	return fmt.Sprintf("ptx: kernel %s, line %d (%s), block (%d,%d,%d)%s: %s", f.Kernel, f.Line, f.Instruction,
		f.Block[0], f.Block[1], f.Block[2], thread, f.Text)
}

// position is a thread's place in its block.
func (l *launch) position(thread int) [3]int {
	x, y := l.block[0], l.block[1]
	return [3]int{thread % x, thread / x % y, thread / (x * y)}
}

// named is a thread in words.
func (l *launch) named(thread int) string {
	p := l.position(thread)
	return fmt.Sprintf("thread (%d,%d,%d)", p[0], p[1], p[2])
}

// fail ends the launch with a fault of the thread in a lane, at the instruction that runs; it is false.
func (w *warp) fail(in *instruction, lane int, format string, args ...any) bool {
	s := &w.kernel.body[in.pc]
	w.fault = &Fault{
		Kernel: w.kernel.name, Line: s.line, Instruction: s.op, Block: w.at, Thread: w.launch.position(w.first + lane),
		Text: fmt.Sprintf(format, args...),
	}
	return false
}
