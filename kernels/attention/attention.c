//go:build cgo

/* Attention pooling of B videos of L frames of D features by C units; see attention.go for the mathematics.
 *
 * All work is small matrix products (tile.h). A task takes whole videos, one after the other. It turns
 * the features into floats in the worker's own memory (400 KB at L = 100, D = 1024: they stay in the
 * second-level cache), and both products read them there, forward as backward; meanwhile the next video's
 * bytes are asked for. Features wider than BLOCK columns are floats
 * a block at a time: the scores take them in order, the pooling in the opposite order.
 * The gradient of the scoring weights sums over videos: a task of the backward pass owns GROUP videos and
 * sums those apart from other groups; then the groups are added in order.
 *
 * Order of sums, whatever the number of threads: over d one chain a block, then the blocks; over l a
 * chain for each SPAN frames, then the spans; over videos a chain a group, then the groups; over units
 * one chain. Bound by FMA: 4*B*L*C*D flops forward, half of that for each gradient. */
#ifndef ISA

#include "../cpu.h"
#include "attention.h"

enum {
	BLOCK = 1024, /* columns of features that are floats at the same time */
	SPAN = 512,   /* frames in one chain of sums */
	GROUP = 8,    /* videos whose gradient of the weights is summed by one task */
	LINE = 16,    /* floats in a cache line */
};

#define SELF "attention/attention.c"
#include "../each_isa.h"

void avcu_attention_forward(avcu_pool *pool, struct avcu_attention j) { CALL_ISA(pool, forward, pool, j); }
void avcu_attention_backward(avcu_pool *pool, struct avcu_attention j) { CALL_ISA(pool, backward, pool, j); }
void avcu_attention_features(avcu_pool *pool, struct avcu_attention j) { CALL_ISA(pool, features, pool, j); }

#else

#include "tile.h" /* defines PANEL */

#include "frames.h"

struct FN(job) {
	struct avcu_attention j;
	avcu_pool *pool;
	void (*video)(const struct FN(job) *, long video, int worker);
	long each;   /* videos a task */
	long blocks; /* of columns */
	long width;  /* columns of each block but perhaps the last */
	long ld;     /* floats between a block's rows: an odd number of cache lines, so that columns share no set */
	long np;     /* units, rounded up to panels */
	float *room; /* shared: w as panels, or the sums of groups, or NULL */
};

/* What to ask for during video b, in so many portions: the features of the next. */
static struct FN(ahead) FN(ahead_in)(const struct FN(job) * p, long b, long portions) {
	const struct avcu_attention *j = &p->j;
	long size = j->bytes ? 1 : sizeof *j->floats, row = j->ldx * size;
	struct FN(ahead) h = {0};
	if (b + 1 < j->b) {
		h.at = (j->bytes ? (const char *)j->bytes : (const char *)j->floats) + (b + 1) * j->l * row;
		h.end = h.at + (j->l - 1) * row + j->d * size;
		h.each = (h.end - h.at) / portions / 64 * 64 + 64;
	}
	return h;
}

/* The same with a portion for each tile, while both products run. */
static struct FN(ahead) FN(ahead_of)(const struct FN(job) * p, long b) {
	long tall = FN(TALL), n = FN(PANEL), rows = (p->j.l + tall - 1) / tall, units = (p->j.units + tall - 1) / tall;
	return FN(ahead_in)(p, b, rows * (p->np / n) + units * ((p->j.d + n - 1) / n));
}

static struct FN(job) FN(plan)(avcu_pool *pool, struct avcu_attention j) {
	struct FN(job) p = {.j = j, .pool = pool};
	long parts = avcu_max(1, (j.d + BLOCK - 1) / BLOCK), width = (j.d + parts - 1) / parts;
	p.width = (width + FN(PANEL) - 1) / FN(PANEL) * FN(PANEL);
	p.blocks = j.d ? (j.d + p.width - 1) / p.width : 0;
	p.ld = ((p.width + LINE - 1) / LINE | 1) * LINE;
	p.np = (j.units + FN(PANEL) - 1) / FN(PANEL) * FN(PANEL);
	return p;
}

static void FN(videos_task)(void *arg, long index, int worker) {
	const struct FN(job) *p = arg;
	for (long b = index * p->each; b < avcu_min(p->j.b, (index + 1) * p->each); b++)
		p->video(p, b, worker);
}

