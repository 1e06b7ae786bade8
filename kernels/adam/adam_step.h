/* One vector of Adam, shared by adam.c and by the products that take the step on a finished tile.
 * Included once an instruction set. */
struct FN(adam_rule) {
	vf scale, rate, b1, b2, c1, c2, eps;
};

/* c = 1 - b is subtracted in double: 1 - 0.999f is off by 1e-5. */
INLINE struct FN(adam_rule) FN(adam_rule_of)(float scale, double rate, double b1, double b2, double eps) {
	struct FN(adam_rule) r = {vset(scale), vset((float)rate), vset((float)b1), vset((float)b2),
	                          vset((float)(1 - b1)), vset((float)(1 - b2)), vset((float)eps)};
	return r;
}

/* Updates the first n <= VL parameters at w, m, v by gradient g. */
INLINE void FN(adam_vector)(const struct FN(adam_rule) * r, vf g, float *pw, float *pm, float *pv, long n) {
	int whole = n >= VL;
	vf m = whole ? vload(pm) : vloadn(pm, n);
	vf v = whole ? vload(pv) : vloadn(pv, n);
	vf w = whole ? vload(pw) : vloadn(pw, n);
	g = g * r->scale;
	m = vfma(r->b1, m, r->c1 * g);
	v = vfma(r->b2, v, r->c2 * g * g);
	w = w - r->rate * m / (vsqrt(v) + r->eps);
	if (whole) {
		vstore(pm, m), vstore(pv, v), vstore(pw, w);
	} else {
		vstoren(pm, m, n), vstoren(pv, v, n), vstoren(pw, w, n);
	}
}
