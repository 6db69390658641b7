/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge/kv.h"
#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"
#include "half.h"

#define EDGE_DIRECT_ROWS 2
#define EDGE_PANEL_LANES (EDGE_KV_BLOCK_SIZE / EDGE_LANE_ROWS) /* vectors of a row */
#define EDGE_BLOCK_ROWS  2                                     /* 2 x 4 sums, 4 + 2 factors: 14 of 16 registers */

/* Eight values from `index` on, of a cache type that is a constant. */
EDGE_INLINE __m256 load_lanes(const void *values, int64_t index, int type) {
    if (type == EDGE_KV_Q8) {
        const __m128i codes = _mm_loadl_epi64((const __m128i *)(const void *)((const int8_t *)values + index));
        return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes));
    }
    return type == EDGE_KV_F16 ? edge_load_f16((const uint16_t *)values + index)
                               : _mm256_loadu_ps((const float *)values + index);
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
            _mm256_storeu_ps(to + c, load_lanes(from, i * stride + c, type));
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
    __m256 acc[EDGE_BLOCK_ROWS][EDGE_PANEL_LANES];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            acc[r][i] =
                begin ? _mm256_setzero_ps() : _mm256_loadu_ps(out + r * out_stride + (int64_t)i * EDGE_LANE_ROWS);
        }
    }
    for (int32_t k = 0; k < n; k++) {
        __m256 factor[EDGE_BLOCK_ROWS];
        for (int r = 0; r < rows; r++) {
            factor[r] = _mm256_set1_ps(a[r * a_stride + k]);
        }
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            const __m256 lanes = load_lanes(b, k * b_stride + (int64_t)i * EDGE_LANE_ROWS, type);
            for (int r = 0; r < rows; r++) {
                acc[r][i] = _mm256_add_ps(acc[r][i], _mm256_mul_ps(factor[r], lanes));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            _mm256_storeu_ps(out + r * out_stride + (int64_t)i * EDGE_LANE_ROWS, acc[r][i]);
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

/* rows (1 .. EDGE_BLOCK_ROWS) is a constant. Two products of codes up to 127 fit int16: maddubs is exact. */
EDGE_INLINE void dot_rows(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int rows) {
    __m256i acc[EDGE_BLOCK_ROWS][EDGE_PANEL_LANES];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            acc[r][i] = _mm256_setzero_si256();
        }
    }
    for (int32_t g = 0; g < groups; g++, k += EDGE_KV_BLOCK_SIZE * 4) {
        __m256i a[EDGE_BLOCK_ROWS];
        for (int r = 0; r < rows; r++) {
            a[r] = edge_broadcast(q + (int64_t)(r * groups + g) * 4);
        }
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            const __m256i keys = edge_load(k + i * 32), magnitude = _mm256_abs_epi8(keys);
            for (int r = 0; r < rows; r++) { /* the sign moves to the query */
                const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a[r], keys));
                acc[r][i] = _mm256_add_epi32(acc[r][i], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            edge_store(dots + r * EDGE_KV_BLOCK_SIZE + i * EDGE_LANE_ROWS, acc[r][i]);
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

void edge_attend_f32_f32_f16__avx2(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__avx2(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__avx2(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                                 const uint8_t *v, int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, valid, scale);
}

void edge_attend_merge_f32__avx2(float *o, float *max, float *sum, const float *o2, const float *max2,
                                 const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
