/* Products by AMX, in place of product.c's own packing, inner kernel and tasks: included once, beside those for AVX-512.
 *
 * With bf16 the elements of A and B are rounded to bfloat16. Without, each is the sum of three of bfloat16, which together have
 * its 24 bits, and of the nine products of such pieces the six that matter are summed: what is left out is below 2^-24 of |a b|,
 * the rounding of a float32 (Henry, Tang, Heinecke, "Leveraging the bfloat16 artificial intelligence datatype for
 * higher-precision computations", ARITH 2019). That takes 6/16 of the time of float32's own multiply-adds, and the sums are
 * nearer to the exact ones, being rounded seldom: TDPBF16PS adds 32 products to an element of C at once, of which it sums the
 * first elements of its 16 slots, and the second ones, each as a chain of fused multiply-adds from zero. So the order of
 * a sum depends on k alone here, too. Blocks of K are summed apart and then added in order.
 *
 * Denormal numbers count as zero, as they do with AVX512_BF16. What is not finite, or rounds to infinity, has no such pieces:
 * where a task meets it, it leaves the rest of its part of C to the kernel for float32 (so in products that are not finite, and
 * only there, the bits of what is finite depend on what it is computed with).
 *
 * Registers are in use from a task's begin to its end only, and then released, so that threads outside of products have no
 * more state to save than before. Bound by TDPBF16PS, 16 cycles each: 2*M*N*K flops, six times that in three pieces. */

#include "../amx.h"
#include "amx_pack.h"
#include "amx_tile.h"

enum {
	AMX_LEAST = 48,        /* thinner products of float32 fill no tile */
	AMX_TALL = 256,        /* rows of a task */
	AMX_OUTER = 512,       /* columns whose sums wait in the second cache together; twice as many where tasks are cut along rows */
	AMX_GROUP = 256,       /* columns of B packed at once; half as many where each is a row in memory */
	AMX_KEPT = 128 << 10,  /* floats: up to so many of a task's own A stay packed for all of its columns */
	AMX_SPAN = 5 << 20     /* floats of the operand that all tasks share that are packed at once */
};

struct amx_job {
	const struct avcu_product *p;
	avcu_pool *pool;
	int pieces;         /* of a number */
	long slots, depth;  /* K, and a block of it, in slots */
	long k0, k1;        /* the span, in slots */
	int rows;           /* tasks are cut along rows, and share B; else along columns, and share A */
	long tasks, outer;  /* columns that a task goes through at once */
	float *shared, *sum; /* packed operand of the span; sums of earlier spans, [strips][panels][32][32], or NULL */
	int *odd;           /* whether a task has met what has no pieces; the last: all of them have */
	struct FN(adam_rule) rule;
};

/* The packing of A's rows or B's columns from .. to-1, slots k .. k+kc-1. */
INLINE void amx_pack_a(struct amx_packing *g, const struct amx_job *j, long from, long to, long k, long kc, float *dst) {
	const struct avcu_product *p = j->p;
	amx_pack_begin(g, j->pieces, 1, !p->transa, p->a, p->lda, p->k, from, to, k, kc, dst);
}
INLINE void amx_pack_b(struct amx_packing *g, const struct amx_job *j, long from, long to, long k, long kc, float *dst) {
	const struct avcu_product *p = j->p;
	amx_pack_begin(g, j->pieces, 0, p->transb, p->b, p->ldb, p->k, from, to, k, kc, dst);
}

static void amx_pack_shared(void *arg, long index, int worker) {
	const struct amx_job *j = arg;
	const struct avcu_product *p = j->p;
	(void)worker;
	long n = j->rows ? p->n : p->m, blocks = (j->k1 - j->k0 + j->depth - 1) / j->depth, k = index % blocks * j->depth;
	long from = index / blocks * AMX_GROUP, kc = avcu_min(j->depth, j->k1 - j->k0 - k);
	float *dst = j->shared + amx_place(j->pieces, n, k, from, kc);
	struct amx_packing g;
	(j->rows ? amx_pack_b : amx_pack_a)(&g, j, from, avcu_min(n, from + AMX_GROUP), j->k0 + k, kc, dst);
	amx_pack_all(&g);
	if (amx_odd(&g))
		__atomic_store_n(j->odd + j->tasks, 1, __ATOMIC_RELAXED);
}

/* Finishes rows x cols sums, whose tiles lie one after the other at t, that belong at (i, j) of C; a few rows at a time, so
 * that C and what goes with it are gone through in long runs. */
