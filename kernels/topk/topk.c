//go:build cgo

/* The k highest of each row of p [rows, cols], highest first, of equal ones the lower class first, NaN
 * last. A row's best numbers so far lie in order in scratch, behind an infinity that nothing passes; NaN
 * stands for no number yet. The row is compared with the k-th of them, four vectors at a time, and what
 * comes before it is put into its place, which moves all behind it, without a branch. Of 3,862 random
 * values some 20 ln(3862/20) + 20 = 125 are. Reads 4 bytes a value; the time is that of the insertions,
 * each of ceil(k/VL) vectors. */
#ifndef ISA

#include "../cpu.h"
#include "topk.h"

enum { PIECE = 16384 }; /* values a task */

struct topk {
	avcu_pool *pool;
	const float *p;
	long rows, cols, ldp, k;
	float *values;
	long ldv;
	int32_t *classes;
	long ldc, high; /* rows a task */
};

#define SELF "topk/topk.c"
#include "../each_isa.h"

void avcu_topk(avcu_pool *pool, const float *p, long rows, long cols, long ldp, long k, float *values, long ldv,
               int32_t *classes, long ldc) {
	struct topk j = {pool, p, rows, cols, ldp, k, values, ldv, classes, ldc, avcu_max(1, PIECE / avcu_max(1, cols))};
	if (k > 0)
		CALL_ISA(pool, topk, pool, &j);
}

#else

/* A bit for every lane of a mask. */
INLINE unsigned FN(bits)(vi mask) {
#if ISA == 2
	return _mm512_movepi32_mask((__m512i)mask);
#elif ISA == 1
	return (unsigned)_mm256_movemask_ps((__m256)mask);
#elif defined(__x86_64__)
	return (unsigned)_mm_movemask_ps((__m128)mask);
#else
	unsigned bits = 0;
	for (int i = 0; i < VL; i++)
		bits |= (unsigned)(mask[i] & 1) << i;
	return bits;
#endif
}

/* Which lanes of x come before y, which is of a lower class. */
INLINE vi FN(before)(vf x, vf y) { return (x > y) | ((x == x) & (y != y)); }

/* Puts x, of a higher class than all, into its place among k sorted values; the last drops out. Lane
 * by lane a value stays, or x takes its place, or the one on its left does. Classes move as values do;
 * here they are bits. */
INLINE void FN(insert)(float *v, float *c, long k, vf x, vf class) {
	for (long i = (k - 1) / VL * VL; i >= 0; i -= VL) {
		vf here = vload(v + i), left = vload(v + i - 1), c0 = vload(c + i), c1 = vload(c + i - 1);
		vi moves = FN(before)(x, here), shifts = FN(before)(x, left);
		vstore(v + i, vsel(moves, vsel(shifts, left, x), here));
		vstore(c + i, vsel(moves, vsel(shifts, c1, class), c0));
	}
}

/* v and c have a vector to their left, and k rounded up to whole vectors. */
static void FN(topk_row)(const float *p, long n, long k, float *v, float *c) {
	v[-1] = INFINITY;
	for (long i = 0; i < k; i += VL)
		vstore(v + i, vset(NAN));
	for (long i = 0; i < n;) {
		vf last = vset(v[k - 1]);
		for (; i + 4 * VL <= n; i += 4 * VL)
			if (FN(bits)(FN(before)(vload(p + i), last) | FN(before)(vload(p + i + VL), last) |
			             FN(before)(vload(p + i + 2 * VL), last) | FN(before)(vload(p + i + 3 * VL), last)))
				break;
		for (long to = avcu_min(n, i + 4 * VL); i < to; i += VL) {
			vf x = i + VL <= n ? vload(p + i) : vloadn(p + i, n - i);
			unsigned all = i + VL <= n ? ~0u : (1u << (n - i)) - 1;
			for (unsigned hits = FN(bits)(FN(before)(x, vset(v[k - 1]))) & all; hits; hits &= hits - 1) {
				long at = i + __builtin_ctz(hits);
				FN(insert)(v, c, k, vset(p[at]), (vf)((vi){0} + (int32_t)at));
			}
		}
	}
}

static void FN(topk_task)(void *arg, long index, int worker) {
	const struct topk *j = arg;
	long k = j->k, room = VL + (k + VL - 1) / VL * VL;
	float *v = (float *)avcu_scratch(j->pool, worker, (size_t)(2 * room) * sizeof *v) + VL, *c = v + room;
	for (long b = index * j->high; b < avcu_min(j->rows, (index + 1) * j->high); b++) {
		const float *p = j->p + b * j->ldp;
		float *values = j->values + b * j->ldv;
		int32_t *classes = j->classes + b * j->ldc;
		FN(topk_row)(p, j->cols, k, v, c);
		memcpy(values, v, (size_t)k * sizeof *v);
		memcpy(classes, c, (size_t)k * sizeof *c);
		long numbers = k;
		while (numbers > 0 && v[numbers - 1] != v[numbers - 1])
			numbers--;
		for (long i = 0; numbers < k; i++) /* fewer than k numbers: there are NaN enough */
			if (p[i] != p[i])
				values[numbers] = p[i], classes[numbers++] = (int32_t)i;
	}
}

static void FN(topk)(avcu_pool *pool, struct topk *j) {
	avcu_parallel(pool, (j->rows + j->high - 1) / j->high, FN(topk_task), j);
}

#endif
