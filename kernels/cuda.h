/* The prelude of every .cu: one dialect for clang without an SDK, clang or nvcc with one, and NVRTC. All arithmetic is
 * rounded as written (no contraction: say fmaf where you mean it), and the special functions are built from fma, so that
 * every result is defined to the bit and equals that of the C twins in simd.h. */
#ifndef AVCU_CUDA_H
#define AVCU_CUDA_H

#if defined(__clang__) && defined(__CUDA__) && !defined(__CLANG_CUDA_RUNTIME_WRAPPER_H__)
#define AVCU_NO_SDK 1
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __forceinline__ __attribute__((always_inline)) inline
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define DEVICE static __attribute__((device, always_inline, unused)) inline

/* Special registers, read through properties as in CUDA. */
#define AVCU_REGISTER(S, P)                                                                    \
	struct avcu_##S {                                                                          \
		__declspec(property(get = gx)) unsigned x;                                             \
		__declspec(property(get = gy)) unsigned y;                                             \
		__declspec(property(get = gz)) unsigned z;                                             \
		static __attribute__((device, always_inline)) inline unsigned gx() { return P##_x(); } \
		static __attribute__((device, always_inline)) inline unsigned gy() { return P##_y(); } \
		static __attribute__((device, always_inline)) inline unsigned gz() { return P##_z(); } \
	}
AVCU_REGISTER(tid, __nvvm_read_ptx_sreg_tid);
AVCU_REGISTER(ctaid, __nvvm_read_ptx_sreg_ctaid);
AVCU_REGISTER(ntid, __nvvm_read_ptx_sreg_ntid);
AVCU_REGISTER(nctaid, __nvvm_read_ptx_sreg_nctaid);
extern const __attribute__((device, weak)) avcu_tid threadIdx;
extern const __attribute__((device, weak)) avcu_ctaid blockIdx;
extern const __attribute__((device, weak)) avcu_ntid blockDim;
extern const __attribute__((device, weak)) avcu_nctaid gridDim;

struct __attribute__((aligned(16))) float4 {
	float x, y, z, w;
};
DEVICE float4 make_float4(float x, float y, float z, float w) {
	float4 r = {x, y, z, w};
	return r;
}

/* Shuffles within a warp; __syncthreads is clang's own. */
DEVICE float __shfl_xor_sync(unsigned m, float v, int l) { return __nvvm_shfl_sync_bfly_f32(m, v, l, 0x1f); }
DEVICE int __shfl_xor_sync(unsigned m, int v, int l) { return __nvvm_shfl_sync_bfly_i32(m, v, l, 0x1f); }
DEVICE float __shfl_sync(unsigned m, float v, int l) { return __nvvm_shfl_sync_idx_f32(m, v, l, 0x1f); }
DEVICE int __shfl_sync(unsigned m, int v, int l) { return __nvvm_shfl_sync_idx_i32(m, v, l, 0x1f); }
DEVICE unsigned __ballot_sync(unsigned m, int p) { return __nvvm_vote_ballot_sync(m, p); }
DEVICE void __syncwarp(unsigned m = 0xffffffffu) { __nvvm_bar_warp_sync(m); }

DEVICE float fmaf(float a, float b, float c) { return __nvvm_fma_rn_f(a, b, c); }
DEVICE double fma(double a, double b, double c) { return __nvvm_fma_rn_d(a, b, c); }
DEVICE float fmaxf(float a, float b) { return __nvvm_fmax_f(a, b); }
DEVICE float fminf(float a, float b) { return __nvvm_fmin_f(a, b); }
DEVICE float fabsf(float a) { return __nvvm_fabs_f(a); }
DEVICE float sqrtf(float a) { return __nvvm_sqrt_rn_f(a); }
DEVICE double sqrt(double a) { return __nvvm_sqrt_rn_d(a); }
DEVICE int __float_as_int(float a) { return __builtin_bit_cast(int, a); }
DEVICE float __int_as_float(int a) { return __builtin_bit_cast(float, a); }
DEVICE unsigned __byte_perm(unsigned a, unsigned b, unsigned s) { return __nvvm_prmt(a, b, s); }
DEVICE unsigned __umulhi(unsigned a, unsigned b) { return __nvvm_mulhi_ui(a, b); }
DEVICE int __popc(unsigned a) { return __builtin_popcount(a); }

/* Four words in one access; clang would split one of a struct. */
typedef float avcu_v4f __attribute__((ext_vector_type(4)));
typedef unsigned avcu_v4u __attribute__((ext_vector_type(4)));
struct __attribute__((aligned(16))) uint4 {
	unsigned x, y, z, w;
};
DEVICE float4 load4(const float *p) {
	avcu_v4f v = *(const avcu_v4f *)p;
	return make_float4(v.x, v.y, v.z, v.w);
}
DEVICE void store4(float *p, float4 f) {
	avcu_v4f v = {f.x, f.y, f.z, f.w};
	*(avcu_v4f *)p = v;
}
DEVICE uint4 load4u(const void *p) {
	avcu_v4u v = *(const avcu_v4u *)p;
	uint4 r = {v.x, v.y, v.z, v.w};
	return r;
}
#else
#define DEVICE static __device__ __forceinline__
DEVICE float4 load4(const float *p) { return *(const float4 *)p; }
DEVICE void store4(float *p, float4 f) { *(float4 *)p = f; }
DEVICE uint4 load4u(const void *p) { return *(const uint4 *)p; }
#endif

#define KERNEL extern "C" __global__ void
#define FULL 0xffffffffu /* all lanes of a warp */
#define INFINITE __int_as_float(0x7f800000)

/* The nearest whole number, ties to even, for |a| < 2^22. */
DEVICE float round_even(float a) { return (a + 12582912.0f) - 12582912.0f; }

/* e^a to 2 ulp; the twin of vexp in simd.h, bit for bit. */
DEVICE float exp_of(float a) {
	float x = a < -104.0f ? -104.0f : a;
	x = x > 89.0f ? 89.0f : x;
	float n = round_even(x * 1.44269504088896341f);
	float r = fmaf(n, -0.693359375f, x);
	r = fmaf(n, 2.12194440e-4f, r);
	float y = 1.9841270e-4f;
	y = fmaf(y, r, 1.3888889e-3f);
	y = fmaf(y, r, 8.3333333e-3f);
	y = fmaf(y, r, 4.1666667e-2f);
	y = fmaf(y, r, 1.6666667e-1f);
	y = fmaf(y, r, 0.5f);
	y = fmaf(y * r, r, r) + 1.0f;
	int k = n == n ? (int)n : 0, half = k >> 1; /* 2^n in two factors, each a normal number */
	return y * __int_as_float((half + 127) << 23) * __int_as_float((k - half + 127) << 23);
}

/* Natural logarithm of a positive normal number, to 2 ulp; NaN and +Inf stay what they are; the twin of vlog. */
DEVICE float log_of(float a) {
	int bits = __float_as_int(a) - 0x3f3504f3;
	float e = (float)(bits >> 23);
	float m = __int_as_float((bits & 0x007fffff) + 0x3f3504f3);
	float f = m - 1.0f, s = f / (m + 1.0f), z = s * s;
	float p = 0.2222222f;
	p = fmaf(p, z, 0.2857143f);
	p = fmaf(p, z, 0.4f);
	p = fmaf(p, z, 0.6666667f);
	float l = f - s * (f - z * p);
	l = fmaf(e, 0.693359375f, fmaf(e, -2.12194440e-4f, l));
	return a < INFINITE ? l : a;
}

/* log(1 + e) for e in [0, 1], to 3 ulp however small e is: 2 atanh(e / (2 + e)) as a series. */
DEVICE float log1p_unit(float e) {
	float s = e / (e + 2.0f), q = s * s;
	float p = 1.0f / 15;
	p = fmaf(p, q, 1.0f / 13);
	p = fmaf(p, q, 1.0f / 11);
	p = fmaf(p, q, 1.0f / 9);
	p = fmaf(p, q, 1.0f / 7);
	p = fmaf(p, q, 1.0f / 5);
	p = fmaf(p, q, 1.0f / 3);
	return fmaf(p * q, s + s, s + s);
}

/* tanh a to 4 ulp; the twin of vtanh. */
DEVICE float tanh_of(float a) {
	float x = fabsf(a), z = a * a;
	float p = -5.70498872745e-3f;
	p = fmaf(p, z, 2.06390887954e-2f);
	p = fmaf(p, z, -5.37397155531e-2f);
	p = fmaf(p, z, 1.33314422036e-1f);
	p = fmaf(p, z, -3.33332819422e-1f);
	float small = fmaf(p * z, x, x);
	float large = 1.0f - 2.0f / (exp_of((x < 20.0f ? x : x != x ? x : 20.0f) * 2.0f) + 1.0f);
	return __int_as_float(__float_as_int(x < 0.625f ? small : large) | (__float_as_int(a) & (int)0x80000000));
}

/* A quantised feature as a float: q*4/255 + 4/512 - 2, rounded once. With p = q - 127 that is p*4/255 - 1/32640, and
 * 4/255 is 257/16384 + 1/4177920: the first part is exact, the rest too small for its rounding to show. */
DEVICE float dequantised(float q) {
	float p = q - 127.0f;
	return fmaf(p, 257.0f / 16384, fmaf(p, 1.0f / 4177920, -1.0f / 32640));
}

/* Byte i of four as a float, without a conversion: 2^23 + q has q in its low bits. */
DEVICE float byte_of(unsigned four, int i) { return __int_as_float((int)__byte_perm(four, 0x4b000000u, 0x7440 + i)) - 8388608.0f; }

/* Sums and maxima over the lanes of a warp, the same bits in every lane. */
DEVICE float warp_sum(float v) {
	for (int l = 16; l > 0; l >>= 1)
		v += __shfl_xor_sync(FULL, v, l);
	return v;
}
DEVICE float warp_max(float v) {
	for (int l = 16; l > 0; l >>= 1) {
		float o = __shfl_xor_sync(FULL, v, l);
		v = v > o || v != v ? v : o;
	}
	return v;
}
DEVICE double shuffle_double(double v, int l) {
	long long b = __builtin_bit_cast(long long, v);
	int lo = __shfl_xor_sync(FULL, (int)b, l), hi = __shfl_xor_sync(FULL, (int)(b >> 32), l);
	return __builtin_bit_cast(double, (long long)hi << 32 | (unsigned)lo);
}
DEVICE double warp_sum(double v) {
	for (int l = 16; l > 0; l >>= 1)
		v += shuffle_double(v, l);
	return v;
}

#endif
