//go:build cgo

/* Shifting operation, L2 norm, division by sqrt(C) and dropout, for v [B,C,D] and y [B,C*D]:
 *   u = alpha_i * v + beta_i,  norm = 1 / sqrt(sum u^2 + 1e-12) / sqrt(C),  y = u * norm * f
 * where f is the dropout factor of the element (dropout/mask.h). With h = gy * f and t = C * norm^2 * sum(h * u):
 *   gu = norm * (h - t * u),  gv = alpha_i * gu,  galpha_i = sum_b sum_d gu * v,  gbeta_i = sum_b sum_d gu
 * A unit (b, i) is D elements of v, contiguous, and D columns of y; a task is a fixed number of units.
 * Sums over d: within a block of 1,024, element d goes to lane d mod VL of accumulator (d div VL) mod 4
 * (of accumulator 0 after the last 4*VL that are whole); the four are added, the lanes folded, the last
 * D mod VL elements added in double, and blocks summed in double. A block whose squares leave float is
 * summed again in double. Each unit leaves its part of galpha and gbeta in work; those are then summed
 * over b, in order, in double.
 * Forward moves 8 bytes an element (v, y), backward 12 (v, gy, gv); the mask is drawn once for a unit
 * and, like the unit, stays in the first-level cache between the two passes over it. */
#ifndef ISA

#include <float.h>

#include "../cpu.h"
#include "shift.h"
#define SELF "shift/shift.c"
#include "../each_isa.h"

void avcu_shift_forward(avcu_pool *pool, struct avcu_shift s) { CALL_ISA(pool, shift_forward, pool, &s); }

void avcu_shift_backward(avcu_pool *pool, struct avcu_shift s) { CALL_ISA(pool, shift_backward, pool, &s); }

#else

#include "../dropout/mask.h"

#define job FN(shift_job)
struct job {
	avcu_pool *pool;
	const struct avcu_shift *s;
	void (*unit)(const struct avcu_shift *s, long b, long c, float *room);
	long group; /* units a task */
};

enum { FN(SHIFT_BLOCK) = 1024, FN(SHIFT_TASK) = 1 << 14, FN(SHIFT_COLUMNS) = 16 };

INLINE double FN(shift_fold)(const vf a[4]) { return vsum((a[0] + a[1]) + (a[2] + a[3])); }

/* sum u^2 over a block of n elements. */
static double FN(shift_squares)(const float *v, float alpha, float beta, long n) {
	vf a[4] = {{0}, {0}, {0}, {0}};
	long i = 0;
	for (; i + 4 * VL <= n; i += 4 * VL) {
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			vf u = vfma(vset(alpha), vload(v + i + k * VL), vset(beta));
			a[k] = vfma(u, u, a[k]);
		}
	}
	for (; i + VL <= n; i += VL) {
		vf u = vfma(vset(alpha), vload(v + i), vset(beta));
		a[0] = vfma(u, u, a[0]);
	}
	double sum = FN(shift_fold)(a);
	if (!(sum <= FLT_MAX))
		sum = 0, i = 0;
	for (; i < n; i++) {
		double u = (double)alpha * v[i] + beta;
		sum += u * u;
	}
	return sum;
}

/* sum h * u over a block of n elements, h = gy * f. */
static double FN(shift_dot)(const float *v, float alpha, float beta, const float *gy, const float *f, long n) {
	vf a[4] = {{0}, {0}, {0}, {0}};
	long i = 0;
	for (; i + 4 * VL <= n; i += 4 * VL) {
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			vf u = vfma(vset(alpha), vload(v + i + k * VL), vset(beta));
			a[k] = vfma(vload(gy + i + k * VL) * vload(f + i + k * VL), u, a[k]);
		}
	}
	for (; i + VL <= n; i += VL) {
		vf u = vfma(vset(alpha), vload(v + i), vset(beta));
		a[0] = vfma(vload(gy + i) * vload(f + i), u, a[0]);
	}
	double sum = FN(shift_fold)(a);
	for (; i < n; i++)
		sum += (double)gy[i] * f[i] * ((double)alpha * v[i] + beta);
	return sum;
}

/* What the gradient of a unit needs; sums of gu * v and gu are added to. */
struct FN(shift_unit) {
	float alpha, beta, norm, t;
	double galpha, gbeta;
};

/* gv of a block of n elements. */
static void FN(shift_gradient)(struct FN(shift_unit) *s, const float *v, const float *gy, const float *f, float *gv, long n) {
	const vf alpha = vset(s->alpha), beta = vset(s->beta), norm = vset(s->norm), t = vset(s->t);
	vf a[4] = {{0}, {0}, {0}, {0}}, b[4] = {{0}, {0}, {0}, {0}};
	long i = 0;
	for (; i + 4 * VL <= n; i += 4 * VL) {
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			vf x = vload(v + i + k * VL);
			vf gu = norm * (vload(gy + i + k * VL) * vload(f + i + k * VL) - t * vfma(alpha, x, beta));
			vstore(gv + i + k * VL, alpha * gu);
			a[k] = vfma(gu, x, a[k]);
			b[k] += gu;
		}
	}
	for (; i + VL <= n; i += VL) {
		vf x = vload(v + i);
		vf gu = norm * (vload(gy + i) * vload(f + i) - t * vfma(alpha, x, beta));
		vstore(gv + i, alpha * gu);
		a[0] = vfma(gu, x, a[0]);
		b[0] += gu;
	}
	s->galpha += FN(shift_fold)(a);
	s->gbeta += FN(shift_fold)(b);
	for (; i < n; i++) {
		float gu = s->norm * (gy[i] * f[i] - s->t * (s->alpha * v[i] + s->beta));
		gv[i] = s->alpha * gu;
		s->galpha += (double)gu * v[i];
		s->gbeta += gu;
	}
}

