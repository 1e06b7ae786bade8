/* C[M,N] = sink(epilogue(op(A)[M,K] op(B)[K,N])) in float32, row-major, rows lda, ldb, ldc, ldy floats apart; op is the
 * transpose or nothing. The epilogue is bias and activation, or multiplication by the activation's derivative at y; the sink
 * stores, adds to C, or takes Adam's step on C with the sum as its gradient (epilogue.cuh).
 *
 * Sums: K is cut into `spans` spans of `span` elements, a multiple of 8, which the host chooses from K alone. For K up to 1024
 * (CHAIN) an element of a span is one chain of fused multiply-adds over k from zero. For larger K a span is cut into blocks
 * of 256 (BLOCK) from its beginning; each is such a chain, and they are added in order, in registers. Sums of several spans go
 * to scratch memory, and product_finish adds them in order. An element's bits therefore depend on its row of op(A), its column
 * of op(B) and K: not on M, N, the tile, its place, alignment or padding. Zeros that fill the last slab of a span add nothing.
 * The error is at most (1024 or 256 + span/256 + spans) * 2^-24 of the sum of magnitudes; roundings are random, so
 * that their sum is about sqrt(K * chain) * 2^-26 for terms of size about 1, and blocks make it small for large K.
 *
 * Launch: product_XY_SIZE, X for A and Y for B: n as it is, t transposed; grid (tiles of C, 1, spans), and if there are
 * several spans product_finish with 256 threads, a row's four elements each, grid (ceil(M*ceil(N/4)/256)).
 *   SIZE    tile      threads   a thread   blocks/SM by registers   shared memory
 *   large   128x128   256       8x8        2 (126)                  up to 16.5 KB   nn, nt, tn
 *   wide    128x144   192       8x12       2 (168)                  up to 17.5 KB   nn, tn
 *   deep    128x128   256       8x8, twice 1 (214)                  up to 16.5 KB   nn, nt, tn
 *   small   32x32     64        4x4, twice 12 (80)                  up to 4.5 KB    all four
 * large, wide and deep differ in what they are for: deep sums in blocks, which takes twice the registers; large and wide are
 * for chains, and of those that is taken which keeps 30 multiprocessors busy longer.
 *
 * A slab of 8 of K is in shared memory twice (tile.cuh): while one is multiplied, the next comes from global memory into
 * registers and then into the other, so there is one barrier a slab. Where pointers and rows are at 16-byte boundaries,
 * whole slabs are read by float4, 32 bytes or more of a row at once; what else there is (edges that cut a float4, the end of
 * K, unaligned rows) goes the slow way of tile.cuh, by float where it must. The epilogue reads and writes by float4 too.
 *
 * Bound by FMA: 2*M*N*K flops. The loop over whole slabs is 89 to 90 % FFMA on sm_61 (small: 74 %). A tile of 128x128 reads
 * 1 KB for each depth, of 32 Kflop: 360 GB/s at the peak of a P40, from its L2 where tiles that run together share rows. */
#include "../cuda.h"
#include "tile.cuh"

#define OUTPUTS                                                                                                            \
	int m, int n, float *__restrict__ c, long long ldc, const float *__restrict__ bias, const float *__restrict__ y,       \
	    long long ldy, int act, int sink, int quads, float *__restrict__ m1, float *__restrict__ m2, float rate, float b1, \
	    float b2, float c1, float c2, float eps
#define OUTPUT {m, n, c, ldc, bias, y, ldy, act, sink, quads, m1, m2, {rate, b1, b2, c1, c2, eps}}

#define PRODUCT(name, mode, transa, transb, tm, tn, gm, gn, blocks)                                                      \
	KERNEL __launch_bounds__((tm) * (tn) / 16 / (gm) / (gn), blocks)                                                     \
	    product_##name(const float *__restrict__ a, long long lda, const float *__restrict__ b, long long ldb, int k,    \
	                   int span, int aligned, float *__restrict__ part, long long ldp, OUTPUTS) {                        \
		product_tile<mode, transa, transb, tm, tn, gm, gn>(a, lda, b, ldb, k, span, aligned, part, ldp, OUTPUT);         \
	}

PRODUCT(nn_large, CHAINS, false, false, 128, 128, 2, 2, 2)
PRODUCT(nt_large, CHAINS, false, true, 128, 128, 2, 2, 2)
PRODUCT(tn_large, CHAINS, true, false, 128, 128, 2, 2, 2)
PRODUCT(nn_wide, CHAINS, false, false, 128, 144, 2, 3, 2)
PRODUCT(tn_wide, CHAINS, true, false, 128, 144, 2, 3, 2)
PRODUCT(nn_deep, BLOCKS, false, false, 128, 128, 2, 2, 1)
PRODUCT(nt_deep, BLOCKS, false, true, 128, 128, 2, 2, 1)
PRODUCT(tn_deep, BLOCKS, true, false, 128, 128, 2, 2, 1)
PRODUCT(nn_small, BOTH, false, false, 32, 32, 1, 1, 12)
PRODUCT(nt_small, BOTH, false, true, 32, 32, 1, 1, 12)
PRODUCT(tn_small, BOTH, true, false, 32, 32, 1, 1, 12)
PRODUCT(tt_small, BOTH, true, true, 32, 32, 1, 1, 12)

/* Sums of several spans, part [spans,m,ldp] with ldp a multiple of 4, in order of the spans, and their epilogue. */
KERNEL __launch_bounds__(256) product_finish(const float *__restrict__ part, long long ldp, int spans, OUTPUTS) {
	int row = (n + 3) / 4; /* quads of a row */
	long long q = (long long)blockIdx.x * 256 + threadIdx.x, i = q / row;
	if (i >= m)
		return;
	int j = (int)(q - i * row) * 4;
	const float *p = part + i * ldp + j;
	float4 sum = load4(p);
#pragma unroll 4
	for (int s = 1; s < spans; s++) {
		p += m * ldp;
		float4 v = load4(p);
		sum = make_float4(sum.x + v.x, sum.y + v.y, sum.z + v.z, sum.w + v.w);
	}
	const output o = OUTPUT;
	finish4(o, i, j, sum);
}
