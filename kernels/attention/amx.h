/* Attention by AMX, for quantised features: included beside the kernels for AVX-512.
 *
 * A feature is S (q - 127) + Z, and q - 127 is a bfloat16, exactly: the small products are of these numbers, which are one piece,
 * with weights, attention or gradients in three (kernels/amx.h); the smallest are summed first. S is in two parts, as in frames.h,
 * and Z times the sum of the other factor comes on top. Bytes become slots a few kilobytes at a time, in the first cache.
 *
 * Order of sums: over columns and frames as TDPBF16PS adds them, 32 at once; over videos as in attention.c. */

#include "../amx.h"

enum { AMX_STRIP = 256 }; /* columns of 32 frames that are slots at the same time */

#define AMX_Z (-1.0f / 32640)
INLINE __m512 amx_scaled(__m512 sum, __m512 base) {
	return _mm512_fmadd_ps(sum, _mm512_set1_ps(257.0f / 16384), _mm512_fmadd_ps(sum, _mm512_set1_ps(1.0f / 4177920), base));
}

/* K in whole steps of 16 slots. */
INLINE long amx_deep(long k) { return (k + 31) / 32 * 16; }

/* 16 bytes, of which n exist unless all are whole; 127, which is zero, in place of others. */
INLINE __m128i amx_bytes(int whole, const uint8_t *at, long n) {
	return whole ? _mm_loadu_si128((const __m128i *)at) : _mm_mask_loadu_epi8(_mm_set1_epi8(127), amx_lanes(n), at);
}

/* 16 slots of these and those. */
INLINE __m512i amx_slots(__m128i first, __m128i second) {
	const __m512i zero = _mm512_set1_epi32(127);
	__m512i low = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(first), zero)));
	__m512i high = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(second), zero)));
	return _mm512_or_si512(_mm512_srli_epi32(low, 16), high);
}

/* Frames l .. l+31 of a video, columns d .. d+AMX_STRIP-1, as A: [columns/32][2][16 frames][16 slots]. Beyond the last frame
 * it comes again. */
static void amx_frames(const struct avcu_attention *j, long b, long l, long d, float *to) {
	for (long r = 0; r < 32; r++) {
		const uint8_t *row = j->bytes + (b * j->l + avcu_min(l + r, j->l - 1)) * j->ldx;
		float *out = to + r * 16;
		long k = d, end = avcu_min(j->d, d + AMX_STRIP);
		for (; k + 32 <= end; k += 32, out += 2 * AMX_AREA)
			_mm512_store_si512(out, amx_slots(amx_bytes(1, row + k, 16), amx_bytes(1, row + k + 16, 16)));
		if (k < end)
			_mm512_store_si512(out, amx_slots(amx_bytes(0, row + k, end - k), amx_bytes(0, row + k + 16, end - k - 16)));
	}
}

/* 32 columns of up to 32 frames from bytes on, rows of them, as a part of B for each 16: [2][16 slots][16 columns]. */
INLINE void amx_panel(const int whole, const uint8_t *bytes, long ld, long rows, long columns, float *to) {
	for (long r = 0; r < 16; r++)
		for (long q = 0; q < 32; q += 16) {
			const uint8_t *first = bytes + r * ld + q, *second = first + 16 * ld;
			_mm512_store_si512(to + q / 16 * AMX_AREA + r * 16, amx_slots(amx_bytes(whole, first, r < rows ? columns - q : 0),
			                                                              amx_bytes(whole, second, r + 16 < rows ? columns - q : 0)));
		}
}

/* Columns d .. d+31 of all frames of a video as B: [frames/32][2][16 slots][16 columns]. */
static void amx_columns(const struct avcu_attention *j, long b, long d, float *to) {
	for (long l = 0; l < j->l; l += 32, to += 2 * AMX_AREA) {
		const uint8_t *bytes = j->bytes + (b * j->l + l) * j->ldx + d;
		if (l + 32 <= j->l && d + 32 <= j->d)
			amx_panel(1, bytes, j->ldx, 32, 32, to);
		else
			amx_panel(0, bytes, j->ldx, j->l - l, j->d - d, to);
	}
}

/* Adds the products of one step: a of pa parts and pieces of_a, b of pb parts and pieces of_b; one of them has three. */
INLINE void amx_add_products(const float *a, long pa, const int of_a, const float *b, long pb, const int of_b) {
	for (int q = 2; q >= 0; q--) {
		if (q == 2 || of_a == 3)
			amx_load_a(a + (of_a == 3 ? q : 0) * pa * AMX_AREA, pa);
		if (q == 2 || of_b == 3)
			amx_load_b(b + (of_b == 3 ? q : 0) * pb * AMX_AREA, pb);
		amx_multiply(pa, pb);
	}
}

