/* Attention by AMX, for quantised features: included beside the kernels for AVX-512.
 *
 * A feature is S (q - 127) + Z with a byte q. The small products are of these bytes, which AMX multiplies as they lie, with the
 * other factor (weights, attention or gradients) in fixed point: the numbers of a unit are multiplied by a power of two, so that
 * the largest comes near 2^23, and rounded to integers of three signed digits, v2 2^16 + v1 2^8 + v0. That is off by 2^-24 to 2^-23 of the unit's largest
 * number; float32 rounds a sum which that number is part of by as much at every addition. There is a sum for each digit, over
 * columns or frames, and exact. S is in two parts, as in frames.h, and Z times the sum of the other factor comes on top. Sums over
 * videos are as in attention.c.
 *
 * Bound by TDPBUSD, 16 cycles for 16 x 16 sums of 64 products: B*L*C*D products a digit for the scores, the pooling and each gradient. */

#include "../amx.h"

enum {
	AMX_LEAST = 64,     /* fewer columns are not worth it */
	AMX_DEEP = 1 << 15, /* more columns or frames could be more than a sum holds */
	AMX_MOST = 0x7f7f7f /* the largest integer of three digits */
};

#define AMX_TINY 1e-30f /* a row's largest number, if it is smaller, has no scale */
#define AMX_Z (-1.0f / 32640)

/* K in whole steps of 64 bytes. */
INLINE long amx_deep(long k) { return (k + 63) / 64 * 64; }

/* The first n of 64 lanes. */
INLINE __mmask64 amx_bytes(long n) { return n >= 64 ? ~0ull : n <= 0 ? 0 : (1ull << n) - 1; }

/* Numbers y[i,k] of np units in fixed point, as tiles [np/16][deep/64][digit][16][64], for sums of bytes q times y. */
struct amx_fixed {
	float *base, *scale; /* [np]: what is to be added to each sum, and multiplied with it before */
	int *start;          /* -127 times the sum over k of each digit, with which sums of digits begin: [digit][np], or [np/16][digit][16][16] */
	char *tiles;
};

/* The floats of room that takes, and where what begins. */
INLINE long amx_room(long np, long k) { return np * (2 + 3 * 16) + np * amx_deep(k) * 3 / 4; }
INLINE struct amx_fixed amx_fixed(float *room, long np) {
	return (struct amx_fixed){room, room + np, (int *)(room + 2 * np), (char *)(room + np * (2 + 3 * 16))};
}
INLINE char *amx_tile(const struct amx_fixed *x, long i, long deep, long k, long digit) {
	return x->tiles + (i / 16 * (deep / 64) + k / 64) * 3 * 1024 + digit * 1024;
}

/* Rows of 16 numbers of 32 bits as columns; m is lost. */
static void amx_turn(float (*m)[16], float *to) {
	for (long r = 0; r < 16; r += 4) {
		__m512 v[4] = {_mm512_load_ps(m[r]), _mm512_load_ps(m[r + 1]), _mm512_load_ps(m[r + 2]), _mm512_load_ps(m[r + 3])};
		amx_turn_four(v);
		for (long i = 0; i < 4; i++)
			_mm512_store_ps(m[r + i], v[i]);
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		__m512 low, high;
		amx_turn_across(m[i % 4], i / 4, &low, &high);
		_mm512_store_ps(to + i * 16, low);
		_mm512_store_ps(to + (i + 8) * 16, high);
	}
}

/* Adds up the signed digits that lanes hold, four each. */
INLINE __m512i amx_add_digits(__m512i sum, __m512i digits) { return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), digits); }

/* By which powers of two rows are multiplied whose largest numbers are top. */
INLINE __m512 amx_by(__m512 top) {
	const __m512 one = _mm512_set1_ps(1), by = _mm512_scalef_ps(one, _mm512_set1_ps(22) - _mm512_getexp_ps(top));
	const __m512 fit = _mm512_mask_mul_ps(by, _mm512_cmp_ps_mask(top * by, _mm512_set1_ps(AMX_MOST), _CMP_GT_OQ), by, _mm512_set1_ps(0.5f));
	return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(top, _mm512_setzero_ps(), _CMP_GT_OQ), one, fit);
}

/* Numbers as integers whose bytes are digits, but 128 more than those. */
INLINE __m512i amx_bytes_of(__m512 v, __m512 by) { return _mm512_add_epi32(_mm512_cvtps_epi32(v * by), _mm512_set1_epi32(0x808080)); }

/* What amx_scores multiplies features by: rows y of all units, ld apart, as B; the base is c[i] + Z times the sum of y[i,:]. Whether
 * all rows have a scale. */
