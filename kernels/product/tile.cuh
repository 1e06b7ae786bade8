/* One tile of a product, or of one span of its sums: TM x TN elements by a block of THREADS = TM/4/GM x TN/4/GN threads,
 * GM x GN squares of 4 x 4 elements each. */
#ifndef AVCU_PRODUCT_TILE_CUH
#define AVCU_PRODUCT_TILE_CUH

#include "epilogue.cuh"

enum {
	DEPTH = 8,    /* of a slab: so much of K is in shared memory at once, twice */
	CHAIN = 1024, /* the largest K that is summed in one chain */
	BLOCK = 256   /* the chains of a larger one */
};

/* Whether K is summed in blocks: a kernel for either of them, or for any. */
enum blocks { CHAINS, BLOCKS, BOTH };

/* threadIdx.x, read anew: what follows from it need not stay in registers between its uses. */
DEVICE int thread() {
	int t;
	asm volatile("mov.u32 %0, %%tid.x;" : "=r"(t));
	return t;
}

/* What a block reads of op(A) or op(B): its elements (i, k) for from <= i < from + T, and how: along its rows in memory (i
 * neighbours, "ALONG") or across them (k neighbours). In shared memory a slab is DEPTH rows of T elements, STRIDE apart: for
 * the transposed stores of ACROSS 4 more than T, so that those of a warp, 16 elements at two depths 4 apart, meet 32
 * different banks. */
template <bool ALONG, int T, int THREADS> struct operand {
	enum { STRIDE = ALONG ? T : T + 4, QUADS = T * DEPTH / 4, EACH = (QUADS + THREADS - 1) / THREADS };

	const float *at;
	long long ld;
	int from, end; /* of i; end: how many there are in all */
	const float *next[EACH];

	/* Where quad number t + e*THREADS of a slab begins: its first element and its depth. */
	DEVICE int first(int t, int e) {
		if (!ALONG)
			return t / (DEPTH / 4) + e * (THREADS / (DEPTH / 4));
		return (THREADS % (T / 4) ? t + e * THREADS : t) % (T / 4) * 4;
	}
	DEVICE int depth(int t, int e) {
		if (!ALONG)
			return t % (DEPTH / 4) * 4;
		return THREADS % (T / 4) ? (t + e * THREADS) / (T / 4) : t / (T / 4) + e * (THREADS / (T / 4));
	}
	DEVICE bool mine(int e) { return (e + 1) * THREADS <= QUADS || (int)threadIdx.x + e * THREADS < QUADS; }

	/* Whether whole slabs may be read four elements at once: 16-byte boundaries, and no quad across the end. */
	__device__ __forceinline__ bool fast(int aligned) const { return aligned && (!ALONG || end % 4 == 0 || from + T <= end); }

	/* Points at the slab of depth k. Elements beyond the end, whose sums nobody reads, are others that exist. */
	__device__ __forceinline__ void seek(int k) {
		for (int e = 0; e < EACH; e++) {
			int i = from + first(threadIdx.x, e), d = k + depth(threadIdx.x, e);
			if (ALONG)
				next[e] = at + d * ld + (i < end - 4 ? i : end - 4);
			else
				next[e] = at + (i < end ? i : end - 1) * ld + d;
		}
	}

	/* Reads this thread's part of a whole slab and moves to the next. */
	__device__ __forceinline__ void load(float4 (&v)[EACH]) {
#pragma unroll
		for (int e = 0; e < EACH; e++) {
			if (mine(e))
				v[e] = load4(next[e]);
			next[e] += ALONG ? DEPTH * ld : DEPTH;
		}
	}

	/* Reads this thread's part of the slab of depth k, which ends at k1; 0 beyond the end of K. Four elements at once where
	 * they are all there and at a 16-byte boundary, else one by one. */
	__device__ __forceinline__ void load_any(float4 (&v)[EACH], int k, int k1, int aligned) const {
		int me = thread();
#pragma unroll
		for (int e = 0; e < EACH; e++) {
			int i = from + first(me, e), d = k + depth(me, e);
			v[e] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
			if (!mine(e) || d >= k1)
				continue;
			const float *p = at + (ALONG ? d * ld : (i < end ? i : end - 1) * ld + d);
			if (aligned && (ALONG ? i + 4 <= end : d + 4 <= k1)) {
				v[e] = load4(ALONG ? p + i : p);
				asm volatile("" : "+f"(v[e].x), "+f"(v[e].y), "+f"(v[e].z), "+f"(v[e].w)); /* or clang makes one code of both */
				continue;
			}
			float x[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
			for (int j = 0; j < 4; j++)
				if (ALONG || d + j < k1)
					x[j] = p[ALONG ? (i + j < end ? i + j : end - 1) : j];
			v[e] = make_float4(x[0], x[1], x[2], x[3]);
		}
	}

	/* Writes this thread's part of a slab to shared memory. */
	__device__ __forceinline__ void put(float *s, const float4 (&v)[EACH]) const {
#pragma unroll
		for (int e = 0; e < EACH; e++) {
			float *p = s + depth(threadIdx.x, e) * STRIDE + first(threadIdx.x, e);
			if (!mine(e))
				continue;
			if (ALONG) {
				store4(p, v[e]);
			} else {
				p[0] = v[e].x;
				p[STRIDE] = v[e].y;
				p[2 * STRIDE] = v[e].z;
				p[3 * STRIDE] = v[e].w;
			}
		}
	}
};

/* Adds to the sums what one depth of a slab gives: a and b are this thread's first elements of it. */
template <int TM, int TN, int GM, int GN> DEVICE void rank_one(const float *a, const float *b, float (&sum)[4 * GM][4 * GN]) {
	float x[4 * GM], y[4 * GN];
#pragma unroll
	for (int g = 0; g < GM; g++) {
		float4 v = load4(a + g * (TM / GM));
		x[4 * g] = v.x, x[4 * g + 1] = v.y, x[4 * g + 2] = v.z, x[4 * g + 3] = v.w;
	}
#pragma unroll
	for (int g = 0; g < GN; g++) {
		float4 v = load4(b + g * (TN / GN));
		y[4 * g] = v.x, y[4 * g + 1] = v.y, y[4 * g + 2] = v.z, y[4 * g + 3] = v.w;
	}
#pragma unroll
	for (int i = 0; i < 4 * GM; i++)
#pragma unroll
		for (int j = 0; j < 4 * GN; j++)
			sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
}

/* The same for depths FROM to TO of a slab whose rows are SA and SB apart. */
template <int TM, int TN, int GM, int GN, int SA, int SB, int FROM, int TO>
DEVICE void multiply(const float *a, const float *b, float (&sum)[4 * GM][4 * GN]) {
#pragma unroll
	for (int d = FROM; d < TO; d++)
		rank_one<TM, TN, GM, GN>(a + d * SA, b + d * SB, sum);
}

template <int M, int N> DEVICE void clear(float (&s)[M][N]) {
#pragma unroll
	for (int i = 0; i < M; i++)
#pragma unroll
		for (int j = 0; j < N; j++)
			s[i][j] = 0.0f;
}

/* Adds from to to, and clears it. */
template <int M, int N> DEVICE void gather(float (&from)[M][N], float (&to)[M][N]) {
#pragma unroll
	for (int i = 0; i < M; i++)
#pragma unroll
		for (int j = 0; j < N; j++)
			to[i][j] += from[i][j];
	clear(from);
}

/* The corner of the block's tile. Tiles that follow each other share what they read along the shorter side of C. It is worked
 * out anew wherever it is needed, as thread() is read. */
template <int TM, int TN> DEVICE void corner(const output &o, int &i0, int &j0) {
	int tm = (o.m + TM - 1) / TM, tn = (o.n + TN - 1) / TN, t;
	asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(t));
	i0 = (tm <= tn ? t % tm : t / tn) * TM, j0 = (tm <= tn ? t / tm : t % tn) * TN;
}

