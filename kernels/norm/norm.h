#include "../../engine/host/pool.h"

void avcu_norm(avcu_pool *pool, const float *g, long n, float *out, double clip);