/* Short videos go several to a task. */
static void FN(videos)(struct FN(job) * p, void (*video)(const struct FN(job) *, long, int)) {
	p->video = video;
	p->each = avcu_max(1, avcu_min(p->j.b / 64, (1 << 18) / (p->j.l * p->j.d * p->j.units + 1)));
	avcu_parallel(p->pool, (p->j.b + p->each - 1) / p->each, FN(videos_task), p);
}

/* Columns in block i. */
static long FN(wide)(const struct FN(job) * p, long i) { return avcu_min(p->width, p->j.d - i * p->width); }

/* A video's values of all units, [L,C] without gaps, to rows of np floats and back. Whole vectors are
 * moved while they fit: what runs over into the next row is put right there. */
static void FN(rows_in)(const struct FN(job) * p, const float *src, float *dst) {
	long n = p->j.units, end = p->j.l * n;
	for (long l = 0; l < p->j.l; l++)
		for (long i = 0; i < n; i += VL) {
			long at = l * n + i;
			vstore(dst + l * p->np + i, at + VL <= end ? vload(src + at) : vloadn(src + at, end - at));
		}
}
static void FN(rows_out)(const struct FN(job) * p, const float *src, float *dst) {
	long n = p->j.units, end = p->j.l * n;
	for (long l = 0; l < p->j.l; l++)
		for (long i = 0; i < n; i += VL) {
			long at = l * n + i;
			vf x = vload(src + l * p->np + i);
			if (at + VL <= end)
				vstore(dst + at, x);
			else
				vstoren(dst + at, x, end - at);
		}
}

/* s[l][i] += x[l,:] . y[i,:] over block k of columns, which x holds; y as panels. */
static void FN(add_scores)(const struct FN(job) * p, long k, const float *x, const float *y, float *s, struct FN(ahead) * h) {
	long n = FN(wide)(p, k);
	struct FN(product) t = {.rows = p->j.l, .cols = (p->j.units + VL - 1) / VL * VL, .terms = n, .a = x, .ar = p->ld, .ak = 1,
	                        .p = y, .pk = FN(PANEL), .pp = FN(PANEL) * n, .out = s, .ldo = p->np, .add = 1, .ahead = h};
	FN(multiply)(&t);
}

/* out[i,:] (+)= the sum over l of y[l,i] x[l,:], for n columns; y [L,C] without gaps. */
static void FN(pool)(const struct FN(job) * p, const float *y, const float *x, long n, float *out, long ldo, int add,
                     struct FN(ahead) * h) {
	for (long l = 0; l == 0 || l < p->j.l; l += SPAN) {
		struct FN(product) t = {.rows = p->j.units, .cols = n, .terms = avcu_min(SPAN, p->j.l - l), .a = y + l * p->j.units,
		                        .ar = 1, .ak = p->j.units, .p = x + l * p->ld, .pk = p->ld, .pp = FN(PANEL), .out = out,
		                        .ldo = ldo, .add = add || l > 0, .ahead = h};
		FN(multiply)(&t);
	}
}

/* Softmax over the rows of s, all units in step. What is below 2^-64 of a unit's largest weight counts as zero: it is lost in
 * every sum, and Intel's processors take over a hundred cycles for each product with a number below 2^-126. */
static void FN(softmax)(const struct FN(job) * p, float *s) {
	long n = p->np, rows = p->j.l;
	for (long i = 0; i < p->j.units; i += VL) {
		vf top = vset(-INFINITY), sum = vset(0.0f);
		for (long l = 0; l < rows; l++)
			top = vmax(vload(s + l * n + i), top);
		for (long l0 = 0; l0 < rows; l0 += SPAN) {
			vf part = vset(0.0f);
			for (long l = l0; l < avcu_min(rows, l0 + SPAN); l++) {
				vf e = vexp(vload(s + l * n + i) - top);
				e = vsel(e < 0x1p-64f, vset(0.0f), e);
				part = part + e;
				vstore(s + l * n + i, e);
			}
			sum = sum + part;
		}
		vf by = 1.0f / sum;
		for (long l = 0; l < rows; l++)
			vstore(s + l * n + i, vload(s + l * n + i) * by);
	}
}

