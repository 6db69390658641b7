/* Integer dot products for formats with one scale per 32 k (Q8_0, Q4_0, Q4_1, Q5_0), instantiated by bits and minimum.
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs into int16 with saturation, so what is summed in int16 is
 * bounded: 4 bits 8 * 2 * 15 * 127 = 30480, 5 bits 4 * 2 * 31 * 127 = 31496, and 8 bits 2 * 128 * 127 = 32512 with the
 * sign moved to the activation, which is never -128. All below 32767: every sum is exact. */
#ifndef EDGE_DOT_G32_TEMPLATE_AVX2_H
#define EDGE_DOT_G32_TEMPLATE_AVX2_H

#include "edge_simd__avx2.h"

#define EDGE_BLOCK_TOKENS 4 /* tokens x 2 halves of int16 sums stay in registers */

EDGE_INLINE int edge_g32_codes(int bits) {
    return bits == 8 ? EDGE_CODES_W8 : bits == 5 ? EDGE_CODES_W5 : EDGE_CODES_W4;
}

EDGE_INLINE int edge_g32_bytes(int bits, int min) {
    return edge_g32_codes(bits) + (min ? 2 : 1) * EDGE_ROW_HALVES;
}

/* What is subtracted from a code is a power of two: the shift of the activations' sum, -1 for none. */
EDGE_INLINE int edge_g32_offset_shift(int bits, int min) {
    return bits == 8 || min ? -1 : bits - 1;
}

/* int8 times int8 for eight rows: the products of four k. */
EDGE_INLINE __m256i edge_dot_signed(__m256i w, __m256i a) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

EDGE_INLINE __m256i edge_g32_subtract_offset(__m256i sum, const int32_t *s, int bits, int min) {
    int shift = edge_g32_offset_shift(bits, min);
    return shift < 0 ? sum : _mm256_sub_epi32(sum, _mm256_slli_epi32(_mm256_set1_epi32(*s), shift));
}

/* acc + (float)sum * (dw * da), and the minimum's part. */
EDGE_INLINE __m256 edge_g32_accumulate(__m256 acc, __m256i sum, __m256 dw, __m256 mw, __m256 da, const int32_t *s,
                                       int min) {
    acc = _mm256_add_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_mul_ps(dw, da)));
    if (min) {
        acc = _mm256_add_ps(acc, _mm256_mul_ps(mw, _mm256_mul_ps(da, _mm256_set1_ps((float)*s))));
    }
    return acc;
}

/* One row of activations from group g on; a plain copy, so that stores to the output cannot touch it. */
typedef struct edge_g32_row {
    const int8_t *q;
    const float *d;
    const int32_t *s;
} edge_g32_row;

EDGE_INLINE edge_g32_row edge_g32_row_of(const edge_acts *acts, int32_t token, int32_t g) {
    edge_g32_row row = {acts->q + token * acts->q_stride + (int64_t)g * EDGE_GROUP,
                        acts->d + token * acts->d_stride + g, acts->s + token * acts->s_stride + g};
    return row;
}

/* Where the codes of a tile are taken from: unpacked in registers, or vectors that a panel has unpacked. */
EDGE_INLINE __m256i edge_g32_codes_of(const uint8_t *tile, int bits, int unpacked, int v, int half) {
    return unpacked ? edge_load(tile + v * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES)
                    : edge_codes(tile, bits, v, half);
}

/* Adds the products of vector v and token t to pairs[t][half], or begins with them. */
EDGE_INLINE void edge_g32_products(__m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile,
                                   const edge_g32_row *rows, int32_t i, int bits, int unpacked, int tokens, int v,
                                   int is_first) {
    const __m256i low = edge_g32_codes_of(tile, bits, unpacked, v, 0);
    const __m256i high = edge_g32_codes_of(tile, bits, unpacked, v, 1);
    for (int t = 0; t < tokens; t++) {
        const __m256i a = edge_broadcast(rows[t].q + (int64_t)i * EDGE_GROUP + 4 * v);
        const __m256i p0 = _mm256_maddubs_epi16(low, a), p1 = _mm256_maddubs_epi16(high, a);
        pairs[t][0] = is_first ? p0 : _mm256_add_epi16(pairs[t][0], p0);
        pairs[t][1] = is_first ? p1 : _mm256_add_epi16(pairs[t][1], p1);
    }
}

