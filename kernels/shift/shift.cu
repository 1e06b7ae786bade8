/* Shifting operation, L2 norm, division by sqrt(C) and dropout, for v [B,C,D] and y [B,C*D] with rows ldy apart:
 *   u = alpha_i * v + beta_i,  norm = 1 / sqrt(sum u^2 + 1e-12) / sqrt(C),  y = u * norm * f
 * where f is the dropout factor of the element (dropout/mask.cuh). With g = gy * f and t = C * norm^2 * sum(g * u):
 *   gu = norm * (g - t * u),  gv = alpha_i * gu,  galpha_i = sum_b sum_d gu * v,  gbeta_i = sum_b sum_d gu
 *
 * shift_forward, shift_backward: a warp a unit (b, i), 8 units a block of 256 threads, ceil(B*C/8) blocks. Where `four` is set
 * (D at most 1,024 and a multiple of 4, everything at 16-byte boundaries) lane l holds elements 128*j + 4*l to +3, j < 8, in
 * registers between the two passes, and the mask is drawn once for four; else lane l takes elements 32*j + l and reads them
 * twice. A lane's sum is one chain, at most D/32 terms up to 1,024 elements and restarted and added every 1,024; lanes are
 * folded by a butterfly. A sum of squares that leaves float is taken again in double.
 * Units leave their parts of galpha and gbeta in work [2,B,C]; shift_columns adds those over b: 32 columns a block, 32 rows of
 * threads that take every 32nd video, folded in order, in double.
 * Bound by memory: forward moves 8 bytes an element, backward 12. No shared memory but shift_columns' 8 KB. */
#include "../dropout/mask.cuh"

enum { GROUPS = 8, SPAN = 1024 };

#define AT(j) (128 * (j) + 4 * lane)

/* 1 / sqrt(sum u^2 + 1e-12) / root; sum again in double where it is no finite float. */
DEVICE float norm_of(float sum, const float *__restrict__ v, float alpha, float beta, int d, int lane, float root) {
	if (sum <= 3.402823466e38f)
		return 1.0f / sqrtf(sum + 1e-12f) / root;
	double s = 0;
	for (int k = lane; k < d; k += 32) {
		double u = (double)alpha * v[k] + beta;
		s += u * u;
	}
	return (float)(1 / sqrt(warp_sum(s) + 1e-12) / root);
}

DEVICE float square4(float4 x, float alpha, float beta, float s) {
	float a = fmaf(alpha, x.x, beta), b = fmaf(alpha, x.y, beta), c = fmaf(alpha, x.z, beta), d = fmaf(alpha, x.w, beta);
	return fmaf(d, d, fmaf(c, c, fmaf(b, b, fmaf(a, a, s))));
}

KERNEL __launch_bounds__(256) shift_forward(const float *__restrict__ v, const float *__restrict__ alphas, const float *__restrict__ betas, float *__restrict__ y, long long ldy, float *__restrict__ norms, int videos, int units, int d, float root, int four, MASK_PARAMETERS) {
	const dropout_mask m = MASK;
	int lane = threadIdx.x % 32;
	long long unit = (long long)blockIdx.x * 8 + threadIdx.x / 32;
	if (unit >= (long long)videos * units)
		return;
	int b = (int)(unit / units), i = (int)(unit % units);
	float alpha = alphas[i], beta = betas[i];
	v += unit * d;
	y += b * ldy + (long long)i * d;
	unsigned column = (unsigned)i * d;
	if (four) {
		float4 x[GROUPS];
		float s = 0.0f;
#pragma unroll
		for (int j = 0; j < GROUPS; j++)
			if (AT(j) < d) {
				x[j] = load4(v + AT(j));
				s = square4(x[j], alpha, beta, s);
			}
		float norm = norm_of(warp_sum(s), v, alpha, beta, d, lane, root);
		if (lane == 0)
			norms[unit] = norm;
#pragma unroll
		for (int j = 0; j < GROUPS; j++)
			if (AT(j) < d) {
				float4 f = mask_of4(m, b, column + AT(j));
				store4(y + AT(j), make_float4(fmaf(alpha, x[j].x, beta) * norm * f.x, fmaf(alpha, x[j].y, beta) * norm * f.y,
				                              fmaf(alpha, x[j].z, beta) * norm * f.z, fmaf(alpha, x[j].w, beta) * norm * f.w));
			}
		return;
	}
	float sum = 0.0f;
	for (int from = 0; from < d; from += SPAN) {
		float s = 0.0f;
		for (int k = from + lane; k < d && k < from + SPAN; k += 32) {
			float u = fmaf(alpha, v[k], beta);
			s = fmaf(u, u, s);
		}
		sum += s;
	}
	float norm = norm_of(warp_sum(sum), v, alpha, beta, d, lane, root);
	if (lane == 0)
		norms[unit] = norm;
	for (int k = lane; k < d; k += 32)
		y[k] = fmaf(alpha, v[k], beta) * norm * mask_of(m, b, column + k);
}

