/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"

#define EDGE_DIRECT_ROWS   4
#define EDGE_BLOCK_ROWS    2 /* 2 x 4 sums, 4 + 2 factors: 14 of 16 registers */
#define EDGE_BLOCK_VECTORS 4

EDGE_INLINE __m256i edge_key_begin(const int8_t *q, int32_t codes) {
    (void)q, (void)codes;
    return _mm256_setzero_si256();
}

/* The sign moves to the query. Two products of codes up to 127 fit int16: maddubs is exact. */
EDGE_INLINE __m256i edge_key_step(__m256i sums, const int8_t *k, const int8_t *q) {
    const __m256i keys = edge_load(k);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(keys), _mm256_sign_epi8(edge_broadcast(q), keys));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__avx2(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                   float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__avx2(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__avx2(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                                 const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                 float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, first, valid, scale);
}

void edge_attend_merge_f32__avx2(float *o, float *max, float *sum, const float *o2, const float *max2,
                                 const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
