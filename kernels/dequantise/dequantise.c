//go:build cgo

/* Quantised features to floats by a table of 256, which is exact and stays in L1. Bound by memory: 5 bytes an element. */
#include "../cpu.h"
#include "dequantise.h"

struct job {
	const uint8_t *q;
	float *x;
	long ldq, ldx, rows, cols;
	const float *table;
};

enum { ROWS = 64 }; /* of a task */

static void task(void *arg, long index, int worker) {
	const struct job *j = arg;
	(void)worker;
	for (long r = index * ROWS; r < avcu_min(j->rows, (index + 1) * ROWS); r++)
		for (long k = 0; k < j->cols; k++)
			j->x[r * j->ldx + k] = j->table[j->q[r * j->ldq + k]];
}

void avcu_dequantise(avcu_pool *pool, const uint8_t *q, long ldq, float *x, long ldx, long rows, long cols, const float *table) {
	struct job j = {q, x, ldq, ldx, rows, cols, table};
	avcu_parallel(pool, (rows + ROWS - 1) / ROWS, task, &j);
}
