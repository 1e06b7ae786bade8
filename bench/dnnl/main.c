/* The yardstick of the CPU's products: their speed beside that of oneDNN's dnnl_sgemm, on the products of a training step and
 * a few others. Both run on the same number of threads in this one process, turn by turn, and the table shows medians; a pause
 * before each turn lets the other's idle threads fall asleep. Run by run.sh.
 *
 *   main [-t threads] [-r turns] [-s seconds a turn] [-i isa limit, 0 plain, 1 AVX2, 2 AVX-512] [-x without AMX] [-b] [-j] [name ...]
 *
 * With -b it is the best turn of each: less fair, but steadier while others use the machine. With -j a line is a JSON object
 * with the time of every turn. */
#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "yardstick.h"

static avcu_pool *pool;
static int turns = 7, best, json;
static double seconds = 0.05;
static char **names; /* that are asked for; NULL at the end; none: all */

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int wanted(const char *name) {
	int found = !*names;
	for (char **n = names; *n; n++)
		found |= !strcmp(*n, name);
	return found;
}

static void run(const struct work *w, int mine) {
	if (mine)
		w->ours(pool, w->job);
	else
		w->theirs(w->job);
}

/* Seconds a call, over as many calls as fill the turn. */
static double turn(const struct work *w, int mine) {
	usleep(20000);
	if (1e-11 * w->flop < seconds / 4)
		run(w, mine); /* wakes the threads */
	double begin = now(), end = begin;
	long calls = 0;
	for (long more = 1; calls == 0 || end - begin < seconds; more *= 2) {
		for (long i = 0; i < more; i++)
			run(w, mine);
		calls += more;
		end = now();
	}
	return (end - begin) / (double)calls;
}

static void print_turns(const char *key, const double *t) {
	printf(",\"%s\":[", key);
	for (int r = 0; r < turns; r++)
		printf("%s%.9g", r ? "," : "", t[r]);
	putchar(']');
}

static void measure(const struct work *w) {
	double *ours = calloc((size_t)turns, sizeof *ours), *theirs = calloc((size_t)turns, sizeof *theirs);
	run(w, 1); /* scratch memory, pages, generated code */
	run(w, 0);
	double far = w->distance ? w->distance(w->job) : 0;
	for (int r = 0; r < turns; r++) {
		ours[r] = turn(w, 1);
		theirs[r] = turn(w, 0);
	}
	if (json) {
		const dnnl_version_t *v = dnnl_version();
		printf("{\"name\":\"%s\",\"model\":\"%s\",\"backward\":%s,\"m\":%ld,\"n\":%ld,\"k\":%ld,\"op\":\"%s\",\"flop\":%.0f,\"distance\":%.3g,\"version\":\"%d.%d.%d\"",
		       w->name, w->model, w->backward ? "true" : "false", w->m, w->n, w->k, w->op, w->flop, far, v->major, v->minor, v->patch);
		print_turns("ours", ours);
		print_turns("onednn", theirs);
		puts("}");
	} else {
		qsort(ours, (size_t)turns, sizeof *ours, by_size);
		qsort(theirs, (size_t)turns, sizeof *theirs, by_size);
		double o = 1e-9 * w->flop / ours[best ? 0 : turns / 2], t = 1e-9 * w->flop / theirs[best ? 0 : turns / 2];
		printf("%-26s %6ld %6ld %6ld %s %9.1f %9.1f %6.0f%% %9.1e\n", w->name, w->m, w->n, w->k, w->op, o, t, 100 * o / t, far);
	}
	fflush(stdout);
	free(ours), free(theirs);
}

int main(int argc, char **argv) {
	int threads = 2, isa = AVCU_AVX512, amx = 1, option;
	while ((option = getopt(argc, argv, "t:r:s:i:xbj")) != -1)
		switch (option) {
		case 't': threads = atoi(optarg); break;
		case 'r': turns = atoi(optarg); break;
		case 's': seconds = atof(optarg); break;
		case 'i': isa = atoi(optarg); break;
		case 'x': amx = 0; break;
		case 'b': best = 1; break;
		case 'j': json = 1; break;
		default: return 2;
		}
	names = argv + optind;
	omp_set_num_threads(threads);
	if (avcu_detect_isa() < isa)
		isa = avcu_detect_isa();
	int unit = amx && avcu_detect_bf16() == AVCU_AMX_BF16 ? AVCU_AMX_BF16 : AVCU_NO_BF16;
	pool = avcu_pool_new(threads, isa, unit);
	if (!pool || turns < 1)
		return 1;
	if (!json) {
		printf("%d threads, instruction set %d (0 plain, 1 AVX2, 2 AVX-512)%s, %s of %d turns, GFLOP/s\n", threads, isa,
		       unit == AVCU_AMX_BF16 ? " and AMX" : "", best ? "best" : "medians", turns);
		printf("%-26s %6s %6s %6s %s %9s %9s %7s %9s\n", "product", "M", "N", "K", "op", "ours", "oneDNN", "ratio", "distance");
	}
	product_works(wanted, measure);
	attention_works(wanted, measure);
	avcu_pool_free(pool);
	return 0;
}
