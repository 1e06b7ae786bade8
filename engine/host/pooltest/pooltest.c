//go:build cgo

#include "pooltest.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORKERS = 64 };

struct job {
	long number, tasks, turns;
	long *ran;         /* by index: how often */
	_Atomic int *busy; /* by worker */
	_Atomic long *foreign, *clashes;
	int threads;
};

static void task(void *arg, long index, int worker) {
	struct job *j = arg;
	if (worker < 0 || worker >= j->threads || atomic_exchange(&j->busy[worker], 1)) {
		atomic_fetch_add(j->clashes, 1);
		return;
	}
	if (index < 0 || index >= j->tasks)
		atomic_fetch_add(j->foreign, 1);
	else
		j->ran[index]++; /* plain memory: what it holds must be seen by the caller */
	for (volatile long i = 0; i < j->turns * (index % 3); i++) {
	}
	atomic_store(&j->busy[worker], 0);
}

static void doze(void) {
	struct timespec t = {0, 2000000}; /* many times what a worker spins for */
	nanosleep(&t, NULL);
}

struct avcu_mistakes avcu_pooltest_jobs(avcu_pool *pool, long jobs, long most, long turns, long pause) {
	_Atomic int busy[WORKERS] = {0};
	_Atomic long foreign = 0, clashes = 0;
	long missed = 0;
	long *ran = calloc((size_t)most, sizeof *ran);
	for (long n = 0; n < jobs; n++) {
		struct job *j = malloc(sizeof *j); /* freed and written over: a task of an earlier job would show */
		*j = (struct job){n, n * 7 % most + 1, turns, ran, busy, &foreign, &clashes, avcu_threads(pool)};
		memset(ran, 0, (size_t)most * sizeof *ran);
		if (pause && n % pause == 0)
			doze();
		avcu_parallel(pool, j->tasks, task, j);
		for (long i = 0; i < most; i++)
			missed += ran[i] != (i < j->tasks);
		j->tasks = -1;
		j->threads = 0;
		free(j);
	}
	free(ran);
	return (struct avcu_mistakes){missed, foreign, clashes};
}

struct meeting {
	_Atomic int here;
	_Atomic int seen[WORKERS];
	int threads;
	double seconds;
};

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void meet(void *arg, long index, int worker) {
	struct meeting *m = arg;
	(void)index;
	if (worker >= 0 && worker < WORKERS)
		atomic_store(&m->seen[worker], 1);
	atomic_fetch_add(&m->here, 1);
	for (double end = now() + m->seconds; atomic_load(&m->here) < m->threads && now() < end;)
		sched_yield();
}

int avcu_pooltest_meet(avcu_pool *pool, double seconds) {
	struct meeting m = {.threads = avcu_threads(pool), .seconds = seconds};
	int different = 0;
	avcu_parallel(pool, m.threads, meet, &m);
	for (int i = 0; i < WORKERS; i++)
		different += atomic_load(&m.seen[i]);
	return different;
}

void *avcu_pooltest_scratch(avcu_pool *pool, int slot, size_t bytes) { return avcu_scratch(pool, slot, bytes); }
