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

/* The scaled sums of one half of tile i against 32 codes. */
EDGE_INLINE __m256i edge_g256_sum(const uint8_t *super, const int8_t *q, int bits, int i, int half) {
    const uint8_t *tile = super + i * edge_g256_codes(bits);
    const int widen = bits == 6 ? 2 : 8; /* vectors whose products fit int16 together */
    __m256i sum = _mm256_setzero_si256();
    for (int begin = 0; begin < EDGE_TILE_VECTORS; begin += widen) {
        __m256i pairs = _mm256_setzero_si256();
        for (int v = begin; v < begin + widen; v++) {
            __m256i product = _mm256_maddubs_epi16(edge_codes(tile, bits, v, half), edge_broadcast(q + 4 * v));
            pairs = _mm256_add_epi16(pairs, product);
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, edge_g256_scale(super, bits, i, begin, half)));
    }
    return sum;
}

EDGE_INLINE void edge_g256_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int bits) {
    __m256 acc[EDGE_HALVES] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (int64_t)g * edge_g256_bytes(bits);
        const int8_t *q = acts->q + (int64_t)g * EDGE_SUPER;
        const __m256 da = _mm256_set1_ps(acts->d[g]);
        int16_t sums[EDGE_SPANS];
        edge_g256_sums(sums, acts->s + (int64_t)g * EDGE_SPANS);
        __m256i isum[EDGE_HALVES] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        __m256i msum[EDGE_HALVES] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        for (int i = 0; i < EDGE_SUPER_TILES; i++) {
            const __m256i pair = edge_broadcast(sums + 2 * i);
            edge_prefetch(super + i * (edge_g256_bytes(bits) / EDGE_SUPER_TILES),
                          edge_g256_bytes(bits) / EDGE_SUPER_TILES);
            for (int half = 0; half < EDGE_HALVES; half++) {
                isum[half] = _mm256_add_epi32(isum[half], edge_g256_sum(super, q + i * EDGE_GROUP, bits, i, half));
                const __m256i factor = edge_g256_factor(super, bits, i, half);
                msum[half] = _mm256_add_epi32(msum[half], _mm256_madd_epi16(factor, pair));
            }
        }
        for (int half = 0; half < EDGE_HALVES; half++) {
            const __m256 dw = edge_load_f16(super + (bits == 6 ? EDGE_W6G256_D : EDGE_W4MG256_D) + half * 16);
            const __m256 dmin = bits == 6 ? dw : edge_load_f16(super + EDGE_W4MG256_DMIN + half * 16);
            acc[half] = edge_g256_accumulate(acc[half], isum[half], msum[half], dw, dmin, da, bits);
        }
    }
    _mm256_storeu_ps(out, acc[0]);
    _mm256_storeu_ps(out + EDGE_LANE_ROWS, acc[1]);
}

/* One super-tile of 16 rows, unpacked once for all tokens. */
typedef struct edge_g256_panel {
    uint8_t codes[EDGE_SUPER_TILES][EDGE_MAX_CODES];
    int16_t scale[EDGE_SPANS][EDGE_HALVES][16]; /* per sub-block (Q4_K uses every second) */
    int16_t factor[EDGE_SUPER_TILES][EDGE_HALVES][16];
    float d[EDGE_TILE_ROWS], dmin[EDGE_TILE_ROWS];
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
        const int d = bits == 6 ? EDGE_W6G256_D : EDGE_W4MG256_D;
        _mm256_storeu_ps(panel->d + half * EDGE_LANE_ROWS, edge_load_f16(super + d + half * 16));
        if (bits != 6) {
            _mm256_storeu_ps(panel->dmin + half * EDGE_LANE_ROWS, edge_load_f16(super + EDGE_W4MG256_DMIN + half * 16));
        }
    }
}

