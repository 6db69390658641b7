/* A pool of threads that spin briefly between pieces of work and then sleep. */
#ifndef EDGE_THREADS_H
#define EDGE_THREADS_H

#include <stdint.h>

#include "edge/status.h"

#define EDGE_MAX_THREADS 256

typedef struct edge_threads edge_threads;

/* Work run by every thread of the pool: index is 0 .. count-1, index 0 is the caller. */
typedef void edge_thread_fn(void *context, int32_t index, int32_t count);

/* num_threads counts the caller: 1 starts no thread. EDGE_INVALID outside 1 .. EDGE_MAX_THREADS. */
EDGE_API edge_status edge_threads_create(edge_threads **out, int32_t num_threads);

/* Stops and joins the threads, frees the pool, sets *threads to NULL. NULL is allowed. */
EDGE_API void edge_threads_destroy(edge_threads **threads);

EDGE_API int32_t edge_threads_count(const edge_threads *threads);

/* Runs fn once in every thread and returns when all are done. Not reentrant: one run at a time per pool. */
void edge_threads_run(edge_threads *threads, edge_thread_fn *fn, void *context);

/* Inside a run: waits until every thread of the pool has arrived. */
void edge_threads_barrier(edge_threads *threads);

/* Barriers passed since the pool was created (debug counter: the plan promises a number per layer). */
EDGE_API uint64_t edge_threads_barrier_count(const edge_threads *threads);

#endif
