/* Regions: what a file holds is there, what it has lost is zeros and said, and other faults stay what they were. */
#define _DEFAULT_SOURCE
#include "edge/region.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "edge/threads.h"
#include "files.h"
#include "os.h"
#include "random.h"

#define PAGES 40

static size_t page;
static uint8_t *content; /* PAGES pages without a zero byte */

static void make_content(void) {
    uint64_t state = 1;
    page = (size_t)edge_os_page_bytes();
    content = malloc(PAGES * page);
    for (size_t i = 0; content && i < PAGES * page; i++) {
        content[i] = (uint8_t)random_int(&state, 1, 255);
    }
}

/* Bytes from the start that are as in `content`; the rest must be zeros. */
static size_t intact(const uint8_t *data, size_t size) {
    size_t good = 0, zeros = 0;
    while (good < size && data[good] == content[good]) {
        good++;
    }
    for (size_t i = good; i < size; i++) {
        zeros += data[i] == 0;
    }
    CHECK(zeros == size - good, "%zu bytes behind byte %zu, %zu of them zeros", size - good, good, zeros);
    return good;
}

static edge_region *map_and_close(int descriptor, size_t size) {
    edge_region *region = NULL;
    CHECK(edge_region_map(&region, descriptor, size) == EDGE_OK, "map %zu bytes", size);
    CHECK((uintptr_t)edge_region_data(region) % page == 0, "on a page boundary");
    CHECK(edge_region_readable(region) == size, "all is readable");
    return region;
}

static void test_cuts(void) {
    const size_t sizes[] = {1, 7, page, page + 100, PAGES * page - 3, PAGES * page};
    const size_t cuts[] = {0, 1, page - 1, page, page + 1, 5 * page + 9, PAGES * page - 4, PAGES * page - 9};
    int64_t before = edge_os_live();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof cuts / sizeof cuts[0]; j++) {
            size_t size = sizes[i], cut = cuts[j];
            int descriptor = file_of(content, size);
            edge_region *region = map_and_close(descriptor, size);
            CHECK(intact(edge_region_data(region), size) == size, "%zu bytes", size);
            if (cut < size) {
                file_cut(descriptor, cut);
                CHECK(edge_region_readable(region) < size, "%zu bytes cut to %zu: noticed before a page is used", size,
                      cut);
                CHECK(intact(edge_region_data(region), size) == cut, "%zu bytes cut to %zu", size, cut);
                uint64_t readable = edge_region_readable(region);
                CHECK(readable < size && readable + 8 + page > cut, "%zu cut to %zu: %d readable", size, cut,
                      (int)readable);
                file_cut(descriptor, size); /* what is lost stays lost */
                CHECK(edge_region_readable(region) < size, "%zu cut to %zu and stretched", size, cut);
            }
            (void)close(descriptor);
            edge_region_destroy(&region);
            CHECK(region == NULL, "destroy nulls");
        }
    }
    CHECK(edge_os_live() == before, "leak");
}

static void test_watch(void) {
    size_t size = PAGES * page - 11;
    int descriptor = file_of(content, size);
    uint8_t *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
    edge_region *region = NULL;
    CHECK(edge_region_watch(&region, memory + 64, size - 64) == EDGE_INVALID && !region, "no page boundary");
    CHECK(edge_region_watch(&region, NULL, 1) == EDGE_INVALID && !region, "NULL");
    CHECK(edge_region_watch(&region, memory, 0) == EDGE_INVALID && !region, "no bytes");
    CHECK(edge_region_watch(&region, memory, size) == EDGE_OK, "watch");
    file_cut(descriptor, 3 * page);
    CHECK(intact(memory, size) == 3 * page, "zeros behind the cut");
    CHECK(edge_region_readable(region) == 3 * page, "%d readable", (int)edge_region_readable(region));
    edge_region_destroy(&region);
    CHECK(munmap(memory, size) == 0, "the mapping is the caller's");
    (void)close(descriptor);
}

static void test_own_memory(void) {
    edge_region *region = NULL;
    CHECK(edge_region_allocate(&region, 0) == EDGE_INVALID && !region, "no bytes");
    CHECK(edge_region_allocate(&region, UINT64_MAX / 4) == EDGE_NO_MEMORY && !region, "too many");
    CHECK(edge_region_allocate(&region, 3u << 22) == EDGE_OK, "allocate");
    memset(edge_region_data(region), 7, 3u << 22);
    CHECK(edge_region_readable(region) == 3u << 22, "all of it");
    edge_region_destroy(&region);
    edge_region_destroy(NULL);
    edge_region_destroy(&region);
}

