/* Products of few rows, bound by reading B: no copies, B is swept in the order in which it lies, and the sums wait in the
 * first cache. Each sum is the same chain of multiply-adds, block by block, as in the tile kernel: the same bits. Included
 * once an instruction set. */

enum { FN(DEEP) = 8, FN(BROAD) = 512 }; /* rows and columns of B that are swept together */

/* s[q] += sum over u of x[u*step] * b[u*ldb + q], one u after the other, for q < n; with begin, from zero. */
INLINE void FN(sweep_rows)(const int rows, const float *x, long step, const float *b, long ldb, long n, float *s, int begin) {
	vf e[FN(DEEP)];
#pragma GCC unroll 8
	for (int u = 0; u < rows; u++)
		e[u] = vset(x[u * step]);
	for (long q = 0; q < n; q += VL) {
		vf v = begin ? vset(0.0f) : vload(s + q);
		if (n - q >= VL) {
#pragma GCC unroll 8
			for (int u = 0; u < rows; u++)
				v = vfma(e[u], vload(b + u * ldb + q), v);
		} else {
			for (int u = 0; u < rows; u++)
				v = vfma(e[u], vloadn(b + u * ldb + q, n - q), v);
		}
		vstore(s + q, v);
	}
}

/* Computes all rows of C from column index*BROAD on, over all of K. */
static void FN(sweep_task)(void *arg, long index, int worker) {
	const struct FN(job) *j = arg;
	const struct avcu_product *p = j->p;
	long from = index * FN(BROAD), n = avcu_min(FN(BROAD), p->n - from);
	long step = p->transa ? p->lda : 1, row = p->transa ? 1 : p->lda;
	float *sum = avcu_scratch(j->pool, worker, 2 * (size_t)(p->m * FN(BROAD)) * sizeof *sum), *block = sum + p->m * FN(BROAD);
	memset(sum, 0, (size_t)(p->m * FN(BROAD)) * sizeof *sum);
	for (long k = 0; k < p->k; k += KC) {
		long kc = avcu_min(KC, p->k - k);
		const float *x = p->a + k * step, *b = p->b + k * p->ldb + from;
		for (long u = 0; u < kc;) {
			int whole = u + FN(DEEP) <= kc;
			for (long i = 0; i < p->m; i++) {
				float *s = block + i * FN(BROAD);
				if (whole)
					FN(sweep_rows)(FN(DEEP), x + u * step + i * row, step, b + u * p->ldb, p->ldb, n, s, u == 0);
				else
					FN(sweep_rows)(1, x + u * step + i * row, step, b + u * p->ldb, p->ldb, n, s, u == 0);
			}
			u += whole ? FN(DEEP) : 1;
		}
		for (long i = 0; i < p->m * FN(BROAD); i += FN(BROAD))
			for (long q = i; q < i + n; q += VL)
				vstore(sum + q, k == 0 ? vload(block + q) : vload(sum + q) + vload(block + q));
	}
	for (long q = 0; q < n; q += NR) {
		struct FN(out) o = {.p = p, .rule = &j->rule, .j = from + q, .rows = p->m, .cols = avcu_min(NR, n - q), .first = 1, .last = 1};
		float t[MR * NR];
		for (long i = 0; i < p->m; i++)
			memcpy(t + i * NR, sum + i * FN(BROAD) + q, sizeof(float) * NR);
		FN(put)(&o, t, NR);
	}
}
