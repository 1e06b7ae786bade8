#include "../../engine/host/pool.h"

void avcu_adam(avcu_pool *pool, float *w, float *m, float *v, const float *g, long n, const float *scale,
               double rate, double b1, double b2, double eps);
