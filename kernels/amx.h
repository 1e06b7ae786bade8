/* Operands as AMX reads them, and its registers: included beside kernels for AVX-512, where the compiler knows AMX.
 *
 * A slot is 32 bits: two bfloat16, the elements e and e+16 of 32 neighbours along K. A part is 16 rows (of A) or columns (of B) by 16
 * slots, one register of 1 KB: [16 rows][16 slots] or [16 slots][16 columns].
 *
 * A block of kc slots, a multiple of 16, is panels of 32 rows or columns, each [kc/16][pieces][2 parts]; the last panel has [1 part] if
 * it holds no more than 16. Beyond the ends of K, rows and columns are zeros. */

enum { AMX_AREA = 256 }; /* slots of a part */

/* In the panels of n rows or columns, the parts of the panel with the i-th sixteen of those; the first piece of their u-th
 * sixteen of slots. */
INLINE long amx_parts(long i, long n) { return n - i / 2 * 32 > 16 ? 2 : 1; }
INLINE float *amx_part(float *panels, const int pieces, long i, long u, long n, long kc) {
	return panels + (i / 2 * 32 * kc + u * amx_parts(i, n) * AMX_AREA) * pieces + i % 2 * AMX_AREA;
}

/* Where, in a span packed block by block for n rows or columns, the block at depth k has the panel of row or column i. */
INLINE long amx_place(const int pieces, long n, long k, long i, long kc) { return ((n + 15) / 16 * 16 * k + i * kc) * pieces; }

/* The first n of 16 lanes. */
INLINE __mmask16 amx_lanes(long n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

/* Numbers as three pieces that are bfloat16 and together all of their 24 bits: each is what the ones before leave, rounded, ties
 * away from zero. Of what is not finite, or rounds to infinity, the last is NaN. */
INLINE void amx_split(__m512 x, __m512 *piece) {
	const __m512i half = _mm512_set1_epi32(0x8000), top = _mm512_set1_epi32(-65536);
#pragma GCC unroll 2
	for (int q = 0; q < 2; q++) {
		piece[q] = _mm512_castsi512_ps(_mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), top));
		x -= piece[q];
	}
	piece[2] = x;
}

/* Stores 16 slots of the pairs first, second: in one piece, rounded, ties to even, or in three that lie apart. Where those are
 * none, odd becomes NaN. */
INLINE void amx_put(const int pieces, __m512 first, __m512 second, float *to, long apart, __m512 *odd) {
	if (pieces == 1) {
		const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
		                                     19, 3, 18, 2, 17, 1, 16, 0);
		_mm512_store_si512(to, _mm512_permutexvar_epi16(zip, (__m512i)_mm512_cvtne2ps_pbh(second, first)));
		return;
	}
	__m512 low[3], high[3];
	amx_split(first, low);
	amx_split(second, high);
#pragma GCC unroll 3
	for (int q = 0; q < 3; q++)
		_mm512_store_si512(to + q * apart, _mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(low[q]), 16), _mm512_castps_si512(high[q])));
	*odd = _mm512_fmadd_ps(low[2] + high[2], _mm512_setzero_ps(), *odd);
}