/* isum[t][half] += vectors begin .. begin + count - 1 of tile i times token t, times their sub-block's scale. */
EDGE_INLINE void edge_g256_dot(__m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES], const edge_g256_panel *panel, int32_t i,
                               const int8_t *q, int64_t q_stride, int tokens, int begin, int count) {
    __m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int v = begin; v < begin + count; v++) {
        const __m256i low = edge_load(panel->codes[i] + v * EDGE_VECTOR_BYTES);
        const __m256i high = edge_load(panel->codes[i] + v * EDGE_VECTOR_BYTES + EDGE_HALF_BYTES);
        for (int t = 0; t < tokens; t++) {
            const __m256i a = edge_broadcast(q + t * q_stride + 4 * v);
            const __m256i p0 = _mm256_maddubs_epi16(low, a), p1 = _mm256_maddubs_epi16(high, a);
            pairs[t][0] = v == begin ? p0 : _mm256_add_epi16(pairs[t][0], p0);
            pairs[t][1] = v == begin ? p1 : _mm256_add_epi16(pairs[t][1], p1);
        }
    }
    for (int half = 0; half < EDGE_HALVES; half++) {
        const __m256i scale = edge_load(panel->scale[2 * i + begin / 4][half]);
        for (int t = 0; t < tokens; t++) {
            isum[t][half] = _mm256_add_epi32(isum[t][half], _mm256_madd_epi16(pairs[t][half], scale));
        }
    }
}

/* `tokens` (a constant) rows of activations against super-block g. */
EDGE_INLINE void edge_g256_block(float *out, const edge_g256_panel *panel, const edge_acts *acts, int32_t token,
                                 int32_t g, int bits, int tokens) {
    const int8_t *q = acts->q + token * acts->q_stride + (int64_t)g * EDGE_SUPER;
    const int32_t *s = acts->s + token * acts->s_stride + (int64_t)g * EDGE_SPANS;
    __m256i isum[EDGE_BLOCK_TOKENS][EDGE_HALVES];
    for (int t = 0; t < tokens; t++) {
        isum[t][0] = isum[t][1] = _mm256_setzero_si256();
    }
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        const int8_t *qi = q + i * EDGE_GROUP;
        if (bits == 4) {
            edge_g256_dot(isum, panel, i, qi, acts->q_stride, tokens, 0, 8);
        } else {
            edge_g256_dot(isum, panel, i, qi, acts->q_stride, tokens, 0, 2);
            edge_g256_dot(isum, panel, i, qi, acts->q_stride, tokens, 2, 2);
            edge_g256_dot(isum, panel, i, qi, acts->q_stride, tokens, 4, 2);
            edge_g256_dot(isum, panel, i, qi, acts->q_stride, tokens, 6, 2);
        }
    }
    for (int t = 0; t < tokens; t++) {
        const __m256 da = _mm256_set1_ps(acts->d[(token + t) * acts->d_stride + g]);
        int16_t sums[EDGE_SPANS];
        edge_g256_sums(sums, s + t * acts->s_stride);
        for (int half = 0; half < EDGE_HALVES; half++) {
            __m256i msum = _mm256_setzero_si256();
            for (int i = 0; i < EDGE_SUPER_TILES; i++) {
                const __m256i factor = edge_load(panel->factor[i][half]);
                msum = _mm256_add_epi32(msum, _mm256_madd_epi16(factor, edge_broadcast(sums + 2 * i)));
            }
            float *to = out + (token + t) * EDGE_TILE_ROWS + half * EDGE_LANE_ROWS;
            const __m256 dw = _mm256_loadu_ps(panel->d + half * EDGE_LANE_ROWS);
            const __m256 dmin = bits == 6 ? dw : _mm256_loadu_ps(panel->dmin + half * EDGE_LANE_ROWS);
            _mm256_storeu_ps(to, edge_g256_accumulate(_mm256_loadu_ps(to), isum[t][half], msum, dw, dmin, da, bits));
        }
    }
}

/* Any number of tokens: super-tile by super-tile, EDGE_BLOCK_TOKENS tokens at a time. */
EDGE_INLINE void edge_g256_panels(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                  int32_t num_tokens, int bits) {
    edge_g256_panel panel;
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        edge_g256_unpack(&panel, tiles + (int64_t)g * edge_g256_bytes(bits), bits);
        int32_t t = 0;
        for (; t + EDGE_BLOCK_TOKENS <= num_tokens; t += EDGE_BLOCK_TOKENS) {
            edge_g256_block(out, &panel, acts, t, g, bits, EDGE_BLOCK_TOKENS);
        }
        if (num_tokens - t == 3) {
            edge_g256_block(out, &panel, acts, t, g, bits, 3);
        } else if (num_tokens - t == 2) {
            edge_g256_block(out, &panel, acts, t, g, bits, 2);
        } else if (num_tokens - t == 1) {
            edge_g256_block(out, &panel, acts, t, g, bits, 1);
        }
    }
}

#endif
