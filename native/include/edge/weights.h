/* Weight matrices, repacked from GGUF blocks into tiles of 16 rows (lossless, the same on every machine). */
#ifndef EDGE_WEIGHTS_H
#define EDGE_WEIGHTS_H

#include <stdint.h>

#include "edge/region.h"
#include "edge/status.h"
#include "edge/stream.h"
#include "edge/threads.h"

/* Of the packed bytes. Files of another version must be packed again. */
#define EDGE_LAYOUT_VERSION 2

/* ggml's type numbers, as they stand in GGUF files. */
typedef enum edge_type {
    EDGE_TYPE_F32 = 0,
    EDGE_TYPE_F16 = 1,
    EDGE_TYPE_Q4_0 = 2,
    EDGE_TYPE_Q4_1 = 3,
    EDGE_TYPE_Q5_0 = 6,
    EDGE_TYPE_Q5_1 = 7,
    EDGE_TYPE_Q8_0 = 8,
    EDGE_TYPE_Q2_K = 10,
    EDGE_TYPE_Q3_K = 11,
    EDGE_TYPE_Q4_K = 12,
    EDGE_TYPE_Q5_K = 13,
    EDGE_TYPE_Q6_K = 14,
    EDGE_TYPE_IQ2_XXS = 16,
    EDGE_TYPE_IQ2_XS = 17,
    EDGE_TYPE_IQ3_XXS = 18,
    EDGE_TYPE_IQ1_S = 19,
    EDGE_TYPE_IQ4_NL = 20,
    EDGE_TYPE_IQ3_S = 21,
    EDGE_TYPE_IQ2_S = 22,
    EDGE_TYPE_IQ4_XS = 23,
    EDGE_TYPE_IQ1_M = 29,
    EDGE_TYPE_BF16 = 30,
    EDGE_TYPE_TQ1_0 = 34,
    EDGE_TYPE_TQ2_0 = 35,
    EDGE_TYPE_MXFP4 = 39,
    EDGE_TYPE_NVFP4 = 40,
    EDGE_TYPE_Q1_0 = 41,
    EDGE_TYPE_Q2_0 = 42
} edge_type;

typedef struct edge_weights edge_weights;

/* Bytes of rows x cols in GGUF blocks (source) and in tiles (packed).
 * EDGE_UNSUPPORTED: type not known. EDGE_INVALID: rows or cols < 1, cols not a whole number of blocks, or overflow. */
EDGE_API edge_status edge_weights_sizes(int32_t type, int64_t rows, int64_t cols, uint64_t *source_bytes,
                                        uint64_t *packed_bytes);

/* Packs a matrix stored row by row in GGUF blocks. source is only read during the call.
 * source_bytes must equal what edge_weights_sizes says. threads may be NULL. */
EDGE_API edge_status edge_weights_create(edge_weights **out, int32_t type, int64_t rows, int64_t cols,
                                         const void *source, uint64_t source_bytes, edge_threads *threads);

/* A matrix whose packed bytes (what edge_weights_data gives) lie in a region, `offset` bytes from its start. Nothing is
 * copied or checked: a kernel is safe on any bytes. The region must outlive the weights.
 * EDGE_UNSUPPORTED, EDGE_INVALID: as edge_weights_sizes. EDGE_INVALID: offset is no multiple of 64, or the matrix and
 * 64 bytes behind it, which kernels may read but never use, leave the region. */
EDGE_API edge_status edge_weights_map(edge_weights **out, int32_t type, int64_t rows, int64_t cols,
                                      const edge_region *region, uint64_t offset);

/* The same for a matrix that is read anew for every step: its packed bytes lie in span number `span` of the stream,
 * `offset` bytes from the start of the file. The stream must outlive the weights.
 * EDGE_UNSUPPORTED, EDGE_INVALID: as edge_weights_sizes. EDGE_INVALID: no such span, offset is no multiple of 64, or
 * the matrix leaves the span. */
EDGE_API edge_status edge_weights_stream(edge_weights **out, int32_t type, int64_t rows, int64_t cols,
                                         edge_stream *stream, int32_t span, uint64_t offset);

/* A vector (norm gain, bias): F32, F16 or BF16 in, kept as float. */
EDGE_API edge_status edge_weights_create_vector(edge_weights **out, int32_t type, int64_t size, const void *source,
                                                uint64_t source_bytes);

/* Frees and nulls. Programs that use the weights must be destroyed first. NULL is allowed. */
EDGE_API void edge_weights_destroy(edge_weights **weights);

EDGE_API uint64_t edge_weights_packed_bytes(const edge_weights *weights);

/* The packed bytes, edge_weights_packed_bytes of them; valid as long as the weights. NULL: a streamed matrix. */
EDGE_API const void *edge_weights_data(const edge_weights *weights);

/* EDGE_LAYOUT_VERSION of this library. */
EDGE_API int32_t edge_weights_layout_version(void);

/* Row of a matrix, decoded to float (cols values). EDGE_INVALID: no such row, a vector, or streamed. */
EDGE_API edge_status edge_weights_row(const edge_weights *weights, int64_t row, float *out);

#endif