static int amx_factors(const struct avcu_attention *j, long np, const float *y, long ld, const float *c, float *room) {
	const struct amx_fixed x = amx_fixed(room, np);
	const long deep = amx_deep(j->d);
	/* The first bytes of 32 numbers in two registers. */
	const __m512i every = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0x7c787470, 0x6c686460, 0x5c585450, 0x4c484440, 0x3c383430, 0x2c282420,
	                                       0x1c181410, 0x0c080400);
	__m512 odd = _mm512_setzero_ps();
	int fits = 1;
	for (long i0 = 0; i0 < np; i0 += 16) {
		float m[3][16][16] __attribute__((aligned(64))), most[16] __attribute__((aligned(64))), by[16] __attribute__((aligned(64)));
		__m512i sum[3][16];
		for (long r = 0; r < 16; r++) {
			__m512 top = _mm512_setzero_ps(), all = top;
			const float *row = y + (i0 + r) * ld;
			for (long d = 0; i0 + r < j->units && d < j->d; d += 16) {
				__m512 v = _mm512_maskz_loadu_ps(amx_lanes(j->d - d), row + d);
				top = _mm512_max_ps(top, _mm512_abs_ps(v)), all += v;
				odd = _mm512_fmadd_ps(v, _mm512_setzero_ps(), odd);
			}
			most[r] = _mm512_reduce_max_ps(top);
			fits &= most[r] == 0 || most[r] > AMX_TINY;
			x.base[i0 + r] = (c && i0 + r < j->units ? c[i0 + r] : 0) + AMX_Z * _mm512_reduce_add_ps(all);
			sum[0][r] = sum[1][r] = sum[2][r] = _mm512_setzero_si512();
		}
		_mm512_store_ps(by, amx_by(_mm512_load_ps(most)));
		_mm512_store_ps(x.scale + i0, 1 / _mm512_load_ps(by));
		for (long k = 0; k < deep; k += 64) {
			for (long r = 0; r < 16; r++) {
				const float *row = y + (i0 + r) * ld;
				__m512i v[4];
#pragma GCC unroll 4
				for (int q = 0; q < 4; q++) {
					const __mmask16 lanes = i0 + r < j->units ? amx_lanes(j->d - k - q * 16) : 0;
					v[q] = amx_bytes_of(_mm512_maskz_loadu_ps(lanes, row + k + q * 16), _mm512_set1_ps(by[r]));
				}
#pragma GCC unroll 3
				for (int s = 0; s < 3; s++) {
					const __m512i which = _mm512_add_epi8(every, _mm512_set1_epi8(s));
					const __m512i low = _mm512_permutex2var_epi8(v[0], which, v[1]), high = _mm512_permutex2var_epi8(v[2], which, v[3]);
					const __m512i digits = _mm512_xor_si512(_mm512_inserti64x4(low, _mm512_castsi512_si256(high), 1), _mm512_set1_epi8(-128));
					_mm512_store_si512(m[s][r], digits);
					sum[s][r] = amx_add_digits(sum[s][r], digits);
				}
			}
			for (int s = 0; s < 3; s++)
				amx_turn(m[s], (float *)amx_tile(&x, i0, deep, k, s));
		}
		for (int s = 0; s < 3; s++)
			for (long r = 0; r < 16; r++)
				x.start[s * np + i0 + r] = -127 * _mm512_reduce_add_epi32(sum[s][r]);
	}
	return fits && _mm512_cmp_ps_mask(odd, odd, _CMP_UNORD_Q) == 0;
}

/* What amx_pool pools by: y [L,C] without gaps as A; the base is Z times the sum of y[:,i]. Whether all columns have a scale; what is
 * not finite makes that NaN. */
