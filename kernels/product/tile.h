/* The inner kernel: a tile of MR rows and up to NV vectors of columns, summed in registers over one block of K, and what
 * becomes of it. Included once an instruction set. */

/* A block of op(A) or op(B) as the kernel reads it: element (r, k) of A is at[r*step + k*next], (k, c) of B is
 * at[k*next + c]. Step 0 means panels of A as pack.h makes them. */
struct FN(block) {
	const float *at;
	long step, next;
};

/* Where a tile goes. */
struct FN(out) {
	const struct avcu_product *p;
	const struct FN(adam_rule) * rule;
	float *sum; /* sums of earlier blocks, at the tile's first element */
	long lds;
	long i, j, rows, cols; /* place and size in C */
	int first, last;       /* block of K */
	int plain;             /* the sums end in C as they are */
};

INLINE vf FN(part)(const float *p, long n) { return n >= VL ? vload(p) : vloadn(p, n); }
INLINE void FN(put_part)(float *p, vf v, long n) {
	if (n >= VL)
		vstore(p, v);
	else
		vstoren(p, v, n);
}

/* for each vector of n <= VL elements at row r and column q of the tile t */
#define EACH(o, r, q, n)                   \
	for (long r = 0; r < (o)->rows; r++)   \
		for (long q = 0, n = (o)->cols; n > 0; q += VL, n -= VL)

/* The sums t, rows width apart, are complete: bias, activation or its derivative. */
INLINE void FN(epilogue)(const struct FN(out) * o, float *t, long width) {
	const struct avcu_product *p = o->p;
	if (p->bias) {
		const float *bias = p->bias + o->j;
		EACH(o, r, q, n)
		vstore(t + r * width + q, vload(t + r * width + q) + FN(part)(bias + q, n));
	}
	if (p->act == AVCU_IDENTITY)
		return;
	const float *y = p->y ? p->y + o->i * p->ldy + o->j : NULL;
	if (y && p->act == AVCU_TANH) {
		EACH(o, r, q, n) {
			vf v = FN(part)(y + r * p->ldy + q, n);
			vstore(t + r * width + q, vload(t + r * width + q) * vfma(-v, v, vset(1.0f)));
		}
	} else if (y) { /* ReLU; a NaN in y gives NaN */
		EACH(o, r, q, n) {
			vf v = FN(part)(y + r * p->ldy + q, n);
			v = vsel(v > 0.0f, vset(1.0f), vsel(v <= 0.0f, vset(0.0f), v));
			vstore(t + r * width + q, vload(t + r * width + q) * v);
		}
	} else if (p->act == AVCU_TANH) {
		EACH(o, r, q, n)
		vstore(t + r * width + q, vtanh(vload(t + r * width + q)));
	} else {
		EACH(o, r, q, n) {
			vf v = vload(t + r * width + q);
			vstore(t + r * width + q, vsel(v < 0.0f, vset(0.0f), v));
		}
	}
}

/* Adds the tile t, rows width apart, to the sums of earlier blocks, and finishes it if this block is the last. */
static __attribute__((noinline)) void FN(put)(const struct FN(out) * o, float *t, long width) {
	const struct avcu_product *p = o->p;
	if (!o->first)
		EACH(o, r, q, n)
		vstore(t + r * width + q, FN(part)(o->sum + r * o->lds + q, n) + vload(t + r * width + q));
	if (!o->last) {
		EACH(o, r, q, n)
		FN(put_part)(o->sum + r * o->lds + q, vload(t + r * width + q), n);
		return;
	}
	FN(epilogue)(o, t, width);
	float *c = p->c + o->i * p->ldc + o->j;
	if (p->sink == AVCU_STEP) {
		float *m1 = p->m1 + o->i * p->ldc + o->j, *m2 = p->m2 + o->i * p->ldc + o->j;
		EACH(o, r, q, n)
		FN(adam_vector)(o->rule, vload(t + r * width + q), c + r * p->ldc + q, m1 + r * p->ldc + q, m2 + r * p->ldc + q, n);
	} else if (p->sink == AVCU_ADD) {
		EACH(o, r, q, n)
		FN(put_part)(c + r * p->ldc + q, FN(part)(c + r * p->ldc + q, n) + vload(t + r * width + q), n);
	} else {
		EACH(o, r, q, n)
		FN(put_part)(c + r * p->ldc + q, vload(t + r * width + q), n);
	}
}
#undef EACH

/* Asks for the memory that the end of the tile will read or write. */
INLINE void FN(expect)(const float *at, long ld) {
#pragma GCC unroll 16
	for (int r = 0; r < MR; r++) {
		__builtin_prefetch(at + r * ld, 1);
		__builtin_prefetch(at + r * ld + NR - 1, 1);
	}
}

/* nv and packed are constants after inlining, so that the sums are registers. */
INLINE void FN(tile_of)(const int nv, const int packed, long kc, const struct FN(block) * a, const struct FN(block) * b,
                        const struct FN(out) * o) {
	vf s[MR][NV];
	const float *x[MR], *y = b->at;
	long xn = packed ? MR : a->next, yn = b->next;
#pragma GCC unroll 16
	for (int r = 0; r < MR; r++) {
		x[r] = packed ? a->at + r : a->at + avcu_min(r, o->rows - 1) * a->step; /* not beyond the last row */
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			s[r][q] = vset(0.0f);
	}
	for (long k = 0; k < kc; k++) {
		vf v[NV];
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			v[q] = vload(y + q * VL);
		y += yn;
#pragma GCC unroll 16
		for (int r = 0; r < MR; r++) {
			vf e = vset(x[r][k * xn]);
#pragma GCC unroll 2
			for (int q = 0; q < nv; q++)
				s[r][q] = vfma(e, v[q], s[r][q]);
		}
	}
	if (o->plain && o->rows == MR && o->cols == nv * VL) {
#pragma GCC unroll 16
		for (int r = 0; r < MR; r++)
#pragma GCC unroll 2
			for (int q = 0; q < nv; q++) {
				float *c = o->sum + r * o->lds + q * VL;
				vstore(c, o->first ? s[r][q] : vload(c) + s[r][q]);
			}
		return;
	}
	float t[MR * NR];
#pragma GCC unroll 16
	for (int r = 0; r < MR; r++)
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			vstore(t + r * nv * VL + q * VL, s[r][q]);
	FN(put)(o, t, nv * VL);
}

static void FN(tile)(long kc, const struct FN(block) * a, const struct FN(block) * b, const struct FN(out) * o) {
	long vectors = (o->cols + VL - 1) / VL;
	int packed = a->step == 0;
	FN(expect)(o->sum, o->lds);
	if (o->last && o->p->sink == AVCU_STEP) {
		FN(expect)(o->p->c + o->i * o->p->ldc + o->j, o->p->ldc);
		FN(expect)(o->p->m1 + o->i * o->p->ldc + o->j, o->p->ldc);
		FN(expect)(o->p->m2 + o->i * o->p->ldc + o->j, o->p->ldc);
	}
#define CASE(nv)                                 \
	if (vectors == nv) {                         \
		if (packed)                              \
			FN(tile_of)(nv, 1, kc, a, b, o);     \
		else                                     \
			FN(tile_of)(nv, 0, kc, a, b, o);     \
	}
	CASE(2)
	else CASE(1)
#undef CASE
}
