/* Float weights, the specification: k ascending inside groups of 32 from zero, the groups added in order. */
#include <string.h>

#include "edge_kernels__scalar.h"
#include "half.h"
#include "tile.h"

static float weight(const uint8_t *tiles, edge_family family, int64_t k, int32_t row) {
    int64_t index = k * EDGE_TILE_ROWS + row;
    if (family == EDGE_FAMILY_F32) {
        float value;
        memcpy(&value, tiles + 4 * index, sizeof value);
        return value;
    }
    uint16_t half = edge_tile_half(tiles + 2 * index, 0);
    return family == EDGE_FAMILY_F16 ? edge_f16_to_f32(half) : edge_bf16_to_f32(half);
}

static void matmul(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t num_tokens,
                   edge_family family) {
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t begin = 0; begin < cols; begin += EDGE_GROUP) {
        int32_t size = cols - begin < EDGE_GROUP ? cols - begin : EDGE_GROUP;
        float w[EDGE_GROUP][EDGE_TILE_ROWS];
        for (int32_t k = 0; k < size; k++) {
            for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
                w[k][row] = weight(tiles, family, (int64_t)begin + k, row);
            }
        }
        for (int32_t t = 0; t < num_tokens; t++) {
            const float *x = acts->x + t * acts->x_stride + begin;
            float group[EDGE_TILE_ROWS] = {0};
            for (int32_t k = 0; k < size; k++) {
                for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
                    group[row] = group[row] + w[k][row] * x[k];
                }
            }
            for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
                out[t * EDGE_TILE_ROWS + row] = out[t * EDGE_TILE_ROWS + row] + group[row];
            }
        }
    }
}

void edge_matmul_f32_f32_f32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                     int32_t num_tokens) {
    matmul(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_F32);
}

void edge_matmul_f32_f32_f16__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                     int32_t num_tokens) {
    matmul(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_F16);
}

void edge_matmul_f32_f32_bf16__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                      int32_t num_tokens) {
    matmul(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_BF16);
}