/* The product: C's tile blockIdx.x over span blockIdx.z of K, whose spans are of `span` elements; to part [spans,m,ldp] if
 * there are several, else through the epilogue. */
template <blocks MODE, bool TRANSA, bool TRANSB, int TM, int TN, int GM, int GN>
DEVICE void product_tile(const float *__restrict__ a, long long lda, const float *__restrict__ b, long long ldb, int k, int span,
                         int aligned, float *__restrict__ part, long long ldp, const output &o) {
	enum { TX = TN / 4 / GN, TY = TM / 4 / GM, THREADS = TX * TY, WX = TX % 8 ? 4 : 8, WY = 32 / WX };
	typedef operand<TRANSA, TM, THREADS> left;
	typedef operand<!TRANSB, TN, THREADS> right;
	enum { SLAB = DEPTH * (left::STRIDE + right::STRIDE) };
	__shared__ __attribute__((aligned(16))) float slabs[2 * SLAB];

	int i0, j0;
	corner<TM, TN>(o, i0, j0);
	left l = {a, lda, i0, o.m};
	right r = {b, ldb, j0, o.n};

	/* A warp is WX x WY threads: its reads of shared memory are 32 banks wide at most, or the same word. */
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int tx = warp % (TX / WX) * WX + lane % WX, ty = warp / (TX / WX) * WY + lane / WX;
	const int la = ty * 4, lb = DEPTH * left::STRIDE + tx * 4;

	const bool blocks = MODE == BLOCKS || (MODE == BOTH && k > CHAIN);
	float sum[4 * GM][4 * GN], total[4 * GM][4 * GN];
	clear(sum);
	clear(total);

	int k0 = blockIdx.z * span, k1 = k - k0 < span ? k : k0 + span, at = k0, cur = 0;
	if (k0 < k1) {
		{
			float4 va[left::EACH], vb[right::EACH];
			l.load_any(va, at, k1, aligned & 1);
			r.load_any(vb, at, k1, aligned & 2);
			l.put(slabs, va);
			r.put(slabs + DEPTH * left::STRIDE, vb);
		}
		__syncthreads();
		/* While a slab is multiplied the next, a whole one, is on its way. */
		if (l.fast(aligned & 1) && r.fast(aligned & 2)) {
			l.seek(k0 + DEPTH);
			r.seek(k0 + DEPTH);
			do {
				int stop = blocks && at + BLOCK + DEPTH <= k1 ? at + BLOCK + DEPTH : k1;
#pragma unroll 1
				for (; at + 2 * DEPTH <= stop; at += DEPTH) {
					const float *now = slabs + cur;
					float *to = slabs + SLAB - cur;
					float4 va[left::EACH], vb[right::EACH];
					l.load(va);
					if (TRANSB || GN < 3) {
						r.load(vb);
						multiply<TM, TN, GM, GN, left::STRIDE, right::STRIDE, 0, DEPTH>(now + la, now + lb, sum);
						l.put(to, va);
					} else { /* registers are short: B's part comes when A's has gone */
						multiply<TM, TN, GM, GN, left::STRIDE, right::STRIDE, 0, DEPTH / 2>(now + la, now + lb, sum);
						l.put(to, va);
						r.load(vb);
						multiply<TM, TN, GM, GN, left::STRIDE, right::STRIDE, DEPTH / 2, DEPTH>(now + la, now + lb, sum);
					}
					r.put(to + DEPTH * left::STRIDE, vb);
					cur = SLAB - cur;
					__syncthreads();
				}
				if (blocks && (at - k0) % BLOCK == 0)
					gather(sum, total);
			} while (at + 2 * DEPTH <= k1);
		}
		/* The same for any slab, and the last one. */
		corner<TM, TN>(o, i0, j0);
		l.from = i0;
		r.from = j0;
#pragma unroll 1
		for (; at < k1; at += DEPTH) {
			float4 va[left::EACH], vb[right::EACH];
			bool more = at + DEPTH < k1;
			if (more) {
				l.load_any(va, at + DEPTH, k1, aligned & 1);
				r.load_any(vb, at + DEPTH, k1, aligned & 2);
			}
#pragma unroll 1
			for (int d = 0; d < DEPTH; d++)
				rank_one<TM, TN, GM, GN>(slabs + cur + la + d * left::STRIDE, slabs + cur + lb + d * right::STRIDE, sum);
			cur = SLAB - cur;
			if (blocks && (at + DEPTH - k0) % BLOCK == 0)
				gather(sum, total);
			if (more) {
				l.put(slabs + cur, va);
				r.put(slabs + cur + DEPTH * left::STRIDE, vb);
				__syncthreads();
			}
		}
	}

	if (blocks)
		gather(total, sum);

	/* Two rows at a time, which are always the first: the code is there once, and sums stay in registers. */
	int me = thread();
	lane = me % 32, warp = me / 32;
	int i = i0 + (warp / (TX / WX) * WY + lane / WX) * 4, j = j0 + (warp % (TX / WX) * WX + lane % WX) * 4;
#pragma unroll 1
	for (int pair = 0; pair < 2 * GM; pair++) {
#pragma unroll 1
		for (int q = 0; q < 2 * GN; q++) {
			float4 v = make_float4(sum[0][0], sum[0][1], sum[0][2], sum[0][3]);
#pragma unroll
			for (int c = 1; c < 2 * GN; c++)
				if (q == c) {
					const float *s = &sum[c % 2][c / 2 * 4];
					v = make_float4(s[0], s[1], s[2], s[3]);
				}
			int row = i + q % 2, col = j + q / 2 * (TN / GN);
			if (row < o.m && col < o.n) {
				if (part)
					store4(part + ((long long)blockIdx.z * o.m + row) * ldp + col, v);
				else
					finish4(o, row, col, v);
			}
		}
		i += pair % 2 ? TM / GM - 2 : 2;
#pragma unroll
		for (int s = 0; s < 4 * GM - 2; s++)
#pragma unroll
			for (int c = 0; c < 4 * GN; c++)
				sum[s][c] = sum[s + 2][c];
	}
}

#endif
