/* y[i] = exp_of (0), log_of (1) or tanh_of (2) of a[i], i < n; 256 threads, one element each. For tests of the prelude. */
#include "../cuda.h"

KERNEL __launch_bounds__(256) simdtest(int f, const float *__restrict__ a, float *__restrict__ y, int n) {
	int i = blockIdx.x * 256 + threadIdx.x;
	if (i < n)
		y[i] = f == 0 ? exp_of(a[i]) : f == 1 ? log_of(a[i]) : tanh_of(a[i]);
}
