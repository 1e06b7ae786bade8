/* x[r,k] = value(q[r,k]) with value(q) = q*scale + offset in double, rounded once, for q uint8 [rows, cols], rows ldq bytes
 * apart, and x float32, rows ldx apart.
 * Launch: 256 threads, four elements each; grid (ceil(cols/1024), rows up to 65535: rows beyond follow in strides).
 * The table of all 256 values lies in shared memory (1 KB). Bound by memory: 5 bytes an element. */
#include "../cuda.h"

KERNEL __launch_bounds__(256) dequantise(const unsigned char *__restrict__ q, long long ldq, float *__restrict__ x, long long ldx, long long rows, int cols, double scale, double offset) {
	__shared__ float table[256];
	table[threadIdx.x] = (float)((double)threadIdx.x * scale + offset);
	__syncthreads();
	for (long long r = blockIdx.y; r < rows; r += gridDim.y)
		for (int i = 0; i < 4; i++) {
			int k = blockIdx.x * 1024 + i * 256 + threadIdx.x;
			if (k < cols)
				x[r * ldx + k] = table[q[r * ldq + k]];
		}
}
