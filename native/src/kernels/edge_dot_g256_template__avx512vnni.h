/* Integer dot products of K-quants: sub-block scales in int32, one float operation per 256 k. Lanes are rows.
 * bits 4 (Q4_K): 32 k per sub-block, with a minimum. bits 6 (Q6_K): 16 k per sub-block, codes minus 32. */
#ifndef EDGE_DOT_G256_TEMPLATE_AVX512VNNI_H
#define EDGE_DOT_G256_TEMPLATE_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"

#define EDGE_PREFETCH_SUPERS 2

EDGE_INLINE size_t edge_g256_tile_bytes(int bits) {
    return bits == 6 ? EDGE_W6G256_BYTES : EDGE_W4MG256_BYTES;
}

/* What belongs to a super-tile beside its codes. Q4_K has 8 scales and 8 minima, Q6_K 16 scales. */
typedef struct edge_g256_scales {
    __m512i sc[16], m[8];
    __m512 d, dmin;
} edge_g256_scales;

EDGE_INLINE void edge_g256_load_scales(edge_g256_scales *scales, const uint8_t *tile, int bits) {
    if (bits == 6) {
        for (int j = 0; j < 16; j++)
            scales->sc[j] = edge_load_i8_as_i32(tile + EDGE_W6G256_SC + EDGE_TILE_ROWS * j);
        scales->d = edge_load_f16(tile + EDGE_W6G256_D);
    } else {
        for (int j = 0; j < 8; j++) {
            scales->sc[j] = edge_load_u8_as_i32(tile + EDGE_W4MG256_SC + EDGE_TILE_ROWS * j);
            scales->m[j] = edge_load_u8_as_i32(tile + EDGE_W4MG256_M + EDGE_TILE_ROWS * j);
        }
        scales->d = edge_load_f16(tile + EDGE_W4MG256_D);
        scales->dmin = edge_load_f16(tile + EDGE_W4MG256_DMIN);
    }
}

/* One super-block of one token into the float accumulator. s: its 16 sums of 16 activations. */
EDGE_INLINE __m512 edge_g256_accumulate(__m512 acc, __m512i isum, const edge_g256_scales *scales, float da,
                                        const int32_t *s, int bits) {
    const __m512 factor = _mm512_set1_ps(da);
    acc = _mm512_add_ps(acc, _mm512_mul_ps(edge_i32_to_f32(isum), _mm512_mul_ps(scales->d, factor)));
    if (bits == 4) {
        __m512i msum = _mm512_setzero_si512();
        for (int j = 0; j < 8; j++) {
            const __m512i sum = _mm512_set1_epi32(s[2 * j] + s[2 * j + 1]);
            msum = _mm512_add_epi32(msum, _mm512_mullo_epi32(scales->m[j], sum));
        }
        acc = _mm512_sub_ps(acc, _mm512_mul_ps(edge_i32_to_f32(msum), _mm512_mul_ps(scales->dmin, factor)));
    }
    return acc;
}

EDGE_INLINE void edge_g256_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int bits) {
    const size_t tile_bytes = edge_g256_tile_bytes(bits), code_bytes = edge_code_bytes(bits);
    __m512 acc = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *tile = tiles + (size_t)g * tile_bytes;
        const int8_t *q = acts->q + EDGE_SUPER * g;
        const int32_t *s = acts->s + 16 * g;
        edge_g256_scales scales;
        edge_g256_load_scales(&scales, tile, bits);
        __m512i isum = _mm512_setzero_si512();
        for (int j = 0; j < EDGE_SUPER_TILES; j++) {
            const uint8_t *codes = tile + (size_t)j * code_bytes;
            edge_prefetch(codes, EDGE_PREFETCH_SUPERS * tile_bytes, code_bytes);
            if (bits == 4) {
                const __m512i sum = edge_dot_tile(_mm512_setzero_si512(), codes, q + EDGE_GROUP * j, bits);
                isum = _mm512_add_epi32(isum, _mm512_mullo_epi32(scales.sc[j], sum));
            } else {
                __m512i u[8];
                edge_unpack(u, codes, bits);
                for (int h = 0; h < 2; h++) {
                    __m512i sum = _mm512_set1_epi32(-32 * s[2 * j + h]);
                    edge_dot_block(&sum, u + 4 * h, 4, q + EDGE_GROUP * j + 16 * h, 0, 1);
                    isum = _mm512_add_epi32(isum, _mm512_mullo_epi32(scales.sc[2 * j + h], sum));
                }
            }
        }
        acc = edge_g256_accumulate(acc, isum, &scales, acts->d[g], s, bits);
    }
    _mm512_storeu_ps(out, acc);
}

