/* Integer dot products for super-blocks of 256 k: the integer scales of sub-blocks are applied in int32, one float
 * multiply and add per 256 k. Instantiated by kind of code and minimum.
 *
 * madd multiplies the int16 sums of maddubs by the sub-block's scale and widens in one instruction. What is subtracted,
 * minima or the codes' offset times the scale, times the activations' sums, is a madd as well: the sums per 16 k fit
 * int16 (16 * 127 = 2032). */
#ifndef EDGE_DOT_G256_TEMPLATE_AVX2_H
#define EDGE_DOT_G256_TEMPLATE_AVX2_H

#include "edge_super__avx2.h"
#include "edge_unscaled__avx2.h"

/* The sixteen sums of a super-block as int16, in order. */
EDGE_INLINE void edge_g256_sums(int16_t to[EDGE_SPANS], const int32_t *s) {
    const __m256i packed = _mm256_packs_epi32(edge_load(s), edge_load(s + 8));
    edge_store(to, _mm256_permute4x64_epi64(packed, 0xd8));
}

/* acc with one super-block's exact sums: isum scaled, msum subtracted, or folded into isum where there is no minimum.
 */
EDGE_INLINE __m256 edge_g256_accumulate(__m256 acc, __m256i isum, __m256i msum, __m256 dw, __m256 dmin, __m256 da,
                                        int code, int min) {
    if (!min) {
        if (!edge_code_is_signed(code)) {
            const int offset = edge_code_offset(code);
            msum = offset == 32  ? _mm256_slli_epi32(msum, 5)
                   : offset == 4 ? _mm256_slli_epi32(msum, 2)
                   : offset == 1 ? msum
                                 : _mm256_mullo_epi32(msum, _mm256_set1_epi32(offset));
            isum = _mm256_sub_epi32(isum, msum);
        }
        return _mm256_add_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(isum), _mm256_mul_ps(dw, da)));
    }
    acc = _mm256_add_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(isum), _mm256_mul_ps(dw, da)));
    return _mm256_sub_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(msum), _mm256_mul_ps(dmin, da)));
}

/* isum[t][half] += vectors begin .. begin + count - 1 of tile i times token t, times their sub-block's scale. Codes,
 * scales and factors come out of the panel, or straight out of the super-tile when panel is NULL (a constant): for few
 * tokens, unpacking in registers costs less than storing what was unpacked. */
EDGE_INLINE void edge_g256_vectors(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                   const uint8_t *super, const int8_t *const q[EDGE_BLOCK_TOKENS], int code, int min,
                                   int i, int tokens, int begin, int count) {
    __m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    const uint8_t *tile = panel ? panel->codes[i] : super + i * edge_code_bytes(code);
    edge_products(pairs, tile, code, panel != NULL, q, (int64_t)i * EDGE_GROUP, tokens, begin, count);
    const int span = 2 * i + (edge_g256_is_split(code) ? begin / 4 : 0);
    for (int half = 0; half < EDGE_HALVES; half++) {
        const __m256i scale =
            panel ? edge_load(panel->scale[span][half]) : edge_g256_scale(super, code, min, i, begin, half);
        for (int t = 0; t < tokens; t++) {
            isum[t][half] = _mm256_add_epi32(isum[t][half], edge_step_scale(pairs[t][half], scale));
        }
    }
}

/* isum[t][half] += tile i times token t. Written out, because compilers unroll it only when they feel like it. */
EDGE_INLINE void edge_g256_tile(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                const uint8_t *super, const int8_t *const q[EDGE_BLOCK_TOKENS], int code, int min,
                                int i, int tokens) {
    const int run = edge_g256_is_split(code) && edge_code_run(code) > 4 ? 4 : edge_code_run(code);
    edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 0, run);
    if (run == 4) {
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 4, 4);
    } else if (run == 2) {
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 2, 2);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 4, 2);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 6, 2);
    } else if (run == 1) {
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 1, 1);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 2, 1);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 3, 1);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 4, 1);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 5, 1);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 6, 1);
        edge_g256_vectors(isum, panel, super, q, code, min, i, tokens, 7, 1);
    }
}

