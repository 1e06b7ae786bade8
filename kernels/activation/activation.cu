/* tanh (0), ReLU (1) and sigmoid (2), element by element, for matrices [rows, cols] with rows ld apart; the twins of
 * activation.c:
 *   activation            y = act(x)
 *   activation_gradient   gx = (add ? gx : 0) + gy * act'(y),  act' = (1 - y)(1 + y),  y > 0,  y(1 - y)
 * y may be x, and gx may be gy: each thread reads its element before it writes it.
 * Launch: 256 threads, an element each; grid (ceil(cols/256), rows up to 65535: rows beyond follow in strides). Bound by
 * memory: 8 and 12 bytes an element. */
#include "../cuda.h"

DEVICE float act(int kind, float x) {
	if (kind == 0)
		return tanh_of(x);
	if (kind == 1)
		return x < 0.0f ? 0.0f : x; /* keeps a NaN */
	/* 1/(1+e^-x), and for negative x e^x/(1+e^x), which does not overflow and underflows gradually. */
	float e = exp_of(x < 0.0f ? x : -x);
	return (x < 0.0f ? e : 1.0f) / (e + 1.0f);
}

DEVICE float slope(int kind, float y, float gy) {
	if (kind == 0)
		return gy * ((1.0f - y) * (y + 1.0f));
	if (kind == 1)
		return y <= 0.0f ? 0.0f : y == y ? gy : y;
	return gy * (y * (1.0f - y));
}

KERNEL __launch_bounds__(256) activation(int kind, const float *x, long long ldx, float *y, long long ldy, long long rows, long long cols) {
	long long c = (long long)blockIdx.x * 256 + threadIdx.x;
	if (c >= cols)
		return;
	for (long long r = blockIdx.y; r < rows; r += gridDim.y)
		y[r * ldy + c] = act(kind, x[r * ldx + c]);
}

KERNEL __launch_bounds__(256) activation_gradient(int kind, const float *__restrict__ y, long long ldy, const float *gy, long long ldgy, float *gx, long long ldgx, long long rows, long long cols, int add) {
	long long c = (long long)blockIdx.x * 256 + threadIdx.x;
	if (c >= cols)
		return;
	for (long long r = blockIdx.y; r < rows; r += gridDim.y) {
		float g = slope(kind, y[r * ldy + c], gy[r * ldgy + c]);
		gx[r * ldgx + c] = add ? gx[r * ldgx + c] + g : g;
	}
}
