//go:build cgo

/* The windows of a convolution over x [batch, h, w, c] as rows of cols [batch, oh, ow, kh*kw*c], and
 * the gradient, which adds what lies in the rows back into place.
 * Columns: a window's row i of pixels is one run of x where pixels are not padded; a task copies lines
 * of oy. Back: a task sums the pixels of lines of x, each over the windows that hold it, in the order
 * of (i, j), so that no two tasks write one value. Columns writes 4*kh*kw*c bytes a window, Back reads
 * as many: bound by memory, and by the length of the runs where c is small. */
#ifndef ISA

#include "../cpu.h"
#include "gather.h"

enum { PIECE = 16384 }; /* values of cols a task, about */

struct gather {
	struct avcu_windows s;
	const float *in;
	float *out;
	int add;
	long lines; /* a task */
};

/* Copies n floats that do not overlap: whole pieces, the last of which may repeat some. */
static inline void copy(float *to, const float *from, long n) {
	if (n >= 8) {
		for (long i = 0; i + 8 <= n; i += 8)
			memcpy(to + i, from + i, 32);
		memcpy(to + n - 8, from + n - 8, 32);
	} else if (n >= 4) {
		memcpy(to, from, 16);
		memcpy(to + n - 4, from + n - 4, 16);
	} else {
		for (long i = 0; i < n; i++)
			to[i] = from[i];
	}
}

static inline void zero(float *to, long n) {
	for (long i = 0; i < n; i++)
		to[i] = 0;
}

#define SELF "gather/gather.c"
#include "../each_isa.h"

void avcu_gather_columns(avcu_pool *pool, struct avcu_windows s, const float *x, float *cols) {
	struct gather j = {.s = s, .in = x, .out = cols, .lines = avcu_max(1, PIECE / avcu_max(1, s.ow * s.kh * s.kw * s.c))};
	if (s.ow > 0 && s.c > 0)
		CALL_ISA(pool, gather_columns, pool, &j);
}

void avcu_gather_back(avcu_pool *pool, struct avcu_windows s, const float *gcols, float *gx, int add) {
	struct gather j = {.s = s, .in = gcols, .out = gx, .add = add};
	j.lines = avcu_max(1, PIECE / avcu_max(1, s.w * s.c * s.kh * s.kw / (s.stride * s.stride)));
	if (s.w > 0 && s.c > 0)
		CALL_ISA(pool, gather_back, pool, &j);
}

#else

/* Windows of line oy of image b. */
static void FN(gather_line)(const struct gather *j, long b, long oy) {
	const struct avcu_windows *s = &j->s;
	long c = s->c, run = s->kw * c;
	for (long ox = 0; ox < s->ow; ox++) {
		float *to = j->out + ((b * s->oh + oy) * s->ow + ox) * s->ldcols;
		long left = ox * s->stride - s->pad; /* of the window; its pixels from ... to-1 are in x */
		long from = avcu_min(s->kw, avcu_max(0, -left)), end = avcu_max(from, avcu_min(s->kw, s->w - left));
		for (long i = 0; i < s->kh; i++, to += run) {
			long y = oy * s->stride - s->pad + i;
			if (y < 0 || y >= s->h) {
				zero(to, run);
				continue;
			}
			const float *x = j->in + ((b * s->h + y) * s->w + left + from) * s->ld;
			zero(to, from * c);
			if (s->ld == c)
				copy(to + from * c, x, (end - from) * c);
			else
				for (long k = from; k < end; k++, x += s->ld)
					copy(to + k * c, x, c);
			zero(to + end * c, run - end * c);
		}
	}
}

static void FN(gather_columns_task)(void *arg, long index, int worker) {
	const struct gather *j = arg;
	(void)worker;
	long from = index * j->lines, to = avcu_min(j->s.batch * j->s.oh, from + j->lines);
	for (long l = from; l < to; l++)
		FN(gather_line)(j, l / j->s.oh, l % j->s.oh);
}

/* The pixels of line y of image b. A window that starts at o*stride - pad holds pixel p as its number
 * k = p + pad - o*stride, so k goes up in strides from (p + pad) % stride while o goes down. */
static void FN(scatter_line)(const struct gather *j, long b, long y) {
	const struct avcu_windows *s = &j->s;
	long S = s->stride, c = s->c;
	/* The first k whose o is no more than the last window. */
	long i0 = avcu_max((y + s->pad) % S, y + s->pad - (s->oh - 1) * S), i1 = avcu_min(s->kh, y + s->pad + 1);
	for (long x = 0; x < s->w; x++) {
		float *gx = j->out + ((b * s->h + y) * s->w + x) * s->ld;
		long k0 = avcu_max((x + s->pad) % S, x + s->pad - (s->ow - 1) * S), k1 = avcu_min(s->kw, x + s->pad + 1);
#define EACH_WINDOW                                                                                                       \
	for (long i = i0, oy = (y + s->pad - i0) / S; i < i1; i += S, oy--)                                                   \
		for (long k = k0, ox = (x + s->pad - k0) / S; k < k1; k += S, ox--)
#define TERM (j->in + ((b * s->oh + oy) * s->ow + ox) * s->ldcols + (i * s->kw + k) * c + n)
		long n = 0;
		for (; n + VL <= c; n += VL) {
			vf sum = vset(0.0f);
			EACH_WINDOW
				sum += vload(TERM);
			vstore(gx + n, j->add ? vload(gx + n) + sum : sum);
		}
		for (; n < c; n++) {
			float sum = 0;
			EACH_WINDOW
				sum += *TERM;
			gx[n] = j->add ? gx[n] + sum : sum;
		}
#undef EACH_WINDOW
#undef TERM
	}
}

static void FN(gather_back_task)(void *arg, long index, int worker) {
	const struct gather *j = arg;
	(void)worker;
	long from = index * j->lines, to = avcu_min(j->s.batch * j->s.h, from + j->lines);
	for (long l = from; l < to; l++)
		FN(scatter_line)(j, l / j->s.h, l % j->s.h);
}

static void FN(gather_columns)(avcu_pool *pool, struct gather *j) {
	avcu_parallel(pool, (j->s.batch * j->s.oh + j->lines - 1) / j->lines, FN(gather_columns_task), j);
}

static void FN(gather_back)(avcu_pool *pool, struct gather *j) {
	avcu_parallel(pool, (j->s.batch * j->s.h + j->lines - 1) / j->lines, FN(gather_back_task), j);
}

#endif