/* sum[t][half] (+)= vectors begin .. end - 1 times token t, in int16 and widened once. 4 and 5 bits. */
EDGE_INLINE void edge_g32_dot_unsigned(__m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile,
                                       const edge_g32_row *rows, int32_t i, int bits, int unpacked, int tokens,
                                       int begin, int end) {
    __m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    edge_g32_products(pairs, tile, rows, i, bits, unpacked, tokens, begin, 1);
    for (int v = begin + 1; v < end; v++) {
        edge_g32_products(pairs, tile, rows, i, bits, unpacked, tokens, v, 0);
    }
    for (int t = 0; t < tokens; t++) {
        for (int half = 0; half < EDGE_HALVES; half++) {
            const __m256i wide = _mm256_madd_epi16(pairs[t][half], _mm256_set1_epi16(1));
            sum[t][half] = begin == 0 ? wide : _mm256_add_epi32(sum[t][half], wide);
        }
    }
}

EDGE_INLINE void edge_g32_dot_signed(__m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile,
                                     const edge_g32_row *rows, int32_t i, int tokens) {
    for (int t = 0; t < tokens; t++) {
        sum[t][0] = sum[t][1] = _mm256_setzero_si256();
    }
    for (int v = 0; v < EDGE_TILE_VECTORS; v++) {
        for (int half = 0; half < EDGE_HALVES; half++) {
            const __m256i w = edge_codes(tile, 8, v, half);
            for (int t = 0; t < tokens; t++) {
                const __m256i a = edge_broadcast(rows[t].q + (int64_t)i * EDGE_GROUP + 4 * v);
                sum[t][half] = _mm256_add_epi32(sum[t][half], edge_dot_signed(w, a));
            }
        }
    }
}

/* The exact sums of group i for `tokens` (a constant) rows, offset not yet subtracted. */
EDGE_INLINE void edge_g32_dot(__m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile,
                              const edge_g32_row *rows, int32_t i, int bits, int unpacked, int tokens) {
    if (bits == 8) {
        edge_g32_dot_signed(sum, tile, rows, i, tokens);
    } else if (bits == 4) {
        edge_g32_dot_unsigned(sum, tile, rows, i, 4, unpacked, tokens, 0, 8);
    } else {
        edge_g32_dot_unsigned(sum, tile, rows, i, bits, unpacked, tokens, 0, 4);
        edge_g32_dot_unsigned(sum, tile, rows, i, bits, unpacked, tokens, 4, 8);
    }
}

/* One tile against `tokens` rows: acc[t][half] takes group i. dw, mw: 8 scales and minima per half. */
EDGE_INLINE void edge_g32_tile(__m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile,
                               const __m256 dw[EDGE_HALVES], const __m256 mw[EDGE_HALVES], const edge_g32_row *rows,
                               int32_t i, int bits, int min, int unpacked, int tokens) {
    __m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    edge_g32_dot(sum, tile, rows, i, bits, unpacked, tokens);
    for (int t = 0; t < tokens; t++) {
        const __m256 da = _mm256_set1_ps(rows[t].d[i]);
        for (int half = 0; half < EDGE_HALVES; half++) {
            const __m256i exact = edge_g32_subtract_offset(sum[t][half], rows[t].s + i, bits, min);
            acc[t][half] = edge_g32_accumulate(acc[t][half], exact, dw[half], mw[half], da, rows[t].s + i, min);
        }
    }
}

/* All of k for `tokens` (a constant, at most EDGE_BLOCK_TOKENS) rows, codes unpacked in registers. */
EDGE_INLINE void edge_g32_rows(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t token,
                               int bits, int min, int tokens) {
    const int tile_bytes = edge_g32_bytes(bits, min), d = edge_g32_codes(bits), m = d + EDGE_ROW_HALVES;
    edge_g32_row rows[EDGE_BLOCK_TOKENS];
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        rows[t] = edge_g32_row_of(acts, token + t, 0);
        acc[t][0] = acc[t][1] = _mm256_setzero_ps();
    }
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = tiles + (int64_t)g * tile_bytes;
        edge_prefetch(tile, tile_bytes);
        const __m256 dw[EDGE_HALVES] = {edge_load_f16(tile + d), edge_load_f16(tile + d + 16)};
        __m256 mw[EDGE_HALVES] = {dw[0], dw[1]};
        if (min) {
            mw[0] = edge_load_f16(tile + m);
            mw[1] = edge_load_f16(tile + m + 16);
        }
        edge_g32_tile(acc, tile, dw, mw, rows, g, bits, min, 0, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* 1 .. 8 tokens: for so few, unpacking a tile twice costs less than storing what was unpacked. */
EDGE_INLINE void edge_g32_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                               int32_t num_tokens, int bits, int min) {
    int32_t t = 0;
    for (; t + 4 <= num_tokens; t += 4) {
        edge_g32_rows(out, tiles, cols, acts, t, bits, min, 4);
    }
    if (num_tokens - t == 3) {
        edge_g32_rows(out, tiles, cols, acts, t, bits, min, 3);
    } else if (num_tokens - t == 2) {
        edge_g32_rows(out, tiles, cols, acts, t, bits, min, 2);
    } else if (num_tokens - t == 1) {
        edge_g32_rows(out, tiles, cols, acts, t, bits, min, 1);
    }
}

