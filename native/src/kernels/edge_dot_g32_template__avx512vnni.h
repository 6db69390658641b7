/* Integer dot products of formats with a scale (and a minimum) per 32 k, in three shapes. Lanes are rows. */
#ifndef EDGE_DOT_G32_TEMPLATE_AVX512VNNI_H
#define EDGE_DOT_G32_TEMPLATE_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"
#include "kernels.h"

/* Codes, d and, with a minimum, m. */
EDGE_INLINE size_t edge_g32_tile_bytes(int bits, int has_min) {
    return edge_code_bytes(bits) + EDGE_ROW_HALVES * (size_t)(1 + has_min);
}

/* One group into the float accumulator: a multiply and an add, never fused, then the same for the minimum. */
EDGE_INLINE __m512 edge_g32_accumulate(__m512 acc, __m512i isum, __m512 d, __m512 m, float da, int32_t s, int has_min) {
    const __m512 scale = _mm512_mul_ps(d, _mm512_set1_ps(da));
    acc = _mm512_add_ps(acc, _mm512_mul_ps(edge_i32_to_f32(isum), scale));
    if (has_min)
        acc = _mm512_add_ps(acc, _mm512_mul_ps(m, _mm512_set1_ps(da * (float)s)));
    return acc;
}

EDGE_INLINE void edge_g32_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int bits,
                               int has_min) {
    const size_t tile_bytes = edge_g32_tile_bytes(bits, has_min), code_bytes = edge_code_bytes(bits);
    const int32_t offset = edge_code_offset(bits, has_min);
    __m512 acc = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = tiles + (size_t)g * tile_bytes;
        edge_prefetch(tile, EDGE_PREFETCH_TILES * tile_bytes, tile_bytes);
        const __m512i start = _mm512_set1_epi32(-offset * acts->s[g]);
        const __m512i isum = edge_dot_tile(start, tile, acts->q + EDGE_GROUP * g, bits);
        const __m512 d = edge_load_f16(tile + code_bytes);
        const __m512 m = has_min ? edge_load_f16(tile + code_bytes + EDGE_ROW_HALVES) : _mm512_setzero_ps();
        acc = edge_g32_accumulate(acc, isum, d, m, acts->d[g], acts->s[g], has_min);
    }
    _mm512_storeu_ps(out, acc);
}

/* Group g of n tokens (n a constant) from token t0 on, over codes that are already unpacked. */
EDGE_INLINE void edge_g32_block(__m512 *acc, const __m512i u[8], __m512 d, __m512 m, const edge_acts *acts, int32_t t0,
                                int32_t g, int n, int bits, int has_min) {
    const int32_t offset = edge_code_offset(bits, has_min);
    const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_GROUP * g;
    const float *da = acts->d + t0 * acts->d_stride + g;
    const int32_t *s = acts->s + t0 * acts->s_stride + g;
    __m512i isum[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        isum[t] = _mm512_set1_epi32(-offset * s[t * acts->s_stride]);
    edge_dot_block(isum, u, 8, q, acts->q_stride, n);
    for (int t = 0; t < n; t++)
        acc[t] = edge_g32_accumulate(acc[t], isum[t], d, m, da[t * acts->d_stride], s[t * acts->s_stride], has_min);
}

/* n tokens, n a constant: a tile is unpacked into registers once. */
EDGE_INLINE void edge_g32_few(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int n, int bits,
                              int has_min) {
    const size_t tile_bytes = edge_g32_tile_bytes(bits, has_min), code_bytes = edge_code_bytes(bits);
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = tiles + (size_t)g * tile_bytes;
        edge_prefetch(tile, EDGE_PREFETCH_TILES * tile_bytes, tile_bytes);
        const __m512 d = edge_load_f16(tile + code_bytes);
        const __m512 m = has_min ? edge_load_f16(tile + code_bytes + EDGE_ROW_HALVES) : _mm512_setzero_ps();
        __m512i u[8];
        edge_unpack(u, tile, bits);
        edge_g32_block(acc, u, d, m, acts, 0, g, n, bits, has_min);
    }
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * t, acc[t]);
}

typedef struct edge_g32_panel {
    __m512i u[EDGE_SUPER_TILES][8];
    __m512 d[EDGE_SUPER_TILES], m[EDGE_SUPER_TILES];
} edge_g32_panel;

/* n tokens, n a constant, from token t0 on against the groups g0 .. g0 + groups - 1 of the panel; adds to out. */
EDGE_INLINE void edge_g32_panel_block(float *out, const edge_g32_panel *panel, const edge_acts *acts, int32_t t0,
                                      int32_t g0, int32_t groups, int n, int bits, int has_min) {
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_loadu_ps(out + EDGE_TILE_ROWS * (t0 + t));
    for (int32_t i = 0; i < groups; i++)
        edge_g32_block(acc, panel->u[i], panel->d[i], panel->m[i], acts, t0, g0 + i, n, bits, has_min);
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc[t]);
}

EDGE_INLINE void edge_g32_unpack_panel(edge_g32_panel *panel, const uint8_t *tiles, int32_t groups, int bits,
                                       int has_min) {
    const size_t tile_bytes = edge_g32_tile_bytes(bits, has_min), code_bytes = edge_code_bytes(bits);
    for (int32_t i = 0; i < groups; i++) {
        const uint8_t *tile = tiles + (size_t)i * tile_bytes;
        edge_unpack(panel->u[i], tile, bits);
        panel->d[i] = edge_load_f16(tile + code_bytes);
        panel->m[i] = has_min ? edge_load_f16(tile + code_bytes + EDGE_ROW_HALVES) : _mm512_setzero_ps();
    }
}

EDGE_INLINE void edge_g32_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                               int32_t num_tokens, int bits, int has_min){
#define EDGE_FEW(n) edge_g32_few(out, tiles, cols, acts, n, bits, has_min)
    EDGE_WITH_CONSTANT(num_tokens, EDGE_FEW)
#undef EDGE_FEW
}

EDGE_INLINE void edge_g32_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int bits, int has_min) {
    const size_t tile_bytes = edge_g32_tile_bytes(bits, has_min);
    const int32_t num_groups = cols / EDGE_GROUP;
    edge_g32_panel panel;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g0 = 0; g0 < num_groups; g0 += EDGE_SUPER_TILES) {
        const int32_t rest = num_groups - g0, groups = rest < EDGE_SUPER_TILES ? rest : EDGE_SUPER_TILES;
        edge_g32_unpack_panel(&panel, tiles + (size_t)g0 * tile_bytes, groups, bits, has_min);
        for (int32_t t0 = 0; t0 < num_tokens; t0 += EDGE_BLOCK_TOKENS) {
            const int32_t left = num_tokens - t0, block = left < EDGE_BLOCK_TOKENS ? left : EDGE_BLOCK_TOKENS;
#define EDGE_PANEL(n) edge_g32_panel_block(out, &panel, acts, t0, g0, groups, n, bits, has_min)
            EDGE_WITH_CONSTANT(block, EDGE_PANEL)
#undef EDGE_PANEL
        }
    }
}

#endif
