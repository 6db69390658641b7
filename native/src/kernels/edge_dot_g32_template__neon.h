/* Integer dot products of formats whose scales stand for themselves, one per 16, 32, 64 or 128 k. Lanes are rows, four
 * at a time. */
#ifndef EDGE_DOT_G32_TEMPLATE_NEON_H
#define EDGE_DOT_G32_TEMPLATE_NEON_H

#include "edge_dot__neon.h"
#include "kernels.h"

/* Four powers of two, 2^(e - 128). */
EDGE_INLINE float32x4_t edge_load_e8m0(const uint8_t *p) {
    const int32x4_t e = edge_load_u8_as_i32(p);
    const int32x4_t normal = vshlq_n_s32(vsubq_s32(e, vdupq_n_s32(1)), 23);
    const int32x4_t small = vmlaq_s32(vdupq_n_s32(0x00200000), vdupq_n_s32(0x00200000), e);
    return vreinterpretq_f32_s32(vbslq_s32(vcgtq_s32(e, vdupq_n_s32(1)), normal, small));
}

/* Four UE4M3, halved; 0x7f is 0. */
EDGE_INLINE float32x4_t edge_load_ue4m3(const uint8_t *p) {
    const int32x4_t e = edge_load_u8_as_i32(p);
    const float32x4_t bits = vreinterpretq_f32_s32(vshlq_n_s32(vandq_s32(e, vdupq_n_s32(0x7f)), 20));
    const uint32x4_t none = vceqq_s32(e, vdupq_n_s32(0x7f));
    return vbslq_f32(none, vdupq_n_f32(0.0f), vmulq_f32(bits, vdupq_n_f32(0x1p119f)));
}

/* The scales of span `span` of a tile for quarter r. */
EDGE_INLINE float32x4_t edge_g32_scale(const uint8_t *scales, int code, int span, int r) {
    if (code == EDGE_CODE_FP4) {
        return edge_load_e8m0(scales + 4 * r);
    }
    return code == EDGE_CODE_FP4S ? edge_load_ue4m3(scales + EDGE_TILE_ROWS * span + 4 * r)
                                  : edge_load_f16(scales + 8 * r);
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
                                 int32_t num_tokens, int code, int has_min) {
    const int shared = edge_g32_tiles(code), spans = code == EDGE_CODE_FP4S ? 2 : 1,
              vectors = EDGE_TILE_VECTORS / spans;
    edge_tokens tokens;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        edge_tokens_take(&tokens, acts, (int64_t)g * EDGE_GROUP, EDGE_GROUP, num_tokens);
        const uint8_t *unit = tiles + (int64_t)(g / shared) * edge_g32_bytes(code, has_min);
        const uint8_t *scales = unit + shared * edge_code_bytes(code);
        for (int r = 0; r < EDGE_QUARTERS; r++) {
            int8x16_t c[8];
            edge_unpack_quarter(c, unit + g % shared * edge_code_bytes(code), r, code, has_min);
            edge_tokens_arrange(c);
            for (int span = 0; span < spans; span++) {
                const float32x4_t d = edge_g32_scale(scales, code, span, r);
                const float32x4_t m = has_min ? edge_load_f16(scales + EDGE_ROW_HALVES + 8 * r) : d;
                for (int32_t t = 0; t < num_tokens; t += EDGE_TOGETHER) {
                    int32x4_t isum[EDGE_TOGETHER];
                    edge_tokens_dot(isum, c + vectors * span, &tokens, t, 4 * vectors * span, vectors, code);
                    for (int i = 0; i < EDGE_TOGETHER && t + i < num_tokens; i++) {
                        const float da = acts->d[(t + i) * acts->d_stride + g];
                        const int32_t s = acts->s[(t + i) * acts->s_stride + g];
                        float *rows = out + EDGE_TILE_ROWS * (t + i) + 4 * r;
                        vst1q_f32(rows, edge_g32_accumulate(vld1q_f32(rows), isum[i], d, m, da, s, has_min));
                    }
                }
            }
        }
    }
}

#endif
