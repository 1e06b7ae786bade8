#include "../../engine/host/pool.h"

/* Functions of one, two and three vectors, in the order of the constants of simdtest.go. */
enum { SIMD_EXP, SIMD_LOG, SIMD_TANH, SIMD_SQRT, SIMD_ROUND, SIMD_MAX, SIMD_MIN, SIMD_SEL, SIMD_FMA };

void avcu_simd_map(avcu_pool *pool, int f, const float *a, const float *b, const float *c, float *y, long n);
void avcu_simd_sums(avcu_pool *pool, const float *x, float *y, long n);
void avcu_simd_bytes(avcu_pool *pool, const unsigned char *x, float *y, long n);
void avcu_simd_part(avcu_pool *pool, const float *x, float *whole, float *y, long k);
int avcu_simd_width(avcu_pool *pool);
