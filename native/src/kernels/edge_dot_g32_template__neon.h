/* Integer dot products of formats with a scale (and a minimum) per 32 k. Lanes are rows, four at a time. */
#ifndef EDGE_DOT_G32_TEMPLATE_NEON_H
#define EDGE_DOT_G32_TEMPLATE_NEON_H

#include "edge_dot__neon.h"
#include "kernels.h"

EDGE_INLINE int edge_g32_offset(int bits, int has_min) {
    return has_min || bits == 8 ? 0 : 1 << (bits - 1);
}

/* One group into the float accumulator: a multiply and an add, never fused, then the same for the minimum. */
EDGE_INLINE float32x4_t edge_g32_accumulate(float32x4_t acc, int32x4_t isum, float32x4_t d, float32x4_t m, float da,
                                            int32_t s, int has_min) {
    acc = vaddq_f32(acc, vmulq_f32(vcvtq_f32_s32(isum), vmulq_f32(d, vdupq_n_f32(da))));
    if (has_min) {
        acc = vaddq_f32(acc, vmulq_f32(m, vdupq_n_f32(da * (float)s)));
    }
    return acc;
}

/* A quarter of a tile is unpacked into registers once and meets every token; sums grow in out. All shapes. */
EDGE_INLINE void edge_g32_matmul(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, int bits, int has_min) {
    const size_t code_bytes = (size_t)(EDGE_VECTOR_BYTES * bits);
    const size_t tile_bytes = code_bytes + EDGE_ROW_HALVES * (size_t)(1 + has_min);
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = tiles + (size_t)g * tile_bytes;
        for (int r = 0; r < EDGE_QUARTERS; r++) {
            const float32x4_t d = edge_load_f16(tile + code_bytes + 8 * r);
            const float32x4_t m = has_min ? edge_load_f16(tile + code_bytes + EDGE_ROW_HALVES + 8 * r) : d;
            int8x16_t c[8];
            edge_unpack_quarter(c, tile, r, bits, edge_g32_offset(bits, has_min));
            for (int32_t t = 0; t < num_tokens; t++) {
                const int8_t *q = acts->q + t * acts->q_stride + (int64_t)g * EDGE_GROUP;
                const float da = acts->d[t * acts->d_stride + g];
                const int32_t s = acts->s[t * acts->s_stride + g];
                float *rows = out + EDGE_TILE_ROWS * t + 4 * r;
                const int32x4_t isum = edge_dot_quarter(c, q, EDGE_TILE_VECTORS, bits);
                vst1q_f32(rows, edge_g32_accumulate(vld1q_f32(rows), isum, d, m, da, s, has_min));
            }
        }
    }
}

#endif
