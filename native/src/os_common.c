/* Counters and faults for tests: every allocation fails in turn and nothing leaks; files give less than asked. */
#include "os.h"

static _Atomic int64_t remaining = -1; /* allocations until the one that fails; -1: none will */
static _Atomic int64_t live = 0;
static edge_os_read_faults read_faults = {.until_failure = -1};

void edge_os_fail_after(int64_t count) {
    atomic_store_explicit(&remaining, count, memory_order_relaxed);
}

int64_t edge_os_live(void) {
    return atomic_load_explicit(&live, memory_order_relaxed);
}

int edge_os_may_allocate(void) {
    if (atomic_load_explicit(&remaining, memory_order_relaxed) < 0) {
        return 1;
    }
    return atomic_fetch_sub_explicit(&remaining, 1, memory_order_relaxed) != 0;
}

void edge_os_count(int64_t change) {
    atomic_fetch_add_explicit(&live, change, memory_order_relaxed);
}

edge_os_read_faults *edge_os_faults(void) {
    return &read_faults;
}
