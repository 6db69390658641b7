/* Watched mappings. A file that becomes shorter takes the pages behind its end away from every mapping of it, and
 * touching one is SIGBUS; so is a page that the disk cannot give. In a watched range such a page, and all that follow,
 * become zeros instead: the computation ends, and its caller asks the watch whether the result counts. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__linux__) && defined(__LP64__)
#include <sys/syscall.h>
#endif

_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "a signal handler reads the watches");

/* Zeros that fault again: other threads that were on their way, or a fault of another kind that zeros do not cure. */
#define MAX_REPEATS 65536

/* The handler may look at a watch while another thread changes it. It believes begin and end only if `version` was
 * even, and the same before and after. */
typedef struct watch {
    _Atomic int taken;
    _Atomic uint32_t version;
    _Atomic uintptr_t begin, end; /* whole pages */
    _Atomic uintptr_t lost;       /* zeros from here on; UINTPTR_MAX: nothing is lost */
    _Atomic int repeats;
} watch;

static watch watches[EDGE_OS_MAX_WATCHES];

static pthread_mutex_t install_mutex = PTHREAD_MUTEX_INITIALIZER;
static int installed;
/* Written before the handler can run. */
static struct sigaction previous;
static uintptr_t page_bytes;

uint64_t edge_os_page_bytes(void) {
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Read-only zeros in place of what is mapped there. 0: the system refuses. */
static int map_zeros(uintptr_t begin, uintptr_t end) {
    void *at = (void *)begin;
    size_t size = (size_t)(end - begin);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
#if defined(__linux__) && defined(__LP64__)
    /* The bare call: mmap may be a wrapper (of a sanitizer, say) that must not run in a signal handler. */
    return syscall(SYS_mmap, at, size, PROT_READ, flags, -1, 0) != -1;
#else
    return mmap(at, size, PROT_READ, flags, -1, 0) != MAP_FAILED;
#endif
}

/* Puts zeros where `address` is and behind, if that is watched. 0: it is not, or zeros do not help. */
static int replace(uintptr_t address) {
    for (int32_t i = 0; i < EDGE_OS_MAX_WATCHES; i++) {
        watch *w = &watches[i];
        uint32_t version = atomic_load(&w->version);
        uintptr_t begin = atomic_load(&w->begin), end = atomic_load(&w->end), lost = atomic_load(&w->lost);
        if (version % 2 != 0 || atomic_load(&w->version) != version || address < begin || address >= end) {
            continue;
        }
        if (address >= lost && atomic_fetch_add(&w->repeats, 1) >= MAX_REPEATS) {
            return 0;
        }
        uintptr_t page = address - address % page_bytes;
        if (!map_zeros(page, end)) {
            return 0;
        }
        while (page < lost && !atomic_compare_exchange_weak(&w->lost, &lost, page)) {
        }
        return 1;
    }
    return 0;
}

/* What would have happened without this file. */
static void pass_on(int number, siginfo_t *info, void *context, int sent) {
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        if (sent && previous.sa_handler == SIG_IGN) {
            return;
        }
        /* Blocked while this handler runs: the process ends when it returns. */
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    } else {
        previous.sa_handler(number);
    }
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    int saved = errno;
    int sent = info->si_code <= 0 || info->si_code == SI_USER; /* by a process: there is no address */
    if (sent || !replace((uintptr_t)info->si_addr)) {
        pass_on(number, info, context, sent);
    }
    errno = saved;
}

/* Once in the life of the process; never taken back, since others may have put their handler on top. */
static int install(void) {
    pthread_mutex_lock(&install_mutex);
    if (!installed) {
        struct sigaction action = {0};
        action.sa_sigaction = on_bus_error;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
        (void)sigemptyset(&action.sa_mask);
        page_bytes = (uintptr_t)edge_os_page_bytes();
        installed = sigaction(SIGBUS, NULL, &previous) == 0 && sigaction(SIGBUS, &action, NULL) == 0;
    }
    int done = installed;
    pthread_mutex_unlock(&install_mutex);
    return done;
}

static void change(watch *w, uintptr_t begin, uintptr_t end) {
    atomic_fetch_add(&w->version, 1);
    atomic_store(&w->begin, begin);
    atomic_store(&w->end, end);
    atomic_store(&w->lost, UINTPTR_MAX);
    atomic_store(&w->repeats, 0);
    atomic_fetch_add(&w->version, 1);
}

int32_t edge_os_watch(const void *memory, uint64_t bytes) {
    uintptr_t begin = (uintptr_t)memory;
    if (!install() || bytes == 0 || begin % page_bytes != 0 || bytes > UINTPTR_MAX - begin - page_bytes) {
        return -1;
    }
    for (int32_t i = 0; i < EDGE_OS_MAX_WATCHES; i++) {
        int nobody = 0;
        if (atomic_compare_exchange_strong(&watches[i].taken, &nobody, 1)) {
            change(&watches[i], begin, begin + ((uintptr_t)bytes + page_bytes - 1) / page_bytes * page_bytes);
            return i;
        }
    }
    return -1;
}

void edge_os_unwatch(int32_t number) {
    change(&watches[number], 0, 0);
    atomic_store(&watches[number].taken, 0);
}

uint64_t edge_os_readable(int32_t number) {
    uintptr_t lost = atomic_load(&watches[number].lost);
    return lost == UINTPTR_MAX ? UINT64_MAX : lost - atomic_load(&watches[number].begin);
}
