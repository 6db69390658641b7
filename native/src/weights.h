/* The inside of packed weights, for weights.c (which makes them) and the program (which reads them). */
#ifndef EDGE_WEIGHTS_INTERNAL_H
#define EDGE_WEIGHTS_INTERNAL_H

#include "edge/weights.h"
#include "kernels.h"
#include "region.h"
#include "stream.h"

struct edge_weights {
    edge_family family;      /* of a matrix */
    int32_t type;            /* edge_type */
    int32_t is_vector;       /* 1: `data` holds cols floats, rows == 1 */
    int64_t rows, cols;      /* as given; tiles are padded to whole tile rows */
    uint64_t tile_row_bytes; /* edge_tile_row_bytes(family, cols) */
    uint64_t data_bytes;     /* EDGE_OVERREAD included */
    uint8_t *data;
    const edge_region *region; /* that data lies in; NULL: data was allocated, or is streamed */
    edge_stream *stream;       /* that the matrix comes from, for as long as a step holds its span; data is NULL then */
    int32_t span;
    uint64_t span_offset; /* where in it */
};

/* Where the tiles are now. */
static inline const uint8_t *edge_weights_tiles(const edge_weights *weights) {
    return weights->stream ? weights->stream->places[weights->span] + weights->span_offset : weights->data;
}

#endif
