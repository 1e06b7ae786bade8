/* y[r,c] = (add ? y[r,c] : 0) + x[r,c] * f[r,c] with the factors f of a dropout mask (mask.cuh), for x and y [rows, cols] with
 * rows ldx and ldy apart. y may be x: each thread reads its elements before it writes them.
 * Launch: 256 threads; grid (blocks of columns, rows up to 65535: rows beyond follow in strides). Where `four` is set (cols, ldx,
 * ldy and the mask's first column are multiples of 4, x and y at 16-byte boundaries) a thread takes four columns of one draw,
 * and the kernel is bound by memory, 8 bytes an element; else it takes one, and is bound by the integer arithmetic of Philox. */
#include "mask.cuh"

KERNEL __launch_bounds__(256) dropout(const float *x, long long ldx, float *y, long long ldy, long long rows, unsigned cols, int add, int four, MASK_PARAMETERS) {
	const dropout_mask m = MASK;
	unsigned c = blockIdx.x * 256 + threadIdx.x;
	if (four) {
		if (c >= cols / 4)
			return;
		c *= 4;
		for (long long r = blockIdx.y; r < rows; r += gridDim.y) {
			float4 f = mask_of4(m, (unsigned)r, c), v = load4(x + r * ldx + c), a = make_float4(v.x * f.x, v.y * f.y, v.z * f.z, v.w * f.w);
			float *to = y + r * ldy + c;
			if (add) {
				float4 b = load4(to);
				a = make_float4(b.x + a.x, b.y + a.y, b.z + a.z, b.w + a.w);
			}
			store4(to, a);
		}
		return;
	}
	if (c >= cols)
		return;
	for (long long r = blockIdx.y; r < rows; r += gridDim.y) {
		float v = x[r * ldx + c] * mask_of(m, (unsigned)r, c);
		y[r * ldy + c] = add ? y[r * ldy + c] + v : v;
	}
}
