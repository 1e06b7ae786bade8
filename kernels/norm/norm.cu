/* out[0] = sqrt(sum of g[i]^2), out[1] = min(1, clip / out[0]); NaN where out[0] is no finite float. A float's square is exact
 * in double.
 * norm_squares: a block of 256 threads sums 65,536 elements, thread t every 256th from t on, folded by lanes and warps (64
 * bytes of shared memory); ceil(n/65536) blocks, a double each. norm_join: one block of 256 threads adds those, thread t every
 * 256th, folded the same way. Bound by memory (4 bytes an element), closely followed by double arithmetic. */
#include "../cuda.h"

enum { BLOCK = 65536 };

/* The sum over the block's 256 threads, in thread 0: lanes by a butterfly, then warps in order. */
DEVICE double fold(double s) {
	__shared__ double part[8];
	s = warp_sum(s);
	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = s;
	__syncthreads();
	for (int i = 1; threadIdx.x == 0 && i < 8; i++)
		s += part[i];
	return s;
}

KERNEL __launch_bounds__(256) norm_squares(const float *__restrict__ g, long long n, double *__restrict__ part) {
	long long to = (blockIdx.x + 1LL) * BLOCK < n ? (blockIdx.x + 1LL) * BLOCK : n;
	double s = 0;
	for (long long i = (long long)blockIdx.x * BLOCK + threadIdx.x; i < to; i += 256)
		s = fma((double)g[i], (double)g[i], s);
	s = fold(s);
	if (threadIdx.x == 0)
		part[blockIdx.x] = s;
}

KERNEL __launch_bounds__(256) norm_join(const double *__restrict__ part, int blocks, double clip, float *__restrict__ out) {
	double s = 0;
	for (int i = threadIdx.x; i < blocks; i += 256)
		s += part[i];
	s = fold(s);
	if (threadIdx.x > 0)
		return;
	double length = sqrt(s);
	float rounded = (float)length;
	out[0] = rounded;
	out[1] = !(rounded <= 3.402823466e38f) ? __int_as_float(0x7fc00000) : clip > 0 && length > clip ? (float)(clip / length) : 1.0f;
}
