//go:build cgo

/* Matrix product C[M,N] = op(A)[M,K] op(B)[K,N] in the manner of Goto and van de Geijn (ACM TOMS 34, 2008) and BLIS:
 * A and B are copied into panels that the inner kernel reads in order, and a tile of MR x (NV*VL) sums stays in registers.
 *
 * With bf16, elements of A and B are rounded to bfloat16 while they are copied. Where the processor multiplies those itself
 * (AVX512_BF16), two of them make one slot of a panel; elsewhere the rounded floats are multiplied as floats are. Where it
 * has AMX, that does the products of bfloat16 and, in three pieces, those of float32: amx.h.
 *
 * Sums: K is cut into blocks of KC slots. Inside a block an element of C is one chain of fused multiply-adds over k from zero;
 * blocks are then added in order. That depends on k alone, neither on M, N and the element's place nor on the number of
 * threads, so every element has the same bits in every batch. It also bounds the error of long sums by about
 * (KC + K/KC) * 2^-24 relative to the sum of magnitudes.
 *
 * Work: C is cut into tasks along its rows or its columns. K is walked in spans of KS: for each span the operand that all
 * tasks share is packed once, by all threads; then each task packs what is its own, block by block, and computes its part
 * of C. A block of A stays in the second cache, a panel of B in the first. Operands too thin to repay a copy are read where
 * they are, and of a product of few rows, such as inference of one video, all of B (sweep.h). Bound by FMA: 2*M*N*K flops. */
#ifndef ISA

#include "../cpu.h"
#include "product.h"

enum {
	KC = 256,       /* depth of a block, in slots */
	KS = 4096,      /* depth of a span that is packed at once, in slots */
	MC = 144,       /* rows of a task that packs its own A: MC x KC floats stay in L2, also for two threads of a core */
	MC_STEP = 96,   /* the same where a step of Adam's follows: sums wait in L2 too */
	RUN = 32,       /* panels whose columns take that step together */
	TALL = 256,     /* up to so many rows tasks are cut along columns */
	WIDE = 16,      /* panels of B that make a task worth reading A's block for */
	NARROW = 6,     /* up to so many panels copies of the other operand cost more than they save; twice as many strips */
	FEW = 4,        /* up to so many rows are not worth copying B for */
	SHARE = 8 << 20 /* slots: larger operands are not packed for all */
};

enum { FLOATS, ROUNDED, PAIRS }; /* what a slot of a panel is, see pack.h */

#define SELF "product/product.c"
#include "../each_isa.h"

void avcu_product(avcu_pool *pool, const struct avcu_product *p) {
#if defined(AVCU_AMX)
	if (avcu_bf16(pool) == AVCU_AMX_BF16 && (p->bf16 || (p->n >= AMX_LEAST && p->k >= AMX_LEAST))) {
		amx_product(pool, p);
		return;
	}
#endif
	CALL_ISA(pool, product_run, pool, p);
}

#else

/* GROUP is the number of panels of B that a task packs at once. */
#undef MR
#undef NV
#undef GROUP
#define GROUP 8
#if ISA == 2
#define MR 12 /* 24 of 32 registers hold sums */
#else
#define MR 6 /* 12 of 16 */
#endif
#define NV 2
#define NR (NV * VL)

#include "../adam/adam_step.h"
#include "pack.h"
#include "tile.h"

struct FN(job) {
	const struct avcu_product *p;
	avcu_pool *pool;
	int form;      /* of slots */
	long slots;    /* K in slots */
	long k0, k1;   /* the span, in slots */
	long tasks;
	int rows;      /* tasks are cut along rows; else along columns */
	int as_is_a, as_is_b; /* read where it is */
	float *ap, *bp; /* packed operands of the span, or NULL */
	float *sum;     /* where sums of earlier blocks wait, rows n apart, or NULL: in C, or in the task's own memory */
	int own;        /* sums between blocks wait in the task's own memory */
	int plain;      /* sums end in C as they are */
	struct FN(adam_rule) rule;
};

enum { FN(PART) = GROUP * NR, FN(PART_A) = FN(PART) / MR * MR }; /* columns and rows that one task of pack_shared packs */