/* What amx_scores multiplies features by: rows y of all units, ld apart, as B, and base[i] = c[i] + Z times the sum of y[i,:].
 * Room is for np*amx_deep(d)*3 + np floats, the latter first. Whether all of y is finite. */
static int amx_factors(const struct avcu_attention *j, long np, const float *y, long ld, const float *c, float *room) {
	struct amx_packing g;
	amx_pack_begin(&g, 3, 0, 1, y, ld, j->d, 0, j->units, 0, amx_deep(j->d), room + np);
	amx_pack_all(&g);
	memset(room, 0, (size_t)np * sizeof *room);
	for (long i = 0; i < j->units; i++) {
		__m512 sum = _mm512_setzero_ps();
		for (long d = 0; d < j->d; d += 16)
			sum += _mm512_maskz_loadu_ps(amx_lanes(j->d - d), y + i * ld + d);
		room[i] = (c ? c[i] : 0) + AMX_Z * _mm512_reduce_add_ps(sum);
	}
	return !amx_odd(&g);
}

/* s[l,i] = base[i] + x[l,:] . y[i,:] for one video. */
static void amx_scores(const struct avcu_attention *j, long b, long np, const float *factors, float *s) {
	float strip[AMX_STRIP * 16] __attribute__((aligned(64))), t[32 * 32] __attribute__((aligned(64)));
	const long deep = amx_deep(j->d);
	for (long l = 0; l < j->l; l += 32)
		for (long i = 0; i < j->units; i += 32) {
			const long pb = amx_parts(i / 16, j->units);
			const float *y = factors + np + i * deep * 3;
			amx_zero();
			for (long d = 0; d < j->d; d += AMX_STRIP) {
				amx_frames(j, b, l, d, strip);
				__asm__ volatile("" ::: "memory"); /* the compiler does not know that tiles are loaded from memory */
				const float *x = strip;
				for (long k = d; k < avcu_min(j->d, d + AMX_STRIP); k += 32, x += 2 * AMX_AREA, y += 3 * pb * AMX_AREA)
					amx_add_products(x, 2, 1, y, pb, 3);
			}
			amx_store(t, 2, 2); /* those of parts that are not there are zero */
			for (long r = 0; r < avcu_min(32, j->l - l); r++)
				for (long q = 0; q < 32; q += 16)
					_mm512_storeu_ps(s + (l + r) * np + i + q, amx_scaled(_mm512_load_ps(t + r * 32 + q), _mm512_loadu_ps(factors + i + q)));
		}
}

/* What amx_pool pools by: y [L,C] without gaps as A, and base[i] = Z times the sum of y[:,i]. Room as for amx_factors, with
 * frames in place of columns. */
static int amx_weights(const struct avcu_attention *j, long np, const float *y, float *room) {
	struct amx_packing g;
	amx_pack_begin(&g, 3, 1, 0, y, j->units, j->l, 0, j->units, 0, amx_deep(j->l), room + np);
	amx_pack_all(&g);
	for (long i = 0; i < j->units; i += 16) {
		__m512 sum = _mm512_setzero_ps();
		for (long l = 0; l < j->l; l++)
			sum += _mm512_maskz_loadu_ps(amx_lanes(j->units - i), y + l * j->units + i);
		_mm512_storeu_ps(room + i, sum * AMX_Z);
	}
	return !amx_odd(&g);
}

/* out[i,:] (+)= the sum over l of y[l,i] x[l,:] for one video, columns d0 .. d0+n-1; meanwhile asks for each lines of what is ahead
 * with every 32 columns. Panel is for amx_deep(l)*32 floats. */
static void amx_pool(const struct avcu_attention *j, long b, long np, const float *weights, long d0, long n, float *panel, float *out, long ldo,
                     int add, struct FN(ahead) * ahead) {
	float t[32 * 32] __attribute__((aligned(64)));
	const long deep = amx_deep(j->l);
	for (long d = d0; d < d0 + n; d += 32) {
		amx_columns(j, b, d, panel);
		for (const char *stop = ahead->at + avcu_min(ahead->each, ahead->end - ahead->at); ahead->at < stop; ahead->at += 64)
			__builtin_prefetch(ahead->at, 0, 2);
		__asm__ volatile("" ::: "memory");
		for (long i = 0; i < j->units; i += 32) {
			const long pa = amx_parts(i / 16, j->units);
			const float *y = weights + np + i * deep * 3;
			amx_zero();
			for (long u = 0; u < deep / 16; u++)
				amx_add_products(y + u * 3 * pa * AMX_AREA, pa, 3, panel + u * 2 * AMX_AREA, 2, 1);
			amx_store(t, 2, 2); /* those of parts that are not there are zero */
			for (long r = 0; r < avcu_min(32, j->units - i); r++)
				for (long q = 0; q < avcu_min(32, d0 + n - d); q += 16) {
					float *to = out + (i + r) * ldo + d - d0 + q;
					__mmask16 lanes = amx_lanes(d0 + n - d - q);
					__m512 v = amx_scaled(_mm512_load_ps(t + r * 32 + q), _mm512_set1_ps(weights[i + r]));
					if (add)
						v += _mm512_maskz_loadu_ps(lanes, to);
					_mm512_mask_storeu_ps(to, lanes, v);
				}
		}
	}
}

