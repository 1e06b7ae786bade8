/* Products of few rows, bound by reading B, by AVX-512: B is swept where it lies, without copies. The sums have the bits of
 * amx_tile.h, whose order of additions they follow, and for which denormal numbers count as zero here, too. */

enum {
	AMX_FEW = 4,    /* up to so many rows */
	AMX_BROAD = 512 /* columns of B that are swept together */
};

/* What the rows of A become: [step][row][piece][32 elements], each a float; beyond the end of K zeros. */
INLINE long amx_few_at(long step, long row, long rows, long pieces) { return (step * rows + row) * pieces * 32; }

/* Numbers rounded to bfloat16, ties to even. */
INLINE __m512 amx_rounded(__m512 x) {
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)), 16));
}

/* Adds to the sums s of rows, apart from each other, what a step of 32 elements along K, of which len exist, gives for 16 columns of
 * B. rows and pieces are constants after inlining: all sums are registers. */
INLINE void amx_few_step(const int rows, const int pieces, const float *a, const float *b, long ldb, __mmask16 lanes, long len, float *s, long apart) {
	enum { TERMS = 6 };
	static const int of_a[TERMS] = {2, 1, 1, 0, 0, 0}, of_b[TERMS] = {0, 0, 1, 1, 2, 0};
	const int from = pieces == 3 ? 0 : TERMS - 1;
	__m512 sum[2][2][TERMS];
#pragma GCC unroll 24
	for (int i = 0; i < 2 * 2 * TERMS; i++)
		sum[i / TERMS / 2][i / TERMS % 2][i % TERMS] = _mm512_setzero_ps();
	for (long e = 0; e < 16; e++)
#pragma GCC unroll 2
		for (int h = 0; h < 2; h++) {
			const long at = h * 16 + e;
			__m512 piece[3], x = _mm512_maskz_loadu_ps(at < len ? lanes : 0, b + at * ldb);
			__builtin_prefetch(b + (at + 32) * ldb);
			if (pieces == 3)
				amx_split(x, piece);
			else
				piece[0] = amx_rounded(x);
#pragma GCC unroll 2
			for (int r = 0; r < rows; r++)
#pragma GCC unroll 6
				for (int t = from; t < TERMS; t++)
					sum[r][h][t] = _mm512_fmadd_ps(_mm512_set1_ps(a[(r * pieces + of_a[t]) * 32 + at]), piece[of_b[t]], sum[r][h][t]);
		}
#pragma GCC unroll 2
	for (int r = 0; r < rows; r++) {
		__m512 v = _mm512_load_ps(s + r * apart);
#pragma GCC unroll 6
		for (int t = from; t < TERMS; t++)
			v += sum[r][0][t] + sum[r][1][t];
		_mm512_store_ps(s + r * apart, v);
	}
}

struct amx_few {
	const struct amx_job *job;
	const float *a;
};

/* Computes all rows of C from column index*AMX_BROAD on, over all of K. */
static void amx_few_task(void *arg, long index, int worker) {
	const struct amx_few *w = arg;
	const struct amx_job *j = w->job;
	const struct avcu_product *p = j->p;
	const long from = index * AMX_BROAD, n = avcu_min(AMX_BROAD, p->n - from), all = p->m * AMX_BROAD;
	float *sum = avcu_scratch(j->pool, worker, 2 * (size_t)all * sizeof *sum), *block = sum + all;
	const unsigned mode = _mm_getcsr();
	_mm_setcsr(mode | 0x8040); /* denormal numbers are zero, in what is read and what comes out */
	for (long k = 0; k < j->slots / 16; k += j->depth / 16) {
		memset(block, 0, (size_t)all * sizeof *block);
		for (long u = k; u < avcu_min(j->slots, k * 16 + j->depth) / 16; u++)
			for (long q = 0; q < n; q += 16)
				for (long i = 0; i < p->m; i += 2) {
					const float *a = w->a + amx_few_at(u, i, p->m, j->pieces), *b = p->b + u * 32 * p->ldb + from + q;
					const long len = p->k - u * 32;
					float *s = block + i * AMX_BROAD + q;
					if (j->pieces == 3 && i + 1 < p->m)
						amx_few_step(2, 3, a, b, p->ldb, amx_lanes(n - q), len, s, AMX_BROAD);
					else if (j->pieces == 3)
						amx_few_step(1, 3, a, b, p->ldb, amx_lanes(n - q), len, s, AMX_BROAD);
					else if (i + 1 < p->m)
						amx_few_step(2, 1, a, b, p->ldb, amx_lanes(n - q), len, s, AMX_BROAD);
					else
						amx_few_step(1, 1, a, b, p->ldb, amx_lanes(n - q), len, s, AMX_BROAD);
				}
		for (long i = 0; i < all; i += VL)
			vstore(sum + i, k == 0 ? vload(block + i) : vload(sum + i) + vload(block + i));
	}
	_mm_setcsr(mode);
	vi odd = {0};
	for (long i = 0; i < all; i += VL)
		odd |= vload(sum + i) != vload(sum + i);
	if (j->pieces == 3 && _mm512_test_epi32_mask((__m512i)odd, (__m512i)odd)) { /* pieces of what is not finite give NaN */
		amx_leave(j, worker, 0, p->m, from, from + n);
		return;
	}
	struct FN(out) o = {.p = p, .rule = &j->rule, .j = from, .rows = p->m, .cols = n, .first = 1, .last = 1};
	FN(put)(&o, sum, AMX_BROAD);
}

static void amx_few(struct amx_job *j) {
	const struct avcu_product *p = j->p;
	float *a = avcu_scratch(j->pool, avcu_threads(j->pool), (size_t)(2 * j->slots * p->m * j->pieces) * sizeof *a);
	for (long e = 0; e < 2 * j->slots; e += 16)
		for (long i = 0; i < p->m; i++) {
			float x[16] = {0}, *to = a + amx_few_at(e / 32, i, p->m, j->pieces) + e % 32;
			__m512 piece[3];
			for (long u = 0; u < avcu_min(16, p->k - e); u++)
				x[u] = p->transa ? p->a[(e + u) * p->lda + i] : p->a[i * p->lda + e + u];
			if (j->pieces == 3)
				amx_split(_mm512_loadu_ps(x), piece);
			else
				piece[0] = amx_rounded(_mm512_loadu_ps(x));
			for (int q = 0; q < j->pieces; q++)
				_mm512_store_ps(to + q * 32, piece[q]);
		}
	struct amx_few w = {j, a};
	avcu_parallel(j->pool, (p->n + AMX_BROAD - 1) / AMX_BROAD, amx_few_task, &w);
}
