/* What the benches share: memory that pushes everything else out of the caches, as the rest of a model does it between
 * two steps, and the order of times. */
#ifndef EDGE_BENCH_H
#define EDGE_BENCH_H

#include <string.h>

#include "edge/threads.h"
#include "kernels.h"
#include "os.h"

#define EVICT_BYTES     ((uint64_t)128 << 20) /* more than any cache */
#define MEASURE_SECONDS 0.4

typedef struct eviction {
    const edge_kernels *kernels;
    uint8_t *memory; /* EVICT_BYTES */
    uint64_t found[EDGE_MAX_THREADS];
} eviction;

/* The memory, every page of its own: zeros may be one page for all. NULL when there is none. */
static inline uint8_t *make_eviction(void) {
    uint8_t *memory = edge_os_alloc(EVICT_BYTES);
    return memory ? memset(memory, 1, EVICT_BYTES) : NULL;
}

/* Every thread reads all of it: caches may be a core's own. */
static inline void evict(void *context, int32_t index, int32_t count) {
    eviction *it = context;
    (void)count;
    it->found[index] ^= it->kernels->read(it->memory, EVICT_BYTES);
}

static inline int compare_times(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

#endif
