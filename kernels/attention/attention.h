#include <stdint.h>

#include "../../engine/host/pool.h"

/* The arguments of all calls; each reads those that it names. Leading dimensions count elements; a and
 * gs have none. */
struct avcu_attention {
	long b, l, d, units;
	const uint8_t *bytes; /* x [B,L,D] is bytes, or floats where this is NULL */
	const float *floats;
	const float *w, *c; /* [C,D], [C] */
	float *a, *gs;      /* [B,L,C] */
	float *v;           /* [B,C,D]: pooled features or their gradient */
	float *g;           /* the gradient of w or x */
	long ldx, ldw, ldv, ldg;
	int add; /* to g; else store */
};

/* x, w, c -> a, v; where w is NULL a holds the scores on entry. */
void avcu_attention_forward(avcu_pool *pool, struct avcu_attention j);
/* x, a, v -> gs; x, gs -> g [C,D]. Where v is NULL gs is given, where g is NULL there is no second part. */
void avcu_attention_backward(avcu_pool *pool, struct avcu_attention j);
/* w, a, gs, v -> g [B,L,D]; where w is NULL only the pooling term. */
void avcu_attention_features(avcu_pool *pool, struct avcu_attention j);
