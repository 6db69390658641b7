/* Integer dot products for K-quants (Q4_K, Q6_K): sub-block scales are applied in int32, one float multiply and add per
 * 256 k.
 *
 * The int16 sums of maddubs are bounded: 4 bits 8 * 2 * 15 * 127 = 30480, 6 bits 2 * 2 * 63 * 127 = 32004. madd then
 * multiplies them by the sub-block scale and widens in one instruction. What is subtracted, m or 32 times the scale
 * times the activations' sums, is a madd as well: the sums per 16 k fit int16 (16 * 127 = 2032). */
#ifndef EDGE_DOT_G256_TEMPLATE_AVX2_H
#define EDGE_DOT_G256_TEMPLATE_AVX2_H

#include "edge_simd__avx2.h"

#define EDGE_BLOCK_TOKENS 4
#define EDGE_SPANS        (EDGE_SUPER / 16) /* sums of a super-block */

EDGE_INLINE int edge_g256_codes(int bits) {
    return bits == 6 ? EDGE_CODES_W6 : EDGE_CODES_W4;
}

EDGE_INLINE int edge_g256_bytes(int bits) {
    return bits == 6 ? EDGE_W6G256_BYTES : EDGE_W4MG256_BYTES;
}

/* The scale of the sub-block that vector v of tile i belongs to, twice per lane. */
EDGE_INLINE __m256i edge_g256_scale(const uint8_t *super, int bits, int i, int v, int half) {
    const uint8_t *sc = bits == 6 ? super + EDGE_W6G256_SC + (2 * i + v / 4) * EDGE_TILE_ROWS
                                  : super + EDGE_W4MG256_SC + i * EDGE_TILE_ROWS;
    return edge_pairs(sc, sc, half, bits == 6);
}

/* What the two 16-sums of tile i are multiplied by: (m, m) of Q4_K, the two scales of Q6_K. */
EDGE_INLINE __m256i edge_g256_factor(const uint8_t *super, int bits, int i, int half) {
    if (bits == 6) {
        const uint8_t *sc = super + EDGE_W6G256_SC + 2 * i * EDGE_TILE_ROWS;
        return edge_pairs(sc, sc + EDGE_TILE_ROWS, half, 1);
    }
    const uint8_t *m = super + EDGE_W4MG256_M + i * EDGE_TILE_ROWS;
    return edge_pairs(m, m, half, 0);
}

/* The sixteen sums of a super-block as int16, in order. */
EDGE_INLINE void edge_g256_sums(int16_t to[EDGE_SPANS], const int32_t *s) {
    const __m256i packed = _mm256_packs_epi32(edge_load(s), edge_load(s + 8));
    edge_store(to, _mm256_permute4x64_epi64(packed, 0xd8));
}

/* acc with one super-block's exact sums: isum scaled, msum subtracted (Q4_K) or folded into isum (Q6_K). */
EDGE_INLINE __m256 edge_g256_accumulate(__m256 acc, __m256i isum, __m256i msum, __m256 dw, __m256 dmin, __m256 da,
                                        int bits) {
    if (bits == 6) {
        isum = _mm256_sub_epi32(isum, _mm256_slli_epi32(msum, 5));
        return _mm256_add_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(isum), _mm256_mul_ps(dw, da)));
    }
    acc = _mm256_add_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(isum), _mm256_mul_ps(dw, da)));
    return _mm256_sub_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(msum), _mm256_mul_ps(dmin, da)));
}

/* One super-tile of 16 rows, unpacked once for all tokens of a chunk. */
typedef struct edge_g256_panel {
    uint8_t codes[EDGE_SUPER_TILES][EDGE_MAX_CODES];
    int16_t scale[EDGE_SPANS][EDGE_HALVES][16]; /* per sub-block (Q4_K uses every second) */
    int16_t factor[EDGE_SUPER_TILES][EDGE_HALVES][16];
} edge_g256_panel;

