/* Integer dot products of K-quants: sub-block scales in int32, one float operation per 256 k. Lanes are rows.
 * bits 4 (Q4_K): 32 k per sub-block, with a minimum. bits 6 (Q6_K): 16 k per sub-block, codes minus 32. */
#ifndef EDGE_DOT_G256_TEMPLATE_NEON_H
#define EDGE_DOT_G256_TEMPLATE_NEON_H

#include "edge_dot__neon.h"
#include "kernels.h"

/* Four bytes as int32 lanes. */
EDGE_INLINE int32x4_t edge_load_u8_as_i32(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide)));
}

EDGE_INLINE int32x4_t edge_load_i8_as_i32(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)))));
}

/* isum[t] += scaled dot products of quarter r of tile j with every token. */
EDGE_INLINE void edge_g256_tile(int32_t (*isum)[EDGE_TILE_ROWS], const uint8_t *super, const edge_acts *acts, int32_t g,
                                int j, int r, int32_t num_tokens, int bits) {
    int8x16_t c[8];
    edge_unpack_quarter(c, super + (size_t)j * EDGE_VECTOR_BYTES * (size_t)bits, r, bits, bits == 6 ? 32 : 0);
    int32x4_t sc[2];
    if (bits == 6) {
        sc[0] = edge_load_i8_as_i32(super + EDGE_W6G256_SC + EDGE_TILE_ROWS * (2 * j) + 4 * r);
        sc[1] = edge_load_i8_as_i32(super + EDGE_W6G256_SC + EDGE_TILE_ROWS * (2 * j + 1) + 4 * r);
    } else {
        sc[0] = edge_load_u8_as_i32(super + EDGE_W4MG256_SC + EDGE_TILE_ROWS * j + 4 * r);
        sc[1] = sc[0];
    }
    for (int32_t t = 0; t < num_tokens; t++) {
        const int8_t *q = acts->q + t * acts->q_stride + (int64_t)g * EDGE_SUPER + EDGE_GROUP * j;
        int32x4_t sum = vld1q_s32(isum[t] + 4 * r);
        if (bits == 6) {
            sum = vmlaq_s32(sum, sc[0], edge_dot_quarter(c, q, 4, bits));
            sum = vmlaq_s32(sum, sc[1], edge_dot_quarter(c + 4, q + 16, 4, bits));
        } else {
            sum = vmlaq_s32(sum, sc[0], edge_dot_quarter(c, q, 8, bits));
        }
        vst1q_s32(isum[t] + 4 * r, sum);
    }
}

/* out -= dmin * da * sum_j m_j s_j, Q4_K only. s: 16 sums of 16 activations. */
EDGE_INLINE float32x4_t edge_g256_minimum(float32x4_t acc, const uint8_t *super, int r, float da, const int32_t *s) {
    const float32x4_t dmin = edge_load_f16(super + EDGE_W4MG256_DMIN + 8 * r);
    int32x4_t msum = vdupq_n_s32(0);
    for (int j = 0; j < EDGE_SUPER_TILES; j++) {
        const int32x4_t m = edge_load_u8_as_i32(super + EDGE_W4MG256_M + EDGE_TILE_ROWS * j + 4 * r);
        msum = vmlaq_s32(msum, m, vdupq_n_s32(s[2 * j] + s[2 * j + 1]));
    }
    return vsubq_f32(acc, vmulq_f32(vcvtq_f32_s32(msum), vmulq_f32(dmin, vdupq_n_f32(da))));
}

/* A quarter of a tile is unpacked into registers once and meets every token. All shapes. */
EDGE_INLINE void edge_g256_matmul(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                  int32_t num_tokens, int bits) {
    const size_t super_bytes = bits == 6 ? EDGE_W6G256_BYTES : EDGE_W4MG256_BYTES;
    const size_t d_offset = bits == 6 ? EDGE_W6G256_D : EDGE_W4MG256_D;
    int32_t isum[EDGE_CHUNK_TOKENS][EDGE_TILE_ROWS];
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (size_t)g * super_bytes;
        memset(isum, 0, sizeof isum[0] * (size_t)num_tokens);
        for (int j = 0; j < EDGE_SUPER_TILES; j++) {
            for (int r = 0; r < EDGE_QUARTERS; r++) {
                edge_g256_tile(isum, super, acts, g, j, r, num_tokens, bits);
            }
        }
        for (int r = 0; r < EDGE_QUARTERS; r++) {
            const float32x4_t d = edge_load_f16(super + d_offset + 8 * (size_t)r);
            for (int32_t t = 0; t < num_tokens; t++) {
                const float da = acts->d[t * acts->d_stride + g];
                const int32_t *s = acts->s + t * acts->s_stride + (int64_t)g * (EDGE_SUPER / 16);
                float *rows = out + EDGE_TILE_ROWS * t + 4 * r;
                const float32x4_t sum = vcvtq_f32_s32(vld1q_s32(isum[t] + 4 * r));
                float32x4_t acc = vaddq_f32(vld1q_f32(rows), vmulq_f32(sum, vmulq_f32(d, vdupq_n_f32(da))));
                if (bits == 4) {
                    acc = edge_g256_minimum(acc, super, r, da, s);
                }
                vst1q_f32(rows, acc);
            }
        }
    }
}

#endif
