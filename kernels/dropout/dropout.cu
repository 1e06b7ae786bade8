/* y[r,c] = (add ? y[r,c] : 0) + x[r,c] * f[r,c] with the factors f of a dropout mask (mask.cuh), for x and y [rows, cols] with
 * rows ldx and ldy apart.
 * Launch: 256 threads, an element each; grid (ceil(cols/256), rows up to 65535: rows beyond follow in strides). Bound by the
 * integer arithmetic of Philox; the model drops inside kernels/shift, four elements a draw. */
#include "mask.cuh"

KERNEL __launch_bounds__(256) dropout(const float *__restrict__ x, long long ldx, float *__restrict__ y, long long ldy, long long rows, unsigned cols, int add, MASK_PARAMETERS) {
	const dropout_mask m = MASK;
	unsigned c = blockIdx.x * 256 + threadIdx.x;
	if (c >= cols)
		return;
	for (long long r = blockIdx.y; r < rows; r += gridDim.y) {
		float v = x[r * ldx + c] * mask_of(m, (unsigned)r, c);
		y[r * ldy + c] = add ? y[r * ldy + c] + v : v;
	}
}
