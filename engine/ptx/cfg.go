package ptx

import "slices"

// block is a run of statements [from, to) that is entered at its start and left at its end.
type block struct {
	from, to int
	next     []int // blocks that may follow; the exit is block len(blocks)
}

// flow is the control-flow graph of a kernel.
type flow struct {
	blocks []block
	of     []int // block of each statement
}

func (s *statement) jumps() bool { return s.parts[0] == "bra" }
func (s *statement) leaves() bool {
	return s.parts[0] == "ret" || s.parts[0] == "exit"
}

// newFlow splits a body into blocks.
func newFlow(body []statement) *flow {
	leader := make([]bool, len(body)+1)
	leader[0] = true
	for i := range body {
		if body[i].jumps() {
			leader[body[i].target], leader[i+1] = true, true
		} else if body[i].leaves() {
			leader[i+1] = true
		}
	}
	f := &flow{of: make([]int, len(body))}
	for i := range body {
		if leader[i] {
			f.blocks = append(f.blocks, block{from: i})
		}
		f.of[i] = len(f.blocks) - 1
		f.blocks[len(f.blocks)-1].to = i + 1
	}
	exit := len(f.blocks)
	for i := range f.blocks {
		b := &f.blocks[i]
		last := &body[b.to-1]
		switch {
		case last.jumps():
			b.next = append(b.next, f.of[last.target])
		case last.leaves():
			b.next = append(b.next, exit)
		}
		if (!last.jumps() && !last.leaves() || last.guard >= 0) && i+1 < exit {
			b.next = append(b.next, i+1)
		}
	}
	return f
}

// postDominators is the immediate post-dominator of every block: the first block through which every
// way to the exit leads. It is the exit itself, len(blocks), where there is no other, and for a block
// from which no way leads to the exit.
//
// By the method of Cooper, Harvey and Kennedy on the reversed graph.
func (f *flow) postDominators() []int {
	exit := len(f.blocks)
	before := make([][]int, exit+1)
	for i, b := range f.blocks {
		for _, n := range b.next {
			before[n] = append(before[n], i)
		}
	}
	// Post-order of the reversed graph, from the exit.
	order, rank := []int{}, make([]int, exit+1)
	for i := range rank {
		rank[i] = -1
	}
	type visit struct{ node, next int }
	seen := make([]bool, exit+1)
	seen[exit] = true
	for stack := []visit{{exit, 0}}; len(stack) > 0; {
		v := &stack[len(stack)-1]
		if v.next < len(before[v.node]) {
			n := before[v.node][v.next]
			v.next++
			if !seen[n] {
				seen[n] = true
				stack = append(stack, visit{n, 0})
			}
			continue
		}
		rank[v.node] = len(order)
		order = append(order, v.node)
		stack = stack[:len(stack)-1]
	}
	slices.Reverse(order)
	dom := make([]int, exit+1)
	for i := range dom {
		dom[i] = -1
	}
	dom[exit] = exit
	for changed := true; changed; {
		changed = false
		for _, n := range order[1:] {
			d := -1
			for _, s := range f.blocks[n].next {
				if dom[s] < 0 {
					continue
				}
				if d < 0 {
					d = s
				}
				for a := s; a != d; {
					for rank[a] < rank[d] {
						a = dom[a]
					}
					for rank[d] < rank[a] {
						d = dom[d]
					}
				}
			}
			if d != dom[n] {
				dom[n], changed = d, true
			}
		}
	}
	for i := range dom {
		if dom[i] < 0 {
			dom[i] = exit
		}
	}
	return dom[:exit]
}