static int amx_weights(const struct avcu_attention *j, long np, const float *y, float *room) {
	const struct amx_fixed x = amx_fixed(room, np);
	const long deep = amx_deep(j->l);
	int fits = 1;
	for (long i = 0; i < np; i += 16) {
		const __mmask16 lanes = amx_lanes(j->units - i);
		__m512 top = _mm512_setzero_ps(), all = top, odd = top;
		for (long l = 0; l < j->l; l++) {
			__m512 v = _mm512_maskz_loadu_ps(lanes, y + l * j->units + i);
			top = _mm512_max_ps(top, _mm512_abs_ps(v)), all += v;
			odd = _mm512_fmadd_ps(v, _mm512_setzero_ps(), odd);
		}
		const __mmask16 some = _mm512_cmp_ps_mask(top, _mm512_setzero_ps(), _CMP_GT_OQ);
		fits &= (some & (_mm512_cmp_ps_mask(top, _mm512_set1_ps(AMX_TINY), _CMP_LE_OQ) | _mm512_cmp_ps_mask(odd, odd, _CMP_UNORD_Q))) == 0;
		const __m512 by = amx_by(top);
		_mm512_store_ps(x.scale + i, 1 / by + odd);
		_mm512_store_ps(x.base + i, all * AMX_Z);
		__m512i sum[3] = {{0}};
		for (long k = 0; k < deep; k += 64) {
			float m[3][16][16] __attribute__((aligned(64)));
			for (long t = 0; t < 16; t++) {
				__m512i word[3] = {{0}};
				for (long u = 0; u < 4; u++) {
					const long l = k + t * 4 + u;
					const __m512 v = l < j->l ? _mm512_maskz_loadu_ps(lanes, y + l * j->units + i) : _mm512_setzero_ps();
					const __m512i n = amx_bytes_of(v, by);
#pragma GCC unroll 3
					for (int s = 0; s < 3; s++)
						word[s] = _mm512_or_si512(word[s], _mm512_slli_epi32(_mm512_and_si512(_mm512_srli_epi32(n, 8 * s), _mm512_set1_epi32(255)), 8 * u));
				}
#pragma GCC unroll 3
				for (int s = 0; s < 3; s++) {
					word[s] = _mm512_xor_si512(word[s], _mm512_set1_epi8(-128));
					_mm512_store_si512(m[s][t], word[s]);
					sum[s] = amx_add_digits(sum[s], word[s]);
				}
			}
			for (int s = 0; s < 3; s++)
				amx_turn(m[s], (float *)amx_tile(&x, i, deep, k, s));
		}
		for (int s = 0; s < 3; s++) {
			int of[16] __attribute__((aligned(64)));
			_mm512_store_si512(of, _mm512_mullo_epi32(sum[s], _mm512_set1_epi32(-127)));
			for (long r = 0; r < 16; r++)
				_mm512_store_si512(x.start + ((i / 16 * 3 + s) * 16 + r) * 16, _mm512_set1_epi32(of[r]));
		}
	}
	return fits;
}

/* Registers: 0 to 5 hold sums of a digit for the first or the second 16 units, 6 features, 7 digits. The compiler does not know that
 * they are loaded from memory: what was stored there needs a barrier before. */
#define AMX_EACH(DO) DO(0, 0, 0) DO(1, 0, 1) DO(2, 1, 0) DO(3, 1, 1) DO(4, 2, 0) DO(5, 2, 1)

/* Of the sums of three digits t, so many numbers apart, the sum of q - 127 times y, and of features times y. */
INLINE __m512 amx_feature_sum(const int *t, long apart, __m512 scale, __m512 base) {
	const __m512 b = _mm512_set1_ps(256);
	__m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(t + 2 * apart)), b, _mm512_cvtepi32_ps(_mm512_load_si512(t + apart)));
	sum = _mm512_fmadd_ps(sum, b, _mm512_cvtepi32_ps(_mm512_load_si512(t))) * scale;
	return _mm512_fmadd_ps(sum, _mm512_set1_ps(257.0f / 16384), _mm512_fmadd_ps(sum, _mm512_set1_ps(1.0f / 4177920), base));
}

/* s[l,i] = base[i] + x[l,:] . y[i,:] for one video. Strip is for 16 rows of amx_deep(d) bytes. */
static void amx_scores(const struct avcu_attention *j, long b, long np, float *factors, float *s, char *strip) {
	const struct amx_fixed x = amx_fixed(factors, np);
	const long deep = amx_deep(j->d);
	int t[3][16][32] __attribute__((aligned(64)));
	for (long l = 0; l < j->l; l += 16) {
		const char *from = (const char *)j->bytes + (b * j->l + l) * j->ldx;
		long ld = j->ldx;
		/* What follows a row or a video is multiplied by nothing, but must be there. */
		if ((b * j->l + l + 16) * ld + 64 > (j->b * j->l - 1) * ld + j->d) {
			for (long r = 0; r < 16; r++) {
				memcpy(strip + r * deep, from + avcu_min(r, j->l - 1 - l) * ld, (size_t)j->d);
				memset(strip + r * deep + j->d, 0, (size_t)(deep - j->d));
			}
			from = strip, ld = deep;
		}
		__asm__ volatile("" ::: "memory");
		for (long i = 0; i < np; i += 32) {
			const char *y = amx_tile(&x, i, deep, 0, 0), *y2 = amx_tile(&x, i + 16, deep, 0, 0);
#define BEGIN(sum, digit, second) _tile_loadd(sum, x.start + digit * np + i + second * 16, 0);
#define ADD(sum, digit, second) { _tile_loadd(7, (second ? y2 : y) + digit * 1024, 64); _tile_dpbusd(sum, 6, 7); }
#define END(sum, digit, second) _tile_stored(sum, t[digit][0] + second * 16, sizeof t[0][0]);
			AMX_EACH(BEGIN)
			for (long k = 0; k < deep; k += 64, y += 3 * 1024, y2 += 3 * 1024) {
				_tile_loadd(6, from + k, ld);
				AMX_EACH(ADD)
			}
			AMX_EACH(END)
#undef BEGIN
#undef ADD
#undef END
			for (long r = 0; r < avcu_min(16, j->l - l); r++)
				for (long q = 0; q < 32; q += 16)
					_mm512_storeu_ps(s + (l + r) * np + i + q, amx_feature_sum(t[0][r] + q, 16 * 32, _mm512_load_ps(x.scale + i + q),
					                                                           _mm512_load_ps(x.base + i + q)));
		}
	}
}

