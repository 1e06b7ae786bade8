#include "../../engine/host/pool.h"

/* x is a matrix of rows x cols floats; ld floats lie between the starts of two rows. */
void avcu_colsum(avcu_pool *pool, const float *x, long rows, long cols, long ld, float *sum, int add);
