#include "../../engine/host/pool.h"

enum { AVCU_TANH, AVCU_RELU, AVCU_SIGMOID }; /* as Kind */

/* Matrices of rows x cols floats; ld floats lie between the starts of two rows. */
void avcu_activation(avcu_pool *pool, int kind, long rows, long cols, const float *x, long ldx, float *y, long ldy);
void avcu_activation_gradient(avcu_pool *pool, int kind, long rows, long cols, const float *y, long ldy,
                              const float *gy, long ldgy, float *gx, long ldgx, int add);
