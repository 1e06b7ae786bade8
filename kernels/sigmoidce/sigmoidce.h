#include <stdint.h>

#include "../../engine/host/pool.h"

/* See sigmoidce.go; gz may be NULL. Labels have been checked. */
void avcu_sigmoidce(avcu_pool *pool, long b, long k, const float *z, long ldz, const int32_t *offsets, const int32_t *labels,
                    float *each, float *gz, long ldg, float scale);
void avcu_sigmoid_prob(avcu_pool *pool, long b, long k, const float *z, long ldz, float *p, long ldp);
