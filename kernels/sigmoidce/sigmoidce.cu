/* Sigmoid cross-entropy of logits z [B,K], rows ldz apart, with sparse labels, its gradient, and probabilities:
 *   each[b] = sum of softplus(z), or softplus(-z) for labels, softplus(x) = max(x,0) + log(1 + exp(-|x|))
 *   gz = sigmoid(z) * scale, or -sigmoid(-z) * scale for labels: nothing cancels however sure a right prediction is
 * Launch: a row a block of 256 threads; thread t takes classes t, t + 256, … In a span of 8,192 classes it has 32, whose
 * labels it finds by going through those of the row once, as bits of a word; a class named twice, or out of range, does no
 * harm. Sums: chains of 8 in float, those in double, then lanes and warps in order. 64 bytes of shared memory.
 * sigmoid_prob: 256 threads, a class each; grid (ceil(K/256), B up to 65535). Memory: 8 bytes a class. */
#include "../cuda.h"

/* 1/(1 + exp(-z)) from e = exp(-|z|), without overflow. */
DEVICE float sigmoid(float z, float e) { return (z < 0.0f ? e : 1.0f) / (1.0f + e); }

KERNEL __launch_bounds__(256) sigmoidce(const float *__restrict__ z, long long ldz, int k, const int *__restrict__ offsets, const int *__restrict__ labels, float *__restrict__ each, float *__restrict__ gz, long long ldg, float scale) {
	__shared__ double part[8];
	const int t = threadIdx.x;
	const long long row = blockIdx.x;
	z += row * ldz;
	const int first = offsets[row], last = offsets[row + 1];
	double sum = 0;
	for (int span = 0; span < k; span += 8192) {
		unsigned mine = 0;
		for (int l = first; l < last; l++) {
			int c = labels[l] - span;
			if (c >= 0 && c < 8192 && c % 256 == t)
				mine |= 1u << c / 256;
		}
		float chain = 0.0f;
		for (int i = 0; i < 32 && span + i * 256 + t < k; i++) {
			int c = span + i * 256 + t;
			bool label = mine >> i & 1;
			float x = label ? -z[c] : z[c], e = exp_of(-fabsf(x));
			chain += (x < 0.0f ? 0.0f : x) + log1p_unit(e);
			if (gz)
				gz[row * ldg + c] = sigmoid(x, e) * (label ? -scale : scale);
			if (i % 8 == 7) {
				sum += chain;
				chain = 0.0f;
			}
		}
		sum += chain;
	}
	sum = warp_sum(sum);
	if (t % 32 == 0)
		part[t / 32] = sum;
	__syncthreads();
	if (t > 0)
		return;
	for (int i = 1; i < 8; i++)
		sum += part[i];
	each[row] = (float)sum;
}

KERNEL __launch_bounds__(256) sigmoid_prob(const float *__restrict__ z, long long ldz, float *__restrict__ p, long long ldp, int rows, int k) {
	int c = blockIdx.x * 256 + threadIdx.x;
	if (c >= k)
		return;
	for (long long row = blockIdx.y; row < rows; row += gridDim.y) {
		float x = z[row * ldz + c];
		p[row * ldp + c] = sigmoid(x, exp_of(-fabsf(x)));
	}
}
