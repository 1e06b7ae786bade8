#include "../../engine/host/pool.h"
#include "mask.h"

void avcu_dropout(avcu_pool *pool, struct avcu_mask m, const float *x, long ldx, float *y, long ldy, long rows, long cols, int add);
