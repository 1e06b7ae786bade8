/* Adam's update of one parameter, for adam.cu and for the products that take the step on a finished element; the twin of
 * adam_step.h, bit for bit:
 *   g = scale*g,  m = b1*m + c1*g,  v = b2*v + c2*g*g,  w = w - rate*m / (sqrt(v) + eps)
 * with c = 1 - b subtracted in double by the host (1 - 0.999f is off by 1e-5). Products have no scale: g*1 is g. */
#ifndef AVCU_ADAM_RULE_CUH
#define AVCU_ADAM_RULE_CUH

#include "../cuda.h"

struct adam_rule {
	float rate, b1, b2, c1, c2, eps;
};

/* Updates the parameter w and its moments m, v by the scaled gradient g. */
DEVICE void adam_step(const adam_rule &r, float g, float &w, float &m, float &v) {
	m = fmaf(r.b1, m, r.c1 * g);
	v = fmaf(r.b2, v, r.c2 * g * g);
	w = w - r.rate * m / (sqrtf(v) + r.eps);
}

/* The same for four parameters. */
DEVICE void adam_step4(const adam_rule &r, float4 g, float4 &w, float4 &m, float4 &v) {
	adam_step(r, g.x, w.x, m.x, v.x);
	adam_step(r, g.y, w.y, m.y, v.y);
	adam_step(r, g.z, w.z, m.z, v.z);
	adam_step(r, g.w, w.w, m.w, v.w);
}

#endif
