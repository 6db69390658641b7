/* Between GGUF blocks and tiles: what weights.c composes. */
#ifndef EDGE_PACK_H
#define EDGE_PACK_H

#include "kernels.h"

/* One block of row `row` into its units, which are zero where the row has not been written. */
typedef void edge_pack_fn(uint8_t *unit, const uint8_t *block, int32_t row);

/* One per GGUF type that can be packed. */
typedef struct edge_layout {
    int32_t type; /* edge_type */
    edge_family family;
    int32_t block_values; /* k of a GGUF block */
    int32_t block_bytes;
    edge_pack_fn *pack; /* NULL for floats */
} edge_layout;

/* NULL where the type is not one of weights. */
const edge_layout *edge_layout_of(int32_t type);

/* Packs up to 16 source rows (row_bytes apart) into one zeroed tile row. */
void edge_pack_tile_row(uint8_t *tiles, const edge_layout *layout, const uint8_t *source, uint64_t row_bytes,
                        int32_t rows, int64_t cols);

/* Decodes row `row` (0 .. 15) of a tile row to cols floats. */
void edge_unpack_row(float *out, edge_family family, const uint8_t *tiles, int32_t row, int64_t cols);

edge_pack_fn edge_pack_q8_0, edge_pack_q4_0, edge_pack_q4_1, edge_pack_q5_0, edge_pack_q5_1, edge_pack_iq4_nl;
edge_pack_fn edge_pack_mxfp4, edge_pack_nvfp4, edge_pack_q1_0, edge_pack_q2_0;
edge_pack_fn edge_pack_q2_k, edge_pack_q3_k, edge_pack_q4_k, edge_pack_q5_k, edge_pack_q6_k, edge_pack_iq4_xs;
edge_pack_fn edge_pack_tq1_0, edge_pack_tq2_0;
edge_pack_fn edge_pack_iq1_s, edge_pack_iq1_m, edge_pack_iq2_xxs, edge_pack_iq2_xs, edge_pack_iq2_s;
edge_pack_fn edge_pack_iq3_xxs, edge_pack_iq3_s;

#endif
