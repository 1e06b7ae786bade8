//go:build cgo

/* sum[n] = or += the sum over r of x[r,n].
 * A task takes a tile of 256 rows and 512 columns. Within it eight rows at a time are added in pairs,
 *   ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)),
 * in float, and that to the tile's sums in double, which lie in L1; the rows left over follow one by
 * one. The sums of the tiles, one row of scratch a block of rows, are added from the first to the last.
 * Every column takes the same steps, whatever the vectors. Reads 4 bytes an element: bound by memory. */
#ifndef ISA

#include "../cpu.h"
#include "colsum.h"

enum { HIGH = 256, WIDE = 512 }; /* the tile, at most 512 KB */

struct colsum {
	const float *x;
	long rows, cols, ld;
	double *part; /* [blocks, cols], or NULL for one block */
	float *sum;
	int add;
};

#define SELF "colsum/colsum.c"
#include "../each_isa.h"

void avcu_colsum(avcu_pool *pool, const float *x, long rows, long cols, long ld, float *sum, int add) {
	CALL_ISA(pool, colsum, pool, (struct colsum){x, rows, cols, ld, NULL, sum, add});
}

#else

/* t[c] = the sum of h rows of x, for all c < n. */
static void FN(colsum_tile)(const float *restrict x, long ld, long h, long n, double *restrict t) {
	memset(t, 0, (size_t)n * sizeof *t);
	long r = 0;
	for (; r + 8 <= h; r += 8, x += 8 * ld) {
		const float *x0 = x, *x1 = x0 + ld, *x2 = x1 + ld, *x3 = x2 + ld, *x4 = x3 + ld, *x5 = x4 + ld, *x6 = x5 + ld, *x7 = x6 + ld;
		for (long c = 0; c < n; c++)
			t[c] += ((x0[c] + x1[c]) + (x2[c] + x3[c])) + ((x4[c] + x5[c]) + (x6[c] + x7[c]));
	}
	for (; r < h; r++, x += ld)
		for (long c = 0; c < n; c++)
			t[c] += x[c];
}

static void FN(colsum_store)(const struct colsum *j, const double *t, long c, long n) {
	for (long i = 0; i < n; i++)
		j->sum[c + i] = (float)(j->add ? j->sum[c + i] + t[i] : t[i]);
}

/* Block index / across of the rows, columns index % across * WIDE and on. */
static void FN(colsum_task)(void *arg, long index, int worker) {
	const struct colsum *j = arg;
	(void)worker;
	long across = (j->cols + WIDE - 1) / WIDE, block = index / across, c = index % across * WIDE;
	long r = block * HIGH, h = avcu_min(HIGH, j->rows - r), n = avcu_min(WIDE, j->cols - c);
	const float *x = j->x + r * j->ld + c;
	if (j->part) {
		FN(colsum_tile)(x, j->ld, h, n, j->part + block * j->cols + c);
	} else {
		double t[WIDE];
		FN(colsum_tile)(x, j->ld, h, n, t);
		FN(colsum_store)(j, t, c, n);
	}
}

/* Adds up the blocks of WIDE columns. */
static void FN(colsum_join)(void *arg, long index, int worker) {
	const struct colsum *j = arg;
	(void)worker;
	long blocks = (j->rows + HIGH - 1) / HIGH, c = index * WIDE, n = avcu_min(WIDE, j->cols - c);
	double t[WIDE];
	memset(t, 0, (size_t)n * sizeof *t);
	for (long b = 0; b < blocks; b++)
		for (long i = 0; i < n; i++)
			t[i] += j->part[b * j->cols + c + i];
	FN(colsum_store)(j, t, c, n);
}

static void FN(colsum)(avcu_pool *pool, struct colsum j) {
	long blocks = (j.rows + HIGH - 1) / HIGH, across = (j.cols + WIDE - 1) / WIDE;
	if (blocks > 1)
		j.part = avcu_scratch(pool, avcu_threads(pool), (size_t)(blocks * j.cols) * sizeof *j.part);
	if (blocks > 0)
		avcu_parallel(pool, blocks * across, FN(colsum_task), &j);
	else if (!j.add && j.cols > 0)
		memset(j.sum, 0, (size_t)j.cols * 4);
	if (blocks > 1)
		avcu_parallel(pool, across, FN(colsum_join), &j);
}

#endif
