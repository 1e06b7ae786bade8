//go:build cgo

/* Adam as fluid 1.x has it, over one block of n parameters:
 *   m = b1*m + (1-b1)*g,  v = b2*v + (1-b2)*g*g,  w = w - rate * m / (sqrt(v) + eps)
 * with g scaled first. Reads 16 bytes and writes 12 a parameter: bound by memory. */
#ifndef ISA

#include "../cpu.h"
#include "adam.h"
#define SELF "adam/adam.c"
#include "../each_isa.h"

void avcu_adam(avcu_pool *pool, float *w, float *m, float *v, const float *g, long n, const float *scale,
               double rate, double b1, double b2, double eps) {
	CALL_ISA(pool, adam, pool, w, m, v, g, n, scale ? *scale : 1.0f, rate, b1, b2, eps);
}

#else

#include "adam_step.h"

struct FN(adam_job) {
	float *w, *m, *v;
	const float *g;
	long n;
	struct FN(adam_rule) rule;
};

enum { FN(ADAM_BLOCK) = 1 << 16 }; /* parameters a task: 1.8 MB of traffic */

static void FN(adam_task)(void *arg, long index, int worker) {
	const struct FN(adam_job) *j = arg;
	(void)worker;
	long from = index * FN(ADAM_BLOCK), to = avcu_min(j->n, from + FN(ADAM_BLOCK));
	for (long i = from; i < to; i += VL) {
		vf g = to - i >= VL ? vload(j->g + i) : vloadn(j->g + i, to - i);
		FN(adam_vector)(&j->rule, g, j->w + i, j->m + i, j->v + i, to - i);
	}
}

static void FN(adam)(avcu_pool *pool, float *w, float *m, float *v, const float *g, long n, float scale, double rate, double b1,
                     double b2, double eps) {
	struct FN(adam_job) j = {w, m, v, g, n, FN(adam_rule_of)(scale, rate, b1, b2, eps)};
	avcu_parallel(pool, (n + FN(ADAM_BLOCK) - 1) / FN(ADAM_BLOCK), FN(adam_task), &j);
}

#endif
