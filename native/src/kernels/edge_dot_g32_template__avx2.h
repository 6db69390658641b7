/* Integer dot products for formats whose scales stand for themselves, one per 16, 32, 64 or 128 k, instantiated by kind
 * of code and minimum. */
#ifndef EDGE_DOT_G32_TEMPLATE_AVX2_H
#define EDGE_DOT_G32_TEMPLATE_AVX2_H

#include "edge_simd__avx2.h"

EDGE_INLINE const uint8_t *edge_g32_tile_at(const uint8_t *tiles, int32_t g, int code, int min) {
    const int shared = edge_g32_tiles(code);
    return tiles + (int64_t)(g / shared) * edge_g32_bytes(code, min) + g % shared * edge_code_bytes(code);
}

/* Eight powers of two, 2^(e - 128). */
EDGE_INLINE __m256 edge_load_e8m0(const uint8_t *from) {
    const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    const __m256i small = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
    const __m256i is_normal = _mm256_cmpgt_epi32(e, _mm256_set1_epi32(1));
    return _mm256_castsi256_ps(_mm256_blendv_epi8(small, normal, is_normal));
}

/* Eight UE4M3, halved; 0x7f is 0. */
EDGE_INLINE __m256 edge_load_ue4m3(const uint8_t *from) {
    const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from));
    const __m256i bits = _mm256_slli_epi32(_mm256_and_si256(e, _mm256_set1_epi32(0x7f)), 20);
    const __m256 value = _mm256_mul_ps(_mm256_castsi256_ps(bits), _mm256_set1_ps(0x1p119f));
    const __m256i none = _mm256_cmpeq_epi32(e, _mm256_set1_epi32(0x7f));
    return _mm256_castsi256_ps(_mm256_andnot_si256(none, _mm256_castps_si256(value)));
}

/* The scales of group g for eight rows. */
EDGE_INLINE __m256 edge_g32_scale(const uint8_t *tiles, int32_t g, int code, int min, int span, int half) {
    const int shared = edge_g32_tiles(code);
    const uint8_t *scales = tiles + (int64_t)(g / shared) * edge_g32_bytes(code, min) + shared * edge_code_bytes(code);
    if (code == EDGE_CODE_FP4) {
        return edge_load_e8m0(scales + half * EDGE_LANE_ROWS);
    }
    if (code == EDGE_CODE_FP4S) {
        return edge_load_ue4m3(scales + span * EDGE_TILE_ROWS + half * EDGE_LANE_ROWS);
    }
    return edge_load_f16(scales + half * EDGE_ROW_HALVES / 2);
}

EDGE_INLINE __m256 edge_g32_min(const uint8_t *tile, int code, int half) {
    return edge_load_f16(tile + edge_code_bytes(code) + EDGE_ROW_HALVES + half * EDGE_ROW_HALVES / 2);
}

/* One group's scales and minima. */
typedef struct edge_g32_scales {
    __m256 d[2][EDGE_HALVES]; /* by span */
    __m256 m[EDGE_HALVES];
} edge_g32_scales;

/* One row of activations from group g on; a plain copy, so that stores to the output cannot touch it. */
typedef struct edge_g32_row {
    const float *d;
    const int32_t *s;
} edge_g32_row;

/* sum[t][half] (+)= vectors begin .. begin + count - 1 of tile i, widened. */
EDGE_INLINE void edge_g32_run(__m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile, int code, int unpacked,
                              const int8_t *const q[EDGE_BLOCK_TOKENS], int32_t i, int tokens, int begin, int count,
                              int is_first) {
    __m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    edge_products(pairs, tile, code, unpacked, q, (int64_t)i * EDGE_GROUP, tokens, begin, count);
    for (int t = 0; t < tokens; t++) {
        for (int half = 0; half < EDGE_HALVES; half++) {
            const __m256i wide = edge_step_widen(pairs[t][half]);
            sum[t][half] = is_first ? wide : _mm256_add_epi32(sum[t][half], wide);
        }
    }
}

/* The exact sums of vectors begin .. begin + 7, or the four of a span; nothing subtracted yet. Written out, because
 * compilers unroll it only when they feel like it. */
