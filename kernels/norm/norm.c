//go:build cgo

/* out[0] = sqrt(sum of g[i]^2), out[1] = min(1, clip / out[0]); NaN where out[0] is no finite number.
 * A float's square is exact in double. A task sums 65,536 of them in 32 accumulators, element i in
 * number i % 32, which are then added from the first to the last; so are the tasks' sums. The number
 * of accumulators does not depend on the vectors, so that every instruction set gives the same bits.
 * Reads 4 bytes an element: bound by memory. */
#ifndef ISA

#include "../cpu.h"
#include "norm.h"

enum { BLOCK = 1 << 16, LANES = 32 };

struct norm {
	const float *g;
	long n;
	double *part; /* a block each */
};

#define SELF "norm/norm.c"
#include "../each_isa.h"

void avcu_norm(avcu_pool *pool, const float *g, long n, float *out, double clip) {
	long blocks = (n + BLOCK - 1) / BLOCK;
	double *part = avcu_scratch(pool, avcu_threads(pool), (size_t)blocks * sizeof *part), sum = 0;
	struct norm j = {g, n, part};
	CALL_ISA(pool, norm, pool, blocks, &j);
	for (long b = 0; b < blocks; b++)
		sum += part[b];
	float length = (float)sqrt(sum);
	out[0] = length;
	out[1] = !isfinite(length) ? NAN : clip > 0 && sqrt(sum) > clip ? (float)(clip / sqrt(sum)) : 1;
}

#else

static void FN(norm_task)(void *arg, long index, int worker) {
	const struct norm *j = arg;
	(void)worker;
	const float *g = j->g + index * BLOCK;
	long n = avcu_min(BLOCK, j->n - index * BLOCK), i = 0;
	double t[LANES] = {0}, sum = 0;
	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			t[k] += (double)g[i + k] * g[i + k];
	for (int k = 0; i + k < n; k++)
		t[k] += (double)g[i + k] * g[i + k];
	for (int k = 0; k < LANES; k++)
		sum += t[k];
	j->part[index] = sum;
}

static void FN(norm)(avcu_pool *pool, long blocks, struct norm *j) {
	avcu_parallel(pool, blocks, FN(norm_task), j);
}

#endif
