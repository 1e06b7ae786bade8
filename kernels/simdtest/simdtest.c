//go:build cgo

/* The vector functions of simd.h over whole arrays, so that Go tests can hold each to its stated
 * accuracy. Lengths are multiples of the vector's. */
#ifndef ISA

#include "../cpu.h"
#include "simdtest.h"
#define SELF "simdtest/simdtest.c"
#include "../each_isa.h"

void avcu_simd_map(avcu_pool *pool, int f, const float *a, const float *b, const float *c, float *y, long n) {
	CALL_ISA(pool, simd_map, f, a, b, c, y, n);
}
void avcu_simd_sums(avcu_pool *pool, const float *x, float *y, long n) { CALL_ISA(pool, simd_sums, x, y, n); }
void avcu_simd_bytes(avcu_pool *pool, const unsigned char *x, float *y, long n) {
	CALL_ISA(pool, simd_bytes, x, y, n);
}
void avcu_simd_part(avcu_pool *pool, const float *x, float *whole, float *y, long k) {
	CALL_ISA(pool, simd_part, x, whole, y, k);
}
int avcu_simd_width(avcu_pool *pool) {
	int n = 0;
	CALL_ISA(pool, simd_width, &n);
	return n;
}

#else

#define EACH(expression)              \
	for (long i = 0; i < n; i += VL) {    \
		vf x = vload(a + i);              \
		vstore(y + i, expression);        \
	}                                     \
	break

static void FN(simd_map)(int f, const float *a, const float *b, const float *c, float *y, long n) {
	switch (f) {
	case SIMD_EXP: EACH(vexp(x));
	case SIMD_LOG: EACH(vlog(x));
	case SIMD_TANH: EACH(vtanh(x));
	case SIMD_SQRT: EACH(vsqrt(x));
	case SIMD_ROUND: EACH(vround(x));
	case SIMD_MAX: EACH(vmax(x, vload(b + i)));
	case SIMD_MIN: EACH(vmin(x, vload(b + i)));
	case SIMD_SEL: EACH(vsel(x < vset(0.0f), vload(b + i), vload(c + i)));
	case SIMD_FMA: EACH(vfma(x, vload(b + i), vload(c + i)));
	}
}

static void FN(simd_sums)(const float *x, float *y, long n) {
	for (long i = 0; i < n; i += VL)
		y[i / VL] = vsum(vload(x + i));
}

static void FN(simd_bytes)(const unsigned char *x, float *y, long n) {
	for (long i = 0; i < n; i += VL)
		vstore(y + i, vbytes(x + i));
}

static void FN(simd_part)(const float *x, float *whole, float *y, long k) {
	vf v = vloadn(x, k);
	vstore(whole, v);
	vstoren(y, v, k);
}

static void FN(simd_width)(int *n) { *n = VL; }

#undef EACH

#endif
