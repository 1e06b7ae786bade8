/* C[m,n] = sum_k A[k,m] B[k,n] in float32, one fma after another in the order of k; m and n multiples of 128, k of 8.
 * The measure of the virtual machine's speed. Launch: 256 threads, grid (n/128, m/128). Compile it as kernels/compile.sh
 * does the kernels. */
#include "../../../kernels/cuda.h"

KERNEL __launch_bounds__(256) sgemm(const float *__restrict__ a, const float *__restrict__ b, float *__restrict__ c, int m, int n, int k) {
	__shared__ float as[8][128], bs[8][128];
	int t = threadIdx.x, tx = t & 15, ty = t >> 4, row = blockIdx.y * 128, col = blockIdx.x * 128;
	int r = t >> 5, at = (t & 31) * 4;
	float sum[8][8];
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 8; j++)
			sum[i][j] = 0;
	for (int k0 = 0; k0 < k; k0 += 8) {
		float4 x = load4(a + (long long)(k0 + r) * m + row + at), y = load4(b + (long long)(k0 + r) * n + col + at);
		__syncthreads();
		store4(&as[r][at], x);
		store4(&bs[r][at], y);
		__syncthreads();
#pragma unroll
		for (int s = 0; s < 8; s++) {
			float4 p = load4(&as[s][ty * 4]), q = load4(&as[s][64 + ty * 4]);
			float4 u = load4(&bs[s][tx * 4]), v = load4(&bs[s][64 + tx * 4]);
			float f[8] = {p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w}, g[8] = {u.x, u.y, u.z, u.w, v.x, v.y, v.z, v.w};
#pragma unroll
			for (int i = 0; i < 8; i++)
#pragma unroll
				for (int j = 0; j < 8; j++)
					sum[i][j] = fmaf(f[i], g[j], sum[i][j]);
		}
	}
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 8; j += 4)
			store4(c + (long long)(row + (i & 4) * 16 + ty * 4 + (i & 3)) * n + col + (j & 4) * 16 + tx * 4, make_float4(sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]));
}
