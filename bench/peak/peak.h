#include "../../engine/host/pool.h"

/* Keeps all threads at it for some milliseconds and returns the operations a second of one, times their number. What other
 * programs take of a thread's time does not count. With bf16 they are products of bfloat16, where the processor has those. */
double avcu_peak_fma(avcu_pool *pool, int bf16);

/* Updates a[i] += s * b[i] over n floats, each thread its own part and so many times over, and returns the bytes moved. */
double avcu_peak_triad(avcu_pool *pool, float *a, const float *b, long n, long passes);
