/* Integer dot products of super-blocks of 256 k: the integer scales of sub-blocks in int32, one float operation per
 * 256 k. Lanes are rows. */
#ifndef EDGE_DOT_G256_TEMPLATE_NEON_H
#define EDGE_DOT_G256_TEMPLATE_NEON_H

#include "edge_dot__neon.h"
#include "kernels.h"

/* The integer scales of half h of tile j. */
EDGE_INLINE int32x4_t edge_g256_scale(const uint8_t *super, int code, int has_min, int j, int h, int r) {
    if (!edge_g256_has_scales(code, has_min)) {
        return vdupq_n_s32(1);
    }
    if (code == EDGE_CODE_S2 || code == EDGE_CODE_D1) {
        const uint8_t *sc = super + (code == EDGE_CODE_S2 ? EDGE_S2G256_SC : EDGE_D1G256_SC) + EDGE_TILE_ROWS * j;
        const int32x4_t bytes = edge_load_u8_as_i32(sc + 4 * r);
        const int32x4_t nibbles = h ? vshrq_n_s32(bytes, 4) : vandq_s32(bytes, vdupq_n_s32(15));
        return vaddq_s32(vaddq_s32(nibbles, nibbles), vdupq_n_s32(1));
    }
    const uint8_t *sc = super + EDGE_SUPER_TILES * edge_code_bytes(code) + 4 * r;
    if (edge_g256_is_split(code)) {
        sc += EDGE_TILE_ROWS * (2 * j + h);
        return has_min ? vandq_s32(edge_load_u8_as_i32(sc), vdupq_n_s32(15)) : edge_load_i8_as_i32(sc);
    }
    sc += EDGE_TILE_ROWS * j;
    return has_min ? edge_load_u8_as_i32(sc) : edge_load_i8_as_i32(sc);
}

/* The next trit of every byte, 0 .. 2. Bytes are stored less 128, which tripling keeps: 3 (x - 128) = 3x - 128 mod 256.
 * A byte of 86 or more begins with 1, of 171 or more with 2. */
EDGE_INLINE int8x16_t edge_next_trit(int8x16_t *bytes) {
    const uint8x16_t one = vcgtq_s8(*bytes, vdupq_n_s8(85 - 128)), two = vcgtq_s8(*bytes, vdupq_n_s8(170 - 128));
    *bytes = vaddq_s8(vaddq_s8(*bytes, *bytes), *bytes);
    return vnegq_s8(vreinterpretq_s8_u8(vaddq_u8(one, two)));
}

/* What the trit of vector v (of 64) stands for, quarter r. */
EDGE_INLINE int8x16_t edge_trit_value(int8x16_t trit, const uint8_t *super, int code, int v, int r) {
    static const int8_t magnitudes[16] = {8, 25, 43};
    const int tile = v / EDGE_TILE_VECTORS, bit = v % EDGE_TILE_VECTORS;
    if (code == EDGE_CODE_S2) {
        const uint8_t *plane = super + EDGE_S2G256_SIGNS + EDGE_CODES_W1 * tile + EDGE_QUARTER_BYTES * r;
        const uint8x16_t minus = vtstq_u8(vld1q_u8(plane), vdupq_n_u8((uint8_t)(1 << bit)));
        const int8x16_t value = edge_look_up(magnitudes, vreinterpretq_u8_s8(trit));
        return vbslq_s8(minus, vnegq_s8(value), value);
    }
    const int8x16_t value = vsubq_s8(trit, vdupq_n_s8(1));
    if (code == EDGE_CODE_D1) {
        const uint8_t *less = super + EDGE_D1G256_LESS + EDGE_TILE_ROWS * tile + 4 * r;
        const uint32x4_t is_less = vtstq_s32(edge_load_u8_as_i32(less), vdupq_n_s32(1 << bit));
        const int8x16_t eighth = vbslq_s8(vreinterpretq_u8_u32(is_less), vdupq_n_s8(-1), vdupq_n_s8(1));
        return vaddq_s8(vshlq_n_s8(value, 3), eighth);
    }
    return value;
}

EDGE_INLINE void edge_unpack_trits(int8x16_t c[EDGE_SUPER_VECTORS], const uint8_t *super, int code, int r) {
    for (int b = 0; b < EDGE_TRIT_VECTORS; b++) {
        int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(super + EDGE_VECTOR_BYTES * b + EDGE_QUARTER_BYTES * r));
        for (int v = EDGE_TRITS_OF_BYTE * b; v < EDGE_TRITS_OF_BYTE * (b + 1) && v < EDGE_SUPER_VECTORS; v++) {
            const int8x16_t trit = edge_next_trit(&bytes);
            c[v] = edge_trit_value(trit, super, code, v, r);
        }
    }
}

