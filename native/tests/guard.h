/* Memory between two pages that must not be touched: a read or write out of bounds ends the test with SIGSEGV. */
#ifndef EDGE_GUARD_H
#define EDGE_GUARD_H

/* The including test defines _DEFAULT_SOURCE first: mmap and MAP_ANONYMOUS. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct guard {
    uint8_t *base; /* the page in front */
    size_t page, inner;
} guard;

static inline guard guard_create(size_t bytes) {
    guard g;
    g.page = (size_t)sysconf(_SC_PAGESIZE);
    g.inner = (bytes + g.page - 1) / g.page * g.page;
    g.base = mmap(NULL, g.inner + 2 * g.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.base == MAP_FAILED || mprotect(g.base, g.page, PROT_NONE) != 0 ||
        mprotect(g.base + g.page + g.inner, g.page, PROT_NONE) != 0) {
        perror("guard pages");
        exit(2);
    }
    return g;
}

static inline void guard_destroy(guard *g) {
    munmap(g->base, g->inner + 2 * g->page);
    g->base = NULL;
}

/* A place for `bytes`: against the page behind (at_end) or the page in front. */
static inline void *guard_place(const guard *g, size_t bytes, int at_end) {
    if (bytes > g->inner) {
        fprintf(stderr, "guard: %zu bytes do not fit\n", bytes);
        exit(2);
    }
    return g->base + g->page + (at_end ? g->inner - bytes : 0);
}

#endif
