/* The operating system: memory, files, threads, sleeping and the clock. Only os_*.c define feature macros. */
#ifndef EDGE_OS_H
#define EDGE_OS_H

#include <stdatomic.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <emmintrin.h>
#endif

#define EDGE_ALIGNMENT       64         /* of every allocation: a cache line, and the widest vector */
#define EDGE_HUGE_PAGE_BYTES (2u << 20) /* what large allocations are aligned to */
#define EDGE_HUGE_FROM_BYTES (4u << 20) /* from this size on, huge pages are asked for */

/* Zeroed memory, 64-byte aligned; 2 MiB-aligned with huge pages advised from 4 MiB on. NULL when there is none.
 * The one allocator of the library. bytes may be 0 (returns a pointer that must be freed). */
void *edge_os_alloc(uint64_t bytes);

/* bytes must be what was asked for. NULL is allowed. */
void edge_os_free(void *memory, uint64_t bytes);

/* Advice, before the memory is touched: its pages stay small. Does nothing where pages are what the system makes them.
 */
void edge_os_refuse_huge_pages(void *memory, uint64_t bytes);

/* For tests. The allocation (or thread start) after the next `count` ones fails, once; -1: none fails. */
void edge_os_fail_after(int64_t count);

/* For tests: allocations, threads and open files not yet freed, joined or closed. */
int64_t edge_os_live(void);

/* For tests: what befalls reads of files. */
typedef struct edge_os_read_faults {
    uint64_t most;                 /* bytes that one read gives; 0: as many as it can */
    int refuse_direct;             /* no file is opened past the page cache */
    _Atomic int refuse_reads;      /* direct reads are refused, although the file could be opened for them */
    _Atomic int64_t until_failure; /* reads until one ends with an input/output error; -1: none will */
    _Atomic int hold;              /* reads wait until this is 0 */
} edge_os_read_faults;

/* Nothing befalls them unless a test writes to it. */
edge_os_read_faults *edge_os_faults(void);

uint64_t edge_os_page_bytes(void);

/* Maps the first `bytes` (at least 1) of an open file, read-only, shared with whoever maps it too; at a 2 MiB boundary
 * where that lets the system use large pages. NULL when it cannot be mapped. The descriptor may be closed afterwards.
 */
void *edge_os_map_file(int32_t descriptor, uint64_t bytes);

/* bytes must be what was asked for. */
void edge_os_unmap_file(void *memory, uint64_t bytes);

#define EDGE_OS_MAX_WATCHES 1024

/* Watches a mapped file (from a page boundary on; whole pages): pages that the file no longer has become zeros instead
 * of ending the process. The number of the watch, or -1: no boundary, or EDGE_OS_MAX_WATCHES are watched already. */
int32_t edge_os_watch(const void *memory, uint64_t bytes);

/* Before the memory is unmapped. */
void edge_os_unwatch(int32_t watch);

/* Bytes from the start of a watched mapping that were there whenever they were needed; UINT64_MAX: all. */
uint64_t edge_os_readable(int32_t watch);

/* The same open file under a number of its own; -1: too many are open. */
int32_t edge_os_duplicate(int32_t descriptor);

/* The same file, opened so that reads go past the page cache; -1 where the system or the file's place refuses. What is
 * read must then begin and end at multiples of EDGE_READ_ALIGNMENT, in the file and in memory. */
int32_t edge_os_reopen_direct(int32_t descriptor);

/* -1 is allowed. */
void edge_os_close(int32_t descriptor);

#define EDGE_READ_ALIGNMENT 4096 /* the largest block of common disks, and their smallest page */
#define EDGE_OS_READ_REFUSED                                                                                           \
    INT64_MIN /* the system does not read in this way: not aligned as it wants, or not at all */

/* Reads up to `bytes` from `offset` on. How many came, fewer at the end of the file or for no reason; or minus the
 * system's error number; or EDGE_OS_READ_REFUSED. */
int64_t edge_os_read(int32_t descriptor, void *memory, uint64_t bytes, uint64_t offset);

/* Advice: what the page cache holds of the file there will not be needed again. */
void edge_os_drop_pages(int32_t descriptor, uint64_t offset, uint64_t bytes);

typedef struct edge_os_thread {
    void (*run)(void *argument);
    void *argument;
    uintptr_t handle;
} edge_os_thread;

/* Starts run(argument). The struct must stay in place until join. 0 on success. */
int edge_os_thread_start(edge_os_thread *thread, void (*run)(void *), void *argument);
void edge_os_thread_join(edge_os_thread *thread);

/* Sleeps while *word == expected; may return early for no reason. */
void edge_os_wait(_Atomic uint32_t *word, uint32_t expected);

/* Wakes every sleeper on the word. */
void edge_os_wake_all(_Atomic uint32_t *word);

/* A monotonic clock. */
uint64_t edge_os_nanoseconds(void);

/* One step of a spin loop. */
static inline void edge_os_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

/* Shared by the os_*.c files (os_common.c): the counters behind fail_after and live. */
int edge_os_may_allocate(void); /* 0: this one has to fail */
void edge_os_count(int64_t change);

#endif
