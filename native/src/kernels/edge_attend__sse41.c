/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_kernels__sse41.h"
#include "edge_simd__sse41.h"

#define EDGE_DIRECT_ROWS   2
#define EDGE_BLOCK_ROWS    2 /* 2 x 4 sums, 2 factors, a vector and its products: 12 of 16 registers */
#define EDGE_BLOCK_VECTORS 4

EDGE_INLINE __m128i edge_key_begin(const int8_t *q, int32_t codes) {
    (void)q, (void)codes;
    return _mm_setzero_si128();
}

/* The sign moves to the query. Two products of codes up to 127 fit int16: maddubs is exact. */
EDGE_INLINE __m128i edge_key_step(__m128i sums, const int8_t *k, const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    const __m128i keys = vld1q_s8(k), signs = _mm_sign_epi8(_mm_set1_epi32(four), keys);
    const __m128i pairs = _mm_maddubs_epi16(_mm_abs_epi8(keys), signs);
    return _mm_add_epi32(sums, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__sse41(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                    const uint16_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                    float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__sse41(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                    int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__sse41(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                                  const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                  float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, first, valid, scale);
}

void edge_attend_merge_f32__sse41(float *o, float *max, float *sum, const float *o2, const float *max2,
                                  const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
