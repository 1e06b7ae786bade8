#include <stdint.h>

#include "../../engine/host/pool.h"

/* p [rows, cols], values and classes [rows, k]; ld.. elements lie between the starts of two rows. */
void avcu_topk(avcu_pool *pool, const float *p, long rows, long cols, long ldp, long k, float *values, long ldv,
               int32_t *classes, long ldc);
