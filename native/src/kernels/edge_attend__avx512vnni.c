/* Attention of query heads over one KV block: positions are lanes for the scores, head dimensions for the output. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge/kv.h"
#include "edge_kernels__avx512vnni.h"
#include "edge_simd__avx512vnni.h"
#include "half.h"

#define EDGE_DIRECT_ROWS 4
#define EDGE_LANE_ROWS   16
#define EDGE_PANEL_LANES (EDGE_KV_BLOCK_SIZE / EDGE_LANE_ROWS) /* vectors of a row */
#define EDGE_BLOCK_ROWS  8                                     /* 8 x 2 sums, 2 + 8 factors: 26 of 32 registers */

/* Sixteen values from `index` on, of a cache type that is a constant. */
EDGE_INLINE __m512 load_lanes(const void *values, int64_t index, int type) {
    if (type == EDGE_KV_Q8) {
        return edge_i32_to_f32(edge_load_i8_as_i32((const uint8_t *)values + index));
    }
    return type == EDGE_KV_F16 ? edge_load_f16((const uint16_t *)values + index)
                               : _mm512_loadu_ps((const float *)values + index);
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
            _mm512_storeu_ps(to + c, load_lanes(from, i * stride + c, type));
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
    __m512 acc[EDGE_BLOCK_ROWS][EDGE_PANEL_LANES];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            acc[r][i] =
                begin ? _mm512_setzero_ps() : _mm512_loadu_ps(out + r * out_stride + (int64_t)i * EDGE_LANE_ROWS);
        }
    }
    for (int32_t k = 0; k < n; k++) {
        __m512 factor[EDGE_BLOCK_ROWS];
        for (int r = 0; r < rows; r++) {
            factor[r] = _mm512_set1_ps(a[r * a_stride + k]);
        }
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            const __m512 lanes = load_lanes(b, k * b_stride + (int64_t)i * EDGE_LANE_ROWS, type);
            for (int r = 0; r < rows; r++) {
                acc[r][i] = _mm512_add_ps(acc[r][i], _mm512_mul_ps(factor[r], lanes));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            _mm512_storeu_ps(out + r * out_stride + (int64_t)i * EDGE_LANE_ROWS, acc[r][i]);
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
    for (; r + 4 <= rows; r += 4) {
        add_rows(out + r * out_stride, out_stride, a + r * a_stride, a_stride, b, b_stride, n, begin, 4, type);
    }
    for (; r < rows; r++) {
        add_rows(out + r * out_stride, out_stride, a + r * a_stride, a_stride, b, b_stride, n, begin, 1, type);
    }
}

/* rows (1 .. EDGE_BLOCK_ROWS) is a constant. Keys become unsigned by adding 128, which starts the sums at -128 sum(q).
 */
EDGE_INLINE void dot_rows(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int rows) {
    __m512i acc[EDGE_BLOCK_ROWS][EDGE_PANEL_LANES];
    for (int r = 0; r < rows; r++) {
        int32_t total = 0;
        for (int32_t i = 0; i < groups * 4; i++) {
            total += q[(int64_t)r * groups * 4 + i];
        }
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            acc[r][i] = _mm512_set1_epi32(-128 * total);
        }
    }
    for (int32_t g = 0; g < groups; g++, k += EDGE_KV_BLOCK_SIZE * 4) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            const __m512i keys = _mm512_xor_si512(_mm512_loadu_si512(k + i * 64), _mm512_set1_epi8(-128));
            for (int r = 0; r < rows; r++) {
                acc[r][i] =
                    _mm512_dpbusd_epi32(acc[r][i], keys, edge_broadcast_quad(q + (int64_t)(r * groups + g) * 4));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_PANEL_LANES; i++) {
            _mm512_storeu_si512(dots + r * EDGE_KV_BLOCK_SIZE + i * EDGE_LANE_ROWS, acc[r][i]);
        }
    }
}

EDGE_INLINE void edge_key_dots(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int32_t rows) {
    int32_t r = 0;
    for (; r + EDGE_BLOCK_ROWS <= rows; r += EDGE_BLOCK_ROWS) {
        dot_rows(dots + r * EDGE_KV_BLOCK_SIZE, q + (int64_t)r * groups * 4, k, groups, EDGE_BLOCK_ROWS);
    }
    for (; r + 4 <= rows; r += 4) {
        dot_rows(dots + r * EDGE_KV_BLOCK_SIZE, q + (int64_t)r * groups * 4, k, groups, 4);
    }
    for (; r < rows; r++) {
        dot_rows(dots + r * EDGE_KV_BLOCK_SIZE, q + (int64_t)r * groups * 4, k, groups, 1);
    }
}

#include "attend_rows.h"

void edge_attend_f32_f32_f16__avx512vnni(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                         const uint16_t *v, int32_t head_dim, int32_t rows, int32_t valid,
                                         float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, EDGE_KV_F16);
}

void edge_attend_f32_f32_f32__avx512vnni(float *o, float *max, float *sum, const float *q, const float *k,
                                         const float *v, int32_t head_dim, int32_t rows, int32_t valid, float scale) {
    edge_attend_rows(o, max, sum, q, k, v, head_dim, rows, valid, scale, EDGE_KV_F32);
}

void edge_attend_f32_q8_q8__avx512vnni(float *o, float *max, float *sum, const int8_t *q, const float *d,
                                       const uint8_t *k, const uint8_t *v, int32_t head_dim, int32_t rows,
                                       int32_t valid, float scale) {
    edge_attend_rows_q8(o, max, sum, q, d, k, v, head_dim, rows, valid, scale);
}

void edge_attend_merge_f32__avx512vnni(float *o, float *max, float *sum, const float *o2, const float *max2,
                                       const float *sum2, int32_t head_dim, int32_t rows) {
    edge_attend_merge(o, max, sum, o2, max2, sum2, head_dim, rows);
}
