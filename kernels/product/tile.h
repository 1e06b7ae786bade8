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

/* Memory that will be read or written soon. A tile asks for it line by line while it computes: all at once would be more
 * than a core can have under way, and the arithmetic would wait. */
enum { FN(LINES) = 6 * MR }; /* a tile's, two a row, and as many as expect_next may add */
struct FN(ahead) {
	const char *line[FN(LINES)];
	long n;
};

/* Adds a tile's rows. */
INLINE void FN(expect)(struct FN(ahead) * h, const float *at, long ld, long rows, long cols) {
	for (long r = 0; r < rows; r++) {
		h->line[h->n++] = (const char *)(at + r * ld);
		h->line[h->n++] = (const char *)(at + r * ld + cols - 1);
	}
}

/* What will be packed next: rows of bytes that lie ld bytes apart. Tiles ask for each lines of it in turn. */
struct FN(next) {
	const char *at;
	long ld, lines, rows; /* lines a row */
	long row, line, each;
};

INLINE void FN(expect_next)(struct FN(ahead) * h, struct FN(next) * n) {
	for (long i = 0; i < n->each && n->row < n->rows; i++) {
		h->line[h->n++] = n->at + n->row * n->ld + n->line * 64;
		if (++n->line == n->lines)
			n->line = 0, n->row++;
	}
}

/* s + e*v, in form PAIRS the sum of two products of bfloat16, the first added first. */
INLINE vf FN(multiply_add)(const int form, vf e, vf v, vf s) {
#if ISA == 2
	if (form == PAIRS)
		return (vf)_mm512_dpbf16_ps((__m512)s, (__m512bh)e, (__m512bh)v);
#endif
	(void)form;
	return vfma(e, v, s);
}

/* rows, nv, packed and form are constants after inlining, so that the sums are registers; no more than rows of the tile
 * exist. */
INLINE void FN(tile_of)(const int rows, const int nv, const int packed, const int form, long kc, const struct FN(block) * a, const struct FN(block) * b,
                        const struct FN(out) * o, const struct FN(ahead) * h) {
	vf s[MR][NV];
	const float *x[MR], *y = b->at, *z = a->at; /* rows of A where it lies; B; A's panel */
	long yn = b->next, next = 0;
#pragma GCC unroll 16
	for (int r = 0; r < rows; r++) {
		x[r] = a->at + avcu_min(r, o->rows - 1) * a->step; /* not beyond the last row */
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			s[r][q] = vset(0.0f);
	}
#define DEPTH(k)                                                                       \
	do {                                                                               \
		vf v[NV];                                                                      \
		_Pragma("GCC unroll 2") for (int q = 0; q < nv; q++) v[q] = vload(y + q * VL); \
		y += yn;                                                                       \
		_Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                      \
			vf e = vset(packed ? z[r] : x[r][(k) * a->next]);                          \
			_Pragma("GCC unroll 2") for (int q = 0; q < nv; q++)                       \
				s[r][q] = FN(multiply_add)(form, e, v[q], s[r][q]);                    \
		}                                                                              \
		z += packed ? MR : 0;                                                          \
	} while (0)
	const long each = kc >= 4 ? (h->n << 16) / (kc / 4) : 0; /* every four slots, in units of 1/65536 line: evenly */
	long due = 65535;
	long k = 0;
	for (; k + 4 <= kc; k += 4) {
		for (long stop = (due += each) >> 16; next < stop; next++)
			__builtin_prefetch(h->line[next]);
		DEPTH(k);
		DEPTH(k + 1);
		DEPTH(k + 2);
		DEPTH(k + 3);
	}
	for (; k < kc; k++)
		DEPTH(k);
#undef DEPTH
	if (o->plain && o->rows == rows && o->cols == nv * VL) {
#pragma GCC unroll 16
		for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
			for (int q = 0; q < nv; q++) {
				float *c = o->sum + r * o->lds + q * VL;
				vstore(c, o->first ? s[r][q] : vload(c) + s[r][q]);
			}
		return;
	}
	float t[MR * NR];
#pragma GCC unroll 16
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			vstore(t + r * nv * VL + q * VL, s[r][q]);
	FN(put)(o, t, nv * VL);
}

static void FN(tile)(const int form, long kc, const struct FN(block) * a, const struct FN(block) * b, const struct FN(out) * o,
                     struct FN(next) * next) {
	struct FN(ahead) h;
	h.n = 0;
	FN(expect)(&h, o->sum, o->lds, o->rows, o->cols);
	FN(expect_next)(&h, next);
	int packed = a->step == 0, one = o->cols <= VL;
#define TILE(rows, packed, form)                                 \
	do {                                                         \
		if (one)                                                 \
			FN(tile_of)(rows, 1, packed, form, kc, a, b, o, &h); \
		else                                                     \
			FN(tile_of)(rows, 2, packed, form, kc, a, b, o, &h); \
	} while (0)
#define TILES(form)                   \
	do {                              \
		if (o->rows <= MR / 3)        \
			TILE(MR / 3, 1, form);    \
		else if (o->rows <= MR / 3 * 2) \
			TILE(MR / 3 * 2, 1, form); \
		else                          \
			TILE(MR, 1, form);        \
	} while (0)
	if (!packed)
		TILE(MR, 0, FLOATS);
#if ISA == 2
	else if (form == PAIRS)
		TILES(PAIRS);
#endif
	else
		TILES(FLOATS);
#undef TILES
#undef TILE
}
