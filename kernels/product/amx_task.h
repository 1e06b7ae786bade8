/* What a task does where AMX multiplies: included in product.c in place of its own task.
 *
 * Sums stay in the task's memory, rows and columns filled up to whole tiles, until the last block of K; then rows of C, and
 * of what goes with them, are gone through in long runs. That suits products that memory limits, as AMX's are. */

static void FN(product_task)(void *arg, long index, int worker) {
	const struct FN(job) *j = arg;
	const struct avcu_product *p = j->p;
	long i0, i1, j0, j1;
	FN(bounds)(j, index, &i0, &i1, &j0, &j1);
	/* Columns are packed group by group: many where B's rows in memory lie along them, few where each is such a row. Where
	 * blocks of A need no packing, or there is but one, a group is finished before the next begins. */
	int one = j->k1 - j->k0 <= KC;
	long group = p->transb ? 4 * NR : FN(PART), outer = j->ap || one ? group : j1 - j0, strips = (i1 - i0 + MR - 1) / MR;
	long width = j->sum ? (p->n + NR - 1) / NR * NR : (avcu_min(outer, j1 - j0) + NR - 1) / NR * NR;
	size_t na = j->ap ? 0 : (size_t)(strips * MR * KC), nb = j->bp ? 0 : (size_t)(group * KC);
	size_t ns = j->sum ? 0 : (size_t)(strips * MR * width);
	float *own_a = avcu_scratch(j->pool, worker, (na + nb + ns + 1) * sizeof *own_a), *own_b = own_a + na, *own = own_b + nb;
	struct FN(block) a = {0};
	_tile_loadconfig(&avcu_tiles);
	for (long jo = j0; jo < j1; jo += outer) {
		long end = avcu_min(j1, jo + outer), k = j->k0;
		float *sum = j->sum ? j->sum + i0 * width + jo : own;
		do {
			long kc = avcu_min(KC, j->k1 - k);
			if (j->ap || !one || jo == j0)
				a = FN(block_a)(j, i0, i1, k, kc, own_a);
			for (long jg = jo; jg < end; jg += group) {
				long je = avcu_min(end, jg + group);
				const float *b = FN(block_b)(j, jg, je, k, kc, own_b);
				__asm__ volatile("" ::: "memory"); /* the compiler does not know that tiles are loaded from memory */
				for (long jj = jg; jj < je; jj += NR)
					for (long ii = i0; ii < i1; ii += MR)
						FN(tile)(kc, a.at + (ii - i0) * kc, i1 - ii, b + (jj - jg) * kc, je - jj, k == 0,
						         sum + (ii - i0) * width + (jj - jo), width);
				if (k + kc >= j->slots)
					FN(finish)(j, i0, i1 - i0, jg, je - jg, sum + (jg - jo), width);
			}
			k += kc;
		} while (k < j->k1);
	}
	_tile_release();
}
