/* Softmax cross-entropy of logits z [B,K], rows ldz apart, with one label a row, and its gradient; without labels the softmax.
 * With top the largest logit, e = exp(z - top) and S = 1 + R the sum of e over the row:
 *   each[b] = log(1 + R) - (z[label] - top),  gz = e / S * scale, at the label -(S - e) / S * scale
 * R is what is left of the loss of a sure and right prediction, so S is summed in double.
 * Launch: a row a block of 256 threads; thread t takes classes t, t + 256, … and leaves e in gz between the two passes. Lanes
 * and warps are folded in order. 96 bytes of shared memory. A row without a label, or with one out of range, has loss 0 and
 * the gradient of none. Memory: 20 bytes a class, of which 12 stay in cache where the rows at work fit into it. */
#include "../cuda.h"

/* log(1 + r), r >= 0, to 4 ulp however small r is. */
DEVICE float log_one_plus(double r) { return r > 1 ? log_of((float)(1 + r)) : log1p_unit((float)r); }

KERNEL __launch_bounds__(256) softmaxce(const float *__restrict__ z, long long ldz, int k, const int *__restrict__ offsets, const int *__restrict__ labels, float *__restrict__ each, float *__restrict__ gz, long long ldg, float scale) {
	__shared__ float tops[8];
	__shared__ double sums[8];
	const int t = threadIdx.x;
	const long long row = blockIdx.x;
	z += row * ldz;
	float *g = gz ? gz + row * ldg : gz;
	float top = -INFINITE;
	for (int c = t; c < k; c += 256)
		top = z[c] > top || z[c] != z[c] ? z[c] : top;
	top = warp_max(top);
	if (t % 32 == 0)
		tops[t / 32] = top;
	__syncthreads();
	for (int i = 0; i < 8; i++)
		top = tops[i] > top || tops[i] != tops[i] ? tops[i] : top;
	double sum = 0;
	for (int c = t; c < k; c += 256) {
		float e = exp_of(z[c] - top);
		sum += e;
		if (g)
			g[c] = e;
	}
	sum = warp_sum(sum);
	if (t % 32 == 0)
		sums[t / 32] = sum;
	__syncthreads();
	sum = sums[0];
	for (int i = 1; i < 8; i++)
		sum += sums[i];
	int label = -1;
	if (labels && offsets[row] < offsets[row + 1])
		label = labels[offsets[row]];
	float by = (float)(scale / sum);
	if (g)
		for (int c = t; c < k; c += 256)
			g[c] = c == label ? (float)(-(sum - g[c]) / sum * scale) : g[c] * by;
	if (each && t == 0)
		each[row] = label < 0 || label >= k ? 0.0f : log_one_plus(sum - 1) - (z[label] - top);
}
