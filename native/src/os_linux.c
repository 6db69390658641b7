/* Linux: futex, transparent huge pages, of files too. */
#define _GNU_SOURCE
#include "os.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(pthread_t) <= sizeof(uintptr_t), "a thread handle fits");
_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "futex words are plain 32-bit words");

/* Reserves whole pages at a 2 MiB boundary: maps 2 MiB more and gives back what lies around. */
static void *reserve_huge(uint64_t bytes, int protection) {
    uint64_t whole = bytes + EDGE_HUGE_PAGE_BYTES;
    if (whole < bytes || whole > SIZE_MAX) {
        return NULL;
    }
    uint8_t *base = mmap(NULL, (size_t)whole, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        return NULL;
    }
    uint64_t before = (EDGE_HUGE_PAGE_BYTES - (uintptr_t)base % EDGE_HUGE_PAGE_BYTES) % EDGE_HUGE_PAGE_BYTES;
    uint64_t after = EDGE_HUGE_PAGE_BYTES - before;
    if (before > 0) {
        munmap(base, (size_t)before);
    }
    if (after > 0) {
        munmap(base + before + bytes, (size_t)after);
    }
    return base + before;
}

static void *map_huge(uint64_t bytes) {
    void *memory = reserve_huge(bytes, PROT_READ | PROT_WRITE);
    if (memory) {
        /* Advice only: without huge pages the memory is as good, but slower. */
        (void)madvise(memory, (size_t)bytes, MADV_HUGEPAGE);
    }
    return memory;
}

static uint64_t round_up(uint64_t bytes, uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

void *edge_os_alloc(uint64_t bytes) {
    if (bytes > SIZE_MAX / 2 || !edge_os_may_allocate()) {
        return NULL;
    }
    void *memory;
    if (bytes >= EDGE_HUGE_FROM_BYTES) {
        memory = map_huge(round_up(bytes, edge_os_page_bytes()));
    } else {
        uint64_t size = round_up(bytes > 0 ? bytes : 1, EDGE_ALIGNMENT);
        memory = aligned_alloc(EDGE_ALIGNMENT, (size_t)size);
        if (memory) {
            memset(memory, 0, (size_t)size);
        }
    }
    if (memory) {
        edge_os_count(1);
    }
    return memory;
}

void edge_os_free(void *memory, uint64_t bytes) {
    if (!memory) {
        return;
    }
    edge_os_count(-1);
    if (bytes >= EDGE_HUGE_FROM_BYTES) {
        munmap(memory, (size_t)round_up(bytes, edge_os_page_bytes()));
    } else {
        free(memory);
    }
}

void edge_os_refuse_huge_pages(void *memory, uint64_t bytes) {
    if (bytes >= EDGE_HUGE_FROM_BYTES) { /* smaller memory shares its pages with others */
        (void)madvise(memory, (size_t)bytes, MADV_NOHUGEPAGE);
    }
}

void *edge_os_map_file(int32_t descriptor, uint64_t bytes) {
    if (bytes == 0 || bytes > SIZE_MAX / 2 || !edge_os_may_allocate()) {
        return NULL;
    }
    size_t size = (size_t)round_up(bytes, edge_os_page_bytes());
    void *memory = reserve_huge(size, PROT_NONE);
    if (!memory) {
        return NULL;
    }
    if (mmap(memory, size, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
        munmap(memory, size);
        return NULL;
    }
    (void)madvise(memory, size, MADV_HUGEPAGE); /* advice only */
    edge_os_count(1);
    return memory;
}

void edge_os_unmap_file(void *memory, uint64_t bytes) {
    edge_os_count(-1);
    munmap(memory, (size_t)round_up(bytes, edge_os_page_bytes()));
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
    (void)syscall(SYS_futex, (void *)word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void edge_os_wake_all(_Atomic uint32_t *word) {
    (void)syscall(SYS_futex, (void *)word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

uint64_t edge_os_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
