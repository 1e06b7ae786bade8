#include "../pool.h"

/* What a run of jobs did wrong; all 0 where it did nothing wrong. */
struct avcu_mistakes {
	long missed;  /* tasks of a job that did not run exactly once */
	long foreign; /* tasks that ran with another job's argument, or an index outside of the job */
	long clashes; /* tasks whose worker was running another, or is none of the pool */
};

/* Runs jobs of 1 .. most tasks, one after another, each task turning for a while. Before every
 * pause-th job the workers are left to fall asleep (0: never). */
struct avcu_mistakes avcu_pooltest_jobs(avcu_pool *pool, long jobs, long most, long turns, long pause);

/* Runs one job of as many tasks as threads, each of which waits until all run. Returns how many
 * different workers came within the time. */
int avcu_pooltest_meet(avcu_pool *pool, double seconds);

/* The scratch memory of a slot. */
void *avcu_pooltest_scratch(avcu_pool *pool, int slot, size_t bytes);
