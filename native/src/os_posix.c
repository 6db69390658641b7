/* POSIX without futex (macOS, Android, BSD): sleepers share one condition variable. */
#define _POSIX_C_SOURCE 200809L
#include "os.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

_Static_assert(sizeof(pthread_t) <= sizeof(uintptr_t), "a thread handle fits");

/* One pair for all words: sleeping is rare, and a wake-up for another word is only a look at one's own. */
static pthread_mutex_t sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_condition = PTHREAD_COND_INITIALIZER;

void *edge_os_alloc(uint64_t bytes) {
    if (bytes > SIZE_MAX / 2 || !edge_os_may_allocate()) {
        return NULL;
    }
    size_t alignment = bytes >= EDGE_HUGE_FROM_BYTES ? EDGE_HUGE_PAGE_BYTES : EDGE_ALIGNMENT;
    size_t size = bytes > 0 ? (size_t)bytes : 1;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, size) != 0) {
        return NULL;
    }
    memset(memory, 0, size);
    edge_os_count(1);
    return memory;
}

void edge_os_free(void *memory, uint64_t bytes) {
    (void)bytes;
    if (memory) {
        edge_os_count(-1);
        free(memory);
    }
}

void edge_os_refuse_huge_pages(void *memory, uint64_t bytes) {
    (void)memory;
    (void)bytes;
}

void *edge_os_map_file(int32_t descriptor, uint64_t bytes) {
    if (bytes == 0 || bytes > SIZE_MAX / 2 || !edge_os_may_allocate()) {
        return NULL;
    }
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    edge_os_count(1);
    return memory;
}

void edge_os_unmap_file(void *memory, uint64_t bytes) {
    edge_os_count(-1);
    munmap(memory, (size_t)bytes);
}

static void *thread_main(void *argument) {
    edge_os_thread *thread = argument;
    thread->run(thread->argument);
    return NULL;
}

int edge_os_thread_start(edge_os_thread *thread, void (*run)(void *), void *argument) {
    pthread_t handle;
    if (!edge_os_may_allocate()) {
        return -1;
    }
    thread->run = run;
    thread->argument = argument;
    if (pthread_create(&handle, NULL, thread_main, thread) != 0) {
        return -1;
    }
    thread->handle = (uintptr_t)handle;
    edge_os_count(1);
    return 0;
}

void edge_os_thread_join(edge_os_thread *thread) {
    pthread_join((pthread_t)thread->handle, NULL);
    edge_os_count(-1);
}

void edge_os_wait(_Atomic uint32_t *word, uint32_t expected) {
    pthread_mutex_lock(&sleep_mutex);
    while (atomic_load_explicit(word, memory_order_acquire) == expected) {
        pthread_cond_wait(&sleep_condition, &sleep_mutex);
    }
    pthread_mutex_unlock(&sleep_mutex);
}

void edge_os_wake_all(_Atomic uint32_t *word) {
    (void)word; /* The word was changed before the call; taking the mutex orders that with a sleeper's look at it. */
    pthread_mutex_lock(&sleep_mutex);
    pthread_cond_broadcast(&sleep_condition);
    pthread_mutex_unlock(&sleep_mutex);
}

uint64_t edge_os_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
