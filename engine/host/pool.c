//go:build cgo

#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__x86_64__)
#define RELAX() __builtin_ia32_pause()
#else
#define RELAX() atomic_signal_fence(memory_order_seq_cst)
#endif

enum { SPINS = 4000 }; /* some 50 microseconds: longer than the gap between two kernels of a step */

struct slot {
	void *memory;
	size_t bytes;
};

struct avcu_pool {
	int threads, isa, bf16;
	/* The job's generation in the high half, tasks not yet taken in the low half: one compare and
	 * swap takes a task of just this job, so a thread that wakes late does no harm. */
	_Atomic uint64_t ticket;
	_Atomic long done;
	_Atomic int sleepers, closing;
	long tasks;
	avcu_task f;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct slot *slots;
	pthread_t *workers;
};

struct start {
	avcu_pool *pool;
	int worker;
};

int avcu_detect_isa(void) {
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
			return AVCU_AVX512;
		return AVCU_AVX2;
	}
#endif
	return AVCU_PLAIN;
}

int avcu_detect_bf16(void) {
#if defined(__x86_64__)
	if (avcu_detect_isa() < AVCU_AVX512 || !__builtin_cpu_supports("avx512bf16"))
		return AVCU_NO_BF16;
#if defined(AVCU_AMX)
	/* The tiles' 8 KB are part of a thread's state, and of a signal's frame, only from their first use on; 18 is their number
	 * in that state. Threads that run already have the permission too. */
	enum { ARCH_REQ_XCOMP_PERM = 0x1023, TILES = 18 };
	if (__builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8") &&
	    __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") &&
	    syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILES) == 0)
		return AVCU_AMX_BF16;
#endif
	return AVCU_AVX512_BF16;
#else
	return AVCU_NO_BF16;
#endif
}

/* Runs tasks of the present job until none is left to take. */
static void work(avcu_pool *p, int worker) {
	uint64_t t = atomic_load_explicit(&p->ticket, memory_order_acquire);
	while ((uint32_t)t != 0) {
		if (!atomic_compare_exchange_weak_explicit(&p->ticket, &t, t - 1, memory_order_acq_rel,
		                                           memory_order_acquire))
			continue;
		p->f(p->arg, p->tasks - (long)(uint32_t)t, worker);
		atomic_fetch_add_explicit(&p->done, 1, memory_order_release);
		t = atomic_load_explicit(&p->ticket, memory_order_acquire);
	}
}

static void *worker_main(void *v) {
	struct start s = *(struct start *)v;
	free(v);
	avcu_pool *p = s.pool;
	int idle = 0;
	while (!atomic_load_explicit(&p->closing, memory_order_acquire)) {
		if ((uint32_t)atomic_load_explicit(&p->ticket, memory_order_acquire) != 0) {
			work(p, s.worker);
			idle = 0;
		} else if (++idle < SPINS) {
			RELAX();
		} else {
			pthread_mutex_lock(&p->lock);
			atomic_fetch_add(&p->sleepers, 1);
			while ((uint32_t)atomic_load(&p->ticket) == 0 && !atomic_load(&p->closing))
				pthread_cond_wait(&p->wake, &p->lock);
			atomic_fetch_sub(&p->sleepers, 1);
			pthread_mutex_unlock(&p->lock);
			idle = 0;
		}
	}
	return NULL;
}

void avcu_parallel(avcu_pool *p, long tasks, avcu_task f, void *arg) {
	if (p->threads == 1 || tasks <= 1) {
		for (long i = 0; i < tasks; i++)
			f(arg, i, 0);
		return;
	}
	p->f = f;
	p->arg = arg;
	p->tasks = tasks;
	atomic_store_explicit(&p->done, 0, memory_order_relaxed);
	uint64_t generation = (atomic_load_explicit(&p->ticket, memory_order_relaxed) >> 32) + 1;
	atomic_store(&p->ticket, generation << 32 | (uint32_t)tasks);
	if (atomic_load(&p->sleepers) > 0) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_broadcast(&p->wake);
		pthread_mutex_unlock(&p->lock);
	}
	work(p, 0);
	while (atomic_load_explicit(&p->done, memory_order_acquire) != tasks)
		RELAX();
}

avcu_pool *avcu_pool_new(int threads, int isa, int bf16) {
	avcu_pool *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->threads = 1;
	p->isa = isa;
	p->bf16 = isa == AVCU_AVX512 ? bf16 : AVCU_NO_BF16;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->slots = calloc((size_t)threads + 1, sizeof *p->slots);
	p->workers = calloc((size_t)threads, sizeof *p->workers);
	if (!p->slots || !p->workers) {
		avcu_pool_free(p);
		return NULL;
	}
	for (int i = 1; i < threads; i++) {
		struct start *s = malloc(sizeof *s);
		if (!s) {
			avcu_pool_free(p);
			return NULL;
		}
		*s = (struct start){p, i};
		if (pthread_create(&p->workers[i], NULL, worker_main, s) != 0) {
			free(s);
			avcu_pool_free(p);
			return NULL;
		}
		p->threads++;
	}
	return p;
}

void avcu_pool_free(avcu_pool *p) {
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->closing, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->workers[i], NULL);
	for (int i = 0; p->slots && i <= p->threads; i++)
		free(p->slots[i].memory);
	free(p->slots);
	free(p->workers);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct copy {
	char *to;
	const char *from;
	size_t bytes;
};

enum { PIECE = 1 << 20 };

static void copy_task(void *arg, long index, int worker) {
	const struct copy *c = arg;
	(void)worker;
	size_t at = (size_t)index * PIECE, left = c->bytes - at;
	memcpy(c->to + at, c->from + at, left < PIECE ? left : PIECE);
}

void avcu_copy(avcu_pool *p, void *to, const void *from, size_t bytes) {
	struct copy c = {to, from, bytes};
	avcu_parallel(p, (long)((bytes + PIECE - 1) / PIECE), copy_task, &c);
}

int avcu_isa(const avcu_pool *p) { return p->isa; }

int avcu_bf16(const avcu_pool *p) { return p->bf16; }

int avcu_threads(const avcu_pool *p) { return p->threads; }

void *avcu_scratch(avcu_pool *p, int slot, size_t bytes) {
	struct slot *s = &p->slots[slot];
	if (s->bytes >= bytes)
		return s->memory;
	size_t page = bytes >= (1u << 18) ? (2u << 20) : 4096;
	size_t size = (bytes + page - 1) / page * page;
	free(s->memory);
	s->memory = aligned_alloc(page, size);
	if (!s->memory) {
		fprintf(stderr, "avcu: out of memory: %zu bytes for a kernel's scratch space\n", size);
		abort();
	}
#if defined(__linux__)
	if (page > 4096)
		madvise(s->memory, size, MADV_HUGEPAGE);
#endif
	s->bytes = size;
	return s->memory;
}
