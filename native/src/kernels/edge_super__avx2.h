/* Super-blocks of 256 k: where their parts lie, their integer scales as int16 pairs, their trits, and the panel that
 * holds one of them unpacked. */
#ifndef EDGE_SUPER_AVX2_H
#define EDGE_SUPER_AVX2_H

#include "edge_simd__avx2.h"

#define EDGE_SPANS (EDGE_SUPER / 16) /* sums of a super-block */

/* Bytes of the codes of 256 k. */
EDGE_INLINE int edge_g256_codes(int code) {
    return edge_code_is_trits(code) ? EDGE_CODES_T5 : EDGE_SUPER_TILES * edge_code_bytes(code);
}

/* The scales of tile i for eight rows as int16 pairs: of its first 16 k, and of the others. */
EDGE_INLINE __m256i edge_g256_pair(const uint8_t *super, int code, int min, int i, int first, int second, int half) {
    if (code == EDGE_CODE_S2 || code == EDGE_CODE_D1) {
        const uint8_t *sc = super + (code == EDGE_CODE_S2 ? EDGE_S2G256_SC : EDGE_D1G256_SC) + i * EDGE_TILE_ROWS;
        const __m256i bytes = edge_pairs(sc, sc, half, 0);
        const __m256i shift = _mm256_set1_epi32((second ? 4 : 0) << 16 | (first ? 4 : 0));
        const __m256i low = _mm256_and_si256(bytes, _mm256_set1_epi16(15)), high = _mm256_srli_epi16(bytes, 4);
        const __m256i is_high = _mm256_cmpgt_epi16(shift, _mm256_setzero_si256());
        const __m256i nibbles = _mm256_blendv_epi8(low, high, is_high);
        return _mm256_add_epi16(_mm256_add_epi16(nibbles, nibbles), _mm256_set1_epi16(1));
    }
    const uint8_t *sc = super + edge_g256_codes(code);
    if (min && code == 2) {
        const __m256i bytes =
            edge_pairs(sc + (2 * i + first) * EDGE_TILE_ROWS, sc + (2 * i + second) * EDGE_TILE_ROWS, half, 0);
        return _mm256_and_si256(bytes, _mm256_set1_epi16(15));
    }
    if (edge_g256_is_split(code)) {
        return edge_pairs(sc + (2 * i + first) * EDGE_TILE_ROWS, sc + (2 * i + second) * EDGE_TILE_ROWS, half, 1);
    }
    return edge_pairs(sc + i * EDGE_TILE_ROWS, sc + i * EDGE_TILE_ROWS, half, !min);
}

/* Of codes that have scales: the scale of the sub-block that vector v of tile i belongs to, twice per lane. */
EDGE_INLINE __m256i edge_g256_scale(const uint8_t *super, int code, int min, int i, int v, int half) {
    return edge_g256_pair(super, code, min, i, v / 4, v / 4, half);
}

/* What the two 16-sums of tile i are multiplied by: the minima, or the scales that the codes' offset comes with. */
EDGE_INLINE __m256i edge_g256_factor(const uint8_t *super, int code, int min, int i, int half) {
    if (min && code == 2) {
        const uint8_t *m = super + EDGE_W2MG256_SC + 2 * i * EDGE_TILE_ROWS;
        return _mm256_srli_epi16(edge_pairs(m, m + EDGE_TILE_ROWS, half, 0), 4);
    }
    if (min) {
        const uint8_t *m = super + edge_g256_codes(code) + (EDGE_SUPER_TILES + i) * EDGE_TILE_ROWS;
        return edge_pairs(m, m, half, 0);
    }
    return edge_g256_pair(super, code, min, i, 0, 1, half);
}

/* One super-tile of 16 rows, unpacked once for all tokens. */
typedef struct edge_g256_panel {
    uint8_t codes[EDGE_SUPER_TILES][EDGE_MAX_CODES];
    int16_t scale[EDGE_SPANS][EDGE_HALVES][16]; /* per 16 k; every second where sub-blocks are tiles */
    int16_t factor[EDGE_SUPER_TILES][EDGE_HALVES][16];
} edge_g256_panel;

