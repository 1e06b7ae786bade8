//go:build cgo

/* Dropout of fluid's downgrade_in_infer: y = x * factor, or y = y + x * factor, where the factor is a
 * mask of 0 and 1 in training and 1 - rate otherwise; its gradient is the same map. Row-major x and y
 * of [rows, cols], rows padded as the caller likes; elements do not meet, so there is no order of sums.
 * A mask is drawn (80 vector instructions for 2*VL elements) for 1024 elements at a time and used from
 * the first-level cache. Reads and writes 4 bytes an element: bound by memory. */
#ifndef ISA

#include "../cpu.h"
#include "dropout.h"
#define SELF "dropout/dropout.c"
#include "../each_isa.h"

void avcu_dropout(avcu_pool *pool, struct avcu_mask m, const float *x, long ldx, float *y, long ldy, long rows, long cols, int add) {
	CALL_ISA(pool, dropout, pool, m, x, ldx, y, ldy, rows, cols, add);
}

#else

#include "mask.h"

#define job FN(dropout_job)
struct job {
	struct avcu_mask m;
	const float *x;
	float *y;
	long ldx, ldy, rows, cols, group; /* rows a task */
	int add;
};

enum { FN(DROPOUT_CHUNK) = 1024, FN(DROPOUT_TASK) = 1 << 15 }; /* elements */

static void FN(dropout_chunk)(const struct job *j, long row, long from, long n) {
	float room[FN(DROPOUT_CHUNK) + AVCU_MASK_SPARE];
	const float *factor = FN(mask_row)(&j->m, row, from, n, room);
	const float *x = j->x + row * j->ldx + from;
	float *y = j->y + row * j->ldy + from;
	long i = 0;
	for (; i + VL <= n; i += VL) {
		vf v = vload(x + i) * vload(factor + i);
		vstore(y + i, j->add ? vload(y + i) + v : v);
	}
	for (; i < n; i++)
		y[i] = j->add ? y[i] + x[i] * factor[i] : x[i] * factor[i];
}

static void FN(dropout_task)(void *arg, long index, int worker) {
	const struct job *j = arg;
	(void)worker;
	long last = avcu_min(j->rows, (index + 1) * j->group);
	for (long row = index * j->group; row < last; row++)
		for (long from = 0; from < j->cols; from += FN(DROPOUT_CHUNK))
			FN(dropout_chunk)(j, row, from, avcu_min(FN(DROPOUT_CHUNK), j->cols - from));
}

static void FN(dropout)(avcu_pool *pool, struct avcu_mask m, const float *x, long ldx, float *y, long ldy, long rows, long cols,
                        int add) {
	long group = avcu_max(1, FN(DROPOUT_TASK) / avcu_max(1, cols));
	struct job j = {m, x, y, ldx, ldy, rows, cols, group, add};
	avcu_parallel(pool, (rows + group - 1) / group, FN(dropout_task), &j);
}
#undef job

#endif
