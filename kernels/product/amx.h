/* Packing and inner kernel for AMX, in place of those of pack.h and tile.h: a tile of 32 x 32 sums stays in four registers
 * of 16 x 16. Slots are pairs of bfloat16; a block is a multiple of 16 slots deep, filled up with zeros.
 *
 * A: panels of 32 rows, each [kc/16][2][16 rows][16 slots].
 * B: panels of 32 columns, each [kc/16][2][16 slots][16 columns].
 * The last panel has [1] in place of [2] if it holds no more than 16. Each part [16][16] is a tile register, 1 KB.
 *
 * TDPBF16PS sums the first elements of its 16 slots, and the second ones, each as one chain of fused multiply-adds from zero,
 * and adds both to the element of C; so the order of a sum depends on k alone. Denormal numbers count as zero, as they do
 * with AVX512_BF16. */

enum { FN(SIDE) = 16, FN(AREA) = 256 }; /* of a tile register, in slots */

/* Makes columns of rows. */
INLINE void FN(turn)(__m512 v[FN(SIDE)]) {
	__m512 t[FN(SIDE)];
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
		v[i] = t[i];
}

/* The first n of 16 lanes. */
INLINE __mmask16 FN(lanes)(long n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

/* Packs one part: 16 rows of op(A) or columns of op(B), of which n exist, and as many slots, of which len elements do.
 * Element e of row or column i is at[i*ld + e] if along is 1, else at[e*ld + i]. */
INLINE void FN(pack_part)(const int is_a, const int along, const float *at, long ld, long n, long len, float *dst) {
	__m512 v[FN(SIDE)];
	if (along) {
		__mmask16 low = FN(lanes)(len), high = FN(lanes)(len - 16);
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			const float *row = at + i * ld;
			__m512 first = _mm512_maskz_loadu_ps(i < n ? low : 0, row), second = _mm512_maskz_loadu_ps(i < n ? high : 0, row + 16);
			v[i] = (__m512)_mm512_cvtne2ps_pbh(second, first);
		}
	} else {
		const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
		                                     19, 3, 18, 2, 17, 1, 16, 0);
		__mmask16 all = FN(lanes)(n);
#pragma GCC unroll 16
		for (int s = 0; s < 16; s++) {
			const float *row = at + 2 * s * ld;
			__m512 first = _mm512_maskz_loadu_ps(2 * s < len ? all : 0, row), second = _mm512_maskz_loadu_ps(2 * s + 1 < len ? all : 0, row + ld);
			v[s] = _mm512_castsi512_ps(_mm512_permutexvar_epi16(zip, (__m512i)_mm512_cvtne2ps_pbh(second, first)));
		}
	}
	if (is_a != along)
		FN(turn)(v);
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		_mm512_store_ps(dst + i * FN(SIDE), v[i]);
}

/* Packs rows or columns from .. to-1, slots k .. k+kc-1, of an operand whose K has depth elements. Memory is read in the
 * order in which it lies, as far as a part's shape allows. */
INLINE void FN(pack)(const int is_a, const int along, const float *x, long ld, long from, long to, long k, long kc, long depth, float *dst) {
	long n = (to - from + 15) / 16, s = kc / 16;
	for (long t = 0; t < n * s; t++) {
		long i = (along ? t / s : t % n) * 16, u = along ? t % s : t / n; /* which rows or columns, which slots */
		long e = 2 * k + 32 * u, parts = to - from - i / MR * MR > 16 ? 2 : 1;
		const float *at = along ? x + (from + i) * ld + e : x + e * ld + from + i;
		FN(pack_part)(is_a, along, at, ld, to - from - i, depth - e, dst + i / MR * MR * kc + (u * parts + i / 16 % 2) * FN(AREA));
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

/* The sums of pa x pb parts to t, rows width apart. */
INLINE void FN(multiply)(const int pa, const int pb, long kc, const float *a, const float *b, const struct FN(ahead) * h, float *t, long width) {
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	const long each = kc ? (h->n * 16 + kc - 1) / kc : 0;
	long next = 0;
	for (long k = 0; k < kc; k += 16) {
		for (long stop = avcu_min(h->n, next + each); next < stop; next++)
			__builtin_prefetch(h->line[next]);
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
	width *= (long)sizeof *t;
	_tile_stored(0, t, width);
	if (pb == 2)
		_tile_stored(1, t + 16, width);
	if (pa == 2) {
		t = (float *)((char *)t + 16 * width);
		_tile_stored(2, t, width);
		if (pb == 2)
			_tile_stored(3, t + 16, width);
	}
}

static void FN(tile)(int form, long kc, const struct FN(block) * a, const struct FN(block) * b, const struct FN(out) * o,
                     struct FN(next) * next) {
	(void)form;
	float sums[MR * NR] __attribute__((aligned(64)));
	struct FN(ahead) h;
	FN(expect_all)(&h, o, next);
	__asm__ volatile("" ::: "memory"); /* the compiler does not know that tiles are loaded from memory */
	int whole = o->plain && o->rows == MR && o->cols == NR, direct = whole && o->first;
	float *t = direct ? o->sum : sums;
	long width = direct ? o->lds : o->cols > 16 ? 32 : 16;
	if (o->rows > 16 && o->cols > 16)
		FN(multiply)(2, 2, kc, a->at, b->at, &h, t, width);
	else if (o->rows > 16)
		FN(multiply)(2, 1, kc, a->at, b->at, &h, t, width);
	else if (o->cols > 16)
		FN(multiply)(1, 2, kc, a->at, b->at, &h, t, width);
	else
		FN(multiply)(1, 1, kc, a->at, b->at, &h, t, width);
	if (direct)
		return;
	if (!whole) {
		FN(put)(o, t, width);
		return;
	}
	for (long r = 0; r < MR; r++) {
		float *c = o->sum + r * o->lds;
		vstore(c, vload(c) + vload(t + r * NR));
		vstore(c + VL, vload(c + VL) + vload(t + r * NR + VL));
	}
}
