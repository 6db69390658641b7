/* The thread pool: workers spin for a moment between pieces of work, then sleep. All order comes from acquire and
 * release on three words: `epoch` (a run starts), `generation` (a barrier opens), `arrived` (who is there). */
#include "edge/threads.h"

#include <stdatomic.h>
#include <stddef.h>

#include "os.h"

#define SPIN_NANOSECONDS 30000u /* about the cost of a sleep and a wake-up */
#define SPINS_PER_LOOK   32     /* pauses between two looks at the clock */

/* A word that threads wait on. It lies on a cache line of its own: spinning must not disturb neighbours. */
typedef struct waitable {
    _Alignas(EDGE_ALIGNMENT) _Atomic uint32_t word;
    _Atomic uint32_t sleepers;
} waitable;

typedef struct worker {
    edge_threads *pool;
    int32_t index;
    edge_os_thread thread;
} worker;

struct edge_threads {
    waitable epoch;
    waitable generation;
    _Alignas(EDGE_ALIGNMENT) _Atomic uint32_t arrived;
    _Atomic uint64_t barriers;
    int32_t count;
    int stop; /* written before epoch changes, read after */
    edge_thread_fn *fn;
    void *context;
    worker workers[]; /* count - 1 */
};

static uint64_t pool_bytes(int32_t count) {
    return sizeof(edge_threads) + (uint64_t)count * sizeof(worker);
}

/* Returns once the word is no longer `old`; what the changer wrote before is visible then. */
static void wait_change(waitable *w, uint32_t old) {
    uint64_t start = 0;
    for (;;) {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (atomic_load_explicit(&w->word, memory_order_acquire) != old) {
                return;
            }
            edge_os_pause();
        }
        uint64_t now = edge_os_nanoseconds();
        if (start == 0) {
            start = now;
        } else if (now - start > SPIN_NANOSECONDS) {
            break;
        }
    }
    /* Announce the sleep before the last look at the word; change() writes the word before it looks for sleepers.
     * Both in the one order of sequential consistency: one of the two sees the other. */
    atomic_fetch_add_explicit(&w->sleepers, 1, memory_order_seq_cst);
    while (atomic_load_explicit(&w->word, memory_order_seq_cst) == old) {
        edge_os_wait(&w->word, old);
    }
    atomic_fetch_sub_explicit(&w->sleepers, 1, memory_order_relaxed);
}

static void change(waitable *w) {
    atomic_fetch_add_explicit(&w->word, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&w->sleepers, memory_order_seq_cst) != 0) {
        edge_os_wake_all(&w->word);
    }
}

static void meet(edge_threads *pool, uint64_t counted) {
    /* Read before arriving: the last to arrive opens the barrier at once. */
    uint32_t generation = atomic_load_explicit(&pool->generation.word, memory_order_relaxed);
    uint32_t arrived = atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1;
    if (arrived == (uint32_t)pool->count) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&pool->barriers, counted, memory_order_relaxed);
        change(&pool->generation);
    } else {
        wait_change(&pool->generation, generation);
    }
}

static void worker_main(void *argument) {
    worker *self = argument;
    edge_threads *pool = self->pool;
    for (uint32_t epoch = 0;; epoch++) {
        wait_change(&pool->epoch, epoch);
        if (pool->stop) {
            return;
        }
        pool->fn(pool->context, self->index, pool->count);
        meet(pool, 0);
    }
}

static void stop_workers(edge_threads *pool, int32_t started) {
    pool->stop = 1;
    change(&pool->epoch);
    for (int32_t i = 0; i < started; i++) {
        edge_os_thread_join(&pool->workers[i].thread);
    }
}

edge_status edge_threads_create(edge_threads **out, int32_t num_threads) {
    if (!out) {
        return EDGE_INVALID;
    }
    *out = NULL;
    if (num_threads < 1 || num_threads > EDGE_MAX_THREADS) {
        return EDGE_INVALID;
    }
    edge_threads *pool = edge_os_alloc(pool_bytes(num_threads));
    if (!pool) {
        return EDGE_NO_MEMORY;
    }
    pool->count = num_threads;
    for (int32_t i = 0; i < num_threads - 1; i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->index = i + 1;
        if (edge_os_thread_start(&w->thread, worker_main, w) != 0) {
            stop_workers(pool, i);
            edge_os_free(pool, pool_bytes(num_threads));
            return EDGE_NO_MEMORY;
        }
    }
    *out = pool;
    return EDGE_OK;
}

void edge_threads_destroy(edge_threads **threads) {
    if (!threads || !*threads) {
        return;
    }
    edge_threads *pool = *threads;
    stop_workers(pool, pool->count - 1);
    edge_os_free(pool, pool_bytes(pool->count));
    *threads = NULL;
}

int32_t edge_threads_count(const edge_threads *threads) {
    return threads->count;
}

void edge_threads_run(edge_threads *threads, edge_thread_fn *fn, void *context) {
    if (threads->count == 1) {
        fn(context, 0, 1);
        return;
    }
    threads->fn = fn;
    threads->context = context;
    change(&threads->epoch);
    fn(context, 0, threads->count);
    meet(threads, 0);
}

void edge_threads_barrier(edge_threads *threads) {
    meet(threads, 1);
}

uint64_t edge_threads_barrier_count(const edge_threads *threads) {
    return atomic_load_explicit(&threads->barriers, memory_order_relaxed);
}
