/* Two tile rows at once of formats with one scale per 32 k. With one, loads bound the integer products: one of the
 * activations for each. Here each is used twice, from a register, which leaves registers for four tokens. */
#ifndef EDGE_DOT_G32_PAIR_AVX512VNNI_H
#define EDGE_DOT_G32_PAIR_AVX512VNNI_H

#include "edge_dot_g32_template__avx512vnni.h"

/* Group i of a tile row into the accumulators of n tokens, whose scales are in `tokens`. */
EDGE_INLINE void edge_g32_pair_accumulate(__m512 *acc, const __m512i *isum, const edge_g32_scales *scales,
                                          const edge_g32_panel *tokens, int32_t t0, int32_t i, int n, int has_min) {
    for (int t = 0; t < n; t++) {
        const __m512 scale = _mm512_mul_ps(scales->d[0], _mm512_set1_ps(tokens->d[t0 + t][i]));
        acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(edge_i32_to_f32(isum[t]), scale));
        if (has_min)
            acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(scales->m, _mm512_set1_ps(tokens->m[t0 + t][i])));
    }
}

/* n tokens, n a constant, from token t0 on against the first `groups` groups of two panels, of which the first has what
 * belongs to the tokens; adds to out and to second. q: their codes there. */
EDGE_INLINE void edge_g32_pair_block(float *out, float *second, const edge_g32_panel panels[2], const int8_t *q,
                                     int64_t q_stride, int32_t t0, int32_t groups, int n, int has_min) {
    __m512 acc0[EDGE_PAIR_TOKENS], acc1[EDGE_PAIR_TOKENS];
    for (int t = 0; t < n; t++) {
        acc0[t] = _mm512_loadu_ps(out + EDGE_TILE_ROWS * (t0 + t));
        acc1[t] = _mm512_loadu_ps(second + EDGE_TILE_ROWS * (t0 + t));
    }
    for (int32_t i = 0; i < groups; i++) {
        const int8_t *from = q + t0 * q_stride + EDGE_GROUP * i;
        __m512i isum0[EDGE_PAIR_TOKENS], isum1[EDGE_PAIR_TOKENS];
        for (int t = 0; t < n; t++)
            isum0[t] = isum1[t] = has_min ? _mm512_setzero_si512() : _mm512_set1_epi32(panels[0].start[0][t0 + t][i]);
        for (int v = 0; v < 8; v++) {
            const __m512i u0 = panels[0].u[i][v], u1 = panels[1].u[i][v];
            for (int t = 0; t < n; t++) {
                const __m512i x = edge_broadcast_quad(from + t * q_stride + 4 * v);
                isum0[t] = _mm512_dpbusd_epi32(isum0[t], u0, x);
                isum1[t] = _mm512_dpbusd_epi32(isum1[t], u1, x);
            }
        }
        edge_g32_pair_accumulate(acc0, isum0, &panels[0].scales[i], panels, t0, i, n, has_min);
        edge_g32_pair_accumulate(acc1, isum1, &panels[1].scales[i], panels, t0, i, n, has_min);
    }
    for (int t = 0; t < n; t++) {
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc0[t]);
        _mm512_storeu_ps(second + EDGE_TILE_ROWS * (t0 + t), acc1[t]);
    }
}

EDGE_INLINE void edge_g32_64x32(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int code, int has_min) {
    const int32_t num_groups = cols / EDGE_GROUP, shared = edge_g32_tiles(code);
    const size_t tile_bytes = (size_t)(edge_g32_bytes(code, has_min) / shared);
    const size_t row_bytes = (size_t)((num_groups + shared - 1) / shared) * (size_t)edge_g32_bytes(code, has_min);
    const uint8_t *const rows[2] = {tiles, tiles + row_bytes};
    float *second = out + EDGE_TILE_ROWS * num_tokens;
    edge_g32_panel panels[2];
    memset(out, 0, 2 * sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g0 = 0; g0 < num_groups; g0 += EDGE_SUPER_TILES) {
        const int32_t rest = num_groups - g0, groups = rest < EDGE_SUPER_TILES ? rest : EDGE_SUPER_TILES;
        const int8_t *q = acts->q + EDGE_GROUP * g0;
        for (int i = 0; i < 2; i++)
            edge_g32_unpack_panel(&panels[i], rows[i], g0, groups, code, has_min);
        for (int32_t t = 0; t < num_tokens; t++) {
            if (groups == EDGE_SUPER_TILES)
                edge_g32_gather_whole(&panels[0], acts, t, g0, edge_code_offset(code, has_min), has_min);
            else
                edge_g32_gather_token(&panels[0], acts, t, g0, groups, code, has_min);
        }
        const uint8_t *next[2] = {edge_g32_tile_at(rows[0], g0 + EDGE_SUPER_TILES, code, has_min),
                                  edge_g32_tile_at(rows[1], g0 + EDGE_SUPER_TILES, code, has_min)};
#define EDGE_PAIR(t0, n)                                                                                               \
    edge_prefetch_share(next[0], EDGE_SUPER_TILES *tile_bytes, t0, n, num_tokens);                                     \
    edge_prefetch_share(next[1], EDGE_SUPER_TILES *tile_bytes, t0, n, num_tokens);                                     \
    edge_g32_pair_block(out, second, panels, q, acts->q_stride, t0, groups, n, has_min)
        EDGE_IN_FOURS(num_tokens, EDGE_PAIR)
#undef EDGE_PAIR
    }
}

#endif
