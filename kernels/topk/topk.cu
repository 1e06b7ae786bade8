/* The `best` highest of each row of p [rows, cols], rows ldp apart, highest first, of equal ones the lower class first, NaN last:
 * values, rows ldv apart, and classes, rows ldc apart.
 * Each value becomes a 64-bit key that orders as it should: the bits of the float, turned so that they order as unsigned
 * numbers (0 for NaN, -0 as 0), above the complement of the class. No two keys are equal.
 * Launch: a row a block of 256 threads; thread t takes classes t, t + 256, … and holds its highest key below the last that was
 * given out. In each round the block finds the highest of those by shuffles and 64 bytes of shared memory, two barriers, and
 * the one thread that held it looks for its next. Reads each value about 1 + best/256 times. */
#include "../cuda.h"

typedef unsigned long long u64;

DEVICE u64 key_of(float v, int c) {
	unsigned b = (unsigned)__float_as_int(v == 0.0f ? 0.0f : v);
	b = v != v ? 0u : b >> 31 ? ~b : b | 0x80000000u;
	return (u64)b << 32 | (0xffffffffu - (unsigned)c);
}

/* The highest key below limit of a thread's classes; 0 where there is none: every key is above 0. */
DEVICE u64 next_key(const float *__restrict__ p, int cols, u64 limit) {
	u64 best = 0;
	for (int c = threadIdx.x; c < cols; c += 256) {
		u64 k = key_of(p[c], c);
		best = k < limit && k > best ? k : best;
	}
	return best;
}

DEVICE u64 warp_highest(u64 v) {
	for (int l = 16; l > 0; l >>= 1) {
		u64 o = (u64)(unsigned)__shfl_xor_sync(FULL, (int)(v >> 32), l) << 32 | (unsigned)__shfl_xor_sync(FULL, (int)v, l);
		v = o > v ? o : v;
	}
	return v;
}

KERNEL __launch_bounds__(256) topk(const float *__restrict__ p, long long ldp, int cols, int best, float *__restrict__ values, long long ldv, int *__restrict__ classes, long long ldc) {
	__shared__ u64 part[8];
	const int t = threadIdx.x;
	const long long row = blockIdx.x;
	p += row * ldp;
	u64 mine = next_key(p, cols, ~0ull);
	for (int i = 0; i < best; i++) {
		u64 top = warp_highest(mine);
		if (t % 32 == 0)
			part[t / 32] = top;
		__syncthreads();
		for (int k = 0; k < 8; k++)
			top = part[k] > top ? part[k] : top;
		__syncthreads();
		if (mine != top)
			continue;
		int c = (int)(0xffffffffu - (unsigned)top);
		values[row * ldv + i] = p[c];
		classes[row * ldc + i] = c;
		mine = next_key(p, cols, top);
	}
}
