/* Operands of products as AMX reads them.
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

enum { AMX_UNITS = 16 }; /* of a part's packing */

/* The packing of rows or columns from .. to-1, slots k .. k+kc-1, of an operand whose K has depth elements: element e of row or
 * column i is x[i*ld + e] if along is 1, else x[e*ld + i]. It goes part by part and unit by unit, so that tiles can be computed
 * meanwhile: a processor that multiplies looks ahead over some hundred instructions, and what is to overlap must come in
 * smaller pieces. */
struct amx_packing {
	void (*step)(struct amx_packing *);
	const float *x;
	long ld, from, to, k, kc, depth;
	float *dst;
	long smalls;       /* parts along rows of memory */
	long big, small;   /* the part in work: across rows of memory, and along them */
	const float *at;   /* where it begins in memory */
	float *part;       /* where it goes, */
	long apart;        /* its pieces so far apart */
	long ahead;        /* so much further on is the next part's memory */
	long unit;         /* the next of it */
	long left;         /* steps to do */
	long due, rate;    /* so much of a step is due, of 65,536, and becomes due with each turn */
	__m512 odd;
	float turned[32][16] __attribute__((aligned(64)));
};

/* Finds the part in work. */
INLINE void amx_begin_part(const int pieces, const int along, struct amx_packing *g) {
	const long i = along ? g->big : g->small, u = along ? g->small : g->big, width = g->to - g->from; /* rows or columns, slots, in sixteens */
	const long row = g->from + i * 16, e = 2 * (g->k + u * 16);
	g->at = along ? g->x + row * g->ld + e : g->x + e * g->ld + row;
	g->part = amx_part(g->dst, pieces, i, u, width, g->kc), g->apart = amx_parts(i, width) * AMX_AREA;
	const long right = along ? 32 : 16, down = along ? 16 : 32;
	g->ahead = g->small + 1 < g->smalls ? right : down * g->ld - right * (g->smalls - 1);
}

/* The r-th row of the part's memory, of its elements the first or the second half. All of a whole part exists; elsewhere what does
 * not is zero. The next part's memory is asked for. */
INLINE __m512 amx_row(const int along, const int whole, const struct amx_packing *g, long r, const int second) {
	const float *at = g->at + r * g->ld + (!second ? 0 : along ? 16 : 16 * g->ld);
	__builtin_prefetch(at + g->ahead, 0, 2);
	if (whole)
		return _mm512_loadu_ps(at);
	const long rows = (along ? g->to - g->from - g->big * 16 : g->depth - 2 * (g->k + g->big * 16) - 16 * second) - r;
	const long cols = along ? g->depth - 2 * (g->k + g->small * 16) - 16 * second : g->to - g->from - g->small * 16;
	return _mm512_maskz_loadu_ps(amx_lanes(rows > 0 ? cols : 0), at);
}

/* A unit of a part. Where a row of memory is no line of it, rows become columns: eight units make them of four rows, eight of those. */
INLINE void amx_unit(const int pieces, const int is_a, const int along, const int whole, struct amx_packing *g, long unit, __m512 *odd) {
	if (is_a == along) {
		amx_put(pieces, amx_row(along, whole, g, unit, 0), amx_row(along, whole, g, unit, 1), g->part + unit * 16, g->apart, odd);
	} else if (unit < 8) {
		__m512 v[4];
#pragma GCC unroll 4
		for (int r = 0; r < 4; r++)
			v[r] = amx_row(along, whole, g, unit % 4 * 4 + r, unit >= 4);
		amx_turn_four(v);
#pragma GCC unroll 4
		for (int r = 0; r < 4; r++)
			_mm512_store_ps(g->turned[unit * 4 + r], v[r]);
	} else {
		__m512 low[2], high[2];
#pragma GCC unroll 2
		for (int h = 0; h < 2; h++)
			amx_turn_across(g->turned[h * 16 + unit % 4], unit >= 12, low + h, high + h);
		float *to = g->part + (unit % 4 + (unit >= 12) * 4) * 16;
		amx_put(pieces, low[0], low[1], to, g->apart, odd);
		amx_put(pieces, high[0], high[1], to + 8 * 16, g->apart, odd);
	}
}

/* A step is a unit, and in one piece, where there is less to compute, all of a part. */
INLINE void amx_step(const int pieces, const int is_a, const int along, const int whole, struct amx_packing *g) {
	__m512 odd = g->odd;
	if (pieces == 3)
		amx_unit(pieces, is_a, along, whole, g, g->unit++, &odd);
	else
#pragma GCC unroll 16
		for (long unit = 0; unit < AMX_UNITS; unit++)
			amx_unit(pieces, is_a, along, whole, g, unit, &odd);
	g->odd = odd;
	if (pieces == 3 && g->unit < AMX_UNITS)
		return;
	g->unit = 0;
	if (++g->small == g->smalls)
		g->small = 0, g->big++;
	amx_begin_part(pieces, along, g);
}

#define EACH_STEP(pieces, is_a) STEP(pieces, is_a, 0, 0) STEP(pieces, is_a, 0, 1) STEP(pieces, is_a, 1, 0) STEP(pieces, is_a, 1, 1)
#define STEP(pieces, is_a, along, whole) \
	static void amx_step_##pieces##is_a##along##whole(struct amx_packing *g) { amx_step(pieces, is_a, along, whole, g); }
EACH_STEP(1, 0) EACH_STEP(1, 1) EACH_STEP(3, 0) EACH_STEP(3, 1)
#undef STEP

/* Begins the packing of the operand described above. */
static void amx_pack_begin(struct amx_packing *g, int pieces, int is_a, int along, const float *x, long ld, long depth, long from, long to, long k,
                           long kc, float *dst) {
#define STEP(pieces, is_a, along, whole) amx_step_##pieces##is_a##along##whole,
	static void (*const step[16])(struct amx_packing *) = {EACH_STEP(1, 0) EACH_STEP(1, 1) EACH_STEP(3, 0) EACH_STEP(3, 1)};
#undef STEP
	const long n = (to - from + 15) / 16, s = kc / 16;
	const int whole = (to - from) % 16 == 0 && 2 * (k + kc) <= depth;
	g->step = step[(pieces == 3) * 8 + is_a * 4 + along * 2 + whole];
	g->x = x, g->ld = ld, g->depth = depth, g->from = from, g->to = to, g->k = k, g->kc = kc, g->dst = dst;
	g->smalls = along ? s : n, g->big = g->small = g->unit = 0;
	g->left = n * s * (pieces == 3 ? AMX_UNITS : 1);
	g->odd = _mm512_setzero_ps();
	amx_begin_part(pieces, along, g);
}

/* Spreads what is left evenly over so many turns. */
INLINE void amx_pace(struct amx_packing *g, long turns) { g->due = 0, g->rate = ((g->left << 16) + turns - 1) / turns; }

/* A turn: packs what is due. */
INLINE void amx_pack_on(struct amx_packing *g) {
	for (g->due += g->rate; g->due >= 1 << 16 && g->left > 0; g->due -= 1 << 16, g->left--)
		g->step(g);
}

/* Packs all that is left. */
INLINE void amx_pack_all(struct amx_packing *g) {
	for (; g->left > 0; g->left--)
		g->step(g);
}

/* Whether anything packed so far was odd. */
INLINE int amx_odd(const struct amx_packing *g) { return _mm512_cmp_ps_mask(g->odd, g->odd, _CMP_UNORD_Q) != 0; }
