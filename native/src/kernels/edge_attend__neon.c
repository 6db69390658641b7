/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "edge/kv.h"
#include "edge_kernels__neon.h"
#include "edge_simd__neon.h"
#include "half.h"

#define EDGE_DIRECT_ROWS 2
#define EDGE_LANE_ROWS   4
#define EDGE_PANEL_LANES (EDGE_KV_BLOCK_SIZE / EDGE_LANE_ROWS) /* vectors of a row */
#define EDGE_BLOCK_ROWS  2                                     /* 2 x 8 sums, 8 + 2 factors: 26 of 32 registers */

/* Four values from `index` on, of a cache type that is a constant. */
EDGE_INLINE float32x4_t load_lanes(const void *values, int64_t index, int type) {
    if (type == EDGE_KV_Q8) {
        int32_t four;
        memcpy(&four, (const int8_t *)values + index, sizeof four);
        const int8x8_t codes = vreinterpret_s8_s32(vdup_n_s32(four));
        return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(codes))));
    }
    const uint8_t *from = (const uint8_t *)values + index * (type == EDGE_KV_F16 ? 2 : 4);
    return type == EDGE_KV_F16 ? edge_load_f16(from) : edge_load_f32(from);
}

EDGE_INLINE float load_one(const void *values, int64_t index, int type) {
    return type == EDGE_KV_Q8    ? (float)((const int8_t *)values)[index]
           : type == EDGE_KV_F16 ? edge_f16_to_f32(((const uint16_t *)values)[index])
                                 : ((const float *)values)[index];
}

EDGE_INLINE void edge_panel_load(float *to, const void *from, int64_t stride, int32_t n, int32_t width, int type) {
    for (int32_t i = 0; i < n; i++, to += EDGE_KV_BLOCK_SIZE) {
        int32_t c = 0;
        for (; c + EDGE_LANE_ROWS <= width; c += EDGE_LANE_ROWS) {
            vst1q_f32(to + c, load_lanes(from, i * stride + c, type));
        }
        for (; c < width; c++) {
            to[c] = load_one(from, i * stride + c, type);
        }
        for (; c < EDGE_KV_BLOCK_SIZE; c++) {
            to[c] = 0.0f;
        }
    }
}

/* rows (1 .. EDGE_BLOCK_ROWS) is a constant. */
EDGE_INLINE void add_rows(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                          int64_t b_stride, int32_t n, int begin, int rows, int type) {
    float32x4_t acc[EDGE_BLOCK_ROWS][EDGE_PANEL_LANES];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            acc[r][i] = begin ? vdupq_n_f32(0.0f) : vld1q_f32(out + r * out_stride + (int64_t)i * EDGE_LANE_ROWS);
        }
    }
    for (int32_t k = 0; k < n; k++) {
        float32x4_t factor[EDGE_BLOCK_ROWS];
        for (int r = 0; r < rows; r++) {
            factor[r] = vdupq_n_f32(a[r * a_stride + k]);
        }
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            const float32x4_t lanes = load_lanes(b, k * b_stride + (int64_t)i * EDGE_LANE_ROWS, type);
            for (int r = 0; r < rows; r++) {
                acc[r][i] = vaddq_f32(acc[r][i], vmulq_f32(factor[r], lanes));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            vst1q_f32(out + r * out_stride + (int64_t)i * EDGE_LANE_ROWS, acc[r][i]);
        }
    }
}

EDGE_INLINE void edge_panel_add(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                                int64_t b_stride, int32_t n, int begin, int32_t rows, int type) {
    int32_t r = 0;
    for (; r + EDGE_BLOCK_ROWS <= rows; r += EDGE_BLOCK_ROWS) {
        add_rows(out + r * out_stride, out_stride, a + r * a_stride, a_stride, b, b_stride, n, begin, EDGE_BLOCK_ROWS,
                 type);
    }
    for (; r < rows; r++) {
        add_rows(out + r * out_stride, out_stride, a + r * a_stride, a_stride, b, b_stride, n, begin, 1, type);
    }
}

/* rows (1 .. EDGE_BLOCK_ROWS) is a constant. Two products of codes up to 127 fit int16: the first pairwise sum is
 * exact. */
EDGE_INLINE void dot_rows(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int rows) {
    int32x4_t acc[EDGE_BLOCK_ROWS][EDGE_PANEL_LANES];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            acc[r][i] = vdupq_n_s32(0);
        }
    }
    for (int32_t g = 0; g < groups; g++, k += EDGE_KV_BLOCK_SIZE * 4) {
        int8x16_t a[EDGE_BLOCK_ROWS];
        for (int r = 0; r < rows; r++) {
            a[r] = edge_broadcast_quad(q + (int64_t)(r * groups + g) * 4);
        }
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            const int8x16_t keys = vld1q_s8(k + i * 16);
            for (int r = 0; r < rows; r++) {
                const int16x8_t low = vmull_s8(vget_low_s8(keys), vget_low_s8(a[r]));
                const int16x8_t high = vmull_s8(vget_high_s8(keys), vget_high_s8(a[r]));
                acc[r][i] = vpadalq_s16(acc[r][i], vpaddq_s16(low, high));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            vst1q_s32(dots + r * EDGE_KV_BLOCK_SIZE + i * EDGE_LANE_ROWS, acc[r][i]);
        }
    }
}

EDGE_INLINE void edge_key_dots(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int32_t rows) {
    int32_t r = 0;
    for (; r + EDGE_BLOCK_ROWS <= rows; r += EDGE_BLOCK_ROWS) {
        dot_rows(dots + r * EDGE_KV_BLOCK_SIZE, q + (int64_t)r * groups * 4, k, groups, EDGE_BLOCK_ROWS);
    }
    for (; r < rows; r++) {
        dot_rows(dots + r * EDGE_KV_BLOCK_SIZE, q + (int64_t)r * groups * 4, k, groups, 1);
    }
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__neon(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__neon(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__neon(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                                 const uint8_t *v, int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, valid, scale);
}

void edge_attend_merge_f32__neon(float *o, float *max, float *sum, const float *o2, const float *max2,
                                 const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
