package ptx

import "math/bits"

// Counters are what a kernel did, summed over launches.
type Counters struct {
	Launches, Blocks, BlocksRun int64
	Instructions                map[string]int64 // of warps, by opcode with type, such as "fma.rn.f32"
	// Global memory: accesses of warps, the sectors of 32 bytes that they touch, and how many would do:
	// the distinct bytes of each access / 32, rounded up.
	Global struct{ LoadRequests, LoadSectors, LoadIdeal, StoreRequests, StoreSectors, StoreIdeal int64 }
	// Shared memory: accesses of warps, and the wavefronts that 32 banks of 4 bytes need for them.
	// Accesses of 8 bytes a lane go by half warps and those of 16 by quarter warps; in each part,
	// distinct words of one bank come one after the other. Ideal is one wavefront a part.
	Shared struct{ Requests, Wavefronts, Ideal int64 }
}

// add sums.
func (c *Counters) add(o *Counters) {
	g, h := &c.Global, &o.Global
	g.LoadRequests += h.LoadRequests
	g.LoadSectors += h.LoadSectors
	g.LoadIdeal += h.LoadIdeal
	g.StoreRequests += h.StoreRequests
	g.StoreSectors += h.StoreSectors
	g.StoreIdeal += h.StoreIdeal
	c.Shared.Requests += o.Shared.Requests
	c.Shared.Wavefronts += o.Shared.Wavefronts
	c.Shared.Ideal += o.Shared.Ideal
}

// countGlobal counts an access to global memory.
func (c *Counters) countGlobal(addr *[lanes]uint64, acc *access, m uint32) {
	var sectors [2 * lanes]uint64
	var masks [2 * lanes]uint32 // bytes of each that are used
	n := 0
	for i, a := range addr {
		if m>>i&1 == 0 {
			continue
		}
		// An access does not cross a sector: it is aligned and has at most 16 bytes.
		sector, bytes := a/32, uint32(1<<acc.bytes-1)<<(a%32)
		at := 0
		for at < n && sectors[at] != sector {
			at++
		}
		if at == n {
			sectors[n] = sector
			n++
		}
		masks[at] |= bytes
	}
	distinct := 0
	for _, b := range masks[:n] {
		distinct += bits.OnesCount32(b)
	}
	ideal := int64(distinct+31) / 32
	g := &c.Global
	if acc.kind == reading {
		g.LoadRequests++
		g.LoadSectors += int64(n)
		g.LoadIdeal += ideal
		return
	}
	g.StoreRequests++
	g.StoreSectors += int64(n)
	g.StoreIdeal += ideal
}

// countShared counts an access to shared memory.
func (c *Counters) countShared(addr *[lanes]uint64, acc *access, m uint32) {
	parts := max(int(acc.bytes)/4, 1)
	each := lanes / parts
	c.Shared.Requests++
	for p := range parts {
		var used [lanes][]uint64
		most := 0
		for i := p * each; i < (p+1)*each; i++ {
			if m>>i&1 == 0 {
				continue
			}
			for b := uint64(0); b < max(acc.bytes/4, 1); b++ {
				word := addr[i]/4 + b
				bank := &used[word%lanes]
				known := false
				for _, u := range *bank {
					known = known || u == word
				}
				if !known {
					*bank = append(*bank, word)
					most = max(most, len(*bank))
				}
			}
		}
		if most > 0 {
			c.Shared.Wavefronts += int64(most)
			c.Shared.Ideal++
		}
	}
}
