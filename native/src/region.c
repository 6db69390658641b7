/* Regions: mapped, owned, watched. */
#include "region.h"

#include <string.h>

#include "reader.h"

static edge_region *allocate(edge_region_kind kind, uint64_t bytes) {
    edge_region *region = edge_os_alloc(sizeof *region);
    if (region) {
        *region = (edge_region){.kind = kind, .watch = -1, .bytes = bytes};
    }
    return region;
}

static edge_status give(edge_region **out, edge_region *region, edge_status status) {
    if (status == EDGE_OK) {
        *out = region;
    } else {
        edge_region_destroy(&region);
    }
    return status;
}

static uint64_t tail_bytes(const edge_region *region) {
    return region->bytes < EDGE_REGION_TAIL ? region->bytes : EDGE_REGION_TAIL;
}

/* 0: too many are watched. */
static int start_watch(edge_region *region) {
    region->watch = edge_os_watch(region->data, region->bytes);
    if (region->watch < 0) {
        return 0;
    }
    uint64_t tail = tail_bytes(region);
    memcpy(region->tail, region->data + region->bytes - tail, tail); /* watched: it may be gone already */
    return 1;
}

edge_status edge_region_map(edge_region **out, int32_t descriptor, uint64_t bytes) {
    if (bytes == 0) {
        return EDGE_INVALID;
    }
    edge_region *region = allocate(EDGE_REGION_MAPPED, bytes);
    if (!region) {
        return EDGE_NO_MEMORY;
    }
    region->data = edge_os_map_file(descriptor, bytes);
    return give(out, region, region->data && start_watch(region) ? EDGE_OK : EDGE_NO_MEMORY);
}

edge_status edge_region_reserve(edge_region **out, uint64_t offset, uint64_t bytes) {
    if (bytes == 0 || bytes > INT64_MAX) {
        return EDGE_INVALID;
    }
    edge_region *region = allocate(EDGE_REGION_OWNED, bytes);
    if (!region) {
        return EDGE_NO_MEMORY;
    }
    region->memory_bytes = edge_read_bytes(offset, bytes) + EDGE_READ_ALIGNMENT;
    region->memory = edge_os_alloc(region->memory_bytes);
    region->data = region->memory ? edge_read_aligned(region->memory) + offset : NULL;
    return give(out, region, region->memory ? EDGE_OK : EDGE_NO_MEMORY);
}

edge_status edge_region_allocate(edge_region **out, uint64_t bytes) {
    if (bytes == 0) {
        return EDGE_INVALID;
    }
    edge_region *region = allocate(EDGE_REGION_OWNED, bytes);
    if (!region) {
        return EDGE_NO_MEMORY;
    }
    region->memory_bytes = bytes;
    region->memory = region->data = edge_os_alloc(bytes);
    return give(out, region, region->memory ? EDGE_OK : EDGE_NO_MEMORY);
}

edge_status edge_region_watch(edge_region **out, const void *memory, uint64_t bytes) {
    if (!memory || bytes == 0 || (uintptr_t)memory % edge_os_page_bytes() != 0) {
        return EDGE_INVALID;
    }
    edge_region *region = allocate(EDGE_REGION_WATCHED, bytes);
    if (!region) {
        return EDGE_NO_MEMORY;
    }
    region->data = (uint8_t *)(uintptr_t)memory;
    return give(out, region, start_watch(region) ? EDGE_OK : EDGE_NO_MEMORY);
}

void edge_region_destroy(edge_region **region) {
    if (!region || !*region) {
        return;
    }
    edge_region *it = *region;
    if (it->watch >= 0) {
        edge_os_unwatch(it->watch);
    }
    if (it->kind == EDGE_REGION_MAPPED && it->data) {
        edge_os_unmap_file(it->data, it->bytes);
    } else if (it->kind == EDGE_REGION_OWNED) {
        edge_os_free(it->memory, it->memory_bytes);
    }
    edge_os_free(it, sizeof *it);
    *region = NULL;
}

void *edge_region_data(const edge_region *region) {
    return region->data;
}

uint64_t edge_region_readable(const edge_region *region) {
    if (region->watch < 0) {
        return region->bytes;
    }
    uint64_t tail = tail_bytes(region), start = region->bytes - tail;
    /* First, since it may be the look that finds the page missing. */
    uint64_t intact = memcmp(region->tail, region->data + start, tail) == 0 ? region->bytes : start;
    uint64_t readable = edge_os_readable(region->watch);
    return readable < intact ? readable : intact;
}
