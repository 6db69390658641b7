/* Dot products of float weights (F32, F16, BF16; k-major) with float activations: groups of 32 k are summed on their
 * own, then added. Lanes are rows. */
#ifndef EDGE_FLOAT_TEMPLATE_NEON_H
#define EDGE_FLOAT_TEMPLATE_NEON_H

#include "edge_simd__neon.h"
#include "kernels.h"

#define EDGE_FLOAT_TOKENS 2 /* tokens side by side: eight sums hide the latency of an add */

/* Rows 4r .. 4r + 3 at k; type is a constant. */
EDGE_INLINE float32x4_t edge_load_weight(const uint8_t *tiles, int32_t k, int r, edge_family type) {
    const size_t index = (size_t)k * EDGE_TILE_ROWS + 4 * (size_t)r;
    if (type == EDGE_FAMILY_F32) {
        return edge_load_f32(tiles + 4 * index);
    }
    return type == EDGE_FAMILY_F16 ? edge_load_f16(tiles + 2 * index) : edge_load_bf16(tiles + 2 * index);
}

/* A group of `length` k for n tokens (n a constant): added to out. x: the first token's activations at the group. */
EDGE_INLINE void edge_float_group(float *out, const uint8_t *tiles, int32_t length, const float *x, int64_t x_stride,
                                  int n, edge_family type) {
    float32x4_t sum[EDGE_FLOAT_TOKENS][4];
    for (int t = 0; t < n; t++) {
        for (int r = 0; r < 4; r++) {
            sum[t][r] = vdupq_n_f32(0.0f);
        }
    }
    for (int32_t k = 0; k < length; k++) {
        for (int r = 0; r < 4; r++) {
            const float32x4_t w = edge_load_weight(tiles, k, r, type);
            for (int t = 0; t < n; t++) {
                sum[t][r] = vaddq_f32(sum[t][r], vmulq_f32(w, vdupq_n_f32(x[t * x_stride + k])));
            }
        }
    }
    for (int t = 0; t < n; t++) {
        for (int r = 0; r < 4; r++) {
            float *rows = out + EDGE_TILE_ROWS * t + 4 * r;
            vst1q_f32(rows, vaddq_f32(vld1q_f32(rows), sum[t][r]));
        }
    }
}

EDGE_INLINE void edge_float_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 edge_family type) {
    const size_t k_bytes = (type == EDGE_FAMILY_F32 ? 4 : 2) * EDGE_TILE_ROWS;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS);
    for (int32_t k0 = 0; k0 < cols; k0 += EDGE_GROUP) {
        const int32_t length = cols - k0 < EDGE_GROUP ? cols - k0 : EDGE_GROUP;
        edge_float_group(out, tiles + (size_t)k0 * k_bytes, length, acts->x + k0, 0, 1, type);
    }
}

/* A group is converted to float once and meets every token; sums grow in out. */
EDGE_INLINE void edge_float_many(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, edge_family type) {
    const size_t k_bytes = (type == EDGE_FAMILY_F32 ? 4 : 2) * EDGE_TILE_ROWS;
    float converted[EDGE_GROUP * EDGE_TILE_ROWS];
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t k0 = 0; k0 < cols; k0 += EDGE_GROUP) {
        const int32_t length = cols - k0 < EDGE_GROUP ? cols - k0 : EDGE_GROUP;
        const uint8_t *group = tiles + (size_t)k0 * k_bytes;
        if (type != EDGE_FAMILY_F32) {
            for (int32_t k = 0; k < length; k++) {
                for (int r = 0; r < 4; r++) {
                    vst1q_f32(converted + EDGE_TILE_ROWS * k + 4 * r, edge_load_weight(group, k, r, type));
                }
            }
            group = (const uint8_t *)converted;
        }
        const float *x = acts->x + k0;
        int32_t t = 0;
        for (; t + EDGE_FLOAT_TOKENS <= num_tokens; t += EDGE_FLOAT_TOKENS) {
            edge_float_group(out + EDGE_TILE_ROWS * t, group, length, x + t * acts->x_stride, acts->x_stride,
                             EDGE_FLOAT_TOKENS, EDGE_FAMILY_F32);
        }
        for (; t < num_tokens; t++) {
            edge_float_group(out + EDGE_TILE_ROWS * t, group, length, x + t * acts->x_stride, 0, 1, EDGE_FAMILY_F32);
        }
    }
}

#endif
