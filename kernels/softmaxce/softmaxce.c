//go:build cgo

/* Softmax cross-entropy of logits z [B,K], and its gradient: with top the largest logit, e = exp(z - top) and S the sum of e
 * over the row, each = log S - (z[label] - top) and gz = e / S scale, at the label -(S - e) / S scale.
 *
 * A task is a row. S is summed in double, one accumulator a lane, and the lanes then in order: what the other classes add
 * to the 1 of the largest is all that is left of the loss of a sure and right prediction. Bound by arithmetic: three
 * passes, the second with an exponential; a row of some thousand classes stays in the cache between them. */
#ifndef ISA

#include "../cpu.h"
#include "softmaxce.h"
#define SELF "softmaxce/softmaxce.c"
#include "../each_isa.h"

void avcu_softmaxce(avcu_pool *pool, long b, long k, const float *z, long ldz, const int32_t *offsets, const int32_t *labels,
                    float *each, float *gz, long ldg, float scale) {
	CALL_ISA(pool, loss, pool, b, k, z, ldz, offsets, labels, each, gz, ldg, scale);
}

void avcu_softmax_prob(avcu_pool *pool, long b, long k, const float *z, long ldz, float *p, long ldp) {
	CALL_ISA(pool, loss, pool, b, k, z, ldz, NULL, NULL, NULL, p, ldp, 1.0f);
}

#else

struct FN(job) {
	long k, ldz, ldg;
	const float *z;
	const int32_t *offsets, *labels;
	float *each, *gz, scale;
};

typedef float FN(half_t) __attribute__((vector_size(VL * 2)));

/* Adds the lanes of x to those of sum, in double. */
INLINE void FN(add_double)(FN(vd_t) sum[2], vf x) {
	FN(half_t) half[2];
	memcpy(half, &x, sizeof x);
	sum[0] += __builtin_convertvector(half[0], FN(vd_t));
	sum[1] += __builtin_convertvector(half[1], FN(vd_t));
}

/* n <= VL logits; the other lanes are -Inf. */
INLINE vf FN(logits)(const float *z, long n) {
	float rest[VL];
	if (n == VL)
		return vload(z);
	vstore(rest, vset(-INFINITY));
	memcpy(rest, z, (size_t)n * sizeof *z);
	return vload(rest);
}

/* With labels: loss and gradient; without: probabilities into gz. */
static void FN(loss_task)(void *arg, long row, int worker) {
	const struct FN(job) *j = arg;
	(void)worker;
	const float *z = j->z + row * j->ldz;
	float *g = j->gz ? j->gz + row * j->ldg : NULL;
	vf tops = vset(-INFINITY);
	for (long k = 0; k < j->k; k += VL)
		tops = vmax(tops, FN(logits)(z + k, avcu_min(VL, j->k - k)));
	float top = tops[0];
	for (int i = 1; i < VL; i++)
		top = top < tops[i] ? tops[i] : top;
	FN(vd_t) sums[2] = {{0}, {0}};
	for (long k = 0; k < j->k; k += VL) {
		long n = avcu_min(VL, j->k - k);
		vf e = vexp(FN(logits)(z + k, n) - top);
		FN(add_double)(sums, e);
		if (g && n == VL)
			vstore(g + k, e);
		else if (g)
			vstoren(g + k, e, n);
	}
	double sum = 0;
	for (int i = 0; i < VL; i++)
		sum += sums[i / (VL / 2)][i % (VL / 2)];
	if (g) {
		float by = (float)(j->scale / sum);
		long k = 0;
		for (; k + VL <= j->k; k += VL)
			vstore(g + k, vload(g + k) * by);
		for (; k < j->k; k++)
			g[k] *= by;
	}
	if (!j->labels)
		return;
	int32_t label = j->labels[j->offsets[row]];
	j->each[row] = (float)(log(sum) - ((double)z[label] - top));
	if (g)
		g[label] = (float)(-(sum - vexp(vset(z[label] - top))[0]) / sum * j->scale);
}

static void FN(loss)(avcu_pool *pool, long b, long k, const float *z, long ldz, const int32_t *offsets, const int32_t *labels,
                     float *each, float *gz, long ldg, float scale) {
	struct FN(job) j = {k, ldz, ldg, z, offsets, labels, each, gz, scale};
	avcu_parallel(pool, b, FN(loss_task), &j);
}

#endif
