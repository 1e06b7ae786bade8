/* Packing, inner kernel and task for AMX, in place of those of pack.h, tile.h and product.c: a tile of 32 x 32 sums stays in
 * four registers of 16 x 16. Slots are pairs of bfloat16; a block is a multiple of 16 slots deep, filled up with zeros.
 *
 * A: panels of 32 rows, each [kc/16][2][16 rows][16 slots].
 * B: panels of 32 columns, each [kc/16][2][16 slots][16 columns].
 * The last panel has [1] in place of [2] if it holds no more than 16. Each part [16][16] is a tile register, 1 KB.
 *
 * TDPBF16PS sums the first elements of its 16 slots, and the second ones, each as one chain of fused multiply-adds from zero,
 * and adds both to the element of C; so the order of a sum depends on k alone. Denormal numbers count as zero, as they do
 * with AVX512_BF16. The registers are in use from a task's begin to its end only, and then released, so that threads outside
 * of products have no more state to save than before. */

enum { FN(AREA) = 256 }; /* of a part, in slots */

/* Makes columns of a part's rows. */
INLINE void FN(turn)(float *part) {
	__m512 v[16], t[16];
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		v[i] = _mm512_load_ps(part + i * 16);
#pragma GCC unroll 8
	for (int i = 0; i < 16; i += 2)
		t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]), t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
#define PD(op, a, b) _mm512_castpd_ps(_mm512_unpack##op##_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
#pragma GCC unroll 4
	for (int i = 0; i < 16; i += 4) {
		v[i] = PD(lo, t[i], t[i + 2]), v[i + 1] = PD(hi, t[i], t[i + 2]);
		v[i + 2] = PD(lo, t[i + 1], t[i + 3]), v[i + 3] = PD(hi, t[i + 1], t[i + 3]);
	}
#undef PD
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) { /* now 4 x 4 of four floats */
		__m512 a = _mm512_shuffle_f32x4(v[i], v[i + 4], 0x88), b = _mm512_shuffle_f32x4(v[i + 8], v[i + 12], 0x88);
		__m512 c = _mm512_shuffle_f32x4(v[i], v[i + 4], 0xdd), d = _mm512_shuffle_f32x4(v[i + 8], v[i + 12], 0xdd);
		t[i] = _mm512_shuffle_f32x4(a, b, 0x88), t[i + 8] = _mm512_shuffle_f32x4(a, b, 0xdd);
		t[i + 4] = _mm512_shuffle_f32x4(c, d, 0x88), t[i + 12] = _mm512_shuffle_f32x4(c, d, 0xdd);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		_mm512_store_ps(part + i * 16, t[i]);
}

/* Where, in the panels of n rows or columns, the i-th sixteen of those has its u-th sixteen of slots. */
INLINE float *FN(part_at)(float *panels, long i, long u, long n, long kc) {
	long panel = i / 2 * MR, parts = n - panel > 16 ? 2 : 1;
	return panels + panel * kc + (u * parts + i % 2) * FN(AREA);
}

/* The first n of 16 lanes. */
INLINE __mmask16 FN(lanes)(long n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

/* 16 slots of a row that lies at x, of which n elements exist. */
INLINE __m512 FN(slots_along)(const float *x, long n) {
	__m512 first = _mm512_maskz_loadu_ps(FN(lanes)(n), x), second = _mm512_maskz_loadu_ps(FN(lanes)(n - 16), x + 16);
	return (__m512)_mm512_cvtne2ps_pbh(second, first);
}

/* One slot of 16 columns, of which n exist; its elements, of which len exist, lie ld apart. */
INLINE __m512 FN(slot_across)(const float *x, long ld, long n, long len) {
	const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
	                                     19, 3, 18, 2, 17, 1, 16, 0);
	__mmask16 all = FN(lanes)(n);
	__m512 first = _mm512_maskz_loadu_ps(len > 0 ? all : 0, x), second = _mm512_maskz_loadu_ps(len > 1 ? all : 0, x + ld);
	return _mm512_castsi512_ps(_mm512_permutexvar_epi16(zip, (__m512i)_mm512_cvtne2ps_pbh(second, first)));
}