/* Where task index of several begins, for n rows or columns in panels of the given width. */
INLINE long FN(cut)(long n, long width, long index, long tasks) {
	return avcu_min(n, (n + width - 1) / width * index / tasks * width);
}

/* The rows i0 .. i1-1 and columns j0 .. j1-1 of C that are task index's. */
INLINE void FN(bounds)(const struct FN(job) * j, long index, long *i0, long *i1, long *j0, long *j1) {
	*i0 = 0, *i1 = j->p->m, *j0 = 0, *j1 = j->p->n;
	if (j->rows)
		*i0 = FN(cut)(j->p->m, MR, index, j->tasks), *i1 = FN(cut)(j->p->m, MR, index + 1, j->tasks);
	else
		*j0 = FN(cut)(j->p->n, NR, index, j->tasks), *j1 = FN(cut)(j->p->n, NR, index + 1, j->tasks);
}

static void FN(pack_shared)(void *arg, long index, int worker) {
	const struct FN(job) *j = arg;
	const struct avcu_product *p = j->p;
	(void)worker;
	long blocks = (j->k1 - j->k0 + KC - 1) / KC, k = j->k0 + index % blocks * KC;
	long part = j->ap ? FN(PART_A) : FN(PART), from = index / blocks * part;
	long kc = avcu_min(KC, j->k1 - k);
	if (j->ap)
		FN(pack_a)(j->form, p, from, avcu_min(p->m, from + part), k, kc, j->ap + FN(place_a)(p->m, k - j->k0, from, kc));
	else
		FN(pack_b)(j->form, p, from, avcu_min(p->n, from + part), k, kc, j->bp + FN(place_b)(p->n, k - j->k0, from, kc));
}

/* The block of op(A) at depth k whose first row is i, and of op(B) whose first column is j; at own if the task is to copy
 * it there, rows up to i1 or columns up to j1. */
INLINE struct FN(block) FN(block_a)(const struct FN(job) * j, long i, long i1, long k, long kc, float *own) {
	const struct avcu_product *p = j->p;
	if (j->as_is_a)
		return p->transa ? (struct FN(block)){p->a + k * p->lda + i, 1, p->lda} : (struct FN(block)){p->a + i * p->lda + k, p->lda, 1};
	if (j->ap)
		return (struct FN(block)){j->ap + FN(place_a)(p->m, k - j->k0, i, kc), 0, MR};
	FN(pack_a)(j->form, p, i, i1, k, kc, own);
	return (struct FN(block)){own, 0, MR};
}

INLINE const float *FN(block_b)(const struct FN(job) * j, long c, long c1, long k, long kc, float *own) {
	const struct avcu_product *p = j->p;
	if (j->as_is_b)
		return p->b + k * p->ldb + c;
	if (j->bp)
		return j->bp + FN(place_b)(p->n, k - j->k0, c, kc);
	FN(pack_b)(j->form, p, c, c1, k, kc, own);
	return own;
}

/* Finishes rows x cols sums at t, rows width apart, that belong at (i, j) of C; a few rows at a time, which the first cache
 * holds. C and what goes with it are gone through in long runs, which the processor foresees. */
static void FN(finish)(const struct FN(job) * job, long i, long rows, long j, long cols, float *t, long width) {
	enum { FN(ROWS) = 4 };
	for (long r = 0; r < rows; r += FN(ROWS)) {
		struct FN(out) o = {.p = job->p, .rule = &job->rule, .i = i + r, .j = j, .cols = cols, .first = 1, .last = 1};
		o.rows = avcu_min(FN(ROWS), rows - r);
		FN(put)(&o, t + r * width, width);
	}
}

/* Where the block of op(A) or op(B) lies that a task will pack next: count rows or columns from at on, slots k .. k+kc-1. */
INLINE struct FN(next) FN(coming)(const struct FN(job) * j, const float *x, long ld, int along, long at, long count, long k, long kc, long tiles) {
	long two = j->form == PAIRS ? 2 : 1, e = k * two, depth = avcu_min(kc * two, j->p->k - e);
	struct FN(next) n = {0};
	if (along) /* K lies along rows */
		n.at = (const char *)(x + at * ld + e), n.rows = count, n.lines = (depth + 15) / 16;
	else
		n.at = (const char *)(x + e * ld + at), n.rows = depth, n.lines = (count + 15) / 16;
	n.ld = ld * (long)sizeof *x;
	n.each = avcu_min((n.rows * n.lines + tiles - 1) / tiles, 4 * MR);
	return n;
}