/* Columns d .. d+63 of all frames of a video as B: [columns/16][frames/64][16 times 4 frames][16 columns][4]. Beyond the last frame
 * it comes again. */
static void amx_columns(const struct avcu_attention *j, long b, long d, char *to) {
	/* In each quarter of a row, so that four rows need only be zipped: four times four columns, of which these are one of each. */
	const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
	const __mmask64 lanes = amx_bytes(j->d - d);
	const long deep = amx_deep(j->l);
	for (long l = 0; l < deep; l += 4) {
		__m512i v[4];
#pragma GCC unroll 4
		for (int r = 0; r < 4; r++)
			v[r] = _mm512_permutexvar_epi32(order, _mm512_maskz_loadu_epi8(lanes, j->bytes + (b * j->l + avcu_min(l + r, j->l - 1)) * j->ldx + d));
		const __m512i low01 = _mm512_unpacklo_epi8(v[0], v[1]), high01 = _mm512_unpackhi_epi8(v[0], v[1]);
		const __m512i low23 = _mm512_unpacklo_epi8(v[2], v[3]), high23 = _mm512_unpackhi_epi8(v[2], v[3]);
		char *row = to + l * 16;
		_mm512_store_si512(row, _mm512_unpacklo_epi16(low01, low23));
		_mm512_store_si512(row + deep * 16, _mm512_unpackhi_epi16(low01, low23));
		_mm512_store_si512(row + deep * 32, _mm512_unpacklo_epi16(high01, high23));
		_mm512_store_si512(row + deep * 48, _mm512_unpackhi_epi16(high01, high23));
	}
}

/* out[i,:] (+)= the sum over l of y[l,i] x[l,:] for one video, columns d0 .. d0+n-1; meanwhile asks for each bytes of what is ahead
 * with every 64 columns. Panel is for amx_deep(l)*64 bytes. */
static void amx_pool(const struct avcu_attention *j, long b, long np, float *weights, long d0, long n, char *panel, float *out, long ldo,
                     int add, struct FN(ahead) * ahead) {
	const struct amx_fixed x = amx_fixed(weights, np);
	const long deep = amx_deep(j->l);
	int t[3][32][16] __attribute__((aligned(64)));
	for (long d = d0; d < d0 + n; d += 16) {
		if ((d - d0) % 64 == 0) {
			amx_columns(j, b, d, panel);
			for (const char *stop = ahead->at + avcu_min(ahead->each, ahead->end - ahead->at); ahead->at < stop; ahead->at += 64)
				__builtin_prefetch(ahead->at, 0, 2);
			__asm__ volatile("" ::: "memory");
		}
		for (long i = 0; i < np; i += 32) {
			const char *y = amx_tile(&x, i, deep, 0, 0), *y2 = amx_tile(&x, i + 16, deep, 0, 0), *features = panel + (d - d0) % 64 * deep;
#define BEGIN(sum, digit, second) _tile_loadd(sum, x.start + (i / 16 + second) * 3 * 256 + digit * 256, 64);
#define ADD(sum, digit, second) { _tile_loadd(7, (second ? y2 : y) + digit * 1024, 64); _tile_dpbsud(sum, 7, 6); }
#define END(sum, digit, second) _tile_stored(sum, t[digit][second * 16], sizeof t[0][0]);
			AMX_EACH(BEGIN)
			for (long k = 0; k < deep; k += 64, y += 3 * 1024, y2 += 3 * 1024) {
				_tile_loadd(6, features + k * 16, 64);
				AMX_EACH(ADD)
			}
			AMX_EACH(END)
#undef BEGIN
#undef ADD
#undef END
			const __mmask16 lanes = amx_lanes(d0 + n - d);
			for (long r = 0; r < avcu_min(32, j->units - i); r++) {
				float *to = out + (i + r) * ldo + d - d0;
				__m512 v = amx_feature_sum(t[0][r], 32 * 16, _mm512_set1_ps(x.scale[i + r]), _mm512_set1_ps(x.base[i + r]));
				if (add)
					v += _mm512_maskz_loadu_ps(lanes, to);
				_mm512_mask_storeu_ps(to, lanes, v);
			}
		}
	}
}

