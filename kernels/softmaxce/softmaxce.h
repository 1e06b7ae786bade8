#include <stdint.h>

#include "../../engine/host/pool.h"

/* See softmaxce.go; gz may be NULL. Each row has a label, checked. */
void avcu_softmaxce(avcu_pool *pool, long b, long k, const float *z, long ldz, const int32_t *offsets, const int32_t *labels,
                    float *each, float *gz, long ldg, float scale);
void avcu_softmax_prob(avcu_pool *pool, long b, long k, const float *z, long ldz, float *p, long ldp);