/* Makes columns of 16 rows. */
INLINE void amx_turn(__m512 *v) {
	__m512 t[16];
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

/* The packing of rows or columns from .. to-1, slots k .. k+kc-1, of an operand whose K has depth elements: element e of row or
 * column i is x[i*ld + e] if along is 1, else x[e*ld + i]. It goes part by part, so that tiles can be computed meanwhile. */
struct amx_packing {
	void (*step)(struct amx_packing *);
	const float *x;
	long ld, from, to, k, kc, depth;
	float *dst;
	long bigs, smalls; /* parts across rows of memory, and along them */
	long big, small;   /* the next part */
	long left, each;   /* parts to do, and those to each 16 slots of a tile */
	__m512 odd;
};

/* Packs a part. Where a row of memory is no line of it, rows become columns. All of a whole part exists; elsewhere what does not
 * is zero. */
INLINE void amx_step(const int pieces, const int is_a, const int along, const int whole, struct amx_packing *g) {
	const long i = along ? g->big : g->small, u = along ? g->small : g->big; /* which rows or columns, which slots, in sixteens */
	const long row = g->from + i * 16, e = 2 * (g->k + u * 16), ld = g->ld, width = g->to - g->from;
	const float *at = along ? g->x + row * ld + e : g->x + e * ld + row, *next = at + (along ? 16 : 16 * ld);
	__m512 first[16], second[16];
#pragma GCC unroll 16
	for (int r = 0; r < 16; r++, at += ld, next += ld) {
		if (whole) {
			first[r] = _mm512_loadu_ps(at), second[r] = _mm512_loadu_ps(next);
		} else if (along) {
			first[r] = _mm512_maskz_loadu_ps(amx_lanes(row + r < g->to ? g->depth - e : 0), at);
			second[r] = _mm512_maskz_loadu_ps(amx_lanes(row + r < g->to ? g->depth - e - 16 : 0), next);
		} else {
			first[r] = _mm512_maskz_loadu_ps(amx_lanes(e + r < g->depth ? g->to - row : 0), at);
			second[r] = _mm512_maskz_loadu_ps(amx_lanes(e + r + 16 < g->depth ? g->to - row : 0), next);
		}
	}
	if (is_a != along) {
		amx_turn(first);
		amx_turn(second);
	}
	float *part = amx_part(g->dst, pieces, i, u, width, g->kc);
	const long apart = amx_parts(i, width) * AMX_AREA;
	__m512 odd = g->odd;
#pragma GCC unroll 16
	for (int r = 0; r < 16; r++)
		amx_put(pieces, first[r], second[r], part + r * 16, apart, &odd);
	g->odd = odd;
	if (++g->small == g->smalls)
		g->small = 0, g->big++;
}

#define EACH_STEP(pieces, is_a) STEP(pieces, is_a, 0, 0) STEP(pieces, is_a, 0, 1) STEP(pieces, is_a, 1, 0) STEP(pieces, is_a, 1, 1)
#define STEP(pieces, is_a, along, whole) \
	static void amx_step_##pieces##is_a##along##whole(struct amx_packing *g) { amx_step(pieces, is_a, along, whole, g); }
EACH_STEP(1, 0) EACH_STEP(1, 1) EACH_STEP(3, 0) EACH_STEP(3, 1)
#undef STEP

/* Packs a part after another of the operand described above. */
static struct amx_packing amx_packing(int pieces, int is_a, int along, const float *x, long ld, long depth, long from, long to, long k, long kc,
                                      float *dst) {
#define STEP(pieces, is_a, along, whole) amx_step_##pieces##is_a##along##whole,
	static void (*const step[16])(struct amx_packing *) = {EACH_STEP(1, 0) EACH_STEP(1, 1) EACH_STEP(3, 0) EACH_STEP(3, 1)};
#undef STEP
	long n = (to - from + 15) / 16, s = kc / 16;
	int whole = (to - from) % 16 == 0 && 2 * (k + kc) <= depth;
	return (struct amx_packing){.step = step[(pieces == 3) * 8 + is_a * 4 + along * 2 + whole], .x = x, .ld = ld, .depth = depth, .from = from,
	                            .to = to, .k = k, .kc = kc, .dst = dst, .bigs = along ? n : s, .smalls = along ? s : n, .left = n * s};
}

/* Packs so many parts more, or all. */
INLINE void amx_pack_on(struct amx_packing *g, long parts) {
	for (parts = avcu_min(parts, g->left), g->left -= parts; parts > 0; parts--)
		g->step(g);
}

/* Whether anything packed so far was odd. */
INLINE int amx_odd(const struct amx_packing *g) { return _mm512_cmp_ps_mask(g->odd, g->odd, _CMP_UNORD_Q) != 0; }

/* Registers: 0 to 3 hold 32 x 32 sums, 4 and 5 parts of A, 6 and 7 parts of B, one or two of each. The compiler does not know that
 * they are loaded from memory: what was stored there needs a barrier before. */
INLINE void amx_zero(void) {
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
}

INLINE void amx_load_a(const float *part, long parts) {
	_tile_loadd(4, part, 64);
	if (parts == 2)
		_tile_loadd(5, part + AMX_AREA, 64);
}

INLINE void amx_load_b(const float *part, long parts) {
	_tile_loadd(6, part, 64);
	if (parts == 2)
		_tile_loadd(7, part + AMX_AREA, 64);
}

/* Adds the products of pa parts of A and pb of B. */
INLINE void amx_multiply(long pa, long pb) {
	_tile_dpbf16ps(0, 4, 6);
	if (pb == 2)
		_tile_dpbf16ps(1, 4, 7);
	if (pa == 2)
		_tile_dpbf16ps(2, 5, 6);
	if (pa == 2 && pb == 2)
		_tile_dpbf16ps(3, 5, 7);
}

/* Their sums, to t [32][32]. */
INLINE void amx_store(float *t, long pa, long pb) {
	const long row = 32 * (long)sizeof *t;
	_tile_stored(0, t, row);
	if (pb == 2)
		_tile_stored(1, t + 16, row);
	if (pa == 2)
		_tile_stored(2, t + 16 * 32, row);
	if (pa == 2 && pb == 2)
		_tile_stored(3, t + 16 * 32 + 16, row);
}