static void FN(forward_video)(const struct FN(job) * p, long b, int worker) {
	const struct avcu_attention *j = &p->j;
	float *s = avcu_scratch(p->pool, worker, (size_t)(j->l * (p->np + p->ld)) * sizeof *s), *x = s + j->l * p->np;
	float *a = j->a + b * j->l * j->units, *v = j->v + b * j->units * j->ldv;
	long held = -1; /* the block that x holds */
	struct FN(ahead) ahead = FN(ahead_of)(p, b);
	if (j->w) {
		for (long l = 0; l < j->l; l++)
			for (long i = 0; i < j->units; i++)
				s[l * p->np + i] = j->c[i];
		for (long k = 0; k < p->blocks; held = k++) {
			FN(frames)(j, b, k * p->width, FN(wide)(p, k), x, p->ld);
			FN(add_scores)(p, k, x, p->room + k * p->width * p->np, s, &ahead);
		}
	} else {
		FN(rows_in)(p, a, s);
	}
	FN(softmax)(p, s);
	FN(rows_out)(p, s, a);
	for (long k = p->blocks - 1; k >= 0; k--) {
		if (k != held)
			FN(frames)(j, b, k * p->width, FN(wide)(p, k), x, p->ld);
		FN(pool)(p, a, x, FN(wide)(p, k), v + k * p->width, j->ldv, 0, &ahead);
	}
}

/* From the gradient g of a video's attention to that of its scores: gs = a (g - the sum over l of a g). Both rows of np floats;
 * a is room. */
static void FN(through_softmax)(const struct FN(job) * p, long b, float *g, float *a) {
	const struct avcu_attention *j = &p->j;
	long n = p->np, rows = j->l, at = b * rows * j->units;
	FN(rows_in)(p, j->a + at, a);
	for (long i = 0; i < j->units; i += VL) {
		vf dot = vset(0.0f);
		for (long l0 = 0; l0 < rows; l0 += SPAN) {
			vf part = vset(0.0f);
			for (long l = l0; l < avcu_min(rows, l0 + SPAN); l++)
				part = vfma(vload(a + l * n + i), vload(g + l * n + i), part);
			dot = dot + part;
		}
		for (long l = 0; l < rows; l++)
			vstore(g + l * n + i, vload(a + l * n + i) * (vload(g + l * n + i) - dot));
	}
	FN(rows_out)(p, g, j->gs + at);
}

/* The gradient of one video's scores, by way of g[l,i] = x[l,:] . gv[i,:]. Room is for two [L,np] and [np,width]; x then holds the
 * last block of columns. */
static void FN(scores)(const struct FN(job) * p, long b, float *room, float *x, struct FN(ahead) * ahead) {
	const struct avcu_attention *j = &p->j;
	float *g = room, *a = g + j->l * p->np, *y = a + j->l * p->np;
	const float *gv = j->v + b * j->units * j->ldv;
	memset(g, 0, (size_t)(j->l * p->np) * sizeof *g);
	for (long k = 0; k < p->blocks; k++) {
		FN(frames)(j, b, k * p->width, FN(wide)(p, k), x, p->ld);
		FN(columns)(gv + k * p->width, j->ldv, j->units, FN(wide)(p, k), y);
		FN(add_scores)(p, k, x, y, g, ahead);
	}
	FN(through_softmax)(p, b, g, a);
}

/* One group of videos: the gradients of their scores, unless those are given, and their part of the weight gradient to
 * room[group][block][unit][width], if that is wanted. */
static void FN(backward_task)(void *arg, long group, int worker) {
	const struct FN(job) *p = arg;
	const struct avcu_attention *j = &p->j;
	long n = j->v ? 2 * j->l * p->np + p->width * p->np : 0;
	float *room = avcu_scratch(p->pool, worker, (size_t)(n + j->l * p->ld) * sizeof *room), *x = room + n;
	for (long b = group * GROUP; b < avcu_min(j->b, (group + 1) * GROUP); b++) {
		struct FN(ahead) ahead = FN(ahead_of)(p, b);
		if (j->v)
			FN(scores)(p, b, room, x, &ahead);
		for (long k = p->blocks - 1; p->room && k >= 0; k--) {
			long wide = FN(wide)(p, k);
			if (!j->v || k < p->blocks - 1)
				FN(frames)(j, b, k * p->width, wide, x, p->ld);
			FN(pool)(p, j->gs + b * j->l * j->units, x, (wide + VL - 1) / VL * VL,
			         p->room + (group * p->blocks + k) * j->units * p->width, p->width, b > group * GROUP, &ahead);
		}
	}
}

