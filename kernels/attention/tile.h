/* The small products of attention: out = A P, or out += A P, where P [terms, cols] lies in panels of
 * 2*VL columns that the first-level cache holds, and A [rows, terms] is read an element at a time.
 * Included once an instruction set. */

enum {
	FN(PANEL) = 2 * VL,
	FN(TALL) = ISA == 2 ? 9 : 6, /* rows of a tile: 18 of 32 registers hold sums, or 12 of 16 */
};

/* Memory that the next video will read. Each tile asks for some lines of it, so that it is in cache then. */
struct FN(ahead) {
	const char *at, *end;
	long each; /* bytes a tile */
};

struct FN(product) {
	long rows, cols, terms;
	const float *a; /* element (r, k) at a[r*ar + k*ak] */
	long ar, ak;
	const float *p; /* element (k, j) at p[j/PANEL*pp + k*pk + j%PANEL]; whole vectors can be read */
	long pk, pp;
	float *out;
	long ldo;
	int add;
	struct FN(ahead) * ahead;
};

/* The sums of r <= TALL rows and nv <= 2 vectors of columns, each one chain over the terms from zero. The
 * last vector holds n <= VL columns. r and nv are constants after inlining: the sums are registers. */
INLINE void FN(tile)(const int rows, const int nv, const struct FN(product) * t, const float *a, const float *p,
                     float *out, long n) {
	vf s[FN(TALL)][2];
	const long ar = t->ar, ak = t->ak, pk = t->pk;
#pragma GCC unroll 9
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			s[r][q] = vset(0.0f);
	for (long k = t->terms; k > 0; k--) {
		vf y[2];
#pragma GCC unroll 2
		for (int q = 0; q < nv; q++)
			y[q] = vload(p + q * VL);
#pragma GCC unroll 9
		for (int r = 0; r < rows; r++) {
			vf x = vset(a[r * ar]);
#pragma GCC unroll 2
			for (int q = 0; q < nv; q++)
				s[r][q] = vfma(x, y[q], s[r][q]);
		}
		a += ak;
		p += pk;
	}
	if (n == VL) {
		for (int r = 0; r < rows; r++, out += t->ldo)
			for (int q = 0; q < nv; q++)
				vstore(out + q * VL, t->add ? vload(out + q * VL) + s[r][q] : s[r][q]);
		return;
	}
	for (int r = 0; r < rows; r++, out += t->ldo) {
		float *last = out + (nv - 1) * VL;
		if (nv == 2)
			vstore(out, t->add ? vload(out) + s[r][0] : s[r][0]);
		vstoren(last, t->add ? vloadn(last, n) + s[r][nv - 1] : s[r][nv - 1], n);
	}
}

/* Rows are cut into tiles of nearly equal height, so that few sums wait for each other. Where the last
 * panel is no whole number of vectors it begins earlier, if that does no harm: some sums are computed twice,
 * with the same result, and no vector is written in part. */
static void FN(multiply)(const struct FN(product) * t) {
	for (long j = 0, n; j < t->cols; j += n) {
		n = avcu_min(FN(PANEL), t->cols - j);
		long whole = (n + VL - 1) / VL * VL, left = (t->rows + FN(TALL) - 1) / FN(TALL);
		if (n < whole && whole <= t->cols && t->pp == FN(PANEL) && !t->add)
			j = t->cols - whole, n = whole;
		const float *p = t->p + j / FN(PANEL) * t->pp + j % FN(PANEL);
		for (long i = 0, h; i < t->rows; i += h, left--) {
			const float *a = t->a + i * t->ar;
			float *out = t->out + i * t->ldo + j;
			const char *stop = t->ahead->end - t->ahead->at > t->ahead->each ? t->ahead->at + t->ahead->each : t->ahead->end;
			for (; t->ahead->at < stop; t->ahead->at += 64)
				__builtin_prefetch(t->ahead->at, 0, 2);
			h = (t->rows - i + left - 1) / left;
#define TILE(H)                                            \
	case H:                                                \
		if (n > VL)                                        \
			FN(tile)(H, 2, t, a, p, out, n - VL);          \
		else                                               \
			FN(tile)(H, 1, t, a, p, out, n);               \
		break
			switch (h) {
				TILE(1);
				TILE(2);
				TILE(3);
				TILE(4);
				TILE(5);
				TILE(6);
#if ISA == 2
				TILE(7);
				TILE(8);
				TILE(9);
#endif
			}
#undef TILE
		}
	}
}