/* Computes one part of C over the span. */
static void FN(product_task)(void *arg, long index, int worker) {
	const struct FN(job) *j = arg;
	const struct avcu_product *p = j->p;
	long i0, i1, j0, j1;
	FN(bounds)(j, index, &i0, &i1, &j0, &j1);
	/* With a step of Adam's three times as much memory goes with C as in C: sums wait in the task's memory until many columns
	 * of all its rows are there, instead of going to C tile by tile. */
	int step = p->sink == AVCU_STEP, once = step && j->slots <= KC;
	long group = !(j->bp || j->as_is_b) ? FN(PART) : step ? RUN * NR : j1 - j0;
	long wide = FN(padded_n)(once ? avcu_min(group, j1 - j0) : j1 - j0);
	size_t na = j->ap || j->as_is_a ? 0 : (size_t)(i1 - i0 + MR) * KC, nb = j->bp || j->as_is_b ? 0 : (size_t)FN(PART) * KC;
	size_t ns = j->own ? (size_t)(i1 - i0) * (size_t)wide : 0;
	float *own_a = na + nb + ns ? avcu_scratch(j->pool, worker, (na + nb + ns) * sizeof *own_a) : NULL;
	float *own_b = own_a + na, *own = own_b + nb;
	struct FN(out) o = {.p = p};
	long k = j->k0, strips = (i1 - i0 + MR - 1) / MR;
	do {
		long kc = avcu_min(KC, j->k1 - k);
		struct FN(block) a = FN(block_a)(j, i0, i1, k, kc, own_a);
		o.first = k == 0;
		int done = k + kc >= j->slots;
		o.last = done && !step;
		o.plain = !o.last || j->plain;
		for (long jg = j0; jg < j1; jg += group) {
			long je = avcu_min(j1, jg + group), tiles = strips * ((je - jg + NR - 1) / NR);
			const float *b = FN(block_b)(j, jg, je, k, kc, own_b);
			float *sum = j->sum ? j->sum + i0 * p->n + jg : j->own ? own + (once ? 0 : jg - j0) : p->c + i0 * p->ldc + jg;
			o.lds = j->sum ? p->n : j->own ? wide : p->ldc;
			struct FN(next) next = {0};
			if (nb && je < j1)
				next = FN(coming)(j, p->b, p->ldb, p->transb, je, avcu_min(group, j1 - je), k, kc, tiles);
			else if (nb && k + kc < j->k1)
				next = FN(coming)(j, p->b, p->ldb, p->transb, j0, avcu_min(group, j1 - j0), k + kc, avcu_min(KC, j->k1 - k - kc), tiles);
			for (long jj = jg; jj < je; jj += NR) {
				o.cols = avcu_min(NR, j1 - jj);
				struct FN(block) panel = {b + (jj - jg) * (j->as_is_b ? 1 : kc), 0, j->as_is_b ? p->ldb : FN(padded_n)(o.cols)};
				for (long ii = i0; ii < i1; ii += MR) {
					o.i = ii, o.j = jj, o.rows = avcu_min(MR, i1 - ii);
					o.sum = sum + (ii - i0) * o.lds + (jj - jg);
					struct FN(block) strip = {a.at + (ii - i0) * (j->as_is_a ? a.step : kc), a.step, a.next};
					FN(tile)(j->form, kc, &strip, &panel, &o, &next);
				}
			}
			if (step && done)
				FN(finish)(j, i0, i1 - i0, jg, je - jg, sum, o.lds);
		}
		k += kc;
	} while (k < j->k1);
}

#include "sweep.h"