/* The next trit of every byte, 0 .. 2. Bytes are stored less 128, which tripling keeps: 3 (x - 128) = 3x - 128 mod 256.
 * A byte below 86 begins with 0, of 171 or more with 2. */
EDGE_INLINE __m256i edge_next_trit(__m256i *bytes) {
    const __m256i is_zero = _mm256_cmpgt_epi8(_mm256_set1_epi8(86 - 128), *bytes);
    const __m256i is_two = _mm256_cmpgt_epi8(*bytes, _mm256_set1_epi8(170 - 128));
    *bytes = _mm256_add_epi8(_mm256_add_epi8(*bytes, *bytes), *bytes);
    return _mm256_add_epi8(_mm256_sub_epi8(is_zero, is_two), _mm256_set1_epi8(1));
}

/* What one half of vector v (of 64) stands for, as the kind says. */
EDGE_INLINE __m256i edge_trit_code(__m256i trit, const uint8_t *super, int code, int v, int half) {
    const int tile = v / EDGE_TILE_VECTORS, bit = 1 << v % EDGE_TILE_VECTORS;
    if (code == EDGE_CODE_S2) {
        const __m256i value = edge_look_up(_mm_setr_epi8(8, 25, 43, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), trit);
        const __m256i plane = edge_load(super + EDGE_S2G256_SIGNS + tile * EDGE_CODES_W1 + half * EDGE_HALF_BYTES);
        const __m256i mask = _mm256_set1_epi8((char)bit);
        const __m256i minus = _mm256_cmpeq_epi8(_mm256_and_si256(plane, mask), mask);
        return _mm256_sub_epi8(_mm256_xor_si256(value, minus), minus);
    }
    if (code == EDGE_CODE_D1) {
        const uint8_t *less = super + EDGE_D1G256_LESS + tile * EDGE_TILE_ROWS + half * EDGE_LANE_ROWS;
        const __m256i rows = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)less));
        const __m256i mask = _mm256_set1_epi32(bit);
        const __m256i is_less = _mm256_cmpeq_epi32(_mm256_and_si256(rows, mask), mask);
        return _mm256_add_epi8(_mm256_slli_epi16(trit, 3), _mm256_andnot_si256(is_less, _mm256_set1_epi8(2)));
    }
    return trit;
}

EDGE_INLINE void edge_g256_unpack_trits(edge_g256_panel *panel, const uint8_t *super, int code) {
    for (int half = 0; half < EDGE_HALVES; half++) {
        uint8_t *to = panel->codes[0] + half * EDGE_HALF_BYTES;
        for (int b = 0; b < EDGE_TRIT_VECTORS; b++) {
            __m256i bytes = edge_load(super + b * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES);
            for (int v = EDGE_TRITS_OF_BYTE * b; v < EDGE_TRITS_OF_BYTE * (b + 1) && v < EDGE_SUPER_VECTORS; v++) {
                const __m256i trit = edge_next_trit(&bytes);
                edge_store(to + v * EDGE_VECTOR_BYTES, edge_trit_code(trit, super, code, v, half));
            }
        }
    }
}

EDGE_INLINE void edge_g256_unpack(edge_g256_panel *panel, const uint8_t *super, int code, int min) {
    edge_prefetch(super, edge_g256_bytes(code, min));
    if (edge_code_is_trits(code)) {
        edge_g256_unpack_trits(panel, super, code);
    }
    for (int half = 0; half < EDGE_HALVES; half++) {
        for (int i = 0; i < EDGE_SUPER_TILES; i++) {
            for (int v = 0; !edge_code_is_trits(code) && v < EDGE_TILE_VECTORS; v++) {
                edge_store(panel->codes[i] + v * EDGE_VECTOR_BYTES + half * EDGE_HALF_BYTES,
                           edge_codes(super + i * edge_code_bytes(code), code, v, half));
            }
            if (!edge_g256_has_scales(code, min)) {
                continue;
            }
            edge_store(panel->scale[2 * i][half], edge_g256_scale(super, code, min, i, 0, half));
            if (edge_g256_is_split(code)) {
                edge_store(panel->scale[2 * i + 1][half], edge_g256_scale(super, code, min, i, 4, half));
            }
            edge_store(panel->factor[i][half], edge_g256_factor(super, code, min, i, half));
        }
    }
}

#endif
