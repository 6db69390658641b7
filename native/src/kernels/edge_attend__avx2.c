/* Attention of one query head over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "attend.h"
#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"
#include "half.h"

#define EDGE_SCORE_VECTORS (EDGE_KV_BLOCK_SIZE / EDGE_LANE_ROWS)
#define EDGE_VALUE_CHAINS  8 /* vectors of the output that grow side by side */

/* Eight values from `index` on: f16 or float, is_half a constant. */
EDGE_INLINE __m256 load_lanes(const void *values, int64_t index, int is_half) {
    return is_half ? edge_load_f16((const uint16_t *)values + index) : _mm256_loadu_ps((const float *)values + index);
}

EDGE_INLINE float load_one(const void *values, int64_t index, int is_half) {
    return is_half ? edge_f16_to_f32(((const uint16_t *)values)[index]) : ((const float *)values)[index];
}

EDGE_INLINE void scores(float p[EDGE_KV_BLOCK_SIZE], const float *q, const void *k, int32_t head_dim, float scale,
                        int is_half) {
    __m256 acc[EDGE_SCORE_VECTORS];
    for (int i = 0; i < EDGE_SCORE_VECTORS; i++) {
        acc[i] = _mm256_setzero_ps();
    }
    for (int32_t d = 0; d < head_dim; d++) {
        const __m256 factor = _mm256_set1_ps(q[d]);
        for (int i = 0; i < EDGE_SCORE_VECTORS; i++) {
            const __m256 keys = load_lanes(k, (int64_t)d * EDGE_KV_BLOCK_SIZE + i * EDGE_LANE_ROWS, is_half);
            acc[i] = _mm256_add_ps(acc[i], _mm256_mul_ps(factor, keys));
        }
    }
    for (int i = 0; i < EDGE_SCORE_VECTORS; i++) {
        _mm256_storeu_ps(p + i * EDGE_LANE_ROWS, _mm256_mul_ps(acc[i], _mm256_set1_ps(scale)));
    }
}

/* `chains` (a constant) vectors of the output from dimension d on. */
EDGE_INLINE void values(float *o, const float *p, const void *v, int32_t head_dim, int32_t d, int32_t valid, int chains,
                        int is_half) {
    __m256 acc[EDGE_VALUE_CHAINS];
    for (int c = 0; c < chains; c++) {
        acc[c] = _mm256_setzero_ps();
    }
    for (int32_t t = 0; t < valid; t++) {
        const __m256 weight = _mm256_set1_ps(p[t]);
        for (int c = 0; c < chains; c++) {
            const __m256 row = load_lanes(v, (int64_t)t * head_dim + d + c * EDGE_LANE_ROWS, is_half);
            acc[c] = _mm256_add_ps(acc[c], _mm256_mul_ps(weight, row));
        }
    }
    for (int c = 0; c < chains; c++) {
        _mm256_storeu_ps(o + d + c * EDGE_LANE_ROWS, acc[c]);
    }
}

EDGE_INLINE void attend(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                        int32_t head_dim, int32_t valid, float scale, int is_half) {
    float p[EDGE_KV_BLOCK_SIZE];
    scores(p, q, k, head_dim, scale, is_half);
    edge_softmax_block(p, max, sum, valid);
    int32_t d = 0;
    for (; d + EDGE_VALUE_CHAINS * EDGE_LANE_ROWS <= head_dim; d += EDGE_VALUE_CHAINS * EDGE_LANE_ROWS) {
        values(o, p, v, head_dim, d, valid, EDGE_VALUE_CHAINS, is_half);
    }
    for (; d + EDGE_LANE_ROWS <= head_dim; d += EDGE_LANE_ROWS) {
        values(o, p, v, head_dim, d, valid, 1, is_half);
    }
    for (; d < head_dim; d++) {
        float value = 0.0f;
        for (int32_t t = 0; t < valid; t++) {
            value = value + p[t] * load_one(v, (int64_t)t * head_dim + d, is_half);
        }
        o[d] = value;
    }
}

void edge_attend_f32_f32_f16__avx2(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t valid, float scale) {
    attend(o, max, sum, q, k, v, head_dim, valid, scale, 1);
}

void edge_attend_f32_f32_f32__avx2(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t valid, float scale) {
    attend(o, max, sum, q, k, v, head_dim, valid, scale, 0);
}

void edge_attend_merge_f32__avx2(float *o, float *max, float *sum, const float *o2, float max2, float sum2,
                                 int32_t head_dim) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim);
}
