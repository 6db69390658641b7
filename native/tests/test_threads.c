/* The pool: every thread runs once per run, barriers separate, counts are right, failures leak nothing. */
#include "edge/threads.h"

#include <stdatomic.h>

#include "check.h"
#include "os.h"

#define ROUNDS 50

typedef struct shared {
    edge_threads *pool;
    int32_t plain[64]; /* written before a barrier, read behind it: TSan sees a race if the barrier were none */
    _Atomic int32_t ran[64];
    int64_t sums[64];
} shared;

static void rounds(void *context, int32_t index, int32_t count) {
    shared *s = context;
    atomic_fetch_add(&s->ran[index], 1);
    for (int32_t round = 0; round < ROUNDS; round++) {
        s->plain[index] = round * 100 + index;
        edge_threads_barrier(s->pool);
        for (int32_t i = 0; i < count; i++) {
            s->sums[index] += s->plain[i];
        }
        edge_threads_barrier(s->pool);
    }
}

static void test_barriers(int32_t count) {
    shared s = {0};
    CHECK(edge_threads_create(&s.pool, count) == EDGE_OK, "%d threads", count);
    CHECK(edge_threads_count(s.pool) == count, "count");
    for (int32_t run = 1; run <= 20; run++) {
        edge_threads_run(s.pool, rounds, &s);
        int64_t expected = 0;
        for (int32_t round = 0; round < ROUNDS; round++) {
            for (int32_t i = 0; i < count; i++) {
                expected += round * 100 + i;
            }
        }
        for (int32_t i = 0; i < count; i++) {
            CHECK(atomic_load(&s.ran[i]) == run, "thread %d ran %d times in %d runs", i, atomic_load(&s.ran[i]), run);
            CHECK(s.sums[i] == expected * run, "thread %d", i);
        }
        CHECK(edge_threads_barrier_count(s.pool) == (uint64_t)run * 2 * ROUNDS, "barriers");
        if (run % 5 == 0) { /* long enough for the workers to fall asleep */
            uint64_t start = edge_os_nanoseconds();
            while (edge_os_nanoseconds() - start < 1000000u) {
                edge_os_pause();
            }
        }
    }
    edge_threads_destroy(&s.pool);
    CHECK(s.pool == NULL, "destroy nulls");
}

/* One thread is slow: the others sleep in the barrier. */
static void slow(void *context, int32_t index, int32_t count) {
    shared *s = context;
    if (index == count - 1) {
        uint64_t start = edge_os_nanoseconds();
        while (edge_os_nanoseconds() - start < 2000000u) {
            edge_os_pause();
        }
        s->plain[0] = 7;
    }
    edge_threads_barrier(s->pool);
    s->sums[index] = s->plain[0];
}

static void test_sleeping_barrier(void) {
    shared s = {0};
    CHECK(edge_threads_create(&s.pool, 4) == EDGE_OK, "create");
    for (int32_t run = 0; run < 10; run++) {
        edge_threads_run(s.pool, slow, &s);
        for (int32_t i = 0; i < 4; i++) {
            CHECK(s.sums[i] == 7, "thread %d", i);
        }
    }
    edge_threads_destroy(&s.pool);
}

static void test_refusals(void) {
    edge_threads *pool = NULL;
    CHECK(edge_threads_create(&pool, 0) == EDGE_INVALID && pool == NULL, "0 threads");
    CHECK(edge_threads_create(&pool, EDGE_MAX_THREADS + 1) == EDGE_INVALID && pool == NULL, "too many threads");
    CHECK(edge_threads_create(NULL, 1) == EDGE_INVALID, "NULL");
    edge_threads_destroy(NULL);
    edge_threads_destroy(&pool);
}

/* The pool and each of its threads fail in turn. */
static void test_failures(void) {
    int64_t before = edge_os_live();
    for (int32_t fail = 0; fail < 4; fail++) {
        edge_threads *pool = NULL;
        edge_os_fail_after(fail);
        CHECK(edge_threads_create(&pool, 4) == EDGE_NO_MEMORY && pool == NULL, "failure %d", fail);
        edge_os_fail_after(-1);
        CHECK(edge_os_live() == before, "failure %d leaks", fail);
    }
}

static void test_memory(void) {
    static const uint64_t sizes[] = {0, 1, 63, 64, 65, 4095, 100000, (4u << 20) - 1, 4u << 20, (4u << 20) + 1, 9999999};
    int64_t before = edge_os_live();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *memory = edge_os_alloc(sizes[i]);
        CHECK(memory != NULL, "%llu bytes", (unsigned long long)sizes[i]);
        uintptr_t alignment = sizes[i] >= EDGE_HUGE_FROM_BYTES ? EDGE_HUGE_PAGE_BYTES : EDGE_ALIGNMENT;
        CHECK((uintptr_t)memory % alignment == 0, "alignment of %llu bytes", (unsigned long long)sizes[i]);
        int nonzero = 0;
        for (uint64_t j = 0; j < sizes[i]; j++) {
            nonzero |= memory[j];
            memory[j] = 1;
        }
        CHECK(nonzero == 0, "%llu bytes are zeroed", (unsigned long long)sizes[i]);
        edge_os_free(memory, sizes[i]);
    }
    CHECK(edge_os_alloc(UINT64_MAX) == NULL, "all memory there is");
    CHECK(edge_os_alloc(UINT64_MAX / 2 - 4096) == NULL, "half of it");
    edge_os_free(NULL, 5);
    CHECK(edge_os_live() == before, "memory leaks");
}

int main(void) {
    for (int32_t count = 1; count <= 8; count++) {
        test_barriers(count);
    }
    test_sleeping_barrier();
    test_refusals();
    test_failures();
    test_memory();
    return check_result("threads");
}
