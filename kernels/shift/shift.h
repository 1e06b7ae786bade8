#include "../../engine/host/pool.h"
#include "../dropout/mask.h"

/* See shift.go. Unpadded but for y and gy, whose rows lie ldy apart. */
struct avcu_shift {
	struct avcu_mask mask;
	long B, C, D, ldy;
	const float *v, *alpha, *beta, *gy;
	float *y, *norm, *gv, *galpha, *gbeta, *work;
	int add;
};

void avcu_shift_forward(avcu_pool *pool, struct avcu_shift s);
void avcu_shift_backward(avcu_pool *pool, struct avcu_shift s);
