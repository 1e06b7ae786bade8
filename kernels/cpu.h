/* What the C kernels share, part 1: included once a file. A kernel NAME/NAME.c compiles itself once
 * for each instruction set:
 *
 *   #ifndef ISA
 *   #include "../cpu.h"
 *   #define SELF "NAME/NAME.c"
 *   #include "../each_isa.h"
 *   void avcu_NAME(avcu_pool *p, ...) { CALL_ISA(p, name_run, p, ...); }
 *   #else
 *   static void FN(name_run)(avcu_pool *p, ...) { ... vf, VL, vfma ... }
 *   #endif
 *
 * so one source serves AVX-512, AVX2 and plain C. Contraction is off (-std=c17): a fused multiply-add
 * is one that is written as such. Every output element sums its terms in one fixed order. */
#ifndef AVCU_CPU_H
#define AVCU_CPU_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../engine/host/pool.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* AMX's registers as all kernels use them: palette 1, all eight of 16 rows of 64 bytes. */
static const struct {
	uint8_t palette, start, unused[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
} avcu_tiles = {.palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

#define CALL_ISA(pool, name, ...)                            \
	do {                                                     \
		switch (avcu_isa(pool)) {                            \
		case AVCU_AVX512: name##_avx512(__VA_ARGS__); break; \
		case AVCU_AVX2: name##_avx2(__VA_ARGS__); break;     \
		default: name##_plain(__VA_ARGS__);                  \
		}                                                    \
	} while (0)
#else
#if defined(__aarch64__)
#include <arm_neon.h>
#endif
#define CALL_ISA(pool, name, ...) name##_plain(__VA_ARGS__)
#endif

static inline long avcu_min(long a, long b) { return a < b ? a : b; }
static inline long avcu_max(long a, long b) { return a > b ? a : b; }

/* Philox4x32-10, as engine.Philox4x32. */
static inline void avcu_philox(uint32_t c[4], uint32_t k0, uint32_t k1) {
	for (int i = 0; i < 10; i++) {
		uint64_t p0 = (uint64_t)c[0] * 0xD2511F53u, p1 = (uint64_t)c[2] * 0xCD9E8D57u;
		uint32_t a = (uint32_t)(p1 >> 32) ^ c[1] ^ k0, b = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
		c[0] = a, c[1] = (uint32_t)p1, c[2] = b, c[3] = (uint32_t)p0;
		k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
	}
}

#endif
