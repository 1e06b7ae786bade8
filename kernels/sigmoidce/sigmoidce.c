//go:build cgo

/* Sigmoid cross-entropy of logits z [B,K] with sparse labels, and its gradient. With softplus(x) = max(x,0) + log(1 + e),
 * e = exp(-|x|), a class adds softplus(z) to the loss of its row, a label softplus(-z); gz = sigmoid(z) scale and -sigmoid(-z)
 * scale. So a task, which is a row, first copies it with the signs of its labels turned (a label named twice is turned
 * once), and nothing cancels however sure a right prediction is.
 *
 * Sums over k, all of terms >= 0: 8 vectors in single precision, lane by lane, then the lanes folded, then blocks in double
 * in order. Bound by arithmetic: some 45 vector instructions for 8 bytes moved an element. */
#ifndef ISA

#include "../cpu.h"
#include "sigmoidce.h"
#define SELF "sigmoidce/sigmoidce.c"
#include "../each_isa.h"

void avcu_sigmoidce(avcu_pool *pool, long b, long k, const float *z, long ldz, const int32_t *offsets, const int32_t *labels,
                    float *each, float *gz, long ldg, float scale) {
	CALL_ISA(pool, loss, pool, b, k, z, ldz, offsets, labels, each, gz, ldg, scale);
}

void avcu_sigmoid_prob(avcu_pool *pool, long b, long k, const float *z, long ldz, float *p, long ldp) {
	CALL_ISA(pool, prob, pool, b, k, z, ldz, p, ldp);
}

#else

struct FN(job) {
	avcu_pool *pool;
	long k, ldz, ldg;
	const float *z;
	const int32_t *offsets, *labels;
	float *each, *gz, scale;
};

enum { FN(FOLD) = 8 * VL };

/* log(1 + e) for e in [0, 1], to 3 ulp however small e is: 2 atanh(e / (2 + e)) as a series, whose argument is at most 1/3. */
INLINE vf FN(log1p_unit)(vf e) {
	vf s = e / (e + 2.0f), q = s * s;
	vf p = vset(1.0f / 15);
	p = vfma(p, q, vset(1.0f / 13));
	p = vfma(p, q, vset(1.0f / 11));
	p = vfma(p, q, vset(1.0f / 9));
	p = vfma(p, q, vset(1.0f / 7));
	p = vfma(p, q, vset(1.0f / 5));
	p = vfma(p, q, vset(1.0f / 3));
	return vfma(p * q, s + s, s + s);
}

INLINE vf FN(minus_abs)(vf z) { return (vf)((vi)z | (vi)vset(-0.0f)); }

/* 1/(1 + exp(-z)) from e = exp(-|z|), without overflow. */
INLINE vf FN(sigmoid)(vf z, vf e) { return vsel(z < 0.0f, e, vset(1.0f)) / (1.0f + e); }

static void FN(loss_task)(void *arg, long row, int worker) {
	const struct FN(job) *j = arg;
	const float *z = j->z + row * j->ldz;
	const int32_t *label = j->labels + j->offsets[row], *last = j->labels + j->offsets[row + 1];
	float *turned = avcu_scratch(j->pool, worker, (size_t)(j->k + VL) * sizeof *turned);
	memcpy(turned, z, (size_t)j->k * sizeof *z);
	vstore(turned + j->k, vset(-INFINITY)); /* the rest of the last vector: no loss */
	for (const int32_t *l = label; l < last; l++)
		turned[*l] = -z[*l];
	float *g = j->gz ? j->gz + row * j->ldg : NULL;
	double sum = 0;
	for (long k0 = 0; k0 < j->k; k0 += FN(FOLD)) {
		vf s = vset(0.0f);
		for (long k = k0; k < avcu_min(j->k, k0 + FN(FOLD)); k += VL) {
			vf x = vload(turned + k), e = vexp(FN(minus_abs)(x));
			s = s + (vmax(x, vset(0.0f)) + FN(log1p_unit)(e));
			if (!g)
				continue;
			vf gk = FN(sigmoid)(x, e) * j->scale;
			if (k + VL <= j->k)
				vstore(g + k, gk);
			else
				vstoren(g + k, gk, j->k - k);
		}
		sum += vsum(s);
	}
	for (const int32_t *l = label; g && l < last; l++)
		g[*l] = copysignf(g[*l], -j->scale);
	j->each[row] = (float)sum;
}

static void FN(loss)(avcu_pool *pool, long b, long k, const float *z, long ldz, const int32_t *offsets, const int32_t *labels,
                     float *each, float *gz, long ldg, float scale) {
	struct FN(job) j = {pool, k, ldz, ldg, z, offsets, labels, each, gz, scale};
	avcu_parallel(pool, b, FN(loss_task), &j);
}

static void FN(prob_task)(void *arg, long row, int worker) {
	const struct FN(job) *j = arg;
	(void)worker;
	const float *z = j->z + row * j->ldz;
	float *p = j->gz + row * j->ldg;
	for (long k = 0; k < j->k; k += VL) {
		long n = avcu_min(VL, j->k - k);
		vf x = n == VL ? vload(z + k) : vloadn(z + k, n);
		vf y = FN(sigmoid)(x, vexp(FN(minus_abs)(x)));
		if (n == VL)
			vstore(p + k, y);
		else
			vstoren(p + k, y, n);
	}
}

static void FN(prob)(avcu_pool *pool, long b, long k, const float *z, long ldz, float *p, long ldp) {
	struct FN(job) j = {.k = k, .ldz = ldz, .ldg = ldp, .z = z, .gz = p};
	avcu_parallel(pool, b, FN(prob_task), &j);
}

#endif
