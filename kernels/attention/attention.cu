/* Attention units over the frames of videos (attention.go): x [B,L,D] features, bytes or floats, rows ldx apart; w [C,D]; a and
 * gs [B,L,C] unpadded; v [B,C,D].
 *
 *   attention_scores_*   s[f,i] = x[f,:]·w[i,:] (+ c[i]) for the frames f of a group, with that group's w: all frames against
 *                        the units' weights forward, each video's frames against its own gv backward
 *   attention_softmax    a = softmax over the frames of a video, in place
 *   attention_gradient   gs = a * (g - sum_l a * g), g in gs on entry
 *   attention_pool_*     v[g,i,:] = sum over the frames f of group g of a[f,i] * x[f,:]: a video forward, some of all frames for
 *                        gw, whose groups attention_join then adds in order
 *   attention_features   gx[f,:] = sum_i a[f,i] * gv[b,i,:] + gs[f,i] * w[i,:]
 *
 * Scores: 128 threads make 128 frames x 32 units, 8 x 4 each, over steps of 32 features; grid (ceil(frames/128), ceil(C/32),
 * groups). Features become floats on their way into shared memory (16 KB, and 4 KB of weights), transposed; columns are
 * exchanged by XOR so that neither the transposing stores nor the 16-byte loads meet a bank conflict.
 * Pool: 128 threads make 32 units x 128 features, 8 x 4 each, over steps of 32 frames; grid (ceil(D/128), ceil(C/32), groups);
 * 20 KB of shared memory.
 * Each element is one chain of fma over its features, or its frames. 96 of 100 instructions between two steps are fma and
 * shared loads; 3.8 GFLOP forward at the published shape. */
#include "../cuda.h"

/* 16 features of a row from p on, of which `left` are there, the rest zero or whatever a zero byte means. FAST: all or none of
 * them are there, at a 16-byte boundary. */
template <bool FAST> DEVICE void features16(const unsigned char *__restrict__ p, long long left, float4 out[4]) {
	unsigned w[4] = {0, 0, 0, 0};
	if (FAST && left > 0) {
		uint4 q = load4u(p);
		w[0] = q.x;
		w[1] = q.y;
		w[2] = q.z;
		w[3] = q.w;
	}
#pragma unroll
	for (int i = 0; i < 16; i++)
		if (!FAST && i < left)
			w[i / 4] |= (unsigned)p[i] << 8 * (i % 4);
#pragma unroll
	for (int i = 0; i < 4; i++)
		out[i] = make_float4(dequantised(byte_of(w[i], 0)), dequantised(byte_of(w[i], 1)), dequantised(byte_of(w[i], 2)), dequantised(byte_of(w[i], 3)));
}

/* Four floats of a row of which `left` are there, the rest zero. */
template <bool FAST> DEVICE float4 floats4(const float *__restrict__ p, long long left) {
	float4 r = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
	if (FAST)
		return left > 0 ? load4(p) : r;
	if (left > 0)
		r.x = p[0];
	if (left > 1)
		r.y = p[1];
	if (left > 2)
		r.z = p[2];
	if (left > 3)
		r.w = p[3];
	return r;
}

template <bool FAST> DEVICE void features16(const float *__restrict__ p, long long left, float4 out[4]) {
#pragma unroll
	for (int i = 0; i < 4; i++)
		out[i] = floats4<FAST>(p + 4 * i, left - 4 * i);
}

/* The first `left` of four floats to p; FAST: all or none. */
template <bool FAST> DEVICE void put4(float *p, const float v[4], int left) {
	if (FAST) {
		if (left > 0)
			store4(p, make_float4(v[0], v[1], v[2], v[3]));
		return;
	}
#pragma unroll
	for (int i = 0; i < 4; i++)
		if (i < left)
			p[i] = v[i];
}

