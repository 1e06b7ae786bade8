/* Copies of op(A) and op(B) in the order in which the tile kernel reads them. Included once an instruction set.
 *
 * A: panels of MR rows, each [kc][MR]; the last panel is filled up with zeros.
 * B: panels of NR columns, each [kc][NR]; the last is cut to whole vectors and filled up with zeros.
 *
 * A place in a panel, a slot, is four bytes: in form FLOATS an element, in form ROUNDED an element rounded to bfloat16, in
 * form PAIRS two neighbours along K as bfloat16, of which the second is zero beyond the end of K. Depths are in slots. */

typedef float FN(v4) __attribute__((vector_size(16)));
typedef float FN(v4u) __attribute__((vector_size(16), aligned(4), may_alias));

/* Columns of a row of packed panels that holds n columns. */
INLINE long FN(padded_n)(long n) { return (n + VL - 1) / VL * VL; }

/* Where, in the packed span of an operand of m rows (n columns), the block at depth k (a multiple of KC) has the panel
 * of row (column) from, which is a multiple of the panel's width. */
INLINE long FN(place_a)(long m, long k, long from, long kc) { return (m + MR - 1) / MR * MR * k + from * kc; }
INLINE long FN(place_b)(long n, long k, long from, long kc) { return FN(padded_n)(n) * k + from * kc; }

/* What is copied: slots 0 .. kc-1 of rows (A) or columns (B) that lie at src, of which len elements along K exist. */
struct FN(source) {
	const float *src;
	long ld, kc, len;
};

/* Rounds to bfloat16, ties to even; a NaN stays one. */
INLINE uint32_t FN(bf16)(float x) {
	uint32_t b;
	memcpy(&b, &x, 4);
	return x != x ? b >> 16 | 64 : (b + 0x7fff + (b >> 16 & 1)) >> 16;
}

/* The same for n floats in place. */
static void FN(round_floats)(float *p, long n) {
	for (long i = 0; i < n; i++) {
		uint32_t b = FN(bf16)(p[i]) << 16;
		memcpy(p + i, &b, 4);
	}
}

/* Two elements as a slot, the second zero where last says that there is none. */
INLINE float FN(pair)(float first, const float *second, int last) {
	uint32_t b = FN(bf16)(first) | (last ? 0 : FN(bf16)(*second)) << 16;
	float f;
	memcpy(&f, &b, 4);
	return f;
}

/* Slot k of a row whose elements lie side by side, ld elements from those of the next. */
INLINE float FN(slot)(const int form, const struct FN(source) * s, long row, long k) {
	const float *at = s->src + row * s->ld;
	return form == PAIRS ? FN(pair)(at[2 * k], at + 2 * k + 1, 2 * k + 1 >= s->len) : at[k];
}

/* Slots k .. k+3 of such a row; all of their elements exist. */
INLINE FN(v4) FN(four_slots)(const int form, const float *row, long k) {
#if ISA == 2
	if (form == PAIRS)
		return (FN(v4))_mm256_cvtneps_pbh(_mm256_loadu_ps(row + 2 * k));
#endif
	(void)form;
	return *(const FN(v4u) *)(row + k);
}

/* Slot k of VL columns whose elements lie ld apart. */
INLINE vf FN(across)(const int form, const struct FN(source) * s, long k, long column) {
#if ISA == 2
	if (form == PAIRS) {
		const float *at = s->src + 2 * k * s->ld + column;
		__m512 low = _mm512_loadu_ps(at), high = 2 * k + 1 < s->len ? _mm512_loadu_ps(at + s->ld) : _mm512_setzero_ps();
		const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
		                                     19, 3, 18, 2, 17, 1, 16, 0);
		return (vf)_mm512_permutexvar_epi16(zip, (__m512i)_mm512_cvtne2ps_pbh(high, low));
	}
#endif
	(void)form;
	return vload(s->src + k * s->ld + column);
}

