/* What becomes of finished sums of a product: bias, activation or its derivative, and the sink. */
#ifndef AVCU_PRODUCT_EPILOGUE_CUH
#define AVCU_PRODUCT_EPILOGUE_CUH

#include "../adam/adam_rule.cuh"

enum { IDENTITY = 0, TANH = 1, RELU = 2 };
enum { STORE = 0, ADD = 1, STEP = 2 };

/* Where sums go; bias and y may be null. The moments' rows lie as c's. */
struct output {
	int m, n;
	float *c;
	long long ldc;
	const float *bias; /* [n] */
	const float *y;    /* [m,n]: times the derivative of act at output y */
	long long ldy;
	int act, sink;
	int quads; /* every fourth element of each row is at a 16-byte boundary, in all of them */
	float *m1, *m2;
	adam_rule rule;
};

/* The value of a sum, given its bias (0 for none) and, if there is one, its output y. */
DEVICE float activated(const output &o, float sum, float bias, float y) {
	if (o.bias)
		sum += bias;
	if (o.y) {
		if (o.act == TANH)
			sum *= fmaf(-y, y, 1.0f);
		else if (o.act == RELU) /* a NaN in y gives NaN */
			sum *= y > 0.0f ? 1.0f : y <= 0.0f ? 0.0f : y;
	} else if (o.act == TANH) {
		sum = tanh_of(sum);
	} else if (o.act == RELU) {
		sum = sum < 0.0f ? 0.0f : sum;
	}
	return sum;
}

/* Element (i, j). */
DEVICE void finish(const output &o, long long i, int j, float sum) {
	float v = activated(o, sum, o.bias ? o.bias[j] : 0.0f, o.y ? o.y[i * o.ldy + j] : 0.0f);
	long long at = i * o.ldc + j;
	if (o.sink == STEP)
		adam_step(o.rule, v, o.c[at], o.m1[at], o.m2[at]);
	else
		o.c[at] = o.sink == ADD ? o.c[at] + v : v;
}

/* Elements (i, j) to (i, j+3) for j a multiple of 4; those beyond the last column are left out. */
DEVICE void finish4(const output &o, long long i, int j, float4 sum) {
	if (!o.quads || j + 4 > o.n) {
#pragma unroll 1
		for (int e = 0; e < 4 && j + e < o.n; e++) {
			finish(o, i, j + e, sum.x);
			sum.x = sum.y, sum.y = sum.z, sum.z = sum.w;
		}
		return;
	}
	const float4 none = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
	float4 b = o.bias ? load4(o.bias + j) : none, y = o.y ? load4(o.y + i * o.ldy + j) : none;
	long long at = i * o.ldc + j;
	float4 c = o.sink == STORE ? none : load4(o.c + at);
	float4 v = make_float4(activated(o, sum.x, b.x, y.x), activated(o, sum.y, b.y, y.y), activated(o, sum.z, b.z, y.z),
	                       activated(o, sum.w, b.w, y.w));
	if (o.sink == STEP) {
		float4 m = load4(o.m1 + at), s = load4(o.m2 + at);
		adam_step4(o.rule, v, c, m, s);
		store4(o.m1 + at, m);
		store4(o.m2 + at, s);
		store4(o.c + at, c);
		return;
	}
	if (o.sink == ADD)
		v = make_float4(c.x + v.x, c.y + v.y, c.z + v.z, c.w + v.w);
	store4(o.c + at, v);
}

#endif
