/* Float weights: a chain of adds per row inside a group of 32 k, so groups (one token) or tokens run side by side. */
#ifndef EDGE_FLOAT_TEMPLATE_AVX2_H
#define EDGE_FLOAT_TEMPLATE_AVX2_H

#include "edge_simd__avx2.h"

#define EDGE_BLOCK_TOKENS 4
#define EDGE_SIDE_GROUPS  2 /* groups that one token works on at a time: hides the latency of the adds */

EDGE_INLINE int edge_float_bytes(edge_family family) {
    return (family == EDGE_FAMILY_F32 ? 4 : 2) * EDGE_TILE_ROWS;
}

/* Eight rows of column k. */
EDGE_INLINE __m256 edge_float_load(const uint8_t *column, edge_family family, int half) {
    if (family == EDGE_FAMILY_F32) {
        return _mm256_loadu_ps((const float *)(const void *)column + half * EDGE_LANE_ROWS);
    }
    if (family == EDGE_FAMILY_F16) {
        return edge_load_f16(column + half * 16);
    }
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(column + half * 16)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

/* acc += `groups` (a constant) groups of `size` k, which advance together and are added in order. */
EDGE_INLINE void edge_float_groups(__m256 acc[EDGE_HALVES], const uint8_t *tiles, const float *x, edge_family family,
                                   int groups, int32_t size) {
    const int bytes = edge_float_bytes(family);
    __m256 group[EDGE_SIDE_GROUPS][EDGE_HALVES];
    for (int i = 0; i < groups; i++) {
        group[i][0] = group[i][1] = _mm256_setzero_ps();
    }
    for (int32_t k = 0; k < size; k++) {
        for (int i = 0; i < groups; i++) {
            const uint8_t *column = tiles + (i * EDGE_GROUP + k) * bytes;
            const __m256 value = _mm256_set1_ps(x[i * EDGE_GROUP + k]);
            edge_prefetch(column, bytes);
            for (int half = 0; half < EDGE_HALVES; half++) {
                const __m256 product = _mm256_mul_ps(edge_float_load(column, family, half), value);
                group[i][half] = _mm256_add_ps(group[i][half], product);
            }
        }
    }
    for (int i = 0; i < groups; i++) {
        acc[0] = _mm256_add_ps(acc[0], group[i][0]);
        acc[1] = _mm256_add_ps(acc[1], group[i][1]);
    }
}

EDGE_INLINE void edge_float_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 edge_family family) {
    const int64_t bytes = edge_float_bytes(family);
    __m256 acc[EDGE_HALVES] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    int32_t k = 0;
    for (; k + EDGE_SIDE_GROUPS * EDGE_GROUP <= cols; k += EDGE_SIDE_GROUPS * EDGE_GROUP) {
        edge_float_groups(acc, tiles + k * bytes, acts->x + k, family, EDGE_SIDE_GROUPS, EDGE_GROUP);
    }
    for (; k < cols; k += EDGE_GROUP) {
        const int32_t size = cols - k < EDGE_GROUP ? cols - k : EDGE_GROUP;
        edge_float_groups(acc, tiles + k * bytes, acts->x + k, family, 1, size);
    }
    _mm256_storeu_ps(out, acc[0]);
    _mm256_storeu_ps(out + EDGE_LANE_ROWS, acc[1]);
}

/* `tokens` (a constant) rows of activations against one group; w: its weights as floats, k-major. */
EDGE_INLINE void edge_float_block(float *out, const float *w, int32_t size, const float *x, int64_t x_stride,
                                  int tokens) {
    __m256 group[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        group[t][0] = group[t][1] = _mm256_setzero_ps();
    }
    for (int32_t k = 0; k < size; k++) {
        const __m256 low = _mm256_loadu_ps(w + k * EDGE_TILE_ROWS);
        const __m256 high = _mm256_loadu_ps(w + k * EDGE_TILE_ROWS + EDGE_LANE_ROWS);
        for (int t = 0; t < tokens; t++) {
            const __m256 value = _mm256_set1_ps(x[t * x_stride + k]);
            group[t][0] = _mm256_add_ps(group[t][0], _mm256_mul_ps(low, value));
            group[t][1] = _mm256_add_ps(group[t][1], _mm256_mul_ps(high, value));
        }
    }
    for (int t = 0; t < tokens; t++) {
        float *to = out + t * EDGE_TILE_ROWS;
        _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), group[t][0]));
        _mm256_storeu_ps(to + EDGE_LANE_ROWS, _mm256_add_ps(_mm256_loadu_ps(to + EDGE_LANE_ROWS), group[t][1]));
    }
}

/* Any number of tokens: a group is converted once, then multiplied EDGE_BLOCK_TOKENS tokens at a time. */
EDGE_INLINE void edge_float_panels(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                   int32_t num_tokens, edge_family family) {
    float w[EDGE_GROUP * EDGE_TILE_ROWS];
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t begin = 0; begin < cols; begin += EDGE_GROUP) {
        const int32_t size = cols - begin < EDGE_GROUP ? cols - begin : EDGE_GROUP;
        const uint8_t *from = tiles + (int64_t)begin * edge_float_bytes(family);
        for (int32_t k = 0; k < size; k++) {
            const uint8_t *column = from + k * edge_float_bytes(family);
            edge_prefetch(column, edge_float_bytes(family));
            _mm256_storeu_ps(w + k * EDGE_TILE_ROWS, edge_float_load(column, family, 0));
            _mm256_storeu_ps(w + k * EDGE_TILE_ROWS + EDGE_LANE_ROWS, edge_float_load(column, family, 1));
        }
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_float_block(out + t * EDGE_TILE_ROWS, w, size, acts->x + t * acts->x_stride + begin, acts->x_stride,
                             EDGE_BLOCK_TOKENS);
        }
        for (; t < num_tokens; t++) {
            edge_float_block(out + t * EDGE_TILE_ROWS, w, size, acts->x + t * acts->x_stride + begin, acts->x_stride,
                             1);
        }
    }
}

#endif
