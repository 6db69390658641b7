/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_kernels__avx512vnni.h"
#include "edge_simd__avx512vnni.h"

#define EDGE_DIRECT_ROWS   8
#define EDGE_BLOCK_ROWS    8 /* 8 x 2 sums, 2 + 8 factors: 26 of 32 registers */
#define EDGE_BLOCK_VECTORS 2

/* Keys become unsigned by adding 128, which the sums take off again. */
EDGE_INLINE __m512i edge_key_begin(const int8_t *q, int32_t codes) {
    int32_t total = 0;
    for (int32_t i = 0; i < codes; i++) {
        total += q[i];
    }
    return _mm512_set1_epi32(-128 * total);
}

EDGE_INLINE __m512i edge_key_step(__m512i sums, const int8_t *k, const int8_t *q) {
    const __m512i keys = _mm512_xor_si512(_mm512_loadu_si512(k), _mm512_set1_epi8(-128));
    return _mm512_dpbusd_epi32(sums, keys, edge_broadcast_quad(q));
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__avx512vnni(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                         const uint16_t *v, int32_t head_dim, int32_t rows, int32_t first,
                                         int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__avx512vnni(float *o, float *max, float *sum, const float *q, const float *k,
                                         const float *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                         float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, first, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__avx512vnni(float *o, float *max, float *sum, const int8_t *q, const float *d,
                                       const uint8_t *k, const uint8_t *v, int32_t head_dim, int32_t rows,
                                       int32_t first, int32_t valid, float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, first, valid, scale);
}

void edge_attend_merge_f32__avx512vnni(float *o, float *max, float *sum, const float *o2, const float *max2,
                                       const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
