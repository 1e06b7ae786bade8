#include <stdint.h>

#include "../../engine/host/pool.h"

/* x[r][k] = table[q[r][k]] for rows of cols elements, ldq and ldx apart. */
void avcu_dequantise(avcu_pool *pool, const uint8_t *q, long ldq, float *x, long ldx, long rows, long cols, const float *table);
