/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "edge_kernels__neon.h"
#include "edge_simd__neon.h"

#define EDGE_DIRECT_ROWS   2
#define EDGE_BLOCK_ROWS    2 /* 2 x 8 sums, 8 + 2 factors: 26 of 32 registers */
#define EDGE_BLOCK_VECTORS 8

EDGE_INLINE int32x4_t edge_key_begin(const int8_t *q, int32_t codes) {
    (void)q, (void)codes;
    return vdupq_n_s32(0);
}

/* Two products of codes up to 127 fit int16: the first pairwise sum is exact. */
EDGE_INLINE int32x4_t edge_key_step(int32x4_t sums, const int8_t *k, const int8_t *q) {
    const int8x16_t keys = vld1q_s8(k), a = edge_broadcast_quad(q);
    const int16x8_t low = vmull_s8(vget_low_s8(keys), vget_low_s8(a));
    const int16x8_t high = vmull_s8(vget_high_s8(keys), vget_high_s8(a));
    return vpadalq_s16(sums, vpaddq_s16(low, high));
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__neon(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                   float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__neon(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__neon(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                                 const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                 float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, first, valid, scale);
}

void edge_attend_merge_f32__neon(float *o, float *max, float *sum, const float *o2, const float *max2,
                                 const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
