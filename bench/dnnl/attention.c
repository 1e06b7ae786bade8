/* kernels/attention beside its bare products by dnnl_sgemm, a video at a time, as many videos at once as there are threads:
 *
 *   forward    scores X W' and pooling A' X
 *   backward   scores X G' with the gradient G of the pooled features, and weights S' X with the gradient S of the scores
 *
 * To oneDNN each thread's features are one video of floats, which stay in cache. Ours are whole kernels, from the quantised
 * features of all videos, with softmax. */
#include <dnnl.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "../../kernels/attention/attention.h"
#include "yardstick.h"

enum { VIDEOS = 256 };

static const struct shape {
	const char *forward, *backward, *model;
	long l, d, c;
} shapes[] = {
    {"rgb attention", "rgb attention back", "published", 100, 1024, 32},
    {"audio attention", "audio attention back", "published", 100, 128, 32},
    {"flash attention", "flash attention back", "flash-mnist", 25, 50, 32},
};

struct job {
	struct avcu_attention j;
	float *x;  /* a video a thread */
	float *gw; /* a gradient of the weights a thread */
};

static void forward(avcu_pool *pool, void *job) { avcu_attention_forward(pool, ((struct job *)job)->j); }
static void backward(avcu_pool *pool, void *job) { avcu_attention_backward(pool, ((struct job *)job)->j); }

static void forward_theirs(void *job) {
	const struct job *t = job;
	const struct avcu_attention *j = &t->j;
#pragma omp parallel for
	for (long b = 0; b < j->b; b++) {
		const float *x = t->x + omp_get_thread_num() * j->l * j->d;
		float *a = j->a + b * j->l * j->units;
		dnnl_sgemm('N', 'T', j->l, j->units, j->d, 1, x, j->d, j->w, j->d, 0, a, j->units);
		dnnl_sgemm('T', 'N', j->units, j->d, j->l, 1, a, j->units, x, j->d, 0, j->v + b * j->units * j->d, j->d);
	}
}

static void backward_theirs(void *job) {
	const struct job *t = job;
	const struct avcu_attention *j = &t->j;
#pragma omp parallel for
	for (long b = 0; b < j->b; b++) {
		const float *x = t->x + omp_get_thread_num() * j->l * j->d;
		float *gs = j->gs + b * j->l * j->units;
		dnnl_sgemm('N', 'T', j->l, j->units, j->d, 1, x, j->d, j->v + b * j->units * j->d, j->d, 0, gs, j->units);
		dnnl_sgemm('T', 'N', j->units, j->d, j->l, 1, gs, j->units, x, j->d, 1, t->gw + omp_get_thread_num() * j->units * j->d, j->d);
	}
}

void attention_works(int (*wanted)(const char *), void (*measure)(const struct work *)) {
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		const struct shape *h = shapes + s;
		if (!wanted(h->forward) && !wanted(h->backward))
			continue;
		long each = h->l * h->c, wide = h->c * h->d, threads = omp_get_max_threads();
		uint8_t *bytes = huge(VIDEOS * h->l * h->d);
		for (long i = 0; i < VIDEOS * h->l * h->d; i++)
			bytes[i] = (uint8_t)(i * 2654435761u >> 13);
		float *w = numbers(wide, 1), *c = numbers(h->c, 2);
		struct job j = {.j = {.b = VIDEOS, .l = h->l, .d = h->d, .units = h->c, .bytes = bytes, .w = w, .c = c, .ldx = h->d, .ldw = h->d,
		                      .ldv = h->d, .ldg = h->d}};
		j.j.a = numbers(VIDEOS * each, 3), j.j.gs = numbers(VIDEOS * each, 4), j.j.v = numbers(VIDEOS * wide, 5), j.j.g = numbers(wide, 6);
		j.x = numbers(threads * h->l * h->d, 7), j.gw = numbers(threads * wide, 8);
		struct work work = {.model = h->model, .flop = 4.0 * VIDEOS * (double)(each * h->d), .job = &j};
		work.name = h->forward, work.m = h->l, work.n = h->c, work.k = h->d, memcpy(work.op, "NT", 3);
		work.ours = forward, work.theirs = forward_theirs;
		if (wanted(work.name))
			measure(&work);
		work.name = h->backward, work.ours = backward, work.theirs = backward_theirs, work.backward = 1;
		if (wanted(work.name))
			measure(&work);
		free(bytes), free(w), free(c), free(j.j.a), free(j.j.gs), free(j.j.v), free(j.j.g), free(j.x), free(j.gw);
	}
}
