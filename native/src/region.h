/* The inside of a region, for region.c and the weights that lie in it. */
#ifndef EDGE_REGION_INTERNAL_H
#define EDGE_REGION_INTERNAL_H

#include "edge/region.h"

#define EDGE_REGION_TAIL 8

typedef enum edge_region_kind { EDGE_REGION_MAPPED, EDGE_REGION_OWNED, EDGE_REGION_WATCHED } edge_region_kind;

struct edge_region {
    edge_region_kind kind;
    int32_t watch; /* edge_os_watch; -1 for memory of our own */
    uint8_t *data;
    uint64_t bytes;
    int32_t direct;  /* filled past the page cache */
    uint8_t *memory; /* of our own: data lies in it */
    uint64_t memory_bytes;
    uint8_t tail[EDGE_REGION_TAIL]; /* of a watched file: its last bytes, or fewer if it has fewer */
};

/* Memory for `bytes` of a file that begin `offset` (less than EDGE_READ_ALIGNMENT) behind a block, and for the rest of
 * the blocks that they lie in. */
edge_status edge_region_reserve(edge_region **out, uint64_t offset, uint64_t bytes);

#endif