/* Packs rows or columns from .. to-1, slots k .. k+kc-1, of an operand whose K has depth elements. Element e of row or column
 * i is x[i*ld + e] if along is 1, else x[e*ld + i]. Memory is read in long runs, as it lies, which the processor then
 * foresees; parts that must be turned are, as soon as they are whole. */
INLINE void FN(pack)(const int is_a, const int along, const float *x, long ld, long from, long to, long k, long kc, long depth, float *dst) {
	long n = (to - from + 15) / 16, s = kc / 16;
	for (long big = 0; big < (along ? n : s); big++) {
		for (long line = 0; line < 16; line++)
			for (long small = 0; small < (along ? s : n); small++) {
				long i = along ? big : small, u = along ? small : big; /* which rows or columns, which slots, in sixteens */
				float *part = FN(part_at)(dst, i, u, to - from, kc);
				if (along) {
					long row = from + i * 16 + line, e = 2 * (k + u * 16);
					_mm512_store_ps(part + line * 16, FN(slots_along)(x + row * ld + e, row < to ? depth - e : 0));
				} else {
					long column = from + i * 16, e = 2 * (k + u * 16 + line);
					_mm512_store_ps(part + line * 16, FN(slot_across)(x + e * ld + column, ld, to - column, depth - e));
				}
			}
		for (long small = 0; is_a != along && small < (along ? s : n); small++)
			FN(turn)(FN(part_at)(dst, along ? big : small, along ? small : big, to - from, kc));
	}
}

static void FN(pack_a)(int form, const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	(void)form;
	if (p->transa)
		FN(pack)(1, 0, p->a, p->lda, from, to, k, kc, p->k, dst);
	else
		FN(pack)(1, 1, p->a, p->lda, from, to, k, kc, p->k, dst);
}
static void FN(pack_b)(int form, const struct avcu_product *p, long from, long to, long k, long kc, float *dst) {
	(void)form;
	if (p->transb)
		FN(pack)(0, 1, p->b, p->ldb, from, to, k, kc, p->k, dst);
	else
		FN(pack)(0, 0, p->b, p->ldb, from, to, k, kc, p->k, dst);
}

/* The sums of pa x pb parts, at t if it is the first block of K, else added to what is there; rows width apart. */
INLINE void FN(tile_of)(const int pa, const int pb, long kc, const float *a, const float *b, int first, float *t, long width) {
	float sums[MR * NR] __attribute__((aligned(64))), *to = first ? t : sums;
	long row = (first ? width : NR) * (long)sizeof *t;
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (long k = 0; k < kc; k += 16) {
		_tile_loadd(4, a, 64);
		_tile_loadd(6, b, 64);
		_tile_dpbf16ps(0, 4, 6);
		if (pb == 2) {
			_tile_loadd(7, b + FN(AREA), 64);
			_tile_dpbf16ps(1, 4, 7);
		}
		if (pa == 2) {
			_tile_loadd(5, a + FN(AREA), 64);
			_tile_dpbf16ps(2, 5, 6);
			if (pb == 2)
				_tile_dpbf16ps(3, 5, 7);
		}
		a += pa * FN(AREA);
		b += pb * FN(AREA);
	}
	_tile_stored(0, to, row);
	if (pb == 2)
		_tile_stored(1, to + 16, row);
	if (pa == 2) {
		_tile_stored(2, (char *)to + 16 * row, row);
		if (pb == 2)
			_tile_stored(3, (char *)(to + 16) + 16 * row, row);
	}
	for (long r = 0; !first && r < pa * 16; r++)
		for (long q = 0; q < pb * 16; q += 16)
			vstore(t + r * width + q, vload(t + r * width + q) + vload(sums + r * NR + q));
}

static void FN(tile)(long kc, const float *a, long rows, const float *b, long cols, int first, float *t, long width) {
	if (rows > 16 && cols > 16)
		FN(tile_of)(2, 2, kc, a, b, first, t, width);
	else if (rows > 16)
		FN(tile_of)(2, 1, kc, a, b, first, t, width);
	else if (cols > 16)
		FN(tile_of)(1, 2, kc, a, b, first, t, width);
	else
		FN(tile_of)(1, 1, kc, a, b, first, t, width);
}
