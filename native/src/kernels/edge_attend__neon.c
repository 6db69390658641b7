/* Attention of one query head over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "attend.h"
#include "edge_kernels__neon.h"
#include "edge_simd__neon.h"
#include "half.h"

#define EDGE_SCORE_VECTORS (EDGE_KV_BLOCK_SIZE / 4)
#define EDGE_VALUE_CHAINS  8 /* vectors of the output that grow side by side */

/* Four elements of K or V from `index` on: f16 or float, half a constant. */
EDGE_INLINE float32x4_t load_lanes(const void *values, int64_t index, int half) {
    const uint8_t *from = (const uint8_t *)values + index * (half ? 2 : 4);
    return half ? edge_load_f16(from) : edge_load_f32(from);
}

EDGE_INLINE float load_one(const void *values, int64_t index, int half) {
    return half ? edge_f16_to_f32(((const uint16_t *)values)[index]) : ((const float *)values)[index];
}

EDGE_INLINE void scores(float p[EDGE_KV_BLOCK_SIZE], const float *q, const void *k, int32_t head_dim, float scale,
                        int half) {
    float32x4_t acc[EDGE_SCORE_VECTORS];
    for (int c = 0; c < EDGE_SCORE_VECTORS; c++) {
        acc[c] = vdupq_n_f32(0.0f);
    }
    for (int32_t d = 0; d < head_dim; d++) {
        const float32x4_t factor = vdupq_n_f32(q[d]);
        for (int c = 0; c < EDGE_SCORE_VECTORS; c++) {
            const float32x4_t row = load_lanes(k, (int64_t)d * EDGE_KV_BLOCK_SIZE + 4 * c, half);
            acc[c] = vaddq_f32(acc[c], vmulq_f32(factor, row));
        }
    }
    for (int c = 0; c < EDGE_SCORE_VECTORS; c++) {
        vst1q_f32(p + 4 * c, vmulq_f32(acc[c], vdupq_n_f32(scale)));
    }
}

/* `chains` (a constant) vectors of the output from dimension d on. */
EDGE_INLINE void values(float *o, const float *p, const void *v, int32_t head_dim, int32_t d, int32_t valid, int chains,
                        int half) {
    float32x4_t acc[EDGE_VALUE_CHAINS];
    for (int c = 0; c < chains; c++) {
        acc[c] = vdupq_n_f32(0.0f);
    }
    for (int32_t t = 0; t < valid; t++) {
        const float32x4_t weight = vdupq_n_f32(p[t]);
        for (int c = 0; c < chains; c++) {
            const float32x4_t row = load_lanes(v, (int64_t)t * head_dim + d + 4 * c, half);
            acc[c] = vaddq_f32(acc[c], vmulq_f32(weight, row));
        }
    }
    for (int c = 0; c < chains; c++) {
        vst1q_f32(o + d + 4 * c, acc[c]);
    }
}

EDGE_INLINE void attend(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                        int32_t head_dim, int32_t valid, float scale, int half) {
    float p[EDGE_KV_BLOCK_SIZE];
    scores(p, q, k, head_dim, scale, half);
    edge_softmax_block(p, max, sum, valid);
    int32_t d = 0;
    for (; d + 4 * EDGE_VALUE_CHAINS <= head_dim; d += 4 * EDGE_VALUE_CHAINS) {
        values(o, p, v, head_dim, d, valid, EDGE_VALUE_CHAINS, half);
    }
    for (; d + 4 <= head_dim; d += 4) {
        values(o, p, v, head_dim, d, valid, 1, half);
    }
    for (; d < head_dim; d++) {
        float value = 0.0f;
        for (int32_t t = 0; t < valid; t++) {
            value = value + p[t] * load_one(v, (int64_t)t * head_dim + d, half);
        }
        o[d] = value;
    }
}

void edge_attend_f32_f32_f16__neon(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t valid, float scale) {
    attend(o, max, sum, q, k, v, head_dim, valid, scale, 1);
}

void edge_attend_f32_f32_f32__neon(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t valid, float scale) {
    attend(o, max, sum, q, k, v, head_dim, valid, scale, 0);
}

void edge_attend_merge_f32__neon(float *o, float *max, float *sum, const float *o2, float max2, float sum2,
                                 int32_t head_dim) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim);
}
