/* Adam over n parameters (adam_rule.cuh), with every gradient multiplied by *scale, or by 1 where scale is null.
 * Launch: adam4 for whole groups of four at 16-byte boundaries, 256 threads of one group each; adam for one element each, from
 * index first on. Bound by memory: 28 bytes a parameter. */
#include "adam_rule.cuh"

#define PARAMETERS                                                                                                     \
	float *__restrict__ w, const float *__restrict__ g, float *__restrict__ m, float *__restrict__ v,                  \
	    const float *__restrict__ scale, float rate, float b1, float b2, float c1, float c2, float eps

KERNEL __launch_bounds__(256) adam4(long long groups, PARAMETERS) {
	const adam_rule r = {rate, b1, b2, c1, c2, eps};
	long long i = (long long)blockIdx.x * 256 + threadIdx.x;
	if (i >= groups)
		return;
	float s = scale ? *scale : 1.0f;
	float4 gi = load4(g + 4 * i), wi = load4(w + 4 * i), mi = load4(m + 4 * i), vi = load4(v + 4 * i);
	adam_step4(r, make_float4(gi.x * s, gi.y * s, gi.z * s, gi.w * s), wi, mi, vi);
	store4(w + 4 * i, wi);
	store4(m + 4 * i, mi);
	store4(v + 4 * i, vi);
}

KERNEL __launch_bounds__(256) adam(long long first, long long n, PARAMETERS) {
	const adam_rule r = {rate, b1, b2, c1, c2, eps};
	long long i = first + (long long)blockIdx.x * 256 + threadIdx.x;
	if (i >= n)
		return;
	float wi = w[i], mi = m[i], vi = v[i];
	adam_step(r, g[i] * (scale ? *scale : 1.0f), wi, mi, vi);
	w[i] = wi;
	m[i] = mi;
	v[i] = vi;
}
