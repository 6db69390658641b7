/* Between GGUF blocks and tiles: what weights.c composes. */
#ifndef EDGE_PACK_H
#define EDGE_PACK_H

#include "kernels.h"

/* One per GGUF type that can be packed. */
typedef struct edge_layout {
    int32_t type; /* edge_type */
    edge_family family;
    int32_t block_values; /* k of a GGUF block */
    int32_t block_bytes;
    int32_t tile_bytes; /* packed bytes of 16 rows x block_values */
} edge_layout;

/* Packs up to 16 source rows (row_bytes apart) into one zeroed tile row. */
void edge_pack_tile_row(uint8_t *tiles, const edge_layout *layout, const uint8_t *source, uint64_t row_bytes,
                        int32_t rows, int64_t cols);

/* Decodes row `row` (0 .. 15) of a tile row to cols floats. */
void edge_unpack_row(float *out, edge_family family, const uint8_t *tiles, int32_t row, int64_t cols);

#endif
