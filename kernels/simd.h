/* What the C kernels share, part 2: vectors of the instruction set ISA. No include guard: each_isa.h
 * includes it once a set, and every name carries the set's suffix.
 *
 *   VL        floats in a vector: 16, 8 or 4
 *   vf, vi    vectors of VL floats, of VL int32; + - * / and comparisons (which give -1 or 0 in a vi)
 *             are the compiler's own vector operators
 */
#undef VL
#undef FN
#if ISA == 2
#define VL 16
#define FN(name) name##_avx512
#elif ISA == 1
#define VL 8
#define FN(name) name##_avx2
#else
#define VL 4
#define FN(name) name##_plain
#endif

#undef INLINE
#define INLINE static inline __attribute__((always_inline, unused))

typedef float FN(vf_t) __attribute__((vector_size(VL * 4)));
typedef int32_t FN(vi_t) __attribute__((vector_size(VL * 4)));
typedef uint8_t FN(vb_t) __attribute__((vector_size(VL)));
typedef double FN(vd_t) __attribute__((vector_size(VL * 4))); /* VL / 2 doubles */
typedef float FN(vfu_t) __attribute__((vector_size(VL * 4), aligned(1), may_alias));
typedef int32_t FN(viu_t) __attribute__((vector_size(VL * 4), aligned(1), may_alias));
typedef uint8_t FN(vbu_t) __attribute__((vector_size(VL), aligned(1), may_alias));

#undef vf
#undef vi
#undef vb
#define vf FN(vf_t)
#define vi FN(vi_t)
#define vb FN(vb_t)

#undef vload
#undef vstore
#undef vset
#undef vfma
#undef vsel
#undef vmax
#undef vmin
#undef vsqrt
#undef vexp
#undef vlog
#undef vtanh
#undef vsum
#undef vloadn
#undef vstoren
#undef vbytes
#undef vround
#define vload FN(vload_f)
#define vstore FN(vstore_f)
#define vset FN(vset_f)
#define vfma FN(vfma_f)
#define vsel FN(vsel_f)
#define vmax FN(vmax_f)
#define vmin FN(vmin_f)
#define vsqrt FN(vsqrt_f)
#define vexp FN(vexp_f)
#define vlog FN(vlog_f)
#define vtanh FN(vtanh_f)
#define vsum FN(vsum_f)
#define vloadn FN(vloadn_f)
#define vstoren FN(vstoren_f)
#define vbytes FN(vbytes_f)
#define vround FN(vround_f)

INLINE vf vload(const float *p) { return *(const FN(vfu_t) *)p; }
INLINE void vstore(float *p, vf v) { *(FN(vfu_t) *)p = v; }
INLINE vf vset(float x) { return x - (vf){0}; }

/* The first n < VL floats; the other lanes are 0. */
INLINE vf vloadn(const float *p, long n) {
	float t[VL] = {0};
	memcpy(t, p, (size_t)n * 4);
	return vload(t);
}
INLINE void vstoren(float *p, vf v, long n) {
	float t[VL];
	vstore(t, v);
	memcpy(p, t, (size_t)n * 4);
}

/* VL unsigned bytes as floats. */
INLINE vf vbytes(const uint8_t *p) {
#if ISA == 2
	return (vf)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
#elif ISA == 1
	return (vf)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
#else
	return __builtin_convertvector(__builtin_convertvector(*(const FN(vbu_t) *)p, vi), vf);
#endif
}

/* a*b + c, rounded once where the set can: plain x86-64 has no such instruction and rounds twice. */
INLINE vf vfma(vf a, vf b, vf c) {
#if ISA == 2
	return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif ISA == 1
	return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
	return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
	return a * b + c;
#endif
}