/* What follows from the product and the form of slots alone. */
static struct FN(job) FN(job_of)(avcu_pool *pool, const struct avcu_product *p, int form) {
	struct FN(job) j = {.p = p, .pool = pool, .form = form, .slots = form == PAIRS ? (p->k + 1) / 2 : p->k};
	j.plain = p->sink == AVCU_STORE && !p->bias && p->act == AVCU_IDENTITY;
	j.own = p->sink == AVCU_STEP || (p->sink == AVCU_ADD && j.slots > KC); /* C holds something else until the last block */
	if (p->sink == AVCU_STEP)
		j.rule = FN(adam_rule_of)(1.0f, p->rate, p->beta1, p->beta2, p->eps);
	return j;
}

/* All of a small product by the calling task's thread alone. */
static __attribute__((unused)) void FN(product_alone)(avcu_pool *pool, int worker, const struct avcu_product *p) {
	struct FN(job) j = FN(job_of)(pool, p, FLOATS);
	j.k1 = j.slots, j.tasks = 1, j.rows = 1;
	FN(product_task)(&j, 0, worker);
}

static void FN(product_run)(avcu_pool *pool, const struct avcu_product *p) {
	if (p->m == 0 || p->n == 0)
		return;
	struct FN(job) j = FN(job_of)(pool, p, !p->bf16 ? FLOATS : ISA == 2 && avcu_bf16(pool) ? PAIRS : ROUNDED);
	if (p->m <= FEW && !p->transb && j.form == FLOATS) {
		avcu_parallel(pool, (p->n + FN(BROAD) - 1) / FN(BROAD), FN(sweep_task), &j);
		return;
	}

	/* Several tasks a thread, so that all end at about the same time; small products are not worth waking anybody. */
	long threads = avcu_threads(pool), pm = (p->m + MR - 1) / MR, pn = (p->n + NR - 1) / NR;
	int small = p->m * p->n / 64 * avcu_max(p->k, 1) < 4096;
	long want = small || threads == 1 ? 1 : 4 * threads;
	j.rows = p->m > TALL || pn < avcu_min(pm, want);
	if (!j.rows) /* every task reads all of A */
		want = avcu_min(want, (pn + WIDE * threads - 1) / (WIDE * threads) * threads);
	j.tasks = avcu_min(j.rows ? pm : pn, want);
	long mc = p->sink == AVCU_STEP ? MC_STEP : MC;
	if (j.rows)
		j.tasks = avcu_max(j.tasks, (p->m + mc - 1) / mc);

	/* Where every element is read by few panels or strips, copies cost more than they save. */
	j.as_is_a = j.form == FLOATS && pn <= NARROW && (!p->transa || p->lda <= KC);
	j.as_is_b = j.form == FLOATS && pm <= 2 * NARROW && !p->transb && p->n % VL == 0 && p->ldb <= KC;

	size_t wide = (size_t)(j.rows ? FN(padded_n)(p->n) : pm * MR), ns = 0; /* of the shared operand; sums of several spans */
	long span = avcu_min(KS, j.slots);
	if (span < j.slots && p->sink != AVCU_STORE)
		ns = (size_t)p->m * (size_t)p->n;
	j.own &= !ns;
	size_t np = 0;
	if (j.tasks > 1 && !(j.rows ? j.as_is_b : j.as_is_a)) {
		np = wide * (size_t)span;
		np = np > SHARE ? 0 : np;
	}
	float *shared = np + ns ? avcu_scratch(pool, (int)threads, (np + ns + VL) * sizeof *shared) : NULL; /* rows are read in whole vectors */
	if (np)
		*(j.rows ? &j.bp : &j.ap) = shared;
	j.sum = ns ? shared + np : NULL;
	do {
		j.k1 = avcu_min(j.slots, j.k0 + span);
		if (np) {
			long blocks = (j.k1 - j.k0 + KC - 1) / KC, part = j.rows ? FN(PART) : FN(PART_A);
			long parts = ((j.rows ? p->n : p->m) + part - 1) / part;
			avcu_parallel(pool, blocks * parts, FN(pack_shared), &j);
		}
		avcu_parallel(pool, j.tasks, FN(product_task), &j);
		j.k0 = j.k1;
	} while (j.k0 < j.slots);
}

#if ISA == 2 && defined(AVCU_AMX)
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16")
#include "amx.h"
#pragma GCC pop_options
#endif

#undef MR
#undef NV
#undef NR
#endif
