//go:build cgo

/* tanh, ReLU and sigmoid, element by element, and their gradients from the output:
 *   forward   y = act(x)
 *   backward  gx = or += gy * act'(y),  act' = (1 - y)(1 + y),  y > 0,  y(1 - y)
 * 1 - y is exact for y in [1/2, 1], which is why tanh' is a product and not 1 - y*y. Rows are cut into
 * pieces of some 16,384 elements; no element depends on another. Forward moves 8 bytes an element,
 * backward 12: bound by memory, tanh and sigmoid by arithmetic while they lie in cache. */
#ifndef ISA

#include "../cpu.h"
#include "activation.h"

struct activation {
	int kind, add;
	long rows, cols;
	const float *x, *y;
	long ldx, ldy;
	float *out;
	long ldout;
	long high, wide; /* of a task's piece */
};

enum { PIECE = 16384 }; /* elements a task, about 5 microseconds of arithmetic */

/* Cuts the matrix into pieces and returns their number. One that has no padding is one long row. */
static long cut(struct activation *j) {
	if (j->ldx == j->cols && j->ldy == j->cols && j->ldout == j->cols) {
		j->cols *= j->rows;
		j->ldx = j->ldy = j->ldout = j->cols;
		j->rows = j->cols > 0;
	}
	j->wide = avcu_max(1, avcu_min(j->cols, PIECE));
	j->high = avcu_max(1, PIECE / j->wide);
	return (j->rows + j->high - 1) / j->high * ((j->cols + j->wide - 1) / j->wide);
}

#define SELF "activation/activation.c"
#include "../each_isa.h"

void avcu_activation(avcu_pool *pool, int kind, long rows, long cols, const float *x, long ldx, float *y, long ldy) {
	struct activation j = {.kind = kind, .rows = rows, .cols = cols, .x = x, .y = x, .ldx = ldx, .ldy = ldx, .out = y, .ldout = ldy};
	long tasks = cut(&j);
	CALL_ISA(pool, activation, pool, tasks, &j);
}

void avcu_activation_gradient(avcu_pool *pool, int kind, long rows, long cols, const float *y, long ldy,
                              const float *gy, long ldgy, float *gx, long ldgx, int add) {
	struct activation j = {.kind = kind, .add = add, .rows = rows, .cols = cols, .x = gy, .y = y,
	                       .ldx = ldgy, .ldy = ldy, .out = gx, .ldout = ldgx};
	long tasks = cut(&j);
	CALL_ISA(pool, activation_gradient, pool, tasks, &j);
}

#else

INLINE vf FN(act)(int kind, vf x) {
	if (kind == AVCU_TANH)
		return vtanh(x);
	if (kind == AVCU_RELU)
		return vmax(x, vset(0.0f)); /* keeps a NaN */
	/* 1/(1+e^-x), and for negative x e^x/(1+e^x), which does not overflow and underflows gradually. */
	vf e = vexp(vsel(x < 0.0f, x, -x));
	return vsel(x < 0.0f, e, vset(1.0f)) / (e + 1.0f);
}

INLINE vf FN(slope)(int kind, vf y, vf gy) {
	if (kind == AVCU_TANH)
		return gy * ((1.0f - y) * (y + 1.0f));
	if (kind == AVCU_RELU)
		return vsel(y <= 0.0f, vset(0.0f), vsel(y == y, gy, y));
	return gy * (y * (1.0f - y));
}

INLINE void FN(act_row)(int kind, const float *x, float *y, long n) {
	long i = 0;
	for (; i + VL <= n; i += VL)
		vstore(y + i, FN(act)(kind, vload(x + i)));
	if (i < n)
		vstoren(y + i, FN(act)(kind, vloadn(x + i, n - i)), n - i);
}

INLINE void FN(slope_row)(int kind, int add, const float *y, const float *gy, float *gx, long n) {
	long i = 0;
	for (; i + VL <= n; i += VL) {
		vf g = FN(slope)(kind, vload(y + i), vload(gy + i));
		vstore(gx + i, add ? vload(gx + i) + g : g);
	}
	if (i < n) {
		vf g = FN(slope)(kind, vloadn(y + i, n - i), vloadn(gy + i, n - i));
		vstoren(gx + i, add ? vloadn(gx + i, n - i) + g : g, n - i);
	}
}

static void FN(activation_task)(void *arg, long index, int worker) {
	const struct activation *j = arg;
	(void)worker;
	long across = (j->cols + j->wide - 1) / j->wide;
	long from = index / across * j->high, to = avcu_min(j->rows, from + j->high);
	long c = index % across * j->wide, n = avcu_min(j->wide, j->cols - c);
	for (long r = from; r < to; r++) {
		const float *x = j->x + r * j->ldx + c;
		float *y = j->out + r * j->ldout + c;
		switch (j->kind) {
		case AVCU_TANH: FN(act_row)(AVCU_TANH, x, y, n); break;
		case AVCU_RELU: FN(act_row)(AVCU_RELU, x, y, n); break;
		default: FN(act_row)(AVCU_SIGMOID, x, y, n);
		}
	}
}

static void FN(activation_gradient_task)(void *arg, long index, int worker) {
	const struct activation *j = arg;
	(void)worker;
	long across = (j->cols + j->wide - 1) / j->wide;
	long from = index / across * j->high, to = avcu_min(j->rows, from + j->high);
	long c = index % across * j->wide, n = avcu_min(j->wide, j->cols - c);
	for (long r = from; r < to; r++) {
		const float *y = j->y + r * j->ldy + c, *gy = j->x + r * j->ldx + c;
		float *gx = j->out + r * j->ldout + c;
		switch (j->kind) {
		case AVCU_TANH: FN(slope_row)(AVCU_TANH, j->add, y, gy, gx, n); break;
		case AVCU_RELU: FN(slope_row)(AVCU_RELU, j->add, y, gy, gx, n); break;
		default: FN(slope_row)(AVCU_SIGMOID, j->add, y, gy, gx, n);
		}
	}
}

static void FN(activation)(avcu_pool *pool, long tasks, struct activation *j) {
	avcu_parallel(pool, tasks, FN(activation_task), j);
}

static void FN(activation_gradient)(avcu_pool *pool, long tasks, struct activation *j) {
	avcu_parallel(pool, tasks, FN(activation_gradient_task), j);
}

#endif