EDGE_INLINE void edge_g256_unpack(edge_g256_panel *panel, const uint8_t *super, int bits) {
    edge_prefetch(super, edge_g256_bytes(bits));
    for (int half = 0; half < EDGE_HALVES; half++) {
        for (int i = 0; i < EDGE_SUPER_TILES; i++) {
            for (int v = 0; v < EDGE_TILE_VECTORS; v++) {
                edge_store(panel->codes[i] + v * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES,
                           edge_codes(super + i * edge_g256_codes(bits), bits, v, half));
            }
            edge_store(panel->scale[2 * i][half], edge_g256_scale(super, bits, i, 0, half));
            if (bits == 6) {
                edge_store(panel->scale[2 * i + 1][half], edge_g256_scale(super, bits, i, 4, half));
            }
            edge_store(panel->factor[i][half], edge_g256_factor(super, bits, i, half));
        }
    }
}

/* Codes, scales and factors come out of the panel, or straight out of the super-tile when panel is NULL (a constant):
 * for few tokens, unpacking in registers costs less than storing what was unpacked. */
EDGE_INLINE __m256i edge_g256_codes_of(const edge_g256_panel *panel, const uint8_t *super, int bits, int i, int v,
                                       int half) {
    return panel ? edge_load(panel->codes[i] + v * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES)
                 : edge_codes(super + i * edge_g256_codes(bits), bits, v, half);
}

/* Adds the products of vector v and token t to pairs[t][half], or begins with them. q: the codes of tile i. */
EDGE_INLINE void edge_g256_products(__m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                    const uint8_t *super, const int8_t *const q[EDGE_BLOCK_TOKENS], int bits, int i,
                                    int tokens, int v, int is_first) {
    const __m256i low = edge_g256_codes_of(panel, super, bits, i, v, 0);
    const __m256i high = edge_g256_codes_of(panel, super, bits, i, v, 1);
    for (int t = 0; t < tokens; t++) {
        const __m256i a = edge_broadcast(q[t] + i * EDGE_GROUP + 4 * v);
        const __m256i p0 = _mm256_maddubs_epi16(low, a), p1 = _mm256_maddubs_epi16(high, a);
        pairs[t][0] = is_first ? p0 : _mm256_add_epi16(pairs[t][0], p0);
        pairs[t][1] = is_first ? p1 : _mm256_add_epi16(pairs[t][1], p1);
    }
}

/* isum[t][half] += vectors begin .. begin + count - 1 of tile i times token t, times their sub-block's scale. Their
 * products fit int16 together. */
EDGE_INLINE void edge_g256_vectors(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                   const uint8_t *super, const int8_t *const q[EDGE_BLOCK_TOKENS], int bits, int i,
                                   int tokens, int begin, int count) {
    __m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    edge_g256_products(pairs, panel, super, q, bits, i, tokens, begin, 1);
    for (int v = begin + 1; v < begin + count; v++) {
        edge_g256_products(pairs, panel, super, q, bits, i, tokens, v, 0);
    }
    for (int half = 0; half < EDGE_HALVES; half++) {
        const __m256i scale =
            panel ? edge_load(panel->scale[2 * i + begin / 4][half]) : edge_g256_scale(super, bits, i, begin, half);
        for (int t = 0; t < tokens; t++) {
            isum[t][half] = _mm256_add_epi32(isum[t][half], _mm256_madd_epi16(pairs[t][half], scale));
        }
    }
}

/* isum[t][half] += tile i times token t. Written out, because compilers unroll it only when they feel like it. */
EDGE_INLINE void edge_g256_tile(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                const uint8_t *super, const int8_t *const q[EDGE_BLOCK_TOKENS], int bits, int i,
                                int tokens) {
    if (bits == 4) {
        edge_g256_vectors(isum, panel, super, q, bits, i, tokens, 0, 8);
        return;
    }
    edge_g256_vectors(isum, panel, super, q, bits, i, tokens, 0, 2);
    edge_g256_vectors(isum, panel, super, q, bits, i, tokens, 2, 2);
    edge_g256_vectors(isum, panel, super, q, bits, i, tokens, 4, 2);
    edge_g256_vectors(isum, panel, super, q, bits, i, tokens, 6, 2);
}

