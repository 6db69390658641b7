/* Weight matrices: sizes, packing over threads, packed ones in a region, rows back as floats. */
#include "weights.h"

#include <string.h>

#include "format.h"
#include "half.h"
#include "os.h"
#include "pack.h"
#include "tile.h"

edge_family edge_family_of(edge_type type) {
    const edge_layout *layout = edge_layout_of((int32_t)type);
    return layout ? layout->family : EDGE_NUM_FAMILIES;
}

static int32_t float_bytes(edge_family family) {
    return family == EDGE_FAMILY_F32 ? 4 : 2;
}

edge_act_kind edge_family_acts(edge_family family) {
    const edge_format *format = edge_format_of(family);
    return !format ? EDGE_ACT_F32 : format->unit == EDGE_SUPER ? EDGE_ACT_A8G256 : EDGE_ACT_A8G32;
}

uint64_t edge_tile_row_bytes(edge_family family, int64_t cols) {
    const edge_format *format = edge_format_of(family);
    if (family >= EDGE_NUM_FAMILIES || cols <= 0) {
        return 0;
    }
    return format ? (uint64_t)(cols / format->unit) * (uint64_t)format->bytes
                  : (uint64_t)cols * (uint64_t)(EDGE_TILE_ROWS * float_bytes(family));
}

edge_status edge_weights_sizes(int32_t type, int64_t rows, int64_t cols, uint64_t *source_bytes,
                               uint64_t *packed_bytes) {
    const edge_layout *layout = edge_layout_of(type);
    if (!layout) {
        return EDGE_UNSUPPORTED;
    }
    /* Kernels count columns in int32, and so does the program its rows. */
    if (rows < 1 || rows > INT32_MAX || cols < 1 || cols > INT32_MAX || cols % layout->block_values != 0) {
        return EDGE_INVALID;
    }
    uint64_t row_bytes = (uint64_t)(cols / layout->block_values) * (uint64_t)layout->block_bytes;
    uint64_t tile_bytes = edge_tile_row_bytes(layout->family, cols);
    uint64_t tile_rows = ((uint64_t)rows + EDGE_TILE_ROWS - 1) / EDGE_TILE_ROWS;
    if (row_bytes > INT64_MAX / (uint64_t)rows || tile_bytes > INT64_MAX / tile_rows) {
        return EDGE_INVALID;
    }
    *source_bytes = row_bytes * (uint64_t)rows;
    *packed_bytes = tile_bytes * tile_rows;
    return EDGE_OK;
}

static edge_weights *allocate(int32_t type, int64_t rows, int64_t cols) {
    edge_weights *weights = edge_os_alloc(sizeof *weights);
    if (weights) {
        memset(weights, 0, sizeof *weights);
        weights->type = type;
        weights->rows = rows;
        weights->cols = cols;
    }
    return weights;
}

typedef struct pack_job {
    edge_weights *weights;
    const edge_layout *layout;
    const uint8_t *source;
} pack_job;

/* Threads take contiguous ranges of tile rows, so that each touches its own pages first. */
static void pack_range(void *context, int32_t index, int32_t count) {
    const pack_job *job = context;
    edge_weights *weights = job->weights;
    uint64_t row_bytes = (uint64_t)(weights->cols / job->layout->block_values) * (uint64_t)job->layout->block_bytes;
    int64_t tile_rows = (weights->rows + EDGE_TILE_ROWS - 1) / EDGE_TILE_ROWS;
    for (int64_t i = tile_rows * index / count; i < tile_rows * (index + 1) / count; i++) {
        int64_t left = weights->rows - i * EDGE_TILE_ROWS;
        edge_pack_tile_row(weights->data + (uint64_t)i * weights->tile_row_bytes, job->layout,
                           job->source + (uint64_t)(i * EDGE_TILE_ROWS) * row_bytes, row_bytes,
                           left < EDGE_TILE_ROWS ? (int32_t)left : EDGE_TILE_ROWS, weights->cols);
    }
}

edge_status edge_weights_create(edge_weights **out, int32_t type, int64_t rows, int64_t cols, const void *source,
                                uint64_t source_bytes, edge_threads *threads) {
    uint64_t expected, packed;
    edge_status status = edge_weights_sizes(type, rows, cols, &expected, &packed);
    if (status != EDGE_OK) {
        return status;
    }
    if (source_bytes != expected) {
        return EDGE_INVALID;
    }
    edge_weights *weights = allocate(type, rows, cols);
    if (!weights) {
        return EDGE_NO_MEMORY;
    }
    pack_job job = {weights, edge_layout_of(type), source};
    weights->family = job.layout->family;
    weights->tile_row_bytes = edge_tile_row_bytes(weights->family, cols);
    weights->data_bytes = packed + EDGE_OVERREAD;
    weights->data = edge_os_alloc(weights->data_bytes);
    if (!weights->data) {
        edge_weights_destroy(&weights);
        return EDGE_NO_MEMORY;
    }
    if (threads) {
        edge_threads_run(threads, pack_range, &job);
    } else {
        pack_range(&job, 0, 1);
    }
    *out = weights;
    return EDGE_OK;
}