/* 256 k of 16 rows, unpacked once for all tokens. Codes of 8 bits stay where they are. */
typedef struct edge_g32_panel {
    uint8_t codes[EDGE_SUPER_TILES][EDGE_MAX_CODES];
    float d[EDGE_SUPER_TILES][EDGE_TILE_ROWS], m[EDGE_SUPER_TILES][EDGE_TILE_ROWS];
} edge_g32_panel;

EDGE_INLINE void edge_g32_unpack(edge_g32_panel *panel, const uint8_t *tiles, int32_t num_tiles, int bits, int min) {
    const int d = edge_g32_codes(bits), m = d + EDGE_ROW_HALVES;
    for (int32_t i = 0; i < num_tiles; i++) {
        const uint8_t *tile = tiles + i * edge_g32_bytes(bits, min);
        edge_prefetch(tile, edge_g32_bytes(bits, min));
        for (int half = 0; half < EDGE_HALVES; half++) {
            for (int v = 0; bits != 8 && v < EDGE_TILE_VECTORS; v++) {
                edge_store(panel->codes[i] + v * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES,
                           edge_codes(tile, bits, v, half));
            }
            _mm256_storeu_ps(panel->d[i] + half * EDGE_LANE_ROWS, edge_load_f16(tile + d + half * 16));
            if (min) {
                _mm256_storeu_ps(panel->m[i] + half * EDGE_LANE_ROWS, edge_load_f16(tile + m + half * 16));
            }
        }
    }
}

/* `tokens` (a constant) rows of activations, from group g on, against a panel. */
EDGE_INLINE void edge_g32_block(float *out, const edge_g32_panel *panel, const uint8_t *tiles, int32_t num_tiles,
                                const edge_acts *acts, int32_t token, int32_t g, int bits, int min, int tokens) {
    edge_g32_row rows[EDGE_BLOCK_TOKENS];
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    float *to = out + token * EDGE_TILE_ROWS;
    for (int t = 0; t < tokens; t++) {
        rows[t] = edge_g32_row_of(acts, token + t, g);
        acc[t][0] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS);
        acc[t][1] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS);
    }
    for (int32_t i = 0; i < num_tiles; i++) {
        const uint8_t *codes = bits == 8 ? tiles + i * edge_g32_bytes(bits, min) : panel->codes[i];
        const __m256 dw[EDGE_HALVES] = {_mm256_loadu_ps(panel->d[i]), _mm256_loadu_ps(panel->d[i] + EDGE_LANE_ROWS)};
        __m256 mw[EDGE_HALVES] = {dw[0], dw[1]};
        if (min) {
            mw[0] = _mm256_loadu_ps(panel->m[i]);
            mw[1] = _mm256_loadu_ps(panel->m[i] + EDGE_LANE_ROWS);
        }
        edge_g32_tile(acc, codes, dw, mw, rows, i, bits, min, 1, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* A chunk: panel by panel, EDGE_BLOCK_TOKENS tokens at a time. */
EDGE_INLINE void edge_g32_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int bits, int min) {
    edge_g32_panel panel;
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_GROUP; g += EDGE_SUPER_TILES) {
        const int32_t left = cols / EDGE_GROUP - g, count = left < EDGE_SUPER_TILES ? left : EDGE_SUPER_TILES;
        const uint8_t *from = tiles + (int64_t)g * edge_g32_bytes(bits, min);
        edge_g32_unpack(&panel, from, count, bits, min);
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_g32_block(out, &panel, from, count, acts, t, g, bits, min, EDGE_BLOCK_TOKENS);
        }
        if (num_tokens - t == 3) {
            edge_g32_block(out, &panel, from, count, acts, t, g, bits, min, 3);
        } else if (num_tokens - t == 2) {
            edge_g32_block(out, &panel, from, count, acts, t, g, bits, min, 2);
        } else if (num_tokens - t == 1) {
            edge_g32_block(out, &panel, from, count, acts, t, g, bits, min, 1);
        }
    }
}

#endif