/* acc[t][half] takes super-block g of `tokens` (a constant) rows of activations from `token` on. */
EDGE_INLINE void edge_g256_super(__m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                 const uint8_t *super, const edge_acts *acts, int32_t token, int32_t g, int bits,
                                 int tokens) {
    const int8_t *q[EDGE_BLOCK_TOKENS];
    int16_t sums[EDGE_BLOCK_TOKENS][EDGE_SPANS];
    __m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], msum[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        q[t] = acts->q + (token + t) * acts->q_stride + (int64_t)g * EDGE_SUPER;
        edge_g256_sums(sums[t], acts->s + (token + t) * acts->s_stride + (int64_t)g * EDGE_SPANS);
        for (int half = 0; half < EDGE_HALVES; half++) {
            isum[t][half] = msum[t][half] = _mm256_setzero_si256();
        }
    }
    for (int i = 0; i < EDGE_SUPER_TILES; i++) {
        if (!panel) {
            edge_prefetch(super + i * (edge_g256_bytes(bits) / EDGE_SUPER_TILES),
                          edge_g256_bytes(bits) / EDGE_SUPER_TILES);
        }
        edge_g256_tile(isum, panel, super, q, bits, i, tokens);
    }
    for (int half = 0; half < EDGE_HALVES; half++) {
        for (int i = 0; i < EDGE_SUPER_TILES; i++) {
            const __m256i factor = panel ? edge_load(panel->factor[i][half]) : edge_g256_factor(super, bits, i, half);
            for (int t = 0; t < tokens; t++) {
                const __m256i product = _mm256_madd_epi16(factor, edge_broadcast(sums[t] + 2 * i));
                msum[t][half] = _mm256_add_epi32(msum[t][half], product);
            }
        }
        const __m256 dw = edge_load_f16(super + (bits == 6 ? EDGE_W6G256_D : EDGE_W4MG256_D) + half * 16);
        const __m256 dmin = bits == 6 ? dw : edge_load_f16(super + EDGE_W4MG256_DMIN + half * 16);
        for (int t = 0; t < tokens; t++) {
            const __m256 da = _mm256_set1_ps(acts->d[(token + t) * acts->d_stride + g]);
            acc[t][half] = edge_g256_accumulate(acc[t][half], isum[t][half], msum[t][half], dw, dmin, da, bits);
        }
    }
}

/* All of k for `tokens` (a constant) rows, codes unpacked in registers. */
EDGE_INLINE void edge_g256_rows(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t token,
                                int bits, int tokens) {
    const edge_acts from = *acts; /* a copy that stores to the output cannot touch */
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = acc[t][1] = _mm256_setzero_ps();
    }
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        edge_g256_super(acc, NULL, tiles + (int64_t)g * edge_g256_bytes(bits), &from, token, g, bits, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(out + (token + t) * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* 1 .. 8 tokens. */
EDGE_INLINE void edge_g256_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int bits) {
    int32_t t = 0;
    for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
        edge_g256_rows(out, tiles, cols, acts, t, bits, EDGE_BLOCK_TOKENS);
    }
    if (num_tokens - t == 3) {
        edge_g256_rows(out, tiles, cols, acts, t, bits, 3);
    } else if (num_tokens - t == 2) {
        edge_g256_rows(out, tiles, cols, acts, t, bits, 2);
    } else if (num_tokens - t == 1) {
        edge_g256_rows(out, tiles, cols, acts, t, bits, 1);
    }
}

/* `tokens` (a constant) rows of activations against the super-tile g that the panel holds. */
EDGE_INLINE void edge_g256_block(float *out, const edge_g256_panel *panel, const uint8_t *super, const edge_acts *acts,
                                 int32_t token, int32_t g, int bits, int tokens) {
    const edge_acts from = *acts;
    __m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    float *to = out + token * EDGE_TILE_ROWS;
    for (int t = 0; t < tokens; t++) {
        acc[t][0] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS);
        acc[t][1] = _mm256_loadu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS);
    }
    edge_g256_super(acc, panel, super, &from, token, g, bits, tokens);
    for (int t = 0; t < tokens; t++) {
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS, acc[t][0]);
        _mm256_storeu_ps(to + t * EDGE_TILE_ROWS + EDGE_LANE_ROWS, acc[t][1]);
    }
}

/* A chunk: super-tile by super-tile, EDGE_BLOCK_TOKENS tokens at a time. */
EDGE_INLINE void edge_g256_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, int bits) {
    edge_g256_panel panel;
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (int64_t)g * edge_g256_bytes(bits);
        edge_g256_unpack(&panel, super, bits);
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_g256_block(out, &panel, super, acts, t, g, bits, EDGE_BLOCK_TOKENS);
        }
        for (; t < num_tokens; t++) {
            edge_g256_block(out, &panel, super, acts, t, g, bits, 1);
        }
    }
}

#endif
