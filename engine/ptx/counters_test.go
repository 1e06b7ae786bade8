package ptx

import "testing"

// Sectors and wavefronts of one warp by patterns of addresses, counted by hand.
func TestPatterns(t *testing.T) {
	for name, c := range map[string]struct {
		bytes                               uint64
		at                                  func(i uint64) uint64
		mask                                uint32
		sectors, ideal, wavefronts, noClash int64
	}{
		"a word a lane":           {4, func(i uint64) uint64 { return 4 * i }, fullMask, 4, 4, 1, 1},
		"one word":                {4, func(uint64) uint64 { return 64 }, fullMask, 1, 1, 1, 1},
		"every second word":       {4, func(i uint64) uint64 { return 8 * i }, fullMask, 8, 4, 2, 1},
		"a column":                {4, func(i uint64) uint64 { return 128 * i }, fullMask, 32, 4, 32, 1},
		"a column, padded":        {4, func(i uint64) uint64 { return 132 * i }, fullMask, 32, 4, 1, 1},
		"bytes":                   {1, func(i uint64) uint64 { return i }, fullMask, 1, 1, 1, 1},
		"16 bytes a lane":         {16, func(i uint64) uint64 { return 16 * i }, fullMask, 16, 16, 4, 4},
		"16 bytes, every second":  {16, func(i uint64) uint64 { return 32 * i }, fullMask, 32, 16, 8, 4},
		"8 bytes a lane":          {8, func(i uint64) uint64 { return 8 * i }, fullMask, 8, 8, 2, 2},
		"half a warp of 16 bytes": {16, func(i uint64) uint64 { return 16 * i }, 0xffff, 8, 8, 2, 2},
		"off by one word":         {4, func(i uint64) uint64 { return 4*i + 4 }, fullMask, 5, 4, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var addr [lanes]uint64
			for i := range addr {
				addr[i] = c.at(uint64(i))
			}
			var got Counters
			got.countGlobal(&addr, &access{bytes: c.bytes, kind: reading}, c.mask)
			got.countGlobal(&addr, &access{bytes: c.bytes, kind: writing}, c.mask)
			got.countShared(&addr, &access{bytes: c.bytes}, c.mask)
			var want Counters
			want.Global.LoadRequests, want.Global.LoadSectors, want.Global.LoadIdeal = 1, c.sectors, c.ideal
			want.Global.StoreRequests, want.Global.StoreSectors, want.Global.StoreIdeal = 1, c.sectors, c.ideal
			want.Shared.Requests, want.Shared.Wavefronts, want.Shared.Ideal = 1, c.wavefronts, c.noClash
			if got.Global != want.Global || got.Shared != want.Shared {
				t.Errorf("%+v %+v, want %+v %+v", got.Global, got.Shared, want.Global, want.Shared)
			}
		})
	}
}

// A slice of the grid runs alone.
func TestSlice(t *testing.T) {
	o := Options{Count: true, Slice: func(grid [3]int) (int, int) { return grid[0] / 2, grid[0]/2 + 2 }}
	mustGive(t, o, "mov.u32 %r5, 1;"+storeQ, 8, 32, 256, func(i int) uint32 {
		if i/32 == 4 || i/32 == 5 {
			return 1
		}
		return 0xffffffff
	})
}
