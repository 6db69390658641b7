/* Reading files at a place: past the page cache where the system can (O_DIRECT, F_NOCACHE), through it elsewhere. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int32_t counted(int descriptor) {
    if (descriptor >= 0) {
        edge_os_count(1);
    }
    return descriptor;
}

int32_t edge_os_duplicate(int32_t descriptor) {
    return edge_os_may_allocate() ? counted(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) : -1;
}

int32_t edge_os_reopen_direct(int32_t descriptor) {
    if (edge_os_faults()->refuse_direct) {
        return -1;
    }
#if defined(__linux__) && defined(O_DIRECT)
    /* A file of its own, not a second number for the same one: the flag belongs to the open file, which is not ours. */
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", (int)descriptor);
    return counted(open(path, O_RDONLY | O_CLOEXEC | O_DIRECT));
#elif defined(F_NOCACHE)
    int again = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (again >= 0 && fcntl(again, F_NOCACHE, 1) != 0) {
        (void)close(again);
        again = -1;
    }
    return counted(again);
#else
    (void)descriptor;
    return -1;
#endif
}

void edge_os_close(int32_t descriptor) {
    if (descriptor >= 0) {
        edge_os_count(-1);
        (void)close(descriptor);
    }
}

/* Of a descriptor that edge_os_reopen_direct gave. */
static int is_direct(int32_t descriptor) {
#if defined(__linux__) && defined(O_DIRECT)
    return (fcntl(descriptor, F_GETFL) & O_DIRECT) != 0;
#else
    (void)descriptor;
    return 0;
#endif
}

/* 0, or what a test wants a read to end with. */
static int64_t fault(int32_t descriptor) {
    edge_os_read_faults *faults = edge_os_faults();
    while (atomic_load(&faults->hold)) {
        edge_os_pause();
    }
    if (atomic_load(&faults->refuse_reads) && is_direct(descriptor)) {
        return EDGE_OS_READ_REFUSED;
    }
    if (atomic_load(&faults->until_failure) >= 0 && atomic_fetch_sub(&faults->until_failure, 1) == 0) {
        return -EIO;
    }
    return 0;
}

int64_t edge_os_read(int32_t descriptor, void *memory, uint64_t bytes, uint64_t offset) {
    uint64_t most = edge_os_faults()->most;
    int64_t ends = fault(descriptor);
    if (ends != 0) {
        return ends;
    }
    if (bytes > INT32_MAX / 2) {
        bytes = INT32_MAX / 2 + 1; /* more than a system reads at once, and a multiple of every block */
    }
    bytes = most > 0 && most < bytes ? most : bytes;
    for (;;) {
        ssize_t count = pread(descriptor, memory, (size_t)bytes, (off_t)offset);
        if (count >= 0) {
            return count;
        }
        if (errno != EINTR) {
            return errno == EINVAL ? EDGE_OS_READ_REFUSED : -(int64_t)errno;
        }
    }
}

void edge_os_drop_pages(int32_t descriptor, uint64_t offset, uint64_t bytes) {
#ifdef POSIX_FADV_DONTNEED
    (void)posix_fadvise(descriptor, (off_t)offset, (off_t)bytes, POSIX_FADV_DONTNEED); /* advice only */
#else
    (void)descriptor;
    (void)offset;
    (void)bytes;
#endif
}
