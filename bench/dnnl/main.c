/* The yardstick of kernels/product: its GFLOP/s beside those of oneDNN's dnnl_sgemm, on the products of a training step
 * and a few others. Both run on the same number of threads in this one process, turn by turn, and the table shows medians;
 * a pause before each turn lets the other's idle threads fall asleep. Run by run.sh.
 *
 *   main [-t threads] [-r turns] [-s seconds a turn] [-i isa limit, 0 plain, 1 AVX2, 2 AVX-512] [-b] [name ...]
 *
 * With -b it is the best turn of each: less fair, but steadier while others use the machine. */
#include <dnnl.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../engine/host/pool.h"
#include "../../kernels/product/product.h"

static const struct shape {
	const char *name;
	long m, n, k;
	int transa, transb;
	long pad; /* of the rows of B and C: classes are padded to a multiple of 16 */
} shapes[] = {
    {"fc1", 256, 1024, 36864, 0, 0, 0},
    {"fc1 dX", 256, 36864, 1024, 0, 1, 0},
    {"fc1 dW", 36864, 1024, 256, 1, 0, 0},
    {"fc2", 256, 4096, 1024, 0, 0, 0},
    {"fc2 dX", 256, 1024, 4096, 0, 1, 0},
    {"fc2 dW", 1024, 4096, 256, 1, 0, 0},
    {"logistic", 256, 3862, 4096, 0, 0, 10},
    {"logistic dX", 256, 4096, 3862, 0, 1, 10},
    {"logistic dW", 4096, 3862, 256, 1, 0, 10},
    {"flash", 256, 1024, 1600, 0, 0, 0},
    {"flash dX", 256, 1600, 1024, 0, 1, 0},
    {"flash dW", 1600, 1024, 256, 1, 0, 0},
    {"conv1", 9216, 16, 25, 0, 0, 0},
    {"conv1 dW", 25, 16, 9216, 1, 0, 0},
    {"conv2", 1600, 32, 144, 0, 0, 0},
    {"conv2 dX", 1600, 144, 32, 0, 1, 0},
    {"conv2 dW", 144, 32, 1600, 1, 0, 0},
    {"one row", 1, 3862, 4096, 0, 0, 10},
    {"square", 1536, 1536, 1536, 0, 0, 0},
    {"tiny", 7, 13, 37, 0, 0, 0},
};

static float *matrix(long rows, long ld, unsigned seed) {
	size_t bytes = ((size_t)(rows * ld) * 4 + (4u << 20)) >> 21 << 21;
	float *p = aligned_alloc(2u << 20, bytes);
	if (!p)
		exit(1);
	madvise(p, bytes, MADV_HUGEPAGE);
	for (long i = 0; i < rows * ld; i++)
		p[i] = (float)((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1;
	return p;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void run(avcu_pool *pool, const struct avcu_product *p) {
	if (pool)
		avcu_product(pool, p);
	else
		dnnl_sgemm(p->transa ? 'T' : 'N', p->transb ? 'T' : 'N', p->m, p->n, p->k, 1, p->a, p->lda, p->b, p->ldb, 0, p->c, p->ldc);
}

/* Seconds a call, over as many calls as fill the turn. */
static double turn(avcu_pool *pool, const struct avcu_product *p, double seconds) {
	usleep(20000);
	if (2e-11 * (double)(p->m * p->n) * (double)p->k < seconds / 4)
		run(pool, p); /* wakes the threads */
	double begin = now(), end = begin;
	long calls = 0;
	for (long more = 1; end - begin < seconds; more *= 2) {
		for (long i = 0; i < more; i++)
			run(pool, p);
		calls += more;
		end = now();
	}
	return (end - begin) / (double)calls;
}

int main(int argc, char **argv) {
	int threads = 2, turns = 7, isa = AVCU_AVX512, best = 0, option;
	double seconds = 0.05;
	while ((option = getopt(argc, argv, "t:r:s:i:b")) != -1)
		switch (option) {
		case 't': threads = atoi(optarg); break;
		case 'r': turns = atoi(optarg); break;
		case 's': seconds = atof(optarg); break;
		case 'i': isa = atoi(optarg); break;
		case 'b': best = 1; break;
		default: return 2;
		}
	omp_set_num_threads(threads);
	if (avcu_detect_isa() < isa)
		isa = avcu_detect_isa();
	avcu_pool *pool = avcu_pool_new(threads, isa);
	if (!pool)
		return 1;
	printf("%d threads, instruction set %d (0 plain, 1 AVX2, 2 AVX-512), %s of %d turns\n", threads, isa, best ? "best" : "medians", turns);
	printf("%-12s %6s %6s %6s %s %9s %9s %7s %9s\n", "product", "M", "N", "K", "op", "ours", "oneDNN", "ratio", "distance");
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		const struct shape *h = shapes + s;
		int wanted = optind == argc;
		for (int i = optind; i < argc; i++)
			wanted |= !strcmp(argv[i], h->name);
		if (!wanted)
			continue;
		struct avcu_product p = {.m = h->m, .n = h->n, .k = h->k, .transa = h->transa, .transb = h->transb};
		p.lda = h->transa ? h->m : h->k;
		p.ldb = (h->transb ? h->k : h->n) + h->pad;
		p.ldc = h->n + h->pad;
		float *a = matrix(h->transa ? h->k : h->m, p.lda, 1), *b = matrix(h->transb ? h->n : h->k, p.ldb, 2);
		float *c = matrix(h->m, p.ldc, 3), *e = matrix(h->m, p.ldc, 3);
		p.a = a, p.b = b;
		double *ours = calloc((size_t)turns, sizeof *ours), *theirs = calloc((size_t)turns, sizeof *theirs);
		p.c = c, run(pool, &p); /* scratch memory, pages, generated code */
		p.c = e, run(NULL, &p);
		double far = 0;
		for (long i = 0; i < h->m; i++)
			for (long j = 0; j < h->n; j++)
				far = fmax(far, fabs((double)c[i * p.ldc + j] - e[i * p.ldc + j]));
		for (int r = 0; r < turns; r++) {
			p.c = c, ours[r] = turn(pool, &p, seconds);
			p.c = e, theirs[r] = turn(NULL, &p, seconds);
		}
		qsort(ours, (size_t)turns, sizeof *ours, by_size);
		qsort(theirs, (size_t)turns, sizeof *theirs, by_size);
		double flop = 2e-9 * (double)(h->m * h->n) * (double)h->k, o = flop / ours[best ? 0 : turns / 2], t = flop / theirs[best ? 0 : turns / 2];
		printf("%-12s %6ld %6ld %6ld %c%c %9.1f %9.1f %6.0f%% %9.1e\n", h->name, h->m, h->n, h->k, h->transa ? 'T' : 'N',
		       h->transb ? 'T' : 'N', o, t, 100 * o / t, far);
		fflush(stdout);
		free(a), free(b), free(c), free(e), free(ours), free(theirs);
	}
	avcu_pool_free(pool);
	return 0;
}