/* What the gradient of a unit needs, and its parts of the two sums. */
struct unit_gradient {
	float alpha, beta, norm, t, galpha, gbeta;
};

DEVICE float gradient_of(unit_gradient &q, float x, float g) {
	float gu = q.norm * (g - q.t * fmaf(q.alpha, x, q.beta));
	q.galpha = fmaf(gu, x, q.galpha);
	q.gbeta += gu;
	return q.alpha * gu;
}

KERNEL __launch_bounds__(256) shift_backward(const float *__restrict__ v, const float *__restrict__ alphas, const float *__restrict__ betas, const float *__restrict__ norms, const float *__restrict__ gy, long long ldy, float *__restrict__ gv, float *__restrict__ work, int videos, int units, int d, int four, MASK_PARAMETERS) {
	const dropout_mask m = MASK;
	int lane = threadIdx.x % 32;
	long long unit = (long long)blockIdx.x * 8 + threadIdx.x / 32;
	if (unit >= (long long)videos * units)
		return;
	int b = (int)(unit / units), i = (int)(unit % units);
	unit_gradient q = {alphas[i], betas[i], norms[unit], 0.0f, 0.0f, 0.0f};
	v += unit * d;
	gv += unit * d;
	gy += b * ldy + (long long)i * d;
	unsigned column = (unsigned)i * d;
	if (four) {
		float4 x[GROUPS], g[GROUPS];
		float dot = 0.0f;
#pragma unroll
		for (int j = 0; j < GROUPS; j++)
			if (AT(j) < d) {
				float4 f = mask_of4(m, b, column + AT(j)), e = load4(gy + AT(j));
				x[j] = load4(v + AT(j));
				g[j] = make_float4(e.x * f.x, e.y * f.y, e.z * f.z, e.w * f.w);
				dot = fmaf(g[j].x, fmaf(q.alpha, x[j].x, q.beta), dot);
				dot = fmaf(g[j].y, fmaf(q.alpha, x[j].y, q.beta), dot);
				dot = fmaf(g[j].z, fmaf(q.alpha, x[j].z, q.beta), dot);
				dot = fmaf(g[j].w, fmaf(q.alpha, x[j].w, q.beta), dot);
			}
		q.t = warp_sum(dot) * q.norm * q.norm * units;
#pragma unroll
		for (int j = 0; j < GROUPS; j++)
			if (AT(j) < d) {
				float4 r;
				r.x = gradient_of(q, x[j].x, g[j].x);
				r.y = gradient_of(q, x[j].y, g[j].y);
				r.z = gradient_of(q, x[j].z, g[j].z);
				r.w = gradient_of(q, x[j].w, g[j].w);
				store4(gv + AT(j), r);
			}
	} else {
		float dot = 0.0f;
		for (int from = 0; from < d; from += SPAN) {
			float s = 0.0f;
			for (int k = from + lane; k < d && k < from + SPAN; k += 32)
				s = fmaf(gy[k] * mask_of(m, b, column + k), fmaf(q.alpha, v[k], q.beta), s);
			dot += s;
		}
		q.t = warp_sum(dot) * q.norm * q.norm * units;
		for (int k = lane; k < d; k += 32)
			gv[k] = gradient_of(q, v[k], gy[k] * mask_of(m, b, column + k));
	}
	float galpha = warp_sum(q.galpha), gbeta = warp_sum(q.gbeta);
	if (lane == 0) {
		work[unit] = galpha;
		work[(long long)videos * units + unit] = gbeta;
	}
}

/* Grid (ceil(C/32), 2): galpha and gbeta of 32 units; 1,024 threads. */
KERNEL __launch_bounds__(1024) shift_columns(const float *__restrict__ work, float *__restrict__ galpha, float *__restrict__ gbeta, int videos, int units, int add) {
	__shared__ double part[32][32];
	int column = threadIdx.x % 32, row = threadIdx.x / 32, i = blockIdx.x * 32 + column;
	double s = 0;
	if (i < units)
		for (int b = row; b < videos; b += 32)
			s += work[((long long)blockIdx.y * videos + b) * units + i];
	part[row][column] = s;
	__syncthreads();
	if (row > 0 || i >= units)
		return;
	for (int k = 1; k < 32; k++)
		s += part[k][column];
	float *g = blockIdx.y ? gbeta : galpha;
	g[i] = (float)(add ? g[i] + s : s);
}
