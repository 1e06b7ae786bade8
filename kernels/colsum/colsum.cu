/* sum[c] = (add ? sum[c] : 0) + sum over r of x[r,c], for x [rows, cols] with rows ld apart.
 * Eight rows at a time are added in pairs in float, ((x0+x1)+(x2+x3))+((x4+x5)+(x6+x7)), and that in double; rows left over
 * one by one. A block of 256 threads sums `high` rows (a multiple of 64) of 32 columns: its 8 rows of threads take every
 * eighth group of eight, and are folded in order. Grid (ceil(cols/32), ceil(rows/high)).
 * With one row of blocks that is the result; else blocks leave doubles in part [blocks, cols] and colsum_join adds them in
 * order, one thread a column. 2 KB of shared memory. Bound by memory: 4 bytes an element. */
#include "../cuda.h"

DEVICE void colsum_put(float *sum, int add, int c, double s) { sum[c] = (float)(add ? sum[c] + s : s); }

KERNEL __launch_bounds__(256) colsum(const float *__restrict__ x, long long ld, long long rows, int cols, long long high, double *__restrict__ part, float *__restrict__ sum, int add) {
	__shared__ double fold[8][32];
	int lane = threadIdx.x % 32, row = threadIdx.x / 32, c = blockIdx.x * 32 + lane;
	long long to = (blockIdx.y + 1) * high < rows ? (blockIdx.y + 1) * high : rows;
	double s = 0;
	if (c < cols)
		for (long long r = blockIdx.y * high + 8 * row; r < to; r += 64) {
			const float *p = x + r * ld + c;
			if (r + 8 <= to)
				s += ((p[0] + p[ld]) + (p[2 * ld] + p[3 * ld])) + ((p[4 * ld] + p[5 * ld]) + (p[6 * ld] + p[7 * ld]));
			else
				for (long long k = 0; k < to - r; k++)
					s += p[k * ld];
		}
	fold[row][lane] = s;
	__syncthreads();
	if (row > 0 || c >= cols)
		return;
	for (int k = 1; k < 8; k++)
		s += fold[k][lane];
	if (part)
		part[(long long)blockIdx.y * cols + c] = s;
	else
		colsum_put(sum, add, c, s);
}

KERNEL __launch_bounds__(256) colsum_join(const double *__restrict__ part, int blocks, int cols, float *__restrict__ sum, int add) {
	int c = blockIdx.x * 256 + threadIdx.x;
	if (c >= cols)
		return;
	double s = 0;
	for (int b = 0; b < blocks; b++)
		s += part[(long long)b * cols + c];
	colsum_put(sum, add, c, s);
}
