/* Integer dot products of super-blocks of 256 k: the integer scales of sub-blocks in int32, one float operation per
 * 256 k. Lanes are rows. */
#ifndef EDGE_DOT_G256_TEMPLATE_AVX512VNNI_H
#define EDGE_DOT_G256_TEMPLATE_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"

#define EDGE_PREFETCH_SUPERS 2

/* Sub-blocks of a tile. */
EDGE_INLINE int edge_g256_parts(int code, int has_min) {
    return edge_g256_has_scales(code, has_min) && edge_g256_is_split(code) ? 2 : 1;
}

/* What belongs to a super-tile beside its codes: a scale for each sub-block and, with minima, a minimum. */
typedef struct edge_g256_scales {
    __m512i sc[16], m[16];
    __m512 d, dmin;
} edge_g256_scales;

/* The scale of sub-block j, which stands at `sc`, and its minimum. */
EDGE_INLINE void edge_g256_load_scale(edge_g256_scales *scales, const uint8_t *sc, int j, int code, int has_min) {
    const __m512i low = _mm512_set1_epi32(15);
    if (code == EDGE_CODE_S2 || code == EDGE_CODE_D1) { /* a nibble of a byte for two */
        const __m512i bytes = edge_load_u8_as_i32(sc + EDGE_TILE_ROWS * (j / 2));
        const __m512i nibbles = _mm512_and_si512(j % 2 ? _mm512_srli_epi32(bytes, 4) : bytes, low);
        scales->sc[j] = _mm512_add_epi32(_mm512_add_epi32(nibbles, nibbles), _mm512_set1_epi32(1));
    } else if (has_min && code == 2) {
        const __m512i bytes = edge_load_u8_as_i32(sc + EDGE_TILE_ROWS * j);
        scales->sc[j] = _mm512_and_si512(bytes, low);
        scales->m[j] = _mm512_srli_epi32(bytes, 4);
    } else if (has_min) {
        scales->sc[j] = edge_load_u8_as_i32(sc + EDGE_TILE_ROWS * j);
        scales->m[j] = edge_load_u8_as_i32(sc + EDGE_TILE_ROWS * (EDGE_SUPER_TILES + j));
    } else {
        scales->sc[j] = edge_load_i8_as_i32(sc + EDGE_TILE_ROWS * j);
    }
}

EDGE_INLINE void edge_g256_load_scales(edge_g256_scales *scales, const uint8_t *super, int code, int has_min) {
    const uint8_t *sc = super + (code == EDGE_CODE_S2   ? EDGE_S2G256_SC
                                 : code == EDGE_CODE_D1 ? EDGE_D1G256_SC
                                                        : EDGE_SUPER_TILES * edge_code_bytes(code));
    for (int j = 0; edge_g256_has_scales(code, has_min) && j < EDGE_SUPER_TILES * edge_g256_parts(code, has_min); j++)
        edge_g256_load_scale(scales, sc, j, code, has_min);
    const uint8_t *d = super + edge_g256_d(code, has_min);
    scales->d = edge_load_f16(d);
    if (edge_g256_unit(code) != 1.0f)
        scales->d = _mm512_mul_ps(scales->d, _mm512_set1_ps(edge_g256_unit(code)));
    if (has_min)
        scales->dmin = edge_load_f16(d + EDGE_ROW_HALVES);
}

/* One super-block of one token into the float accumulator. s: its 16 sums of 16 activations. */
EDGE_INLINE __m512 edge_g256_accumulate(__m512 acc, __m512i isum, const edge_g256_scales *scales, float da,
                                        const int32_t *s, int code, int has_min) {
    const __m512 factor = _mm512_set1_ps(da);
    acc = _mm512_add_ps(acc, _mm512_mul_ps(edge_i32_to_f32(isum), _mm512_mul_ps(scales->d, factor)));
    if (has_min) {
        const int parts = edge_g256_parts(code, has_min);
        __m512i msum = _mm512_setzero_si512();
        for (int j = 0; j < EDGE_SUPER_TILES * parts; j++) {
            const __m512i sum = _mm512_set1_epi32(parts == 2 ? s[j] : s[2 * j] + s[2 * j + 1]);
            msum = _mm512_add_epi32(msum, _mm512_mullo_epi32(scales->m[j], sum));
        }
        acc = _mm512_sub_ps(acc, _mm512_mul_ps(edge_i32_to_f32(msum), _mm512_mul_ps(scales->dmin, factor)));
    }
    return acc;
}

/* isum[t] += the scaled dot products of tile j of super-block g for n tokens (n a constant) from token t0 on. */
EDGE_INLINE void edge_g256_block(__m512i *isum, const __m512i u[8], const edge_g256_scales *scales,
                                 const edge_acts *acts, int32_t t0, int32_t g, int j, int n, int code, int has_min) {
    const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_SUPER * g + EDGE_GROUP * j;
    const int32_t *s = acts->s + t0 * acts->s_stride + 16 * g + 2 * j;
    const int parts = edge_g256_parts(code, has_min), vectors = EDGE_TILE_VECTORS / parts;
    const int32_t offset = edge_code_offset(code, has_min);
    for (int h = 0; h < parts; h++) {
        __m512i sums[EDGE_BLOCK_TOKENS];
        for (int t = 0; t < n; t++) {
            const int32_t *of = s + t * acts->s_stride;
            sums[t] = _mm512_set1_epi32(offset == 0 ? 0 : -offset * (parts == 2 ? of[h] : of[0] + of[1]));
        }
        edge_dot_block(sums, u + vectors * h, vectors, q + 16 * h, acts->q_stride, n);
        for (int t = 0; t < n; t++) {
            const __m512i scaled =
                edge_g256_has_scales(code, has_min) ? _mm512_mullo_epi32(scales->sc[parts * j + h], sums[t]) : sums[t];
            isum[t] = _mm512_add_epi32(isum[t], scaled);
        }
    }
}