/* Floats of room for factors or weights of k columns or frames. */
INLINE long amx_room(const struct FN(job) * p, long k) { return p->np * (amx_deep(k) * 3 + 1); }

static void amx_forward_video(const struct FN(job) * p, long b, int worker) {
	const struct avcu_attention *j = &p->j;
	long n = j->l * p->np, nw = amx_room(p, j->l);
	float *s = avcu_scratch(p->pool, worker, (size_t)(n + nw + amx_deep(j->l) * 32) * sizeof *s), *weights = s + n, *panel = weights + nw;
	float *a = j->a + b * j->l * j->units;
	struct FN(ahead) ahead = FN(ahead_in)(p, b, (j->d + 31) / 32);
	_tile_loadconfig(&avcu_tiles);
	if (j->w)
		amx_scores(j, b, p->np, p->room, s);
	else
		FN(rows_in)(p, a, s);
	FN(softmax)(p, s);
	FN(rows_out)(p, s, a);
	amx_weights(j, p->np, a, weights); /* at worst NaN */
	amx_pool(j, b, p->np, weights, 0, j->d, panel, j->v + b * j->units * j->ldv, j->ldv, 0, &ahead);
	_tile_release();
}

enum { AMX_LEAST = 64 }; /* fewer columns are not worth it */

INLINE int amx_takes(const struct FN(job) * p) {
	return avcu_bf16(p->pool) == AVCU_AMX_BF16 && p->j.bytes && p->j.l > 0 && p->j.d >= AMX_LEAST;
}

/* Does all, unless AMX is not there, or cannot for its numbers. */
static int amx_forward(struct FN(job) * p) {
	const struct avcu_attention *j = &p->j;
	if (!amx_takes(p))
		return 0;
	if (j->w) {
		p->room = avcu_scratch(p->pool, avcu_threads(p->pool), (size_t)amx_room(p, j->d) * sizeof *p->room);
		if (!amx_factors(j, p->np, j->w, j->ldw, j->c, p->room))
			return 0;
	}
	FN(videos)(p, amx_forward_video);
	return 1;
}

/* One group of videos, as FN(backward_task), which also takes over where numbers are no pieces. */
static void amx_backward_task(void *arg, long group, int worker) {
	const struct FN(job) *p = arg;
	const struct avcu_attention *j = &p->j;
	long n = j->l * p->np, nf = amx_room(p, j->d), nw = amx_room(p, j->l);
	float *g = avcu_scratch(p->pool, worker, (size_t)(2 * n + nf + nw + amx_deep(j->l) * 32) * sizeof *g), *a = g + n;
	float *factors = a + n, *weights = factors + nf, *panel = weights + nw;
	int finite = 1;
	_tile_loadconfig(&avcu_tiles);
	for (long b = group * GROUP; finite && b < avcu_min(j->b, (group + 1) * GROUP); b++) {
		struct FN(ahead) ahead = FN(ahead_in)(p, b, (j->d + 31) / 32);
		if (j->v) {
			finite = amx_factors(j, p->np, j->v + b * j->units * j->ldv, j->ldv, NULL, factors);
			amx_scores(j, b, p->np, factors, g);
			FN(through_softmax)(p, b, g, a);
		}
		if (p->room)
			finite &= amx_weights(j, p->np, j->gs + b * j->l * j->units, weights);
		for (long k = 0; p->room && k < p->blocks; k++)
			amx_pool(j, b, p->np, weights, k * p->width, FN(wide)(p, k), panel, p->room + (group * p->blocks + k) * j->units * p->width,
			         p->width, b > group * GROUP, &ahead);
	}
	_tile_release();
	if (!finite)
		FN(backward_task)(arg, group, worker);
}

static int amx_backward(struct FN(job) * p) {
	if (amx_takes(p))
		avcu_parallel(p->pool, (p->j.b + GROUP - 1) / GROUP, amx_backward_task, p);
	return amx_takes(p);
}