DEVICE void multiply(float acc[8][4], float4 p, float4 q, float4 b) {
	const float a[8] = {p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w};
#pragma unroll
	for (int i = 0; i < 8; i++) {
		acc[i][0] = fmaf(a[i], b.x, acc[i][0]);
		acc[i][1] = fmaf(a[i], b.y, acc[i][1]);
		acc[i][2] = fmaf(a[i], b.z, acc[i][2]);
		acc[i][3] = fmaf(a[i], b.w, acc[i][3]);
	}
}

template <bool FAST, typename T>
DEVICE void scores(const T *__restrict__ x, long long ldx, int frames, int d, const float *__restrict__ w, long long ldw, long long wgroup, const float *__restrict__ c, float *__restrict__ s, int units) {
	__shared__ float xs[32][128]; /* feature k of frame f at [k][f ^ 16*(k/16)] */
	__shared__ float ws[32][32];  /* weight k of unit i at [k][i ^ 4*(k/4)] */
	const int t = threadIdx.x, tx = t % 8, ty = t / 8;
	const int f0 = blockIdx.x * 128, u0 = blockIdx.y * 32;
	x += blockIdx.z * ldx * frames;
	w += blockIdx.z * wgroup;
	s += (long long)blockIdx.z * frames * units;
	float acc[8][4] = {};
	for (int k0 = 0; k0 < d; k0 += 32) {
#pragma unroll
		for (int h = 0; h < 2; h++) {
			int row = (t + 128 * h) / 2, half = t % 2, k = k0 + 16 * half;
			long long left = f0 + row < frames ? d - k : 0;
			float4 f[4];
			features16<FAST>(x + (f0 + row) * ldx + k, left, f);
#pragma unroll
			for (int j = 0; j < 4; j++) {
				float *to = &xs[16 * half + 4 * j][row ^ 16 * half];
				to[0] = f[j].x;
				to[128] = f[j].y;
				to[256] = f[j].z;
				to[384] = f[j].w;
			}
			int unit = (t + 128 * h) / 8, k4 = t % 8;
			float4 g = floats4<FAST>(w + (u0 + unit) * ldw + k0 + 4 * k4, u0 + unit < units ? d - k0 - 4 * k4 : 0);
			float *to = &ws[4 * k4][unit ^ 4 * k4];
			to[0] = g.x;
			to[32] = g.y;
			to[64] = g.z;
			to[96] = g.w;
		}
		__syncthreads();
#pragma unroll
		for (int k = 0; k < 32; k++)
			multiply(acc, load4(&xs[k][8 * ty ^ 16 * (k / 16)]), load4(&xs[k][(8 * ty ^ 16 * (k / 16)) + 4]), load4(&ws[k][4 * tx ^ 4 * (k / 4)]));
		__syncthreads();
	}
	int u = u0 + 4 * tx;
	float bias[4] = {0.0f, 0.0f, 0.0f, 0.0f};
	if (c)
		for (int j = 0; j < 4; j++)
			if (u + j < units)
				bias[j] = c[u + j];
#pragma unroll
	for (int i = 0; i < 8; i++) {
		long long f = f0 + 8 * ty + i;
		if (f >= frames)
			break;
#pragma unroll
		for (int j = 0; j < 4; j++)
			acc[i][j] += bias[j];
		put4<FAST>(s + f * units + u, acc[i], units - u);
	}
}

#define SCORES(name, T, FAST)                                                                                                            \
	KERNEL __launch_bounds__(128) name(const T *__restrict__ x, long long ldx, int frames, int d, const float *__restrict__ w,           \
	                                   long long ldw, long long wgroup, const float *__restrict__ c, float *__restrict__ s, int units) { \
		scores<FAST>(x, ldx, frames, d, w, ldw, wgroup, c, s, units);                                                                    \
	}
SCORES(attention_scores_bytes, unsigned char, true)
SCORES(attention_scores_floats, float, true)
SCORES(attention_scores_bytes_any, unsigned char, false)
SCORES(attention_scores_floats_any, float, false)

/* Where the four features from 4*q on lie in a row of 128: 16-byte stores of 16 features a thread, and loads of 4, without
 * conflicts. */