static void FN(shift_forward_unit)(const struct avcu_shift *s, long b, long c, float *room) {
	const float *v = s->v + (b * s->C + c) * s->D, alpha = s->alpha[c], beta = s->beta[c];
	double sum = 0;
	for (long i = 0; i < s->D; i += FN(SHIFT_BLOCK))
		sum += FN(shift_squares)(v + i, alpha, beta, avcu_min(FN(SHIFT_BLOCK), s->D - i));
	float norm = (float)(1 / sqrt(sum + 1e-12) / sqrt((double)s->C));
	s->norm[b * s->C + c] = norm;
	const float *f = FN(mask_row)(&s->mask, b, c * s->D, s->D, room);
	float *y = s->y + b * s->ldy + c * s->D;
	long i = 0;
	for (; i + VL <= s->D; i += VL)
		vstore(y + i, vfma(vset(alpha), vload(v + i), vset(beta)) * norm * vload(f + i));
	for (; i < s->D; i++)
		y[i] = (alpha * v[i] + beta) * norm * f[i];
}

static void FN(shift_backward_unit)(const struct avcu_shift *s, long b, long c, float *room) {
	const float *v = s->v + (b * s->C + c) * s->D, *gy = s->gy + b * s->ldy + c * s->D;
	float *gv = s->gv + (b * s->C + c) * s->D;
	const float *f = FN(mask_row)(&s->mask, b, c * s->D, s->D, room);
	struct FN(shift_unit) unit = {s->alpha[c], s->beta[c], s->norm[b * s->C + c], 0, 0, 0};
	double dot = 0;
	for (long i = 0; i < s->D; i += FN(SHIFT_BLOCK))
		dot += FN(shift_dot)(v + i, unit.alpha, unit.beta, gy + i, f + i, avcu_min(FN(SHIFT_BLOCK), s->D - i));
	unit.t = (float)(dot * unit.norm * unit.norm * (double)s->C);
	for (long i = 0; i < s->D; i += FN(SHIFT_BLOCK))
		FN(shift_gradient)(&unit, v + i, gy + i, f + i, gv + i, avcu_min(FN(SHIFT_BLOCK), s->D - i));
	s->work[b * s->C + c] = (float)unit.galpha;
	s->work[(s->B + b) * s->C + c] = (float)unit.gbeta;
}

static void FN(shift_task)(void *arg, long index, int worker) {
	const struct job *j = arg;
	const struct avcu_shift *s = j->s;
	float *room = avcu_scratch(j->pool, worker, (size_t)(s->D + AVCU_MASK_SPARE) * sizeof *room);
	long last = avcu_min(s->B * s->C, (index + 1) * j->group);
	for (long unit = index * j->group; unit < last; unit++)
		j->unit(s, unit / s->C, unit % s->C, room);
}

static void FN(shift_units)(avcu_pool *pool, const struct avcu_shift *s, void (*unit)(const struct avcu_shift *, long, long, float *)) {
	struct job j = {pool, s, unit, avcu_max(1, FN(SHIFT_TASK) / avcu_max(1, s->D))};
	avcu_parallel(pool, (s->B * s->C + j.group - 1) / j.group, FN(shift_task), &j);
}

/* The two parameters' gradients for a range of units i. */
static void FN(shift_columns)(void *arg, long index, int worker) {
	const struct avcu_shift *s = arg;
	(void)worker;
	long from = index * FN(SHIFT_COLUMNS), n = avcu_min(FN(SHIFT_COLUMNS), s->C - from);
	for (int k = 0; k < 2; k++) {
		double sum[FN(SHIFT_COLUMNS)] = {0};
		for (long b = 0; b < s->B; b++)
			for (long i = 0; i < n; i++)
				sum[i] += s->work[(k * s->B + b) * s->C + from + i];
		float *g = (k ? s->gbeta : s->galpha) + from;
		for (long i = 0; i < n; i++)
			g[i] = (float)(s->add ? g[i] + sum[i] : sum[i]);
	}
}

static void FN(shift_forward)(avcu_pool *pool, const struct avcu_shift *s) { FN(shift_units)(pool, s, FN(shift_forward_unit)); }

static void FN(shift_backward)(avcu_pool *pool, struct avcu_shift *s) {
	FN(shift_units)(pool, s, FN(shift_backward_unit));
	avcu_parallel(pool, (s->C + FN(SHIFT_COLUMNS) - 1) / FN(SHIFT_COLUMNS), FN(shift_columns), s);
}
#undef job

#endif
