/* kernels/product beside dnnl_sgemm: the products of a training step and a few others. */
#include <dnnl.h>
#include <math.h>
#include <string.h>

#include "../../kernels/product/product.h"
#include "yardstick.h"

static const struct shape {
	const char *name, *model;
	int backward;
	long m, n, k;
	int transa, transb;
	long pad; /* of the rows of B and C: classes are padded to a multiple of 16 */
} shapes[] = {
    {"fc1", "published", 0, 256, 1024, 36864, 0, 0, 0},
    {"fc1 dX", "published", 1, 256, 36864, 1024, 0, 1, 0},
    {"fc1 dW", "published", 1, 36864, 1024, 256, 1, 0, 0},
    {"fc2", "published", 0, 256, 4096, 1024, 0, 0, 0},
    {"fc2 dX", "published", 1, 256, 1024, 4096, 0, 1, 0},
    {"fc2 dW", "published", 1, 1024, 4096, 256, 1, 0, 0},
    {"logistic", "published", 0, 256, 3862, 4096, 0, 0, 10},
    {"logistic dX", "published", 1, 256, 4096, 3862, 0, 1, 10},
    {"logistic dW", "published", 1, 4096, 3862, 256, 1, 0, 10},
    {"flash", "flash-mnist", 0, 256, 1024, 1600, 0, 0, 0},
    {"flash dX", "flash-mnist", 1, 256, 1600, 1024, 0, 1, 0},
    {"flash dW", "flash-mnist", 1, 1600, 1024, 256, 1, 0, 0},
    {"conv1", "", 0, 9216, 16, 25, 0, 0, 0},
    {"conv1 dW", "", 0, 25, 16, 9216, 1, 0, 0},
    {"conv2", "", 0, 1600, 32, 144, 0, 0, 0},
    {"conv2 dX", "", 0, 1600, 144, 32, 0, 1, 0},
    {"conv2 dW", "", 0, 144, 32, 1600, 1, 0, 0},
    {"one row", "", 0, 1, 3862, 4096, 0, 0, 10},
    {"square", "", 0, 1536, 1536, 1536, 0, 0, 0},
    {"tiny", "", 0, 7, 13, 37, 0, 0, 0},
};

struct job {
	struct avcu_product p;
	float *ours, *theirs;
};

static void ours(avcu_pool *pool, void *job) {
	struct job *j = job;
	j->p.c = j->ours;
	avcu_product(pool, &j->p);
}

static void theirs(void *job) {
	const struct job *j = job;
	const struct avcu_product *p = &j->p;
	dnnl_sgemm(p->transa ? 'T' : 'N', p->transb ? 'T' : 'N', p->m, p->n, p->k, 1, p->a, p->lda, p->b, p->ldb, 0, j->theirs, p->ldc);
}

static double distance(void *job) {
	const struct job *j = job;
	double far = 0;
	for (long r = 0; r < j->p.m; r++)
		for (long c = 0; c < j->p.n; c++)
			far = fmax(far, fabs((double)j->ours[r * j->p.ldc + c] - j->theirs[r * j->p.ldc + c]));
	return far;
}

void product_works(int (*wanted)(const char *), void (*measure)(const struct work *)) {
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		const struct shape *h = shapes + s;
		if (!wanted(h->name))
			continue;
		struct job j = {.p = {.m = h->m, .n = h->n, .k = h->k, .transa = h->transa, .transb = h->transb}};
		j.p.lda = h->transa ? h->m : h->k;
		j.p.ldb = (h->transb ? h->k : h->n) + h->pad;
		j.p.ldc = h->n + h->pad;
		float *a = numbers((h->transa ? h->k : h->m) * j.p.lda, 1), *b = numbers((h->transb ? h->n : h->k) * j.p.ldb, 2);
		j.p.a = a, j.p.b = b;
		j.ours = numbers(h->m * j.p.ldc, 3), j.theirs = numbers(h->m * j.p.ldc, 3);
		measure(&(struct work){.name = h->name, .model = h->model, .backward = h->backward, .m = h->m, .n = h->n, .k = h->k,
		                       .op = {h->transa ? 'T' : 'N', h->transb ? 'T' : 'N'}, .flop = 2.0 * (double)(h->m * h->n) * (double)h->k,
		                       .ours = ours, .theirs = theirs, .distance = distance, .job = &j});
		free(a), free(b), free(j.ours), free(j.theirs);
	}
}