static void test_refusals(void) {
    int descriptor = file_of(content, page);
    edge_region *region = NULL;
    int64_t before = edge_os_live();
    CHECK(edge_region_map(&region, descriptor, 0) == EDGE_INVALID && !region, "no bytes");
    CHECK(edge_region_map(&region, -1, page) == EDGE_NO_MEMORY && !region, "no file");
    CHECK(edge_region_map(&region, descriptor, UINT64_MAX) == EDGE_NO_MEMORY && !region, "too many bytes");
    for (int64_t fail = 0; fail < 2; fail++) {
        edge_os_fail_after(fail);
        CHECK(edge_region_map(&region, descriptor, page) == EDGE_NO_MEMORY && !region, "failure %d", (int)fail);
        edge_os_fail_after(-1);
        edge_os_fail_after(fail);
        CHECK(edge_region_allocate(&region, page) == EDGE_NO_MEMORY && !region, "failure %d", (int)fail);
        edge_os_fail_after(-1);
    }
    CHECK(edge_os_live() == before, "leak");
    (void)close(descriptor);
}

/* There is an end to the watches, and it is an error and no crash. */
static void test_many(void) {
    static edge_region *regions[EDGE_OS_MAX_WATCHES + 1];
    int descriptor = file_of(content, page);
    int32_t count = 0;
    while (count <= EDGE_OS_MAX_WATCHES && edge_region_map(&regions[count], descriptor, page) == EDGE_OK) {
        count++;
    }
    CHECK(count == EDGE_OS_MAX_WATCHES, "%d regions", (int)count);
    file_cut(descriptor, 0);
    for (int32_t i = 0; i < count; i++) {
        CHECK(edge_region_readable(regions[i]) == 0, "region %d", (int)i);
        edge_region_destroy(&regions[i]);
    }
    file_cut(descriptor, page);
    CHECK(edge_region_map(&regions[0], descriptor, page) == EDGE_OK, "there is room again");
    edge_region_destroy(&regions[0]);
    (void)close(descriptor);
}

typedef struct race {
    const uint8_t *data;
    _Atomic int64_t zeros;
} race;

static void read_all(void *context, int32_t index, int32_t count) {
    race *r = context;
    int64_t zeros = 0;
    for (size_t i = 0; i < PAGES; i++) { /* every thread from another page on */
        zeros += r->data[(i + (size_t)index * PAGES / (size_t)count) % PAGES * page] == 0;
    }
    atomic_fetch_add(&r->zeros, zeros);
}

static void test_threads_fault_together(void) {
    edge_threads *threads = NULL;
    CHECK(edge_threads_create(&threads, 8) == EDGE_OK, "threads");
    for (int32_t round = 0; round < 50; round++) {
        int descriptor = file_of(content, PAGES * page);
        edge_region *region = map_and_close(descriptor, PAGES * page);
        file_cut(descriptor, 0);
        race r = {edge_region_data(region), 0};
        edge_threads_run(threads, read_all, &r);
        CHECK(r.zeros == 8 * PAGES, "%d zeros", (int)r.zeros);
        CHECK(edge_region_readable(region) == 0, "%d readable", (int)edge_region_readable(region));
        edge_region_destroy(&region);
        (void)close(descriptor);
    }
    edge_threads_destroy(&threads);
}

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void on_bus_error(int number) {
    (void)number;
    caught = caught + 1;
    siglongjmp(back, 1);
}

/* A mapping that nobody watches, whose file has nothing. */
static const volatile uint8_t *broken_mapping(void) {
    int descriptor = file_of(content, page);
    const volatile uint8_t *memory = mmap(NULL, page, PROT_READ, MAP_SHARED, descriptor, 0);
    file_cut(descriptor, 0);
    (void)close(descriptor);
    return memory;
}

/* In a process of its own that has a region: what becomes of it. */
static int status_of(void (*run)(void)) {
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        edge_region *region = map_and_close(file_of(content, page), page);
        run();
        edge_region_destroy(&region);
        _exit(check_failures != 0);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child, "fork");
    return status;
}

static void touch_broken(void) {
    (void)*broken_mapping();
}

static void send_bus_error(void) {
    (void)raise(SIGBUS);
}

static void test_other_faults(void) {
    int status = status_of(touch_broken);
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0), "a fault outside ends the process: %d", status);
    status = status_of(send_bus_error);
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0), "so does a signal: %d", status);
    (void)signal(SIGBUS, SIG_IGN);
    status = status_of(send_bus_error);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "which the process may ignore: %d", status);
    status = status_of(touch_broken);
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0), "but not the fault: %d", status);
    (void)signal(SIGBUS, on_bus_error); /* from here on for all tests: the handler that was there before */
}

static void test_handler_before(void) {
    const volatile uint8_t *memory = broken_mapping();
    int expected = caught + 1;
    if (sigsetjmp(back, 1) == 0) {
        (void)*memory;
    }
    CHECK(caught == expected, "the handler from before has a fault outside: %d", (int)caught);
    if (sigsetjmp(back, 1) == 0) {
        (void)raise(SIGBUS);
    }
    CHECK(caught == expected + 1, "and a signal: %d", (int)caught);
}

int main(void) {
    make_content();
    test_other_faults(); /* before this process watches anything */
    test_own_memory();
    test_cuts();
    test_watch();
    test_refusals();
    test_many();
    test_threads_fault_together();
    int caught_inside = caught;
    CHECK(caught_inside == 0, "faults inside never reach other handlers: %d", caught_inside);
    test_handler_before();
    free(content);
    return check_result("region");
}
