/* Super-blocks of 256 k whose sub-blocks have no scales: 2 bits and trits. Products stay int16 over several tiles,
 * trits over all 256 k (64 vectors x 2 x 2 x 127 = 32512), so that little is done beside the multiply-adds. */
#ifndef EDGE_UNSCALED_AVX2_H
#define EDGE_UNSCALED_AVX2_H

#include "edge_super__avx2.h"

/* sums[t][half] += the trits of vectors v .. v + count - 1 (a constant, at most 5), which the byte vector at `from`
 * holds. */
EDGE_INLINE void edge_trit_products(__m256i sums[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *from,
                                    const int8_t *const q[EDGE_BLOCK_TOKENS], int v, int count, int tokens) {
    __m256i low = edge_load(from), high = edge_load(from + EDGE_HALF_BYTES);
    for (int i = 0; i < count; i++) {
        const __m256i trit_low = edge_next_trit(&low), trit_high = edge_next_trit(&high);
        for (int t = 0; t < tokens; t++) {
            const __m256i a = edge_broadcast(q[t] + 4 * (v + i));
            sums[t][0] = edge_step_add(sums[t][0], trit_low, a, 0);
            sums[t][1] = edge_step_add(sums[t][1], trit_high, a, 0);
        }
    }
}

/* isum[t][half] = the exact sums of 256 trits. */
EDGE_INLINE void edge_trit_sums(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *super,
                                const int8_t *const q[EDGE_BLOCK_TOKENS], int tokens) {
    __m256i sums[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    const int whole = EDGE_SUPER_VECTORS / EDGE_TRITS_OF_BYTE;
    for (int t = 0; t < tokens; t++) {
        sums[t][0] = sums[t][1] = _mm256_setzero_si256();
    }
    for (int b = 0; b < whole; b++) {
        edge_prefetch(super + b * EDGE_VECTOR_BYTES, EDGE_VECTOR_BYTES);
        edge_trit_products(sums, super + b * EDGE_VECTOR_BYTES, q, EDGE_TRITS_OF_BYTE * b, EDGE_TRITS_OF_BYTE, tokens);
    }
    edge_prefetch(super + whole * EDGE_VECTOR_BYTES, EDGE_VECTOR_BYTES);
    edge_trit_products(sums, super + whole * EDGE_VECTOR_BYTES, q, EDGE_TRITS_OF_BYTE * whole,
                       EDGE_SUPER_VECTORS % EDGE_TRITS_OF_BYTE, tokens);
    for (int t = 0; t < tokens; t++) {
        isum[t][0] = edge_step_widen(sums[t][0]);
        isum[t][1] = edge_step_widen(sums[t][1]);
    }
}

/* sums[t][half] += four vectors of tile j. Written out, because compilers unroll it only when they feel like it. */
EDGE_INLINE void edge_unscaled_vectors(__m256i sums[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile, int unpacked,
                                       const int8_t *const q[EDGE_BLOCK_TOKENS], int j, int code, int v, int tokens) {
    const int64_t at = (int64_t)j * EDGE_GROUP;
    edge_add_products(sums, tile, code, unpacked, q, at, tokens, v, 0);
    edge_add_products(sums, tile, code, unpacked, q, at, tokens, v + 1, 0);
    edge_add_products(sums, tile, code, unpacked, q, at, tokens, v + 2, 0);
    edge_add_products(sums, tile, code, unpacked, q, at, tokens, v + 3, 0);
}

/* isum[t][half] += tiles i .. i + count - 1 (count a constant), out of the panel's codes or the super-tile. */
EDGE_INLINE void edge_unscaled_tiles(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                     const uint8_t *super, const int8_t *const q[EDGE_BLOCK_TOKENS], int code, int i,
                                     int count, int tokens) {
    __m256i sums[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        sums[t][0] = sums[t][1] = _mm256_setzero_si256();
    }
    for (int j = i; j < i + count; j++) {
        const uint8_t *tile = panel ? panel->codes[j] : super + j * edge_code_bytes(code);
        if (!panel) {
            edge_prefetch(tile, edge_code_bytes(code));
        }
        edge_unscaled_vectors(sums, tile, panel != NULL, q, j, code, 0, tokens);
        edge_unscaled_vectors(sums, tile, panel != NULL, q, j, code, 4, tokens);
    }
    for (int t = 0; t < tokens; t++) {
        isum[t][0] = _mm256_add_epi32(isum[t][0], edge_step_widen(sums[t][0]));
        isum[t][1] = _mm256_add_epi32(isum[t][1], edge_step_widen(sums[t][1]));
    }
}

/* The sum of a super-block's activations. */
EDGE_INLINE int32_t edge_super_sum(const int32_t *spans) {
    __m256i eight = _mm256_add_epi32(edge_load(spans), edge_load(spans + 8));
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

/* acc[t][half] takes super-block g of `tokens` (a constant) rows of activations from `token` on. */
EDGE_INLINE void edge_unscaled_super(__m256 acc[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel,
                                     const uint8_t *super, const edge_acts *acts, int32_t token, int32_t g, int code,
                                     int tokens) {
    const int8_t *q[EDGE_BLOCK_TOKENS];
    __m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        q[t] = acts->q + (token + t) * acts->q_stride + (int64_t)g * EDGE_SUPER;
        isum[t][0] = isum[t][1] = _mm256_setzero_si256();
    }
    if (code == EDGE_CODE_T5 && !panel) {
        edge_trit_sums(isum, super, q, tokens);
    } else if (edge_step_tiles(code) == EDGE_SUPER_TILES) {
        edge_unscaled_tiles(isum, panel, super, q, code, 0, EDGE_SUPER_TILES, tokens);
    } else {
        edge_unscaled_tiles(isum, panel, super, q, code, 0, EDGE_SUPER_TILES / 2, tokens);
        edge_unscaled_tiles(isum, panel, super, q, code, EDGE_SUPER_TILES / 2, EDGE_SUPER_TILES / 2, tokens);
    }
    const uint8_t *d = super + edge_g256_d(code, 0);
    const __m256 dw[EDGE_HALVES] = {edge_load_f16(d), edge_load_f16(d + EDGE_ROW_HALVES / 2)};
    for (int t = 0; t < tokens; t++) {
        const __m256 da = _mm256_set1_ps(acts->d[(token + t) * acts->d_stride + g]);
        const int32_t sum = edge_super_sum(acts->s + (token + t) * acts->s_stride + (int64_t)g * EDGE_SPANS);
        const __m256i offset = _mm256_set1_epi32(edge_code_offset(code) * sum);
        for (int half = 0; half < EDGE_HALVES; half++) {
            const __m256 exact = _mm256_cvtepi32_ps(_mm256_sub_epi32(isum[t][half], offset));
            acc[t][half] = _mm256_add_ps(acc[t][half], _mm256_mul_ps(exact, _mm256_mul_ps(dw[half], da)));
        }
    }
}

#endif