static void amx_finish(const struct amx_job *job, long i, long rows, long j, long cols, const float *t) {
	enum { ROWS = 4, WIDTH = 2 * AMX_OUTER };
	float s[ROWS * WIDTH] __attribute__((aligned(64)));
	for (long r = 0; r < rows; r += ROWS) {
		struct FN(out) o = {.p = job->p, .rule = &job->rule, .i = i + r, .j = j, .cols = cols, .first = 1, .last = 1};
		o.rows = avcu_min(ROWS, rows - r);
		for (long c = 0; c < cols; c += 32)
			for (long u = 0; u < ROWS; u++)
				for (long q = 0; q < 32; q += VL)
					vstore(s + u * WIDTH + c + q, vload(t + c * 32 + (r + u) * 32 + q));
		FN(put)(&o, s, WIDTH);
	}
}

/* Rows i0 .. i1-1 and columns j0 .. j1-1 of the product, as float32 multiplies. */
static void amx_leave(const struct amx_job *j, int worker, long i0, long i1, long j0, long j1) {
	struct avcu_product p = *j->p;
	p.a += p.transa ? i0 : i0 * p.lda, p.b += p.transb ? j0 * p.ldb : j0;
	p.c += i0 * p.ldc + j0, p.m = i1 - i0, p.n = j1 - j0;
	if (p.bias)
		p.bias += j0;
	if (p.y)
		p.y += i0 * p.ldy + j0;
	if (p.sink == AVCU_STEP)
		p.m1 += i0 * p.ldc + j0, p.m2 += i0 * p.ldc + j0;
	FN(product_alone)(j->pool, worker, &p);
}

/* Computes one part of C over the span. It goes through its columns some at a time; of those the sums stay in its memory until
 * the last block of K. While tiles are computed, its own columns of B that come next are packed, and what is packed already is
 * on its way to the second cache. */
static void amx_task(void *arg, long index, int worker) {
	const struct amx_job *j = arg;
	const struct avcu_product *p = j->p;
	long i0 = 0, i1 = p->m, j0 = 0, j1 = p->n;
	if (j->rows)
		i0 = FN(cut)(p->m, 32, index, j->tasks), i1 = FN(cut)(p->m, 32, index + 1, j->tasks);
	else
		j0 = FN(cut)(p->n, 32, index, j->tasks), j1 = FN(cut)(p->n, 32, index + 1, j->tasks);
	const int pieces = j->pieces;
	const long strips = (i1 - i0 + 31) / 32, panels = (p->n + 31) / 32, span = j->k1 - j->k0;
	const long group = j->rows ? j->outer : p->transb ? AMX_GROUP / 2 : AMX_GROUP;
	int kept = strips * 32 * span * pieces <= AMX_KEPT;
	long na = j->rows ? strips * 32 * pieces * (kept ? span : j->depth) : 0, nb = j->rows ? 0 : group * j->depth * pieces;
	long ns = j->sum ? 0 : strips * 32 * j->outer, across = (j->sum ? panels * 32 : j->outer) * 32; /* from one strip's sums to the next's */
	float *own_a = avcu_scratch(j->pool, worker, (size_t)(na + 2 * nb + ns) * sizeof *own_a), *own_b = own_a + na, *b_next = own_b;
	struct amx_side side;
	side.late = NULL, side.which = 0;
	side.queue = (struct amx_queue){NULL, NULL, 0};
	side.pack.left = side.pack.due = side.pack.rate = 0, side.pack.odd = _mm512_setzero_ps();
	if (!j->rows) {
		amx_pack_b(&side.pack, j, j0, avcu_min(j1, j0 + group), j->k0, avcu_min(j->depth, span), own_b);
		amx_pack_all(&side.pack);
		j->odd[index] |= amx_odd(&side.pack);
	}
	_tile_loadconfig(&avcu_tiles);
	for (long jo = j0; jo < j1; jo += j->outer) {
		long end = avcu_min(j1, jo + j->outer), k = j->k0;
		float *sum = j->sum ? j->sum + i0 * panels * 32 + jo * 32 : own_b + 2 * nb;
		do {
			/* This block, the one after it, and where that one's columns begin. */
			long kc = avcu_min(j->depth, j->k1 - k), after = k + kc < j->k1 ? k + kc : j->k0, ka = avcu_min(j->depth, j->k1 - after);
			long jn = after > k ? jo : end;
			int last = k + kc >= j->slots;
			float *a = own_a + (kept ? (k - j->k0) * strips * 32 * pieces : 0);
			if (!j->rows) {
				a = j->shared + amx_place(pieces, p->m, k - j->k0, 0, kc);
			} else if (!kept || (jo == j0 && k == j->k0)) {
				amx_pack_a(&side.pack, j, i0, i1, k, kc, a);
				amx_pack_all(&side.pack);
				j->odd[index] |= amx_odd(&side.pack);
			}
			for (long jg = jo; jg < end; jg += group) {
				long je = avcu_min(end, jg + group), steps = strips * ((je - jg + 31) / 32) * (kc / 16);
				const float *b = b_next;
				if (j->rows) {
					b = j->shared + amx_place(pieces, p->n, k - j->k0, jg, kc);
					if (kept && jo == j0 && after > k)
						amx_pack_a(&side.pack, j, i0, i1, after, ka, a + strips * 32 * kc * pieces);
					if (jn < j1)
						amx_expect(&side.queue, j->shared + amx_place(pieces, p->n, after - j->k0, jn, ka),
						           (avcu_min(j1, jn + j->outer) - jn) * ka * pieces, steps);
				} else {
					long lines = (p->m + 15) / 16 * ka * pieces, groups = (end - jo + group - 1) / group, g = (jg - jo) / group;
					amx_expect(&side.queue, j->shared + amx_place(pieces, p->m, after - j->k0, 0, ka) + lines * g / groups * 16,
					           lines / groups * 16, steps);
					b_next = b_next == own_b ? own_b + nb : own_b;
					if (je < end)
						amx_pack_b(&side.pack, j, je, avcu_min(end, je + group), k, kc, b_next);
					else if (jn < j1)
						amx_pack_b(&side.pack, j, jn, avcu_min(avcu_min(j1, jn + j->outer), jn + group), after, ka, b_next);
				}
				amx_pace(&side.pack, steps * (pieces == 3 ? AMX_PRODUCTS : 1));
				if (last && (j->odd[index] | j->odd[j->tasks])) {
					_tile_release();
					amx_leave(j, worker, i0, i1, jg, j1);
					return;
				}
				__asm__ volatile("" ::: "memory"); /* the compiler does not know that tiles are loaded from memory */
				for (long jj = jg; jj < je; jj += 32)
					for (long ii = i0; ii < i1; ii += 32)
						amx_tile(pieces, kc, a + (ii - i0) * kc * pieces, i1 - ii, b + (jj - jg) * kc * pieces, je - jj, k == 0,
						         sum + (ii - i0) / 32 * across + (jj - jo) * 32, &side);
				amx_add_late(&side);
				for (long ii = i0; last && ii < i1; ii += 32)
					amx_finish(j, ii, avcu_min(32, i1 - ii), jg, je - jg, sum + (ii - i0) / 32 * across + (jg - jo) * 32);
				amx_pack_all(&side.pack);
				j->odd[index] |= amx_odd(&side.pack);
			}
			k += kc;
		} while (k < j->k1);
	}
	_tile_release();
}