/* Slot k of column c of such. */
INLINE float FN(slot_down)(const int form, const struct FN(source) * s, long k, long c) {
	const float *at = s->src + (form == PAIRS ? 2 * k : k) * s->ld + c;
	return form == PAIRS ? FN(pair)(*at, at + s->ld, 2 * k + 1 >= s->len) : *at;
}

/* dst[k*width + r] = slot k of row r, for r < rows: rows become columns, four by four. The rest of dst's rows is zero. */
INLINE void FN(transpose)(const int form, const struct FN(source) * s, long rows, float *dst, long width) {
	long r = 0, ld = s->ld, kc = s->kc, whole = form == PAIRS ? s->len / 2 : kc;
	for (; r + 4 <= rows; r += 4) {
		const float *row = s->src + r * ld;
		float *d = dst + r;
		long k = 0;
		for (; k + 4 <= whole; k += 4) {
			FN(v4) a = FN(four_slots)(form, row, k), b = FN(four_slots)(form, row + ld, k);
			FN(v4) c = FN(four_slots)(form, row + 2 * ld, k), e = FN(four_slots)(form, row + 3 * ld, k);
			FN(v4) ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
			FN(v4) ce0 = __builtin_shufflevector(c, e, 0, 4, 1, 5), ce1 = __builtin_shufflevector(c, e, 2, 6, 3, 7);
			*(FN(v4u) *)(d + k * width) = __builtin_shufflevector(ab0, ce0, 0, 1, 4, 5);
			*(FN(v4u) *)(d + (k + 1) * width) = __builtin_shufflevector(ab0, ce0, 2, 3, 6, 7);
			*(FN(v4u) *)(d + (k + 2) * width) = __builtin_shufflevector(ab1, ce1, 0, 1, 4, 5);
			*(FN(v4u) *)(d + (k + 3) * width) = __builtin_shufflevector(ab1, ce1, 2, 3, 6, 7);
		}
		for (; k < kc; k++)
			for (long q = 0; q < 4; q++)
				d[k * width + q] = FN(slot)(form, s, r + q, k);
	}
	if (r + 2 <= rows) {
		const float *row = s->src + r * ld;
		float *d = dst + r;
		long k = 0;
		for (; k + 4 <= whole; k += 4) {
			FN(v4) a = FN(four_slots)(form, row, k), b = FN(four_slots)(form, row + ld, k);
			FN(v4) ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
			memcpy(d + k * width, &ab0, 8);
			memcpy(d + (k + 1) * width, (char *)&ab0 + 8, 8);
			memcpy(d + (k + 2) * width, &ab1, 8);
			memcpy(d + (k + 3) * width, (char *)&ab1 + 8, 8);
		}
		for (; k < kc; k++)
			for (long q = 0; q < 2; q++)
				d[k * width + q] = FN(slot)(form, s, r + q, k);
		r += 2;
	}
	for (; r < rows; r++)
		for (long k = 0; k < kc; k++)
			dst[k * width + r] = FN(slot)(form, s, r, k);
	for (; r < width; r++)
		for (long k = 0; k < kc; k++)
			dst[k * width + r] = 0;
}

/* dst[k*width + c] = slot k of column c, for c < columns. The rest of dst's rows is zero. */
INLINE void FN(copy_columns)(const int form, const struct FN(source) * s, long columns, float *dst, long width) {
	for (long k = 0; k < s->kc; k++, dst += width) {
		for (long c = 0; c < columns; c++)
			dst[c] = FN(slot_down)(form, s, k, c);
		for (long c = columns; c < width; c++)
			dst[c] = 0;
	}
}

/* Several whole panels of the given width, side by side in src, in one pass over its rows: a line of memory is read once,
 * however badly rows that lie a multiple of 4 KB apart share the cache. No more than the panels' own columns are read. */
