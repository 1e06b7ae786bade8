#include "../../engine/host/pool.h"

/* x, or its gradient, is [batch, h, w, c] with pixels ld floats apart; cols, or its gradient,
 * [batch, oh, ow, kh * kw * c] with windows ldcols floats apart. */
struct avcu_windows {
	long batch, h, w, c, ld;
	long oh, ow, ldcols;
	long kh, kw, stride, pad;
};

void avcu_gather_columns(avcu_pool *pool, struct avcu_windows s, const float *x, float *cols);
void avcu_gather_back(avcu_pool *pool, struct avcu_windows s, const float *gcols, float *gx, int add);