#include "amx_sweep.h" /* few rows */

static void amx_product(avcu_pool *pool, const struct avcu_product *p) {
	if (p->m == 0 || p->n == 0)
		return;
	struct amx_job j = {.p = p, .pool = pool, .pieces = p->bf16 ? 1 : 3, .slots = (avcu_max(p->k, 1) + 31) / 32 * 16, .depth = p->bf16 ? 256 : 64};
	if (p->sink == AVCU_STEP)
		j.rule = FN(adam_rule_of)(1.0f, p->rate, p->beta1, p->beta2, p->eps);
	if (p->m <= AMX_FEW && !p->transb) {
		amx_few(&j);
		return;
	}
	/* Several tasks a thread, so that all end at about the same time; small products are not worth waking anybody. */
	long threads = avcu_threads(pool), pm = (p->m + 31) / 32, pn = (p->n + 31) / 32;
	int small = p->m * p->n / 64 * avcu_max(p->k, 1) < 4096;
	long want = small || threads == 1 ? 1 : 4 * threads;
	j.rows = p->m > AMX_TALL || pn < avcu_min(pm, want);
	if (j.rows)
		j.tasks = avcu_max(avcu_min(pm, want), (p->m + AMX_TALL - 1) / AMX_TALL);
	else /* every task reads all of A */
		j.tasks = avcu_min(avcu_min(pn, want), (pn + WIDE * threads - 1) / (WIDE * threads) * threads);
	j.outer = avcu_min(j.rows ? 2 * AMX_OUTER : AMX_OUTER, (j.rows ? pn : (pn + j.tasks - 1) / j.tasks) * 32);

	long n = ((j.rows ? p->n : p->m) + 15) / 16 * 16, fits = AMX_SPAN / (n * j.pieces) / j.depth * j.depth;
	long span = avcu_min(avcu_max(fits, j.depth), j.slots), np = n * span * j.pieces, ns = span < j.slots ? pm * pn * 32 * 32 : 0;
	j.shared = avcu_scratch(pool, (int)threads, (size_t)(np + ns + j.tasks + 1) * sizeof *j.shared);
	j.sum = ns ? j.shared + np : NULL;
	j.odd = (int *)(j.shared + np + ns);
	memset(j.odd, 0, (size_t)(j.tasks + 1) * sizeof *j.odd);
	do {
		j.k1 = avcu_min(j.slots, j.k0 + span);
		avcu_parallel(pool, (j.k1 - j.k0 + j.depth - 1) / j.depth * ((n + AMX_GROUP - 1) / AMX_GROUP), amx_pack_shared, &j);
		avcu_parallel(pool, j.tasks, amx_task, &j);
		j.k0 = j.k1;
	} while (j.k0 < j.slots);
}
