/* Long-lived worker threads for the C kernels. A kernel cuts its work into tasks whose results do not
 * depend on which thread runs them; the threads, the caller's among them, take tasks in order. */
#ifndef AVCU_POOL_H
#define AVCU_POOL_H

#include <stddef.h>

#if defined(__x86_64__) && defined(__linux__) && (__GNUC__ >= 11 || defined(__clang__))
#define AVCU_AMX /* compilers know it, and how to ask the system is known */
#endif

typedef struct avcu_pool avcu_pool;

/* Runs task number index; worker is 0 .. threads-1 and names scratch memory that no other running
 * task of the pool uses. */
typedef void (*avcu_task)(void *arg, long index, int worker);

enum { AVCU_PLAIN = 0, AVCU_AVX2 = 1, AVCU_AVX512 = 2 };
enum { AVCU_NO_BF16 = 0, AVCU_AVX512_BF16 = 1, AVCU_AMX_BF16 = 2 }; /* what multiplies bfloat16; the last two come beside AVX-512 */

int avcu_detect_isa(void);

/* Asks the system to let this process use AMX where the processor has it. */
int avcu_detect_bf16(void);

avcu_pool *avcu_pool_new(int threads, int isa, int bf16);
void avcu_pool_free(avcu_pool *p);

/* Runs f for index 0 .. tasks-1 and returns when all are done. */
void avcu_parallel(avcu_pool *p, long tasks, avcu_task f, void *arg);

/* memcpy by all threads. */
void avcu_copy(avcu_pool *p, void *to, const void *from, size_t bytes);

int avcu_isa(const avcu_pool *p);
int avcu_bf16(const avcu_pool *p);
int avcu_threads(const avcu_pool *p);

/* At least bytes of memory, 4096-byte aligned, for slot 0 .. threads: the workers' own, then one for
 * what all share. It is kept and grows; a larger request may move it and forgets its content. Ask
 * outside of tasks, or inside for the task's own worker. Aborts where there is no memory. */
void *avcu_scratch(avcu_pool *p, int slot, size_t bytes);

#endif
