/* A driver for tests: libcuda.so.1 without a GPU. It exports what gorgonia.org/cu refers to. Device memory is a mapping that
 * it shares with a helper process (vm/main.go), which runs each launch on the PTX virtual machine; every call but the copies
 * is a message to it. Everything is done when its call returns, so streams and events have nothing to wait for.
 *
 * Environment: AVCU_TESTDRIVER_VM, the helper's program. Faults: AVCU_TESTDRIVER_FAIL_ALLOC=N, the Nth allocation finds no
 * memory; AVCU_TESTDRIVER_FAIL_LAUNCH=N, the Nth launch fails; AVCU_TESTDRIVER_LOSE_DEVICE=N, from the Nth launch on the
 * device is lost. AVCU_TESTDRIVER_BYTES, memory of the device (2 GB). Counting starts at 1. Used by one thread at a time. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, INVALID_PTX = 218, NOT_FOUND = 500,
	ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719, NOT_SUPPORTED = 801, UNKNOWN = 999 };

/* Messages, as in vm/main.go: a head, then words or bytes. */
enum { ALLOC = 1, FREE, FILL, LOAD, UNLOAD, FUNCTION, ATTRIBUTES, LAUNCH, WROTE, READ, MEMORY };
struct head {
	uint32_t what, bytes;
};

static struct {
	int socket;
	char *memory;
	int64_t bytes;
	uint64_t base;
	int lost;
	long allocations, launches;
	char said[1024]; /* with the last error */
} driver;

/* A context is current in a thread, as in the real driver. */
struct context {
	int alive;
};
static _Thread_local struct context *current;

static int ready(void) { return current && current->alive ? driver.lost : INVALID_CONTEXT; }

static long fault(const char *name) {
	const char *v = getenv(name);
	return v ? atol(v) : 0;
}

static int all(ssize_t (*move)(int, void *, size_t), void *p, size_t n) {
	while (n > 0) {
		ssize_t k = move(driver.socket, p, n);
		if (k <= 0)
			return 0;
		p = (char *)p + k, n -= (size_t)k;
	}
	return 1;
}

static ssize_t put(int fd, void *p, size_t n) { return send(fd, p, n, MSG_NOSIGNAL); }
static ssize_t get(int fd, void *p, size_t n) { return read(fd, p, n); }

/* Sends a message and waits for the answer: up to `room` bytes of it to out. */
static int ask(uint32_t what, const void *p, size_t n, void *out, size_t room) {
	if (ready())
		return ready();
	struct head h = {what, (uint32_t)n};
	if (!all(put, &h, sizeof h) || !all(put, (void *)p, n) || !all(get, &h, sizeof h))
		return driver.lost = UNKNOWN;
	char *text = calloc(1, h.bytes + 1);
	if (!text || !all(get, text, h.bytes)) {
		free(text);
		return driver.lost = UNKNOWN;
	}
	if (h.what == OK)
		memcpy(out, text, h.bytes < room ? h.bytes : room);
	else {
		snprintf(driver.said, sizeof driver.said, "%s", text);
		if (what != LOAD)
			fprintf(stderr, "test driver: %s\n", text);
	}
	free(text);
	if (h.what == ILLEGAL_ADDRESS)
		driver.lost = ILLEGAL_ADDRESS;
	return (int)h.what;
}

#define ASK(what, out, room, ...) ask(what, (uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}), out, room)

static char *at(uint64_t addr) { return driver.memory + (addr - driver.base); }