DEVICE int turned(int q) { return 16 * (q / 4) + 4 * ((q + q / 8) & 3); }

template <bool FAST, typename T>
DEVICE void pool(const T *__restrict__ x, long long ldx, int all, int group, int d, const float *__restrict__ a, int units, float *__restrict__ v, long long ldv) {
	__shared__ float xs[32][128];
	__shared__ float as[32][32];
	const int t = threadIdx.x, tx = t % 32, ty = t / 32;
	const int d0 = blockIdx.x * 128, u0 = blockIdx.y * 32;
	const int first = blockIdx.z * group, last = first + group < all ? first + group : all;
	float acc[8][4] = {};
	for (int f0 = first; f0 < last; f0 += 32) {
		int n = last - f0 < 32 ? last - f0 : 32;
#pragma unroll
		for (int h = 0; h < 2; h++) {
			int row = (t + 128 * h) / 8, p = t % 8;
			bool there = row < n;
			float4 f[4];
			features16<FAST>(x + (f0 + row) * ldx + d0 + 16 * p, there ? d - d0 - 16 * p : 0, f);
#pragma unroll
			for (int j = 0; j < 4; j++)
				store4(&xs[row][turned(4 * p + j)], f[j]);
			int u = u0 + 4 * p;
			store4(&as[row][4 * p], floats4<FAST>(a + (long long)(f0 + row) * units + u, there ? units - u : 0));
		}
		__syncthreads();
		for (int l = 0; l < n; l += 4) {
#pragma unroll
			for (int k = 0; k < 4; k++)
				multiply(acc, load4(&as[l + k][8 * ty]), load4(&as[l + k][8 * ty + 4]), load4(&xs[l + k][turned(tx)]));
		}
		__syncthreads();
	}
	int left = d - d0 - 4 * tx;
#pragma unroll
	for (int i = 0; i < 8; i++) {
		int u = u0 + 8 * ty + i;
		if (u < units)
			put4<FAST>(v + ((long long)blockIdx.z * units + u) * ldv + d0 + 4 * tx, acc[i], left);
	}
}

#define POOL(name, T, FAST)                                                                                                              \
	KERNEL __launch_bounds__(128) name(const T *__restrict__ x, long long ldx, int all, int group, int d, const float *__restrict__ a,    \
	                                   int units, float *__restrict__ v, long long ldv) {                                                \
		pool<FAST>(x, ldx, all, group, d, a, units, v, ldv);                                                                             \
	}
POOL(attention_pool_bytes, unsigned char, true)
POOL(attention_pool_floats, float, true)
POOL(attention_pool_bytes_any, unsigned char, false)
POOL(attention_pool_floats_any, float, false)

/* Grid (ceil(C/32), B), 256 threads: lane a unit, warp every eighth frame, folded in order. A warp's first HELD frames stay in
 * registers between the passes; of those behind them it adds up SPAN at a time, so that no chain of sums is long. */
enum { HELD = 16, SPAN = 64 };

KERNEL __launch_bounds__(256) attention_softmax(float *__restrict__ a, int frames, int units) {
	__shared__ float part[2][8][32];
	const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, u = blockIdx.x * 32 + lane;
	a += (long long)blockIdx.y * frames * units + u;
	const int n = u < units ? frames : 0;
	float held[HELD], top = -INFINITE;
#pragma unroll
	for (int i = 0; i < HELD; i++) {
		held[i] = -INFINITE;
		if (warp + 8 * i < n)
			held[i] = a[(long long)(warp + 8 * i) * units];
		top = held[i] > top || held[i] != held[i] ? held[i] : top;
	}
	for (int l = warp + 8 * HELD; l < n; l += 8) {
		float s = a[(long long)l * units];
		top = s > top || s != s ? s : top;
	}
	part[0][warp][lane] = top;
	__syncthreads();
	for (int i = 0; i < 8; i++) {
		float o = part[0][i][lane];
		top = o > top || o != o ? o : top;
	}
	float sum = 0.0f;
#pragma unroll
	for (int i = 0; i < HELD; i++)
		if (warp + 8 * i < n)
			sum += held[i] = exp_of(held[i] - top);
	float span = 0.0f;
#pragma unroll 1
	for (int l = warp + 8 * HELD; l < n; l += 8) {
		span += a[(long long)l * units] = exp_of(a[(long long)l * units] - top);
		if (l / 8 % SPAN == 0) {
			sum += span;
			span = 0.0f;
		}
	}
	sum += span;
	part[1][warp][lane] = sum;
	__syncthreads();
	sum = part[1][0][lane];
	for (int i = 1; i < 8; i++)
		sum += part[1][i][lane];
#pragma unroll
	for (int i = 0; i < HELD; i++)
		if (warp + 8 * i < n)
			a[(long long)(warp + 8 * i) * units] = held[i] / sum;
	for (int l = warp + 8 * HELD; l < n; l += 8)
		a[(long long)l * units] /= sum;
}

