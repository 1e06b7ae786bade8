/* What the tables of products share. */
#ifndef YARDSTICK_H
#define YARDSTICK_H

#include <stdlib.h>
#include <sys/mman.h>

#include "../../engine/host/pool.h"

/* One line of the table: the same work by our kernel and by oneDNN. */
struct work {
	const char *name, *model; /* model: the shape whose training step has it, or "" */
	int backward;             /* not part of inference */
	long m, n, k;
	char op[3]; /* N or T of A and of B */
	double flop;
	void (*ours)(avcu_pool *pool, void *job);
	void (*theirs)(void *job);
	double (*distance)(void *job); /* the largest difference of an element of the two results */
	void *job;
};

/* Each calls measure for its works; wanted says whether a name is asked for. */
void product_works(int (*wanted)(const char *name), void (*measure)(const struct work *w));
void attention_works(int (*wanted)(const char *name), void (*measure)(const struct work *w));

/* Memory on huge pages. */
static inline void *huge(long bytes) {
	size_t size = ((size_t)bytes + (4u << 20)) >> 21 << 21;
	void *p = aligned_alloc(2u << 20, size);
	if (!p)
		exit(1);
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

/* n numbers in [-1, 1). */
static inline float *numbers(long n, unsigned seed) {
	float *p = huge(n * (long)sizeof *p);
	for (long i = 0; i < n; i++)
		p[i] = (float)((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1;
	return p;
}

#endif