edge_status edge_weights_map(edge_weights **out, int32_t type, int64_t rows, int64_t cols, const edge_region *region,
                             uint64_t offset) {
    uint64_t source, packed;
    edge_status status = edge_weights_sizes(type, rows, cols, &source, &packed);
    if (status != EDGE_OK) {
        return status;
    }
    if (offset % EDGE_ALIGNMENT != 0 || offset > region->bytes || region->bytes - offset < EDGE_OVERREAD ||
        packed > region->bytes - offset - EDGE_OVERREAD) {
        return EDGE_INVALID;
    }
    edge_weights *weights = allocate(type, rows, cols);
    if (!weights) {
        return EDGE_NO_MEMORY;
    }
    weights->family = edge_layout_of(type)->family;
    weights->tile_row_bytes = edge_tile_row_bytes(weights->family, cols);
    weights->data_bytes = packed + EDGE_OVERREAD;
    weights->data = region->data + offset;
    weights->region = region;
    *out = weights;
    return EDGE_OK;
}

edge_status edge_weights_stream(edge_weights **out, int32_t type, int64_t rows, int64_t cols, edge_stream *stream,
                                int32_t span, uint64_t offset) {
    uint64_t source, packed;
    edge_status status = edge_weights_sizes(type, rows, cols, &source, &packed);
    if (status != EDGE_OK) {
        return status;
    }
    if (span < 0 || span >= stream->num_spans || offset % EDGE_ALIGNMENT != 0) {
        return EDGE_INVALID;
    }
    const edge_span *in = &stream->spans[span];
    if (offset < in->offset || offset - in->offset > in->bytes || packed > in->bytes - (offset - in->offset)) {
        return EDGE_INVALID;
    }
    edge_weights *weights = allocate(type, rows, cols);
    if (!weights) {
        return EDGE_NO_MEMORY;
    }
    weights->family = edge_layout_of(type)->family;
    weights->tile_row_bytes = edge_tile_row_bytes(weights->family, cols);
    weights->data_bytes = packed + EDGE_OVERREAD;
    weights->stream = stream;
    weights->span = span;
    weights->span_offset = offset - in->offset;
    *out = weights;
    return EDGE_OK;
}

edge_status edge_weights_create_vector(edge_weights **out, int32_t type, int64_t size, const void *source,
                                       uint64_t source_bytes) {
    const edge_layout *layout = edge_layout_of(type);
    if (!layout || layout->block_values != 1) {
        return EDGE_UNSUPPORTED;
    }
    if (size < 1 || size > INT32_MAX || source_bytes != (uint64_t)size * (uint64_t)layout->block_bytes) {
        return EDGE_INVALID;
    }
    edge_weights *weights = allocate(type, 1, size);
    if (!weights) {
        return EDGE_NO_MEMORY;
    }
    weights->family = EDGE_FAMILY_F32;
    weights->is_vector = 1;
    weights->data_bytes = (uint64_t)size * sizeof(float) + EDGE_OVERREAD;
    weights->data = edge_os_alloc(weights->data_bytes);
    if (!weights->data) {
        edge_weights_destroy(&weights);
        return EDGE_NO_MEMORY;
    }
    float *values = (float *)(void *)weights->data;
    const uint8_t *bytes = source;
    for (int64_t i = 0; i < size; i++) {
        if (layout->family == EDGE_FAMILY_F32) {
            memcpy(&values[i], bytes + 4 * i, sizeof values[i]);
        } else {
            uint16_t half = edge_tile_half(bytes + 2 * i, 0);
            values[i] = layout->family == EDGE_FAMILY_F16 ? edge_f16_to_f32(half) : edge_bf16_to_f32(half);
        }
    }
    *out = weights;
    return EDGE_OK;
}

void edge_weights_destroy(edge_weights **weights) {
    if (!weights || !*weights) {
        return;
    }
    edge_weights *it = *weights;
    if (!it->region) {
        edge_os_free(it->data, it->data_bytes);
    }
    edge_os_free(it, sizeof *it);
    *weights = NULL;
}

uint64_t edge_weights_packed_bytes(const edge_weights *weights) {
    return weights->data_bytes - EDGE_OVERREAD;
}

const void *edge_weights_data(const edge_weights *weights) {
    return weights->data;
}

int32_t edge_weights_layout_version(void) {
    return EDGE_LAYOUT_VERSION;
}

edge_status edge_weights_row(const edge_weights *weights, int64_t row, float *out) {
    if (weights->is_vector || weights->stream || row < 0 || row >= weights->rows) {
        return EDGE_INVALID;
    }
    edge_unpack_row(out, weights->family, weights->data + (uint64_t)(row / EDGE_TILE_ROWS) * weights->tile_row_bytes,
                    (int32_t)(row % EDGE_TILE_ROWS), weights->cols);
    return EDGE_OK;
}
