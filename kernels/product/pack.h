/* Copies of op(A) and op(B) in the order in which the tile kernel reads them. Included once an instruction set.
 *
 * A: panels of MR rows, each [kc][MR]; the last panel is filled up with zeros.
 * B: panels of NR columns, each [kc][NR]; the last is cut to whole vectors and filled up with zeros. */

typedef float FN(v4) __attribute__((vector_size(16)));
typedef float FN(v4u) __attribute__((vector_size(16), aligned(4), may_alias));

/* Columns of a row of packed panels that holds n columns. */
INLINE long FN(padded_n)(long n) { return (n + VL - 1) / VL * VL; }

/* Where, in the packed span of an operand of m rows (n columns), the block at depth k (a multiple of KC) has the panel
 * of row (column) from, which is a multiple of the panel's width. */
INLINE long FN(place_a)(long m, long k, long from, long kc) { return (m + MR - 1) / MR * MR * k + from * kc; }
INLINE long FN(place_b)(long n, long k, long from, long kc) { return FN(padded_n)(n) * k + from * kc; }

/* dst[k*width + r] = src[r*ld + k] for r < rows and k < kc: rows become columns, four by four. The rest of dst's rows
 * is zero. */
static void FN(transpose)(const float *src, long ld, long rows, long kc, float *dst, long width) {
	long r = 0;
	for (; r + 4 <= rows; r += 4) {
		const float *s = src + r * ld;
		float *d = dst + r;
		long k = 0;
		for (; k + 4 <= kc; k += 4) {
			FN(v4) a = *(const FN(v4u) *)(s + k), b = *(const FN(v4u) *)(s + ld + k);
			FN(v4) c = *(const FN(v4u) *)(s + 2 * ld + k), e = *(const FN(v4u) *)(s + 3 * ld + k);
			FN(v4) ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
			FN(v4) ce0 = __builtin_shufflevector(c, e, 0, 4, 1, 5), ce1 = __builtin_shufflevector(c, e, 2, 6, 3, 7);
			*(FN(v4u) *)(d + k * width) = __builtin_shufflevector(ab0, ce0, 0, 1, 4, 5);
			*(FN(v4u) *)(d + (k + 1) * width) = __builtin_shufflevector(ab0, ce0, 2, 3, 6, 7);
			*(FN(v4u) *)(d + (k + 2) * width) = __builtin_shufflevector(ab1, ce1, 0, 1, 4, 5);
			*(FN(v4u) *)(d + (k + 3) * width) = __builtin_shufflevector(ab1, ce1, 2, 3, 6, 7);
		}
		for (; k < kc; k++)
			for (long q = 0; q < 4; q++)
				d[k * width + q] = s[q * ld + k];
	}
	if (r + 2 <= rows) {
		const float *s = src + r * ld;
		float *d = dst + r;
		long k = 0;
		for (; k + 4 <= kc; k += 4) {
			FN(v4) a = *(const FN(v4u) *)(s + k), b = *(const FN(v4u) *)(s + ld + k);
			FN(v4) ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
			memcpy(d + k * width, &ab0, 8);
			memcpy(d + (k + 1) * width, (char *)&ab0 + 8, 8);
			memcpy(d + (k + 2) * width, &ab1, 8);
			memcpy(d + (k + 3) * width, (char *)&ab1 + 8, 8);
		}
		for (; k < kc; k++)
			for (long q = 0; q < 2; q++)
				d[k * width + q] = s[q * ld + k];
		r += 2;
	}
	for (; r < rows; r++)
		for (long k = 0; k < kc; k++)
			dst[k * width + r] = src[r * ld + k];
	for (; r < width; r++)
		for (long k = 0; k < kc; k++)
			dst[k * width + r] = 0;
}

/* dst[k*width + r] = src[k*ld + r] for r < rows and k < kc. The rest of dst's rows is zero. */
static void FN(copy_rows)(const float *src, long ld, long rows, long kc, float *dst, long width) {
	for (long k = 0; k < kc; k++) {
		for (long r = 0; r < rows; r++)
			dst[k * width + r] = src[k * ld + r];
		for (long r = rows; r < width; r++)
			dst[k * width + r] = 0;
	}
}

/* Several whole panels of the given width, side by side in src, in one pass over its rows: a line of memory is read once,
 * however badly rows that lie a multiple of 4 KB apart share the cache. */
INLINE void FN(copy_panels)(const float *src, long ld, const int panels, long kc, float *dst, const int width) {
	for (long k = 0; k < kc; k++, src += ld, dst += width) {
		__builtin_prefetch(src + 8 * ld);
#pragma GCC unroll 8
		for (int q = 0; q < panels; q++)
			memcpy(dst + q * width * kc, src + q * width, width * sizeof *dst);
	}
}

static void FN(pack_a)(const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	enum { FN(WIDE) = 48 / MR }; /* panels to a line of memory */
	for (long i = from; i < to;) {
		long rows = avcu_min(MR, to - i);
		if (!p->transa) {
			FN(transpose)(p->a + i * p->lda + k, p->lda, rows, kc, dst, MR);
		} else if (to - i >= FN(WIDE) * MR) {
			FN(copy_panels)(p->a + k * p->lda + i, p->lda, FN(WIDE), kc, dst, MR);
			rows = FN(WIDE) * MR;
		} else {
			FN(copy_rows)(p->a + k * p->lda + i, p->lda, rows, kc, dst, MR);
		}
		i += rows;
		dst += (rows + MR - 1) / MR * MR * kc;
	}
}

static void FN(pack_b)(const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	for (long j = from; j < to;) {
		long cols = avcu_min(NR, to - j), width = FN(padded_n)(cols);
		if (p->transb) {
			FN(transpose)(p->b + j * p->ldb + k, p->ldb, cols, kc, dst, width);
		} else if (to - j >= GROUP * NR) {
			FN(copy_panels)(p->b + k * p->ldb + j, p->ldb, GROUP, kc, dst, NR);
			cols = width = GROUP * NR;
		} else if (cols == NR) {
			FN(copy_panels)(p->b + k * p->ldb + j, p->ldb, 1, kc, dst, NR);
		} else {
			FN(copy_rows)(p->b + k * p->ldb + j, p->ldb, cols, kc, dst, width);
		}
		j += cols;
		dst += width * kc;
	}
}