int cuInit(unsigned flags) {
	(void)flags;
	const char *vm = getenv("AVCU_TESTDRIVER_VM");
	if (!vm)
		return NO_DEVICE;
	driver.bytes = fault("AVCU_TESTDRIVER_BYTES");
	if (driver.bytes <= 0)
		driver.bytes = 2L << 30;
	int memory = memfd_create("device", MFD_CLOEXEC), pair[2];
	if (memory < 0 || ftruncate(memory, driver.bytes) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return OUT_OF_MEMORY;
	driver.memory = mmap(NULL, (size_t)driver.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (driver.memory == MAP_FAILED)
		return OUT_OF_MEMORY;
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	/* From numbers that are out of the way of where they go. */
	int from[2] = {dup(memory), dup(pair[1])};
	while (from[0] < 8)
		from[0] = dup(memory);
	while (from[1] < 8)
		from[1] = dup(pair[1]);
	posix_spawn_file_actions_adddup2(&files, from[0], 3);
	posix_spawn_file_actions_adddup2(&files, from[1], 4);
	pid_t pid;
	char *argv[] = {(char *)vm, NULL};
	if (posix_spawn(&pid, vm, &files, NULL, argv, environ))
		return NO_DEVICE;
	posix_spawn_file_actions_destroy(&files);
	for (int fd = 3; fd < 64; fd++) /* what only the helper needs: its end shows when this process ends */
		if (fd != pair[0] && fd <= from[1] && (fd == pair[1] || fd == memory || fd == from[0] || fd == from[1]))
			close(fd);
	driver.socket = pair[0];
	return all(get, &driver.base, sizeof driver.base) ? OK : NO_DEVICE;
}

int cuDriverGetVersion(int *v) { return *v = 12090, OK; }
int cuDeviceGetCount(int *n) { return *n = 1, OK; }
int cuDeviceGet(int *d, int i) { return *d = i, i == 0 ? OK : INVALID_DEVICE; }
int cuDeviceGetName(char *name, int n, int d) { return (void)d, snprintf(name, (size_t)n, "test driver"), OK; }
int cuDeviceTotalMem_v2(size_t *n, int d) { return (void)d, *n = (size_t)driver.bytes, OK; }
int cuDeviceGetAttribute(int *v, int attribute, int d) {
	(void)d;
	*v = attribute == 75 ? 6 : attribute == 76 ? 1 : attribute == 16 ? 30 : 0; /* capability 6.1, multiprocessors */
	return OK;
}

int cuCtxCreate_v2(void **ctx, unsigned flags, int d) {
	(void)flags, (void)d;
	if (!(current = calloc(1, sizeof *current)))
		return OUT_OF_MEMORY;
	return current->alive = 1, *ctx = current, OK;
}
int cuCtxDestroy_v2(struct context *ctx) { return ctx->alive = 0, OK; } /* it stays where it is current, dead */
int cuCtxSetCurrent(struct context *ctx) { return current = ctx, ctx->alive ? OK : INVALID_CONTEXT; }
int cuCtxSynchronize(void) { return ready(); }

int cuModuleLoadData(void **m, const char *text) {
	uint64_t handle = 0;
	int r = ask(LOAD, text, strlen(text), &handle, sizeof handle);
	return *m = (void *)handle, r;
}
/* Of the options only the buffer for errors (5) and its size (6), in this order. */
int cuModuleLoadDataEx(void **m, const char *text, unsigned n, int *options, void **values) {
	int r = cuModuleLoadData(m, text);
	if (r && n == 2 && options[0] == 5 && options[1] == 6)
		snprintf(values[0], (size_t)values[1], "%s", driver.said);
	return r;
}
int cuModuleUnload(void *m) { return ASK(UNLOAD, NULL, 0, (uint64_t)m); }

struct function {
	uint64_t handle, parameters;
};

int cuModuleGetFunction(void **f, void *m, const char *name) {
	char text[256];
	uint64_t module = (uint64_t)m;
	memcpy(text, &module, sizeof module);
	size_t n = strnlen(name, sizeof text - sizeof module);
	memcpy(text + sizeof module, name, n);
	struct function *fn = calloc(1, sizeof *fn);
	if (!fn)
		return OUT_OF_MEMORY;
	int r = ask(FUNCTION, text, sizeof module + n, fn, sizeof *fn);
	return *f = fn, r;
}

int cuFuncGetAttribute(int *v, int attribute, void *f) {
	uint64_t known[4] = {0}; /* registers, shared, local, threads */
	int r = ASK(ATTRIBUTES, known, sizeof known, ((struct function *)f)->handle);
	*v = (int)known[attribute == 4 ? 0 : attribute == 1 ? 1 : attribute == 3 ? 2 : 3];
	return r;
}

int cuMemAlloc_v2(uint64_t *addr, size_t n) {
	if (!ready() && ++driver.allocations == fault("AVCU_TESTDRIVER_FAIL_ALLOC"))
		return OUT_OF_MEMORY;
	return ASK(ALLOC, addr, sizeof *addr, n);
}
int cuMemFree_v2(uint64_t addr) { return ASK(FREE, NULL, 0, addr); }
int cuMemGetInfo_v2(size_t *left, size_t *total) {
	uint64_t v[2] = {0};
	int r = ASK(MEMORY, v, sizeof v, 0);
	return *left = v[0], *total = v[1], r;
}
int cuMemHostAlloc(void **p, size_t n, unsigned flags) {
	(void)flags;
	return ready() ? ready() : (*p = malloc(n)) ? OK : OUT_OF_MEMORY;
}
int cuMemFreeHost(void *p) { return free(p), ready(); }

/* The helper checks the range and notes that it was written; then the bytes go there. */
int cuMemcpyHtoD_v2(uint64_t dst, const void *src, size_t n) {
	int r = ASK(READ, NULL, 0, dst, n);
	if (r)
		return r;
	memcpy(at(dst), src, n);
	return ASK(WROTE, NULL, 0, dst, n);
}
int cuMemcpyHtoDAsync_v2(uint64_t dst, const void *src, size_t n, void *s) { return (void)s, cuMemcpyHtoD_v2(dst, src, n); }
int cuMemcpyDtoH_v2(void *dst, uint64_t src, size_t n) {
	int r = ASK(READ, NULL, 0, src, n);
	if (!r)
		memcpy(dst, at(src), n);
	return r;
}
int cuMemsetD8_v2(uint64_t dst, unsigned char value, size_t n) { return ASK(FILL, NULL, 0, dst, value, n); }
int cuMemsetD8Async(uint64_t dst, unsigned char value, size_t n, void *s) { return (void)s, cuMemsetD8_v2(dst, value, n); }

int cuStreamCreate(void **s, unsigned flags) { return (void)flags, *s = &driver, ready(); }
int cuStreamDestroy_v2(void *s) { return (void)s, OK; }
int cuStreamSynchronize(void *s) { return (void)s, ready(); }
int cuStreamWaitEvent(void *s, void *e, unsigned flags) { return (void)s, (void)e, (void)flags, ready(); }

int cuEventCreate(void **e, unsigned flags) { return (void)flags, (*e = calloc(1, sizeof(struct timespec))) ? OK : OUT_OF_MEMORY; }
int cuEventDestroy_v2(void *e) { return free(e), OK; }
int cuEventRecord(void *e, void *s) { return (void)s, clock_gettime(CLOCK_MONOTONIC, e), ready(); }
int cuEventSynchronize(void *e) { return (void)e, ready(); }
int cuEventElapsedTime(float *ms, void *from, void *to) {
	struct timespec *a = from, *b = to;
	*ms = (float)(1e3 * (double)(b->tv_sec - a->tv_sec) + 1e-6 * (double)(b->tv_nsec - a->tv_nsec));
	return ready();
}

int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *s, void **params, void **extra) {
	(void)s, (void)extra;
	struct function *fn = f;
	if (ready())
		return ready();
	driver.launches++;
	if (driver.launches == fault("AVCU_TESTDRIVER_FAIL_LAUNCH"))
		return LAUNCH_FAILED;
	long lose = fault("AVCU_TESTDRIVER_LOSE_DEVICE");
	if (lose && driver.launches >= lose)
		driver.lost = ILLEGAL_ADDRESS;
	uint64_t words[8 + 64] = {fn->handle, gx, gy, gz, bx, by, bz, shared};
	if (fn->parameters > 64)
		return INVALID_VALUE;
	for (uint64_t i = 0; i < fn->parameters; i++)
		memcpy(&words[8 + i], params[i], 8);
	return ask(LAUNCH, words, 8 * (8 + fn->parameters), NULL, 0);
}

int cuGetErrorName(int error, const char **name) {
	switch (error) {
	case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
	case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
	case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
	case INVALID_DEVICE: *name = "CUDA_ERROR_INVALID_DEVICE"; break;
	case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
	case INVALID_PTX: *name = "CUDA_ERROR_INVALID_PTX"; break;
	case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
	case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
	case LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
	case NOT_SUPPORTED: *name = "CUDA_ERROR_NOT_SUPPORTED"; break;
	default: *name = "CUDA_ERROR_UNKNOWN";
	}
	return OK;
}
int cuGetErrorString(int error, const char **text) {
	switch (error) {
	case OUT_OF_MEMORY: *text = "out of memory"; break;
	case ILLEGAL_ADDRESS: *text = "an illegal memory access was encountered"; break;
	case LAUNCH_FAILED: *text = "unspecified launch failure"; break;
	case INVALID_VALUE: *text = "invalid argument"; break;
	default: *text = "an error of the test driver";
	}
	return OK;
}

/* What gorgonia.org/cu refers to and this program does not call. */
#define UNSUPPORTED(name) \
	int name(void) { return NOT_SUPPORTED; }
#include "unsupported.h"