INLINE void FN(copy_panels)(const int form, const struct FN(source) * s, const int panels, float *dst, const int width) {
	for (long k = 0; k < s->kc; k++, dst += width) {
		const long row = form == PAIRS ? 2 : 1;
		__builtin_prefetch(s->src + (k + 8) * row * s->ld);
		if (form == PAIRS)
			__builtin_prefetch(s->src + ((k + 8) * row + 1) * s->ld);
#pragma GCC unroll 8
		for (int q = 0; q < panels; q++) {
			float *to = dst + q * width * s->kc;
			if (width % VL == 0) {
#pragma GCC unroll 2
				for (int c = 0; c < width; c += VL)
					vstore(to + c, FN(across)(form, s, k, q * width + c));
				continue;
			}
#if ISA == 2
			if (form == PAIRS) { /* the vector that ends with the panel, without what comes before it */
				vf v = FN(across)(form, s, k, q ? q * MR + MR - VL : 0);
				if (q)
					v = __builtin_shufflevector(v, v, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
				_mm256_storeu_ps(to, _mm512_castps512_ps256((__m512)v));
				_mm_storeu_ps(to + 8, _mm512_extractf32x4_ps((__m512)v, 2));
				continue;
			}
			_mm256_storeu_ps(to, _mm256_loadu_ps(s->src + k * s->ld + q * MR));
			_mm_storeu_ps(to + 8, _mm_loadu_ps(s->src + k * s->ld + q * MR + 8));
#else
			memcpy(to, s->src + k * s->ld + q * width, width * sizeof *to);
#endif
		}
	}
}

INLINE void FN(pack_a_as)(const int form, const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	enum { FN(WIDE) = 48 / MR }; /* panels to a line of memory */
	const long e = form == PAIRS ? 2 * k : k; /* the first element */
	for (long i = from; i < to;) {
		long rows = avcu_min(MR, to - i);
		struct FN(source) s = {p->transa ? p->a + e * p->lda + i : p->a + i * p->lda + e, p->lda, kc, p->k - e};
		s.len = avcu_min(s.len, form == PAIRS ? 2 * kc : kc);
		if (!p->transa) {
			FN(transpose)(form, &s, rows, dst, MR);
		} else if (to - i >= FN(WIDE) * MR) {
			FN(copy_panels)(form, &s, FN(WIDE), dst, MR);
			rows = FN(WIDE) * MR;
		} else {
			FN(copy_columns)(form, &s, rows, dst, MR);
		}
		i += rows;
		dst += (rows + MR - 1) / MR * MR * kc;
	}
}

INLINE void FN(pack_b_as)(const int form, const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	const long e = form == PAIRS ? 2 * k : k;
	for (long j = from; j < to;) {
		long cols = avcu_min(NR, to - j), width = FN(padded_n)(cols);
		struct FN(source) s = {p->transb ? p->b + j * p->ldb + e : p->b + e * p->ldb + j, p->ldb, kc, p->k - e};
		s.len = avcu_min(s.len, form == PAIRS ? 2 * kc : kc);
		if (p->transb) {
			FN(transpose)(form, &s, cols, dst, width);
		} else if (to - j >= GROUP * NR) {
			FN(copy_panels)(form, &s, GROUP, dst, NR);
			cols = width = GROUP * NR;
		} else if (cols == NR) {
			FN(copy_panels)(form, &s, 1, dst, NR);
		} else {
			FN(copy_columns)(form, &s, cols, dst, width);
		}
		j += cols;
		dst += width * kc;
	}
}

/* Rows from .. to-1 of op(A), columns from .. to-1 of op(B), slots k .. k+kc-1, as panels at dst. */
static void FN(pack_a)(const int form, const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	if (form == PAIRS)
		FN(pack_a_as)(PAIRS, p, from, to, k, kc, dst);
	else
		FN(pack_a_as)(FLOATS, p, from, to, k, kc, dst);
	if (form == ROUNDED)
		FN(round_floats)(dst, (to - from + MR - 1) / MR * MR * kc);
}
static void FN(pack_b)(const int form, const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	if (form == PAIRS)
		FN(pack_b_as)(PAIRS, p, from, to, k, kc, dst);
	else
		FN(pack_b_as)(FLOATS, p, from, to, k, kc, dst);
	if (form == ROUNDED)
		FN(round_floats)(dst, FN(padded_n)(to - from) * kc);
}
