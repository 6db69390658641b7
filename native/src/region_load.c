/* A region filled from a file: large reads by every thread of a pool, past the page cache where that works. */
#include "error.h"
#include "reader.h"
#include "region.h"

edge_status edge_region_load(edge_region **out, int32_t descriptor, uint64_t offset, uint64_t bytes, int32_t buffered,
                             edge_threads *threads, edge_error *error) {
    if (bytes == 0 || bytes > INT64_MAX / 2 || offset > INT64_MAX / 2) {
        return EDGE_INVALID;
    }
    edge_region *region = NULL;
    edge_status status = edge_region_reserve(&region, offset % EDGE_READ_ALIGNMENT, bytes);
    if (status != EDGE_OK) {
        return status;
    }
    edge_reader reader;
    if (!edge_reader_open(&reader, descriptor, buffered)) {
        edge_region_destroy(&region);
        return EDGE_NO_MEMORY;
    }
    uint64_t place;
    int32_t failure =
        edge_reader_fill(&reader, threads, region->data - offset % EDGE_READ_ALIGNMENT, offset, bytes, &place);
    region->direct = !atomic_load(&reader.buffered);
    edge_reader_close(&reader);
    if (failure != 0) {
        edge_region_destroy(&region);
        return failure == EDGE_READ_ENDED
                   ? edge_fail(error, EDGE_FILE_LOST, "the file ends at byte %llu", (unsigned long long)place)
                   : edge_fail(error, EDGE_FILE_LOST, "byte %llu cannot be read: error %d", (unsigned long long)place,
                               (int)failure);
    }
    *out = region;
    return EDGE_OK;
}

int32_t edge_region_is_direct(const edge_region *region) {
    return region->direct;
}
