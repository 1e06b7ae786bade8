#include "../../engine/host/pool.h"

enum { AVCU_IDENTITY = 0, AVCU_TANH = 1, AVCU_RELU = 2 };
enum { AVCU_STORE = 0, AVCU_ADD = 1, AVCU_STEP = 2 };

/* C = sink(epilogue(op(A) op(B))); see product.go. Pointers may be NULL where they are optional. */
struct avcu_product {
	const float *a, *b;
	float *c;
	long m, n, k, lda, ldb, ldc;
	int transa, transb;
	int bf16; /* round the elements of A and B to bfloat16 */
	const float *bias; /* [n] */
	const float *y;    /* [m,n]: times the derivative of act at output y */
	long ldy;
	int act, sink;
	float *m1, *m2; /* moments of C, rows ldc apart, for AVCU_STEP */
	double rate, beta1, beta2, eps;
};

void avcu_product(avcu_pool *pool, const struct avcu_product *p);