/* n tokens, n a constant, from token t0 on: a tile is unpacked into registers once, trits into memory. */
EDGE_INLINE void edge_g256_few(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t t0, int n,
                               int code, int has_min) {
    const size_t super_bytes = (size_t)edge_g256_bytes(code, has_min);
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (size_t)g * super_bytes;
        __m512i trits[EDGE_SUPER_VECTORS], isum[EDGE_BLOCK_TOKENS];
        edge_g256_scales scales;
        edge_g256_load_scales(&scales, super, code, has_min);
        if (edge_code_is_trits(code))
            edge_unpack_trits(trits, super, code);
        for (int t = 0; t < n; t++)
            isum[t] = _mm512_setzero_si512();
        for (int j = 0; j < EDGE_SUPER_TILES; j++) {
            __m512i u[8];
            edge_prefetch(super + super_bytes / EDGE_SUPER_TILES * (size_t)j, EDGE_PREFETCH_SUPERS * super_bytes,
                          super_bytes / EDGE_SUPER_TILES);
            if (!edge_code_is_trits(code))
                edge_unpack(u, super + j * edge_code_bytes(code), code);
            edge_g256_block(isum, edge_code_is_trits(code) ? trits + 8 * j : u, &scales, acts, t0, g, j, n, code,
                            has_min);
        }
        for (int t = 0; t < n; t++)
            acc[t] = edge_g256_accumulate(acc[t], isum[t], &scales, acts->d[(t0 + t) * acts->d_stride + g],
                                          acts->s + (t0 + t) * acts->s_stride + 16 * g, code, has_min);
    }
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc[t]);
}

EDGE_INLINE void edge_g256_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int code,
                                int has_min) {
    if (code != 4 || !has_min) {
        edge_g256_few(out, tiles, cols, acts, 0, 1, code, has_min);
        return;
    }
    const size_t super_bytes = (size_t)edge_g256_bytes(code, has_min), code_bytes = (size_t)edge_code_bytes(code);
    __m512 acc = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (size_t)g * super_bytes;
        edge_g256_scales scales;
        edge_g256_load_scales(&scales, super, code, has_min);
        __m512i isum = _mm512_setzero_si512();
        for (int j = 0; j < EDGE_SUPER_TILES; j++) {
            const uint8_t *codes = super + (size_t)j * code_bytes;
            edge_prefetch(codes, EDGE_PREFETCH_SUPERS * super_bytes, code_bytes);
            const int8_t *q = acts->q + EDGE_SUPER * g + EDGE_GROUP * j;
            const __m512i sum = edge_dot_tile(_mm512_setzero_si512(), codes, q, code);
            isum = _mm512_add_epi32(isum, _mm512_mullo_epi32(scales.sc[j], sum));
        }
        acc = edge_g256_accumulate(acc, isum, &scales, acts->d[g], acts->s + 16 * g, code, has_min);
    }
    _mm512_storeu_ps(out, acc);
}

/* n tokens, n a constant, from token t0 on against one unpacked super-tile; adds to out. */
EDGE_INLINE void edge_g256_panel_block(float *out, const __m512i *u, const edge_g256_scales *scales,
                                       const edge_acts *acts, int32_t t0, int32_t g, int n, int code, int has_min) {
    __m512i isum[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        isum[t] = _mm512_setzero_si512();
    for (int j = 0; j < EDGE_SUPER_TILES; j++)
        edge_g256_block(isum, u + 8 * j, scales, acts, t0, g, j, n, code, has_min);
    for (int t = 0; t < n; t++) {
        float *row = out + EDGE_TILE_ROWS * (t0 + t);
        const __m512 acc =
            edge_g256_accumulate(_mm512_loadu_ps(row), isum[t], scales, acts->d[(t0 + t) * acts->d_stride + g],
                                 acts->s + (t0 + t) * acts->s_stride + 16 * g, code, has_min);
        _mm512_storeu_ps(row, acc);
    }
}

EDGE_INLINE void edge_g256_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int code, int has_min){
#define EDGE_FEW(t0, n) edge_g256_few(out, tiles, cols, acts, t0, n, code, has_min)
    EDGE_IN_BLOCKS(num_tokens, EDGE_FEW)
#undef EDGE_FEW
}

EDGE_INLINE void edge_g256_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, int code, int has_min) {
    __m512i u[EDGE_SUPER_VECTORS];
    edge_g256_scales scales;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (int64_t)g * edge_g256_bytes(code, has_min);
        if (edge_code_is_trits(code))
            edge_unpack_trits(u, super, code);
        for (int j = 0; !edge_code_is_trits(code) && j < EDGE_SUPER_TILES; j++)
            edge_unpack(u + 8 * j, super + j * edge_code_bytes(code), code);
        edge_g256_load_scales(&scales, super, code, has_min);
#define EDGE_PANEL(t0, n) edge_g256_panel_block(out, u, &scales, acts, t0, g, n, code, has_min)
        EDGE_IN_BLOCKS(num_tokens, EDGE_PANEL)
#undef EDGE_PANEL
    }
}

#endif