#undef BY_AMX
#if ISA == 2 && defined(AVCU_AMX)
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-int8,avx512vnni,avx512vbmi")
#include "amx.h"
#pragma GCC pop_options
#define BY_AMX(name) amx_##name
#else
#define BY_AMX(name) FN(no_amx)
INLINE int FN(no_amx)(struct FN(job) * p) { return (void)p, 0; }
#endif

static void FN(forward)(avcu_pool *pool, struct avcu_attention j) {
	struct FN(job) p = FN(plan)(pool, j);
	if (BY_AMX(forward)(&p))
		return;
	if (j.w) {
		p.room = avcu_scratch(pool, avcu_threads(pool), (size_t)(j.d * p.np) * sizeof *p.room);
		for (long k = 0; k < p.blocks; k++)
			FN(columns)(j.w + k * p.width, j.ldw, j.units, FN(wide)(&p, k), p.room + k * p.width * p.np);
	}
	FN(videos)(&p, FN(forward_video));
}

/* Adds up the groups, for one unit. */
static void FN(groups_task)(void *arg, long unit, int worker) {
	const struct FN(job) *p = arg;
	const struct avcu_attention *j = &p->j;
	long groups = (j->b + GROUP - 1) / GROUP;
	(void)worker;
	for (long k = 0; k < p->blocks; k++)
		for (long d = 0; d < FN(wide)(p, k); d += VL) {
			float *out = j->g + unit * j->ldg + k * p->width + d;
			long n = avcu_min(VL, FN(wide)(p, k) - d);
			vf sum = vset(0.0f);
			for (long g = 0; g < groups; g++)
				sum = sum + vload(p->room + ((g * p->blocks + k) * j->units + unit) * p->width + d);
			if (j->add)
				sum = sum + (n == VL ? vload(out) : vloadn(out, n));
			if (n == VL)
				vstore(out, sum);
			else
				vstoren(out, sum, n);
		}
}

static void FN(backward)(avcu_pool *pool, struct avcu_attention j) {
	struct FN(job) p = FN(plan)(pool, j);
	long groups = (j.b + GROUP - 1) / GROUP;
	if (j.g)
		p.room = avcu_scratch(pool, avcu_threads(pool), (size_t)(groups * p.blocks * j.units * p.width) * sizeof *p.room);
	if (!BY_AMX(backward)(&p))
		avcu_parallel(pool, groups, FN(backward_task), &p);
	if (j.g)
		avcu_parallel(pool, j.units, FN(groups_task), &p);
}

/* gx[l,:] = the sum over i of a[l,i] gv[i,:] + gs[l,i] w[i,:]: one product with a and gs side by side. */
static void FN(features_video)(const struct FN(job) * p, long b, int worker) {
	const struct avcu_attention *j = &p->j;
	long n = j->units, terms = j->w ? 2 * n : n, at = b * j->l * n;
	float *a = avcu_scratch(p->pool, worker, (size_t)(j->l * terms + terms * p->ld) * sizeof *a), *y = a + j->l * terms;
	struct FN(ahead) none = {0};
	for (long l = 0; l < j->l; l++) {
		memcpy(a + l * terms, j->a + at + l * n, (size_t)n * sizeof *a);
		if (j->w)
			memcpy(a + l * terms + n, j->gs + at + l * n, (size_t)n * sizeof *a);
	}
	for (long k = 0; k < p->blocks; k++) {
		long d0 = k * p->width, wide = FN(wide)(p, k);
		for (long i = 0; i < n; i++) {
			memcpy(y + i * p->ld, j->v + (b * n + i) * j->ldv + d0, (size_t)wide * sizeof *y);
			if (j->w)
				memcpy(y + (n + i) * p->ld, j->w + i * j->ldw + d0, (size_t)wide * sizeof *y);
		}
		struct FN(product) t = {.rows = j->l, .cols = wide, .terms = terms, .a = a, .ar = terms, .ak = 1, .p = y, .pk = p->ld,
		                        .pp = FN(PANEL), .out = j->g + b * j->l * j->ldg + d0, .ldo = j->ldg, .add = j->add, .ahead = &none};
		FN(multiply)(&t);
	}
}

static void FN(features)(avcu_pool *pool, struct avcu_attention j) {
	struct FN(job) p = FN(plan)(pool, j);
	FN(videos)(&p, FN(features_video));
}

#endif