/* isum[t] += scaled dot products of quarter r of tile j, unpacked and arranged, with every token. */
EDGE_INLINE void edge_g256_tile(int32_t (*isum)[EDGE_TILE_ROWS], const int8x16_t c[8], const uint8_t *super,
                                const edge_tokens *tokens, int j, int r, int32_t num_tokens, int code, int has_min) {
    const int split = edge_g256_is_split(code) && edge_g256_has_scales(code, has_min);
    const int32x4_t first = edge_g256_scale(super, code, has_min, j, 0, r);
    const int32x4_t second = split ? edge_g256_scale(super, code, has_min, j, 1, r) : first;
    for (int32_t t = 0; t < num_tokens; t += EDGE_TOGETHER) {
        int32x4_t low[EDGE_TOGETHER], high[EDGE_TOGETHER];
        edge_tokens_dot(low, c, tokens, t, EDGE_GROUP * j, split ? 4 : 8, code);
        if (split) {
            edge_tokens_dot(high, c + 4, tokens, t, EDGE_GROUP * j + 16, 4, code);
        }
        for (int i = 0; i < EDGE_TOGETHER && t + i < num_tokens; i++) {
            int32_t *rows = isum[t + i] + 4 * r;
            const int32x4_t sum = vmlaq_s32(vld1q_s32(rows), first, low[i]);
            vst1q_s32(rows, split ? vmlaq_s32(sum, second, high[i]) : sum);
        }
    }
}

/* acc - dmin * da * sum_j m_j s_j. s: 16 sums of 16 activations. */
EDGE_INLINE float32x4_t edge_g256_minimum(float32x4_t acc, const uint8_t *super, int r, float da, const int32_t *s,
                                          int code) {
    const float32x4_t dmin = edge_load_f16(super + edge_g256_d(code, 1) + EDGE_ROW_HALVES + 8 * r);
    int32x4_t msum = vdupq_n_s32(0);
    for (int j = 0; code != 2 && j < EDGE_SUPER_TILES; j++) {
        const uint8_t *minima = super + EDGE_SUPER_TILES * edge_code_bytes(code) + EDGE_TILE_ROWS * (8 + j);
        msum = vmlaq_s32(msum, edge_load_u8_as_i32(minima + 4 * r), vdupq_n_s32(s[2 * j] + s[2 * j + 1]));
    }
    for (int j = 0; code == 2 && j < 16; j++) {
        const int32x4_t both = edge_load_u8_as_i32(super + EDGE_W2MG256_SC + EDGE_TILE_ROWS * j + 4 * r);
        msum = vmlaq_s32(msum, vshrq_n_s32(both, 4), vdupq_n_s32(s[j]));
    }
    return vsubq_f32(acc, vmulq_f32(vcvtq_f32_s32(msum), vmulq_f32(dmin, vdupq_n_f32(da))));
}

/* A quarter of a tile is unpacked once and meets every token. All shapes. */
EDGE_INLINE void edge_g256_matmul(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                  int32_t num_tokens, int code, int has_min) {
    int32_t isum[EDGE_CHUNK_TOKENS][EDGE_TILE_ROWS];
    edge_tokens tokens;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (int64_t)g * edge_g256_bytes(code, has_min);
        memset(isum, 0, sizeof isum[0] * (size_t)num_tokens);
        edge_tokens_take(&tokens, acts, (int64_t)g * EDGE_SUPER, EDGE_SUPER, num_tokens);
        for (int r = 0; r < EDGE_QUARTERS; r++) {
            int8x16_t trits[EDGE_SUPER_VECTORS];
            if (edge_code_is_trits(code)) {
                edge_unpack_trits(trits, super, code, r);
            }
            for (int j = 0; j < EDGE_SUPER_TILES; j++) {
                int8x16_t unpacked[EDGE_TILE_VECTORS], *c = unpacked;
                if (edge_code_is_trits(code)) {
                    c = trits + EDGE_TILE_VECTORS * j;
                } else {
                    edge_unpack_quarter(c, super + j * edge_code_bytes(code), r, code, has_min);
                }
                edge_tokens_arrange(c);
                edge_g256_tile(isum, c, super, &tokens, j, r, num_tokens, code, has_min);
            }
            float32x4_t d = edge_load_f16(super + edge_g256_d(code, has_min) + 8 * r);
            if (edge_g256_unit(code) != 1.0f) {
                d = vmulq_f32(d, vdupq_n_f32(edge_g256_unit(code)));
            }
            for (int32_t t = 0; t < num_tokens; t++) {
                const float da = acts->d[t * acts->d_stride + g];
                const int32_t *s = acts->s + t * acts->s_stride + (int64_t)g * (EDGE_SUPER / 16);
                float *rows = out + EDGE_TILE_ROWS * t + 4 * r;
                const float32x4_t sum = vcvtq_f32_s32(vld1q_s32(isum[t] + 4 * r));
                float32x4_t acc = vaddq_f32(vld1q_f32(rows), vmulq_f32(sum, vmulq_f32(d, vdupq_n_f32(da))));
                if (has_min) {
                    acc = edge_g256_minimum(acc, super, r, da, s, code);
                }
                vst1q_f32(rows, acc);
            }
        }
    }
}

#endif