/* Lane by lane, a where mask is -1, b where it is 0. */
INLINE vf vsel(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
INLINE vf vmax(vf a, vf b) { return vsel(a < b, b, a); } /* a NaN in a stays */
INLINE vf vmin(vf a, vf b) { return vsel(a > b, b, a); }
INLINE vf vsqrt(vf a) {
#if ISA == 2
	return (vf)_mm512_sqrt_ps((__m512)a);
#elif ISA == 1
	return (vf)_mm256_sqrt_ps((__m256)a);
#elif defined(__x86_64__)
	return (vf)_mm_sqrt_ps((__m128)a);
#else
	for (int i = 0; i < VL; i++)
		a[i] = sqrtf(a[i]);
	return a;
#endif
}

/* The sum of all lanes, halves folded onto each other. */
INLINE float vsum(vf a) {
	float t[VL];
	vstore(t, a);
	for (int h = VL / 2; h > 0; h /= 2)
		for (int i = 0; i < h; i++)
			t[i] += t[i + h];
	return t[0];
}

/* To the nearest integer, ties to even, for |a| < 2^22. */
INLINE vf vround(vf a) {
	const vf magic = vset(12582912.0f); /* 1.5 * 2^23 */
	return (a + magic) - magic;
}

/* e^a to 2 ulp; +Inf above 88.73, gradual underflow to 0 below -87.3, NaN stays NaN. Range reduction
 * by ln 2 in two parts (Cody and Waite), then a polynomial of degree 7 on |r| <= ln 2 / 2. */
INLINE vf vexp(vf a) {
	vf x = vmin(vmax(a, vset(-104.0f)), vset(89.0f));
	vf n = vround(x * 1.44269504088896341f);
	vf r = vfma(n, vset(-0.693359375f), x);
	r = vfma(n, vset(2.12194440e-4f), r);
	vf y = vset(1.9841270e-4f);
	y = vfma(y, r, vset(1.3888889e-3f));
	y = vfma(y, r, vset(8.3333333e-3f));
	y = vfma(y, r, vset(4.1666667e-2f));
	y = vfma(y, r, vset(1.6666667e-1f));
	y = vfma(y, r, vset(0.5f));
	y = vfma(y * r, r, r) + 1.0f;
	/* 2^n in two factors, each a normal number; n of a NaN is whatever, and y is NaN. */
	vi k = __builtin_convertvector(vsel(n == n, n, vset(0.0f)), vi), half = k >> 1;
	return y * (vf)((half + 127) << 23) * (vf)((k - half + 127) << 23);
}

/* Natural logarithm of a positive normal number, to 2 ulp; NaN and +Inf stay what they are. a = 2^e * m
 * with m in [sqrt(1/2), sqrt(2)), and log m = 2 atanh s = 2s + 2s^3/3 + ... with s = (m-1)/(m+1). */
INLINE vf vlog(vf a) {
	vi bits = (vi)a - 0x3f3504f3;
	vf e = __builtin_convertvector(bits >> 23, vf);
	vf m = (vf)((bits & 0x007fffff) + 0x3f3504f3);
	vf f = m - 1.0f, s = f / (m + 1.0f), z = s * s;
	vf p = vset(0.2222222f); /* 2/9 */
	p = vfma(p, z, vset(0.2857143f));
	p = vfma(p, z, vset(0.4f));
	p = vfma(p, z, vset(0.6666667f));
	/* 2s = f - s*f, so log m = f - s*(f - z*p) without losing what f holds. */
	vf l = f - s * (f - z * p);
	l = vfma(e, vset(0.693359375f), vfma(e, vset(-2.12194440e-4f), l));
	return vsel(a < vset(INFINITY), l, a);
}

/* tanh a to 4 ulp: an odd polynomial below 0.625, else 1 - 2/(e^2|a| + 1) with a's sign. */
INLINE vf vtanh(vf a) {
	const vi sign = (vi)vset(-0.0f);
	vf x = (vf)((vi)a & ~sign), z = a * a;
	vf p = vset(-5.70498872745e-3f);
	p = vfma(p, z, vset(2.06390887954e-2f));
	p = vfma(p, z, vset(-5.37397155531e-2f));
	p = vfma(p, z, vset(1.33314422036e-1f));
	p = vfma(p, z, vset(-3.33332819422e-1f));
	vf small = vfma(p * z, x, x);
	vf large = 1.0f - 2.0f / (vexp(vmin(x, vset(20.0f)) * 2.0f) + 1.0f);
	return (vf)((vi)vsel(x < vset(0.625f), small, large) | ((vi)a & sign)); /* -0 stays -0 */
}
