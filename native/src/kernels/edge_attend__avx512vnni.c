/* Attention of one query head over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "attend.h"
#include "edge_kernels__avx512vnni.h"
#include "edge_simd__avx512vnni.h"
#include "half.h"

#define EDGE_VALUE_CHAINS 4 /* vectors of the output that grow side by side */

/* Element `index` of K or V: f16 or float, half a constant. */
EDGE_INLINE const void *element(const void *values, int64_t index, int half) {
    return (const uint8_t *)values + index * (half ? 2 : 4);
}

EDGE_INLINE __m512 load_lanes(const void *values, int64_t index, int half) {
    const void *from = element(values, index, half);
    return half ? edge_load_f16(from) : _mm512_loadu_ps(from);
}

EDGE_INLINE float load_one(const void *values, int64_t index, int half) {
    return half ? edge_f16_to_f32(((const uint16_t *)values)[index]) : ((const float *)values)[index];
}

EDGE_INLINE void scores(float p[EDGE_KV_BLOCK_SIZE], const float *q, const void *k, int32_t head_dim, float scale,
                        int half) {
    __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();
    for (int32_t d = 0; d < head_dim; d++) {
        const __m512 factor = _mm512_set1_ps(q[d]);
        const int64_t row = (int64_t)d * EDGE_KV_BLOCK_SIZE;
        low = _mm512_add_ps(low, _mm512_mul_ps(factor, load_lanes(k, row, half)));
        high = _mm512_add_ps(high, _mm512_mul_ps(factor, load_lanes(k, row + 16, half)));
    }
    _mm512_storeu_ps(p, _mm512_mul_ps(low, _mm512_set1_ps(scale)));
    _mm512_storeu_ps(p + 16, _mm512_mul_ps(high, _mm512_set1_ps(scale)));
}

/* `chains` (a constant) vectors of the output from dimension d on. */
EDGE_INLINE void values(float *o, const float *p, const void *v, int32_t head_dim, int32_t d, int32_t valid, int chains,
                        int half) {
    __m512 acc[EDGE_VALUE_CHAINS];
    for (int c = 0; c < chains; c++) {
        acc[c] = _mm512_setzero_ps();
    }
    for (int32_t t = 0; t < valid; t++) {
        const __m512 weight = _mm512_set1_ps(p[t]);
        for (int c = 0; c < chains; c++) {
            const __m512 row = load_lanes(v, (int64_t)t * head_dim + d + 16 * c, half);
            acc[c] = _mm512_add_ps(acc[c], _mm512_mul_ps(weight, row));
        }
    }
    for (int c = 0; c < chains; c++) {
        _mm512_storeu_ps(o + d + 16 * c, acc[c]);
    }
}

EDGE_INLINE void attend(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                        int32_t head_dim, int32_t valid, float scale, int half) {
    float p[EDGE_KV_BLOCK_SIZE];
    scores(p, q, k, head_dim, scale, half);
    edge_softmax_block(p, max, sum, valid);
    int32_t d = 0;
    for (; d + 16 * EDGE_VALUE_CHAINS <= head_dim; d += 16 * EDGE_VALUE_CHAINS) {
        values(o, p, v, head_dim, d, valid, EDGE_VALUE_CHAINS, half);
    }
    for (; d + 16 <= head_dim; d += 16) {
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

void edge_attend_f32_f32_f16__avx512vnni(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                         const uint16_t *v, int32_t head_dim, int32_t valid, float scale) {
    attend(o, max, sum, q, k, v, head_dim, valid, scale, 1);
}

void edge_attend_f32_f32_f32__avx512vnni(float *o, float *max, float *sum, const float *q, const float *k,
                                         const float *v, int32_t head_dim, int32_t valid, float scale) {
    attend(o, max, sum, q, k, v, head_dim, valid, scale, 0);
}

void edge_attend_merge_f32__avx512vnni(float *o, float *max, float *sum, const float *o2, float max2, float sum2,
                                       int32_t head_dim) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim);
}
