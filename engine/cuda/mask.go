package cuda

import "avcu/engine"

// Mask is a dropout mask as the arguments of a kernel, in the order of MASK_PARAMETERS in
// kernels/dropout/mask.cuh.
func Mask(m engine.Mask) [11]uint64 {
	const factor, drawn, given = 0, 1, 2
	k := [11]uint64{factor, F32(1), uint64(engine.DropThreshold(m.Rate)), uint64(uint32(m.Seed)), m.Seed >> 32,
		uint64(m.Step), uint64(m.Layer), uint64(uint32(m.First)), uint64(uint32(m.Column))}
	switch {
	case !m.Train:
		k[1] = F32(1 - m.Rate)
	case !m.Given.IsZero():
		k[0], k[9], k[10] = given, Addr(m.Given), Int(m.Given.LD())
	case k[2] != 0:
		k[0] = drawn
	}
	return k
}