EDGE_INLINE void edge_g32_dot(__m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile, int code, int unpacked,
                              const int8_t *const q[EDGE_BLOCK_TOKENS], int32_t i, int tokens, int span) {
    const int run = edge_code_run(code);
    if (code == EDGE_CODE_FP4S) {
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 4 * span, 4, 1);
        return;
    }
    edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 0, run, 1);
    if (run == 4) {
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 4, 4, 0);
    } else if (run == 1) {
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 1, 1, 0);
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 2, 1, 0);
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 3, 1, 0);
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 4, 1, 0);
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 5, 1, 0);
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 6, 1, 0);
        edge_g32_run(sum, tile, code, unpacked, q, i, tokens, 7, 1, 0);
    }
}

EDGE_INLINE __m256i edge_g32_subtract_offset(__m256i sum, const int32_t *s, int code, int min) {
    const int offset = min || edge_code_is_signed(code) ? 0 : edge_code_offset(code);
    return offset == 0 ? sum : _mm256_sub_epi32(sum, _mm256_set1_epi32(offset * *s));
}

/* One tile against `tokens` rows: acc[t][half] takes group i. */
EDGE_INLINE void edge_g32_tile(__m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile,
                               const edge_g32_scales *scales, const int8_t *const q[EDGE_BLOCK_TOKENS],
                               const edge_g32_row *rows, int32_t i, int code, int min, int unpacked, int tokens) {
    for (int span = 0; span < edge_g32_spans(code); span++) {
        __m256i sum[EDGE_BLOCK_TOKENS][EDGE_HALVES];
        edge_g32_dot(sum, tile, code, unpacked, q, i, tokens, span);
        for (int t = 0; t < tokens; t++) {
            const __m256 da = _mm256_set1_ps(rows[t].d[i]);
            for (int half = 0; half < EDGE_HALVES; half++) {
                const __m256i exact = edge_g32_subtract_offset(sum[t][half], rows[t].s + i, code, min);
                const __m256 scale = _mm256_mul_ps(scales->d[span][half], da);
                acc[t][half] = _mm256_add_ps(acc[t][half], _mm256_mul_ps(_mm256_cvtepi32_ps(exact), scale));
                if (min) {
                    const __m256 sa = _mm256_mul_ps(da, _mm256_set1_ps((float)rows[t].s[i]));
                    acc[t][half] = _mm256_add_ps(acc[t][half], _mm256_mul_ps(scales->m[half], sa));
                }
            }
        }
    }
}

EDGE_INLINE void edge_g32_start(edge_g32_row rows[EDGE_BLOCK_TOKENS], const int8_t *q[EDGE_BLOCK_TOKENS],
                                const edge_acts *acts, int32_t token, int32_t g, int tokens) {
    for (int t = 0; t < tokens; t++) {
        q[t] = acts->q + (token + t) * acts->q_stride + (int64_t)g * EDGE_GROUP;
        rows[t].d = acts->d + (token + t) * acts->d_stride + g;
        rows[t].s = acts->s + (token + t) * acts->s_stride + g;
    }
}

/* All of k for `tokens` (a constant, at most EDGE_BLOCK_TOKENS) rows, codes unpacked in registers. */
EDGE_INLINE void edge_g32_rows(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t token,
                               int code, int min, int tokens) {
    edge_g32_row rows[EDGE_BLOCK_TOKENS];
    const int8_t *q[EDGE_BLOCK_TOKENS];
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    edge_g32_start(rows, q, acts, token, 0, tokens);
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = acc[t][1] = _mm256_setzero_ps();
    }
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = edge_g32_tile_at(tiles, g, code, min);
        edge_g32_scales scales;
        edge_prefetch(tile, edge_g32_bytes(code, min) / edge_g32_tiles(code));
        for (int half = 0; half < EDGE_HALVES; half++) {
            for (int span = 0; span < edge_g32_spans(code); span++) {
                scales.d[span][half] = edge_g32_scale(tiles, g, code, min, span, half);
            }
            scales.m[half] = min ? edge_g32_min(tile, code, half) : scales.d[0][half];
        }
        edge_g32_tile(acc, tile, &scales, q, rows, g, code, min, 0, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* 1 .. 8 tokens: for so few, unpacking a tile twice costs less than storing what was unpacked. */
EDGE_INLINE void edge_g32_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                               int32_t num_tokens, int code, int min) {
    int32_t t = 0;
    for (; t + 4 <= num_tokens; t += 4) {
        edge_g32_rows(out, tiles, cols, acts, t, code, min, 4);
    }
    if (num_tokens - t == 3) {
        edge_g32_rows(out, tiles, cols, acts, t, code, min, 3);
    } else if (num_tokens - t == 2) {
        edge_g32_rows(out, tiles, cols, acts, t, code, min, 2);
    } else if (num_tokens - t == 1) {
        edge_g32_rows(out, tiles, cols, acts, t, code, min, 1);
    }
}

