/* Float weights: a chain of adds per row inside a group of 32 k, so groups (one token) or tokens run side by side. */
#ifndef EDGE_FLOAT_TEMPLATE_AVX2_H
#define EDGE_FLOAT_TEMPLATE_AVX2_H

#include "edge_simd__avx2.h"

#define EDGE_BLOCK_TOKENS 4
#define EDGE_CHAINS       4 /* groups x tokens in flight, two vectors each: hides the latency of the adds */

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

/* acc[t] += `groups` (a constant) groups of `size` k of `tokens` (a constant) rows; the groups advance together and
 * are added in order. */
EDGE_INLINE void edge_float_groups(__m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tiles, const float *x,
                                   int64_t x_stride, edge_family family, int groups, int tokens, int32_t size) {
    const int bytes = edge_float_bytes(family);
    __m256 sum[EDGE_CHAINS][EDGE_HALVES]; /* group i of token t: i * tokens + t */
    for (int c = 0; c < groups * tokens; c++) {
        sum[c][0] = sum[c][1] = _mm256_setzero_ps();
    }
    for (int32_t k = 0; k < size; k++) {
        for (int i = 0; i < groups; i++) {
            const uint8_t *column = tiles + (i * EDGE_GROUP + k) * bytes;
            const __m256 low = edge_float_load(column, family, 0), high = edge_float_load(column, family, 1);
            edge_prefetch(column, bytes);
            for (int t = 0; t < tokens; t++) {
                const __m256 value = _mm256_set1_ps(x[t * x_stride + i * EDGE_GROUP + k]);
                __m256 *to = sum[i * tokens + t];
                to[0] = _mm256_add_ps(to[0], _mm256_mul_ps(low, value));
                to[1] = _mm256_add_ps(to[1], _mm256_mul_ps(high, value));
            }
        }
    }
    for (int c = 0; c < groups * tokens; c++) {
        acc[c % tokens][0] = _mm256_add_ps(acc[c % tokens][0], sum[c][0]);
        acc[c % tokens][1] = _mm256_add_ps(acc[c % tokens][1], sum[c][1]);
    }
}

/* All of k for `tokens` (a constant) rows. */
EDGE_INLINE void edge_float_rows(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t token,
                                 edge_family family, int tokens) {
    const int64_t bytes = edge_float_bytes(family);
    const int groups = EDGE_CHAINS / tokens;
    const float *x = acts->x + token * acts->x_stride;
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = acc[t][1] = _mm256_setzero_ps();
    }
    int32_t k = 0;
    for (; k + groups * EDGE_GROUP <= cols; k += groups * EDGE_GROUP) {
        edge_float_groups(acc, tiles + k * bytes, x + k, acts->x_stride, family, groups, tokens, EDGE_GROUP);
    }
    for (; k < cols; k += EDGE_GROUP) {
        const int32_t size = cols - k < EDGE_GROUP ? cols - k : EDGE_GROUP;
        edge_float_groups(acc, tiles + k * bytes, x + k, acts->x_stride, family, 1, tokens, size);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* 1 .. 8 tokens. */
EDGE_INLINE void edge_float_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, edge_family family) {
    int32_t t = 0;
    for (; t + 4 <= num_tokens; t += 4) {
        edge_float_rows(out, tiles, cols, acts, t, family, 4);
    }
    for (; t + 2 <= num_tokens; t += 2) {
        edge_float_rows(out, tiles, cols, acts, t, family, 2);
    }
    if (t < num_tokens) {
        edge_float_rows(out, tiles, cols, acts, t, family, 1);
    }
}

/* `tokens` (a constant) rows of activations against a panel of `size` k; w: its weights as floats, k-major. */
EDGE_INLINE void edge_float_block(float *out, const float *w, int32_t size, const float *x, int64_t x_stride,
                                  int tokens) {
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = _mm256_loadu_ps(out + t * EDGE_TILE_ROWS);
        acc[t][1] = _mm256_loadu_ps(out + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS);
    }
    for (int32_t k = 0; k < size; k += EDGE_GROUP) {
        const int32_t count = size - k < EDGE_GROUP ? size - k : EDGE_GROUP;
        edge_float_groups(acc, (const uint8_t *)(w + k * EDGE_TILE_ROWS), x + k, x_stride, EDGE_FAMILY_F32, 1, tokens,
                          count);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(out + t * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(out + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* A chunk: a panel is converted once, then multiplied EDGE_BLOCK_TOKENS tokens at a time. The panel is as deep as it is
 * (16 KiB) so that each token's row is read in long runs: together the rows are larger than the caches nearby. */
EDGE_INLINE void edge_float_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                  int32_t num_tokens, edge_family family) {
    float converted[EDGE_SUPER * EDGE_TILE_ROWS];
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t begin = 0; begin < cols; begin += EDGE_SUPER) {
        const int32_t size = cols - begin < EDGE_SUPER ? cols - begin : EDGE_SUPER;
        const uint8_t *from = tiles + (int64_t)begin * edge_float_bytes(family);
        const float *w = family == EDGE_FAMILY_F32 ? (const float *)(const void *)from : converted;
        for (int32_t k = 0; family != EDGE_FAMILY_F32 && k < size; k++) {
            const uint8_t *column = from + k * edge_float_bytes(family);
            edge_prefetch(column, edge_float_bytes(family));
            _mm256_storeu_ps(converted + k * EDGE_TILE_ROWS, edge_float_load(column, family, 0));
            _mm256_storeu_ps(converted + k * EDGE_TILE_ROWS + EDGE_LANE_ROWS, edge_float_load(column, family, 1));
        }
        const float *x = acts->x + begin;
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_float_block(out + t * EDGE_TILE_ROWS, w, size, x + t * acts->x_stride, acts->x_stride,
                             EDGE_BLOCK_TOKENS);
        }
        for (; t < num_tokens; t++) {
            edge_float_block(out + t * EDGE_TILE_ROWS, w, size, x + t * acts->x_stride, acts->x_stride, 1);
        }
    }
}

#endif