/* As attention_softmax. */
KERNEL __launch_bounds__(256) attention_gradient(const float *__restrict__ a, float *__restrict__ gs, int frames, int units) {
	__shared__ float part[8][32];
	const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, u = blockIdx.x * 32 + lane;
	a += (long long)blockIdx.y * frames * units + u;
	gs += (long long)blockIdx.y * frames * units + u;
	const int n = u < units ? frames : 0;
	float weight[HELD], g[HELD], sum = 0.0f;
#pragma unroll
	for (int i = 0; i < HELD; i++)
		if (warp + 8 * i < n) {
			weight[i] = a[(long long)(warp + 8 * i) * units];
			g[i] = gs[(long long)(warp + 8 * i) * units];
			sum = fmaf(weight[i], g[i], sum);
		}
	for (int l = warp + 8 * HELD; l < n; l += 8)
		sum = fmaf(a[(long long)l * units], gs[(long long)l * units], sum);
	part[warp][lane] = sum;
	__syncthreads();
	sum = part[0][lane];
	for (int i = 1; i < 8; i++)
		sum += part[i][lane];
#pragma unroll
	for (int i = 0; i < HELD; i++)
		if (warp + 8 * i < n)
			gs[(long long)(warp + 8 * i) * units] = weight[i] * (g[i] - sum);
	for (int l = warp + 8 * HELD; l < n; l += 8) {
		long long at = (long long)l * units;
		gs[at] = a[at] * (gs[at] - sum);
	}
}

/* gw[i,k] = (add ? gw[i,k] : 0) + the sum over groups of part [groups, C, ldp]; grid (ceil(D/256), C). */
KERNEL __launch_bounds__(256) attention_join(const float *__restrict__ part, int groups, long long ldp, float *__restrict__ gw, long long ldw, int units, int d, int add) {
	int k = blockIdx.x * 256 + threadIdx.x, i = blockIdx.y;
	if (k >= d)
		return;
	float s = 0.0f;
	for (int g = 0; g < groups; g++)
		s += part[((long long)g * units + i) * ldp + k];
	gw[i * ldw + k] = add ? gw[i * ldw + k] + s : s;
}

/* Grid (ceil(D/256), L, B). Without w there is only the first term. */
KERNEL __launch_bounds__(256) attention_features(const float *__restrict__ w, long long ldw, const float *__restrict__ a, const float *__restrict__ gs, const float *__restrict__ gv, long long ldv, float *__restrict__ gx, long long ldx, int frames, int units, int d, int add) {
	int k = blockIdx.x * 256 + threadIdx.x;
	if (k >= d)
		return;
	long long f = (long long)blockIdx.z * frames + blockIdx.y;
	float s = 0.0f;
	for (int i = 0; i < units; i++) {
		s = fmaf(a[f * units + i], gv[((long long)blockIdx.z * units + i) * ldv + k], s);
		if (w)
			s = fmaf(gs[f * units + i], w[i * ldw + k], s);
	}
	gx[f * ldx + k] = add ? gx[f * ldx + k] + s : s;
}