/* 256 k of 16 rows, unpacked once for all tokens. Codes of 8 bits stay where they are. */
typedef struct edge_g32_panel {
    uint8_t codes[EDGE_SUPER_TILES][EDGE_MAX_CODES];
    float d[EDGE_SUPER_TILES][2][EDGE_TILE_ROWS], m[EDGE_SUPER_TILES][EDGE_TILE_ROWS];
} edge_g32_panel;

EDGE_INLINE void edge_g32_unpack(edge_g32_panel *panel, const uint8_t *tiles, int32_t num_tiles, int code, int min) {
    for (int32_t i = 0; i < num_tiles; i++) {
        const uint8_t *tile = edge_g32_tile_at(tiles, i, code, min);
        edge_prefetch(tile, edge_g32_bytes(code, min) / edge_g32_tiles(code));
        for (int half = 0; half < EDGE_HALVES; half++) {
            for (int v = 0; code != 8 && v < EDGE_TILE_VECTORS; v++) {
                edge_store(panel->codes[i] + v * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES,
                           edge_codes(tile, code, v, half));
            }
            for (int span = 0; span < edge_g32_spans(code); span++) {
                _mm256_storeu_ps(panel->d[i][span] + half * EDGE_LANE_ROWS,
                                 edge_g32_scale(tiles, i, code, min, span, half));
            }
            if (min) {
                _mm256_storeu_ps(panel->m[i] + half * EDGE_LANE_ROWS, edge_g32_min(tile, code, half));
            }
        }
    }
}

/* `tokens` (a constant) rows of activations, from group g on, against a panel. */
EDGE_INLINE void edge_g32_block(float *out, const edge_g32_panel *panel, const uint8_t *tiles, int32_t num_tiles,
                                const edge_acts *acts, int32_t token, int32_t g, int code, int min, int tokens) {
    edge_g32_row rows[EDGE_BLOCK_TOKENS];
    const int8_t *q[EDGE_BLOCK_TOKENS];
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    float *to = out + token * EDGE_TILE_ROWS;
    edge_g32_start(rows, q, acts, token, g, tokens);
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS);
        acc[t][1] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS);
    }
    for (int32_t i = 0; i < num_tiles; i++) {
        const uint8_t *codes = code == 8 ? edge_g32_tile_at(tiles, i, code, min) : panel->codes[i];
        edge_g32_scales scales;
        for (int half = 0; half < EDGE_HALVES; half++) {
            for (int span = 0; span < edge_g32_spans(code); span++) {
                scales.d[span][half] = _mm256_loadu_ps(panel->d[i][span] + half * EDGE_LANE_ROWS);
            }
            scales.m[half] = min ? _mm256_loadu_ps(panel->m[i] + half * EDGE_LANE_ROWS) : scales.d[0][half];
        }
        edge_g32_tile(acc, codes, &scales, q, rows, i, code, min, 1, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* A chunk: panel by panel, EDGE_BLOCK_TOKENS tokens at a time. */
EDGE_INLINE void edge_g32_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int code, int min) {
    edge_g32_panel panel;
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_GROUP; g += EDGE_SUPER_TILES) {
        const int32_t left = cols / EDGE_GROUP - g, count = left < EDGE_SUPER_TILES ? left : EDGE_SUPER_TILES;
        const uint8_t *from = edge_g32_tile_at(tiles, g, code, min);
        edge_g32_unpack(&panel, from, count, code, min);
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_g32_block(out, &panel, from, count, acts, t, g, code, min, EDGE_BLOCK_TOKENS);
        }
        if (num_tokens - t == 3) {
            edge_g32_block(out, &panel, from, count, acts, t, g, code, min, 3);
        } else if (num_tokens - t == 2) {
            edge_g32_block(out, &panel, from, count, acts, t, g, code, min, 2);
        } else if (num_tokens - t == 1) {
            edge_g32_block(out, &panel, from, count, acts, t, g, code, min, 1);
        }
    }
}

#endif