/* acc[t][half] takes super-block g of `tokens` (a constant) rows of activations from `token` on. */
EDGE_INLINE void edge_g256_super(__m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                 const uint8_t *super, const edge_acts *acts, int32_t token, int32_t g, int code,
                                 int min, int tokens) {
    const int8_t *q[EDGE_BLOCK_TOKENS];
    int16_t sums[EDGE_BLOCK_TOKENS][EDGE_SPANS];
    __m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], msum[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    const int has_msum = min || !edge_code_is_signed(code);
    if (!edge_g256_has_scales(code, min)) {
        edge_unscaled_super(acc, panel, super, acts, token, g, code, tokens);
        return;
    }
    for (int t = 0; t < tokens; t++) {
        q[t] = acts->q + (token + t) * acts->q_stride + (int64_t)g * EDGE_SUPER;
        edge_g256_sums(sums[t], acts->s + (token + t) * acts->s_stride + (int64_t)g * EDGE_SPANS);
        for (int half = 0; half < EDGE_HALVES; half++) {
            isum[t][half] = msum[t][half] = _mm256_setzero_si256();
        }
    }
    for (int i = 0; i < EDGE_SUPER_TILES; i++) {
        if (!panel) {
            edge_prefetch(super + i * (edge_g256_bytes(code, min) / EDGE_SUPER_TILES),
                          edge_g256_bytes(code, min) / EDGE_SUPER_TILES);
        }
        edge_g256_tile(isum, panel, super, q, code, min, i, tokens);
    }
    for (int half = 0; half < EDGE_HALVES; half++) {
        for (int i = 0; has_msum && i < EDGE_SUPER_TILES; i++) {
            const __m256i factor =
                panel ? edge_load(panel->factor[i][half]) : edge_g256_factor(super, code, min, i, half);
            for (int t = 0; t < tokens; t++) {
                const __m256i product = _mm256_madd_epi16(factor, edge_broadcast(sums[t] + 2 * i));
                msum[t][half] = _mm256_add_epi32(msum[t][half], product);
            }
        }
        const uint8_t *d = super + edge_g256_d(code, min) + half * 16;
        __m256 dw = edge_load_f16(d);
        const __m256 dmin = min ? edge_load_f16(d + EDGE_ROW_HALVES) : dw;
        if (edge_g256_unit(code) != 1.0f) {
            dw = _mm256_mul_ps(dw, _mm256_set1_ps(edge_g256_unit(code)));
        }
        for (int t = 0; t < tokens; t++) {
            const __m256 da = _mm256_set1_ps(acts->d[(token + t) * acts->d_stride + g]);
            acc[t][half] = edge_g256_accumulate(acc[t][half], isum[t][half], msum[t][half], dw, dmin, da, code, min);
        }
    }
}

/* All of k for `tokens` (a constant) rows, codes unpacked in registers; trits with scales in a panel. */
EDGE_INLINE void edge_g256_rows(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t token,
                                int code, int min, int tokens) {
    const edge_acts from = *acts; /* a copy that stores to the output cannot touch */
    const int has_panel = edge_code_is_trits(code) && edge_g256_has_scales(code, min);
    edge_g256_panel panel;
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = acc[t][1] = _mm256_setzero_ps();
    }
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (int64_t)g * edge_g256_bytes(code, min);
        if (has_panel) {
            edge_g256_unpack(&panel, super, code, min);
        }
        edge_g256_super(acc, has_panel ? &panel : NULL, super, &from, token, g, code, min, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* 1 .. 8 tokens. */
EDGE_INLINE void edge_g256_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int code, int min) {
    int32_t t = 0;
    for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
        edge_g256_rows(out, tiles, cols, acts, t, code, min, EDGE_BLOCK_TOKENS);
    }
    if (num_tokens - t == 3) {
        edge_g256_rows(out, tiles, cols, acts, t, code, min, 3);
    } else if (num_tokens - t == 2) {
        edge_g256_rows(out, tiles, cols, acts, t, code, min, 2);
    } else if (num_tokens - t == 1) {
        edge_g256_rows(out, tiles, cols, acts, t, code, min, 1);
    }
}

/* `tokens` (a constant) rows of activations against the super-tile g that the panel holds. */
EDGE_INLINE void edge_g256_block(float *out, const edge_g256_panel *panel, const uint8_t *super, const edge_acts *acts,
                                 int32_t token, int32_t g, int code, int min, int tokens) {
    const edge_acts from = *acts;
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    float *to = out + token * EDGE_TILE_ROWS;
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS);
        acc[t][1] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS);
    }
    edge_g256_super(acc, panel, super, &from, token, g, code, min, tokens);
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* A chunk: super-tile by super-tile, EDGE_BLOCK_TOKENS tokens at a time. */
EDGE_INLINE void edge_g256_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, int code, int min) {
    edge_g256_panel panel;
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (int64_t)g * edge_g256_bytes(code, min);
        edge_g256_unpack(&panel, super, code, min);
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_g256_block(out, &panel, super, acts, t, g, code, min, EDGE_BLOCK_TOKENS);
        }
        for (; t < num_tokens; t++) {
            edge_g256_block(out, &panel, super, acts, t, g, code, min, 1);
        }
    }
}

#endif