/* Floats of a worker's room for one video's bytes. */
INLINE long amx_bytes_room(const struct avcu_attention *j) { return 4 * amx_deep(j->d) + 16 * amx_deep(j->l); }

static void amx_forward_video(const struct FN(job) * p, long b, int worker) {
	const struct avcu_attention *j = &p->j;
	long n = j->l * p->np, nw = amx_room(p->np, j->l);
	float *s = avcu_scratch(p->pool, worker, (size_t)(n + nw + amx_bytes_room(j)) * sizeof *s), *weights = s + n;
	char *strip = (char *)(weights + nw), *panel = strip + 16 * amx_deep(j->d);
	float *a = j->a + b * j->l * j->units;
	struct FN(ahead) ahead = FN(ahead_in)(p, b, (j->d + 63) / 64);
	_tile_loadconfig(&avcu_tiles);
	if (j->w)
		amx_scores(j, b, p->np, p->room, s, strip);
	else
		FN(rows_in)(p, a, s);
	FN(softmax)(p, s);
	FN(rows_out)(p, s, a);
	amx_weights(j, p->np, a, weights); /* they have scales, or are NaN */
	amx_pool(j, b, p->np, weights, 0, j->d, panel, j->v + b * j->units * j->ldv, j->ldv, 0, &ahead);
	_tile_release();
}

INLINE int amx_takes(const struct FN(job) * p) {
	return avcu_bf16(p->pool) == AVCU_AMX_BF16 && p->j.bytes && p->j.l > 0 && p->j.l <= AMX_DEEP && p->j.d >= AMX_LEAST && p->j.d <= AMX_DEEP;
}

/* Does all, unless AMX is not there, or cannot for its numbers. */
static int amx_forward(struct FN(job) * p) {
	const struct avcu_attention *j = &p->j;
	if (!amx_takes(p))
		return 0;
	if (j->w) {
		p->room = avcu_scratch(p->pool, avcu_threads(p->pool), (size_t)amx_room(p->np, j->d) * sizeof *p->room);
		if (!amx_factors(j, p->np, j->w, j->ldw, j->c, p->room))
			return 0;
	}
	FN(videos)(p, amx_forward_video);
	return 1;
}

/* One group of videos, as FN(backward_task), which also takes over where numbers have no scale. */
static void amx_backward_task(void *arg, long group, int worker) {
	const struct FN(job) *p = arg;
	const struct avcu_attention *j = &p->j;
	long n = j->l * p->np, nf = amx_room(p->np, j->d), nw = amx_room(p->np, j->l);
	float *g = avcu_scratch(p->pool, worker, (size_t)(2 * n + nf + nw + amx_bytes_room(j)) * sizeof *g), *a = g + n;
	float *factors = a + n, *weights = factors + nf;
	char *strip = (char *)(weights + nw), *panel = strip + 16 * amx_deep(j->d);
	int fits = 1;
	_tile_loadconfig(&avcu_tiles);
	for (long b = group * GROUP; fits && b < avcu_min(j->b, (group + 1) * GROUP); b++) {
		struct FN(ahead) ahead = FN(ahead_in)(p, b, (j->d + 63) / 64);
		if (j->v) {
			fits = amx_factors(j, p->np, j->v + b * j->units * j->ldv, j->ldv, NULL, factors);
			amx_scores(j, b, p->np, factors, g, strip);
			FN(through_softmax)(p, b, g, a);
		}
		if (p->room)
			fits &= amx_weights(j, p->np, j->gs + b * j->l * j->units, weights);
		for (long k = 0; p->room && k < p->blocks; k++)
			amx_pool(j, b, p->np, weights, k * p->width, FN(wide)(p, k), panel, p->room + (group * p->blocks + k) * j->units * p->width,
			         p->width, b > group * GROUP, &ahead);
	}
	_tile_release();
	if (!fits)
		FN(backward_task)(arg, group, worker);
}

static int amx_backward(struct FN(job) * p) {
	if (amx_takes(p))
		avcu_parallel(p->pool, (p->j.b + GROUP - 1) / GROUP, amx_backward_task, p);
	return amx_takes(p);
}
