/* Regions filled from files: every byte of every stretch, however reads come back, and errors that say where. */
#define _DEFAULT_SOURCE
#include "reader.h"

#include "check.h"
#include "edge/region.h"
#include "edge/threads.h"
#include "files.h"
#include "kernels.h"
#include "random.h"
#include "region.h"

#define SIZE (3 * EDGE_READ_PIECE + 5 * EDGE_READ_ALIGNMENT + 77)

static uint8_t *content;

static void make_content(void) {
    uint64_t state = 1;
    content = malloc(SIZE);
    for (uint64_t i = 0; content && i < SIZE; i++) {
        content[i] = (uint8_t)random_u64(&state);
    }
}

static void check_stretch(int descriptor, uint64_t offset, uint64_t bytes, int32_t buffered, edge_threads *threads,
                          int direct) {
    edge_region *region = NULL;
    edge_error error = {""};
    edge_status status = edge_region_load(&region, descriptor, offset, bytes, buffered, threads, &error);
    CHECK(status == EDGE_OK, "%d bytes at %d: %s", (int)bytes, (int)offset, error.message);
    if (status == EDGE_OK) {
        CHECK(memcmp(edge_region_data(region), content + offset, bytes) == 0, "%d bytes at %d", (int)bytes,
              (int)offset);
        CHECK(edge_region_readable(region) == bytes, "all is there");
        CHECK(direct < 0 || edge_region_is_direct(region) == direct, "direct: %d", edge_region_is_direct(region));
    }
    edge_region_destroy(&region);
}

static const struct {
    uint64_t offset, bytes;
} stretches[] = {
    {0, SIZE},          {0, 1},       {SIZE - 1, 1},           {64, SIZE - 64},
    {4095, 2},          {4096, 4096}, {5000, EDGE_READ_PIECE}, {EDGE_READ_PIECE - 3, 2 * EDGE_READ_PIECE + 9},
    {8192, SIZE - 8192}};

static void check_stretches(int descriptor, int32_t buffered, edge_threads *threads, int direct) {
    for (size_t i = 0; i < sizeof stretches / sizeof stretches[0]; i++) {
        check_stretch(descriptor, stretches[i].offset, stretches[i].bytes, buffered, threads, direct);
    }
}

static void test_stretches(int descriptor) {
    edge_os_read_faults *faults = edge_os_faults();
    const uint64_t most[] = {0, 4096, 3 * 4096 + 511, EDGE_READ_PIECE - 1};
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        faults->most = most[i];
        for (int32_t threads = 0; threads <= 3; threads += 3) {
            edge_threads *pool = NULL;
            CHECK(threads == 0 || edge_threads_create(&pool, threads) == EDGE_OK, "threads");
            check_stretches(descriptor, 0, pool, -1); /* whether it is direct is the file system's choice */
            check_stretches(descriptor, 1, pool, 0);
            faults->refuse_direct = 1;
            check_stretches(descriptor, 0, pool, 0);
            faults->refuse_direct = 0;
            atomic_store(&faults->refuse_reads, 1);
            check_stretches(descriptor, 0, pool, -1);
            atomic_store(&faults->refuse_reads, 0);
            edge_threads_destroy(&pool);
        }
    }
    faults->most = 0;
}

/* Reads of one byte end well where the page cache is read: there is no block to go on at. */
static void test_single_bytes(int descriptor) {
    edge_os_faults()->most = 1;
    check_stretch(descriptor, 4095, 5000, 1, NULL, 0);
    edge_os_faults()->most = 0;
}

static void test_refusals(int descriptor) {
    const struct {
        uint64_t offset, bytes;
        edge_status status;
        const char *says;
    } cases[] = {{0, 0, EDGE_INVALID, ""},
                 {0, UINT64_MAX, EDGE_INVALID, ""},
                 {UINT64_MAX - 5, 5, EDGE_INVALID, ""},
                 {0, SIZE + 1, EDGE_FILE_LOST, "ends at byte"},
                 {SIZE, 1, EDGE_FILE_LOST, "ends at byte"},
                 {SIZE + 10 * EDGE_READ_PIECE, 1, EDGE_FILE_LOST, "ends at byte"}};
    for (int32_t buffered = 0; buffered < 2; buffered++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            edge_region *region = NULL;
            edge_error error = {""};
            edge_status status =
                edge_region_load(&region, descriptor, cases[i].offset, cases[i].bytes, buffered, NULL, &error);
            CHECK(status == cases[i].status && !region, "case %d: %d", (int)i, status);
            CHECK(strstr(error.message, cases[i].says) != NULL, "case %d: %s", (int)i, error.message);
        }
    }
}

/* Every read fails in turn, then every allocation. */
static void test_failures(int descriptor) {
    edge_os_read_faults *faults = edge_os_faults();
    edge_region *region = NULL;
    edge_error error;
    int64_t before = edge_os_live();
    int32_t fail = 0;
    for (edge_status status = EDGE_FILE_LOST; status != EDGE_OK; fail++) {
        atomic_store(&faults->until_failure, fail);
        status = edge_region_load(&region, descriptor, 64, SIZE - 64, 0, NULL, &error);
        atomic_store(&faults->until_failure, -1);
        CHECK(status == EDGE_OK || (status == EDGE_FILE_LOST && strstr(error.message, "cannot be read: error")),
              "failure %d: %d, %s", fail, status, error.message);
    }
    CHECK(fail > 3, "only %d reads", fail);
    edge_region_destroy(&region);
    fail = 0;
    for (edge_status status = EDGE_NO_MEMORY; status != EDGE_OK; fail++) {
        edge_os_fail_after(fail);
        status = edge_region_load(&region, descriptor, 64, SIZE - 64, 0, NULL, &error);
        edge_os_fail_after(-1);
        CHECK(status == EDGE_OK || (status == EDGE_NO_MEMORY && !region), "failure %d: %d", fail, status);
        CHECK(status == EDGE_OK || edge_os_live() == before, "failure %d leaks", fail);
    }
    CHECK(fail > 3, "only %d allocations", fail);
    edge_region_destroy(&region);
    CHECK(edge_os_live() == before, "leak");
}

int main(void) {
    int64_t before = edge_os_live();
    make_content();
    int descriptor = file_of(content, SIZE);
    test_stretches(descriptor);
    test_single_bytes(descriptor);
    test_refusals(descriptor);
    test_failures(descriptor);
    (void)close(descriptor);
    free(content);
    CHECK(edge_os_live() == before, "leak");
    return check_result("reader");
}
