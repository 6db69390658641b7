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

/* Eight values from `index` on: f16 or float, is_half a constant. */
EDGE_INLINE __m256 load_lanes(const void *values, int64_t index, int is_half) {
    return is_half ? edge_load_f16((const uint16_t *)values + index) : _mm256_loadu_ps((const float *)values + index);
}

EDGE_INLINE float load_one(const void *values, int64_t index, int is_half) {
    return is_half ? edge_f16_to_f32(((const uint16_t *)values)[index]) : ((const float *)values)[index];
}

EDGE_INLINE void edge_panel_load(float *to, const void *from, int64_t stride, int32_t n, int32_t width, int is_half) {
    for (int32_t i = 0; i < n; i++, to += EDGE_KV_BLOCK_SIZE) {
        int32_t c = 0;
        for (; c + EDGE_LANE_ROWS <= width; c += EDGE_LANE_ROWS) {
            _mm256_storeu_ps(to + c, load_lanes(from, i * stride + c, is_half));
        }
        for (; c < width; c++) {
            to[c] = load_one(from, i * stride + c, is_half);
        }
        for (; c < EDGE_KV_BLOCK_SIZE; c++) {
            to[c] = 0.0f;
        }
    }
}

/* rows (1 .. EDGE_BLOCK_ROWS) is a constant. */
EDGE_INLINE void add_rows(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                          int64_t b_stride, int32_t n, int begin, int rows, int is_half) {
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
            const __m256 lanes = load_lanes(b, k * b_stride + (int64_t)i * EDGE_LANE_ROWS, is_half);
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
                                int64_t b_stride, int32_t n, int begin, int32_t rows, int is_half) {
    int32_t r = 0;
    for (; r + EDGE_BLOCK_ROWS <= rows; r += EDGE_BLOCK_ROWS) {
        add_rows(out + r * out_stride, out_stride, a + r * a_stride, a_stride, b, b_stride, n, begin, EDGE_BLOCK_ROWS,
                 is_half);
    }
    for (; r < rows; r++) {
        add_rows(out + r * out_stride, out_stride, a + r * a_stride, a_stride, b, b_stride, n, begin, 1, is_half);
    }
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__avx2(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                   const uint16_t *v, int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, 1);
}

void edge_attend_f32_f32_f32__avx2(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                   int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, 0);
}

void edge_attend_merge_f32__avx2(float *o, float *max, float *sum, const float *o2, const float *max2,
                                 const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