/* isum[t] += the scaled dot products of tile j of super-block g for n tokens (n a constant) from token t0 on. */
EDGE_INLINE void edge_g256_block(__m512i *isum, const __m512i u[8], const edge_g256_scales *scales,
                                 const edge_acts *acts, int32_t t0, int32_t g, int j, int n, int bits) {
    const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_SUPER * g + EDGE_GROUP * j;
    const int32_t *s = acts->s + t0 * acts->s_stride + 16 * g + 2 * j;
    const int parts = bits == 6 ? 2 : 1, vectors = EDGE_TILE_VECTORS / parts;
    for (int h = 0; h < parts; h++) {
        __m512i sums[EDGE_BLOCK_TOKENS];
        for (int t = 0; t < n; t++)
            sums[t] = bits == 6 ? _mm512_set1_epi32(-32 * s[t * acts->s_stride + h]) : _mm512_setzero_si512();
        edge_dot_block(sums, u + vectors * h, vectors, q + 16 * h, acts->q_stride, n);
        for (int t = 0; t < n; t++)
            isum[t] = _mm512_add_epi32(isum[t], _mm512_mullo_epi32(scales->sc[parts * j + h], sums[t]));
    }
}

/* n tokens, n a constant: a tile is unpacked into registers once. */
EDGE_INLINE void edge_g256_few(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int n, int bits) {
    const size_t tile_bytes = edge_g256_tile_bytes(bits), code_bytes = edge_code_bytes(bits);
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *tile = tiles + (size_t)g * tile_bytes;
        edge_g256_scales scales;
        edge_g256_load_scales(&scales, tile, bits);
        __m512i isum[EDGE_BLOCK_TOKENS];
        for (int t = 0; t < n; t++)
            isum[t] = _mm512_setzero_si512();
        for (int j = 0; j < EDGE_SUPER_TILES; j++) {
            const uint8_t *codes = tile + (size_t)j * code_bytes;
            edge_prefetch(codes, EDGE_PREFETCH_SUPERS * tile_bytes, code_bytes);
            __m512i u[8];
            edge_unpack(u, codes, bits);
            edge_g256_block(isum, u, &scales, acts, 0, g, j, n, bits);
        }
        for (int t = 0; t < n; t++)
            acc[t] = edge_g256_accumulate(acc[t], isum[t], &scales, acts->d[t * acts->d_stride + g],
                                          acts->s + t * acts->s_stride + 16 * g, bits);
    }
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * t, acc[t]);
}

/* n tokens, n a constant, from token t0 on against one unpacked super-tile; adds to out. */
EDGE_INLINE void edge_g256_panel_block(float *out, __m512i (*u)[8], const edge_g256_scales *scales,
                                       const edge_acts *acts, int32_t t0, int32_t g, int n, int bits) {
    __m512i isum[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        isum[t] = _mm512_setzero_si512();
    for (int j = 0; j < EDGE_SUPER_TILES; j++)
        edge_g256_block(isum, u[j], scales, acts, t0, g, j, n, bits);
    for (int t = 0; t < n; t++) {
        float *row = out + EDGE_TILE_ROWS * (t0 + t);
        const __m512 acc =
            edge_g256_accumulate(_mm512_loadu_ps(row), isum[t], scales, acts->d[(t0 + t) * acts->d_stride + g],
                                 acts->s + (t0 + t) * acts->s_stride + 16 * g, bits);
        _mm512_storeu_ps(row, acc);
    }
}

EDGE_INLINE void edge_g256_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int bits){
#define EDGE_FEW(n) edge_g256_few(out, tiles, cols, acts, n, bits)
    EDGE_WITH_CONSTANT(num_tokens, EDGE_FEW)
#undef EDGE_FEW
}

EDGE_INLINE void edge_g256_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, int bits) {
    const size_t tile_bytes = edge_g256_tile_bytes(bits), code_bytes = edge_code_bytes(bits);
    __m512i u[EDGE_SUPER_TILES][8];
    edge_g256_scales scales;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *tile = tiles + (size_t)g * tile_bytes;
        for (int j = 0; j < EDGE_SUPER_TILES; j++)
            edge_unpack(u[j], tile + (size_t)j * code_bytes, bits);
        edge_g256_load_scales(&scales, tile, bits);
        for (int32_t t0 = 0; t0 < num_tokens; t0 += EDGE_BLOCK_TOKENS) {
            const int32_t left = num_tokens - t0, block = left < EDGE_BLOCK_TOKENS ? left : EDGE_BLOCK_TOKENS;
#define EDGE_PANEL(n) edge_g256_panel_block(out, u, &scales, acts, t0, g, n, bits)
            EDGE_WITH_CONSTANT(block, EDGE_PANEL)
#undef EDGE_PANEL
        }
    }
}

#endif
