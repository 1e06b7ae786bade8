//go:build cgo

/* The two limits of a processor: multiplications fused with additions that never touch memory, and memory that is hardly
 * computed on. The widest vectors there are, on all threads of a pool. */
#ifndef ISA

#include <time.h>

#include "../../kernels/cpu.h"
#include "peak.h"

enum { CHAINS = 12, ROUNDS = 200000 }; /* two units of latency 4 need 8 chains; 16 registers hold 12 and two factors */

struct fma {
	double seconds; /* of processor time */
	float sum;      /* lest the compiler drop the work */
};

static double cpu_seconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct triad {
	float *a;
	const float *b;
	long n, parts, passes;
};

#define SELF "../bench/peak/peak.c"
#include "../../kernels/each_isa.h"

#if defined(AVCU_AMX)
/* AMX: four registers of sums, two of each operand, of which one half is loaded anew with every four products. A processor slows down
 * where numbers change, by a fifth, so they do, as in a product; they lie in the first cache. */
__attribute__((target("amx-tile,amx-bf16"))) static void amx_task(void *arg, long index, int worker) {
	enum { TILE = 256, SET = 4 * TILE, SETS = 8 }; /* 32 KB */
	struct fma *j = (struct fma *)arg + index;
	uint32_t t[SETS * SET] __attribute__((aligned(64))), random = 1;
	(void)worker;
	for (int i = 0; i < SETS * SET; i++) { /* pairs of numbers of all 8 bits, from 0.5 to 1, with signs */
		random = random * 1664525 + 1013904223;
		t[i] = (random >> 8 & 0x7f) | (random >> 10 & 0x7f0000) | (random & 0x80000000) | (random >> 15 & 0x8000) | 0x3f003f00;
	}
	__asm__ volatile("" ::: "memory"); /* tiles are loaded from it */
	_tile_loadconfig(&avcu_tiles);
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	_tile_loadd(6, t, 64);
	_tile_loadd(7, t + TILE, 64);
	double start = cpu_seconds();
	for (long i = 0; i < ROUNDS; i += 2) {
		const uint32_t *at = t + i / 2 % SETS * SET;
		_tile_loadd(4, at, 64);
		_tile_loadd(5, at + TILE, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
		_tile_loadd(6, at + 2 * TILE, 64);
		_tile_loadd(7, at + 3 * TILE, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
	}
	_tile_stored(0, t, 64);
	j->seconds = cpu_seconds() - start;
	j->sum = (float)t[0];
	_tile_release();
}
#endif

double avcu_peak_fma(avcu_pool *pool, int bf16) {
	enum { EACH = 16 }; /* tasks a thread */
	int tasks = EACH * avcu_threads(pool);
	struct fma *j = avcu_scratch(pool, avcu_threads(pool), (size_t)tasks * sizeof *j);
	bf16 = bf16 ? avcu_bf16(pool) : AVCU_NO_BF16;
	double each = avcu_isa(pool) >= AVCU_AVX512 ? 16 : avcu_isa(pool) == AVCU_AVX2 ? 8 : 4;
	each *= CHAINS * (bf16 ? 2 : 1);
#if defined(AVCU_AMX)
	if (bf16 == AVCU_AMX_BF16) {
		avcu_parallel(pool, tasks, amx_task, j);
		each = 4 * 16 * 16 * 32;
	} else
#endif
		CALL_ISA(pool, fma, pool, bf16, tasks, j);
	double best = j[0].seconds;
	for (int i = 1; i < tasks; i++)
		best = fmin(best, j[i].seconds);
	return 2.0 * ROUNDS * each * avcu_threads(pool) / best;
}

double avcu_peak_triad(avcu_pool *pool, float *a, const float *b, long n, long passes) {
	struct triad j = {a, b, n, avcu_threads(pool), passes};
	CALL_ISA(pool, triad, pool, &j);
	return 12.0 * (double)(n / (2 * j.parts) / 16 * 16 * 2 * j.parts) * (double)passes;
}

#else

/* t * x + y; with pairs the 32 bits of a lane are two bfloat16, whose products are both added to t. */
INLINE vf FN(step)(const int pairs, vf t, vf x, vf y) {
#if ISA == 2
	if (pairs)
		return (vf)_mm512_dpbf16_ps((__m512)t, (__m512bh)x, (__m512bh)y);
#endif
	(void)pairs;
	return vfma(t, x, y);
}

INLINE void FN(fma_run)(const int pairs, struct fma *j) {
	vf t[CHAINS], x = vset(0.999f), y = vset(1e-3f);
	for (int k = 0; k < CHAINS; k++)
		t[k] = vset((float)k);
	double start = cpu_seconds();
	for (long i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 12
		for (int k = 0; k < CHAINS; k++)
			t[k] = FN(step)(pairs, t[k], x, y);
	}
	for (int k = 1; k < CHAINS; k++)
		t[0] += t[k];
	j->sum = vsum(t[0]);
	j->seconds = cpu_seconds() - start;
}

static void FN(fma_task)(void *arg, long index, int worker) {
	(void)worker;
	FN(fma_run)(0, (struct fma *)arg + index);
}

static void FN(bf16_task)(void *arg, long index, int worker) {
	(void)worker;
	FN(fma_run)(1, (struct fma *)arg + index);
}

static void FN(fma)(avcu_pool *pool, int bf16, long tasks, struct fma *j) {
	avcu_parallel(pool, tasks, bf16 ? FN(bf16_task) : FN(fma_task), j);
}

/* Two places at once, as one alone does not keep memory busy. */
static void FN(triad_task)(void *arg, long index, int worker) {
	(void)worker;
	const struct triad *j = arg;
	long half = j->n / (2 * j->parts) / 16 * 16;
	float *a = j->a + 2 * half * index;
	const float *b = j->b + 2 * half * index;
	vf s = vset(1e-9f);
	for (long pass = 0; pass < j->passes; pass++)
		for (long i = 0; i < half; i += 16)
			for (long k = i; k < i + 16; k += VL) {
				vstore(a + k, vfma(s, vload(b + k), vload(a + k)));
				vstore(a + half + k, vfma(s, vload(b + half + k), vload(a + half + k)));
			}
}

static void FN(triad)(avcu_pool *pool, struct triad *j) { avcu_parallel(pool, j->parts, FN(triad_task), j); }

#endif
