/* Two tile rows at once of super-blocks of 256 k: as edge_dot_g32_pair__avx512vnni.h. */
#ifndef EDGE_DOT_G256_PAIR_AVX512VNNI_H
#define EDGE_DOT_G256_PAIR_AVX512VNNI_H

#include "edge_dot_g256_template__avx512vnni.h"

/* As edge_g256_sub_block, of both tile rows. */
EDGE_INLINE void edge_g256_pair_sub_block(__m512i *sums0, __m512i *sums1, const __m512i *u0, const __m512i *u1,
                                          const edge_g256_token *tokens, const int8_t *q, int64_t q_stride, int j,
                                          int h, int n, int code, int has_min) {
    const int parts = edge_g256_parts(code, has_min), vectors = EDGE_TILE_VECTORS / parts;
    for (int t = 0; t < n; t++)
        sums0[t] = sums1[t] = has_min ? _mm512_setzero_si512() : _mm512_set1_epi32(tokens[t].start[parts * j + h]);
    for (int v = vectors * h; v < vectors * (h + 1); v++) {
        const __m512i w0 = u0[v], w1 = u1[v];
        for (int t = 0; t < n; t++) {
            const __m512i x = edge_broadcast_quad(q + t * q_stride + 4 * v);
            sums0[t] = _mm512_dpbusd_epi32(sums0[t], w0, x);
            sums1[t] = _mm512_dpbusd_epi32(sums1[t], w1, x);
        }
    }
}

/* isum += the scaled dot products of tile j of both for n tokens, n a constant. q: their codes at the tile. */
EDGE_INLINE void edge_g256_pair_tile(__m512i *isum0, __m512i *isum1, const edge_g256_panel panels[2],
                                     const edge_g256_token *tokens, const int8_t *q, int64_t q_stride, int j, int n,
                                     int code, int has_min) {
    const __m512i *u0 = panels[0].u + 8 * j, *u1 = panels[1].u + 8 * j;
    const edge_g256_scales *scales0 = &panels[0].scales, *scales1 = &panels[1].scales;
    __m512i first0[EDGE_PAIR_TOKENS], first1[EDGE_PAIR_TOKENS], second0[EDGE_PAIR_TOKENS], second1[EDGE_PAIR_TOKENS];
    edge_g256_pair_sub_block(first0, first1, u0, u1, tokens, q, q_stride, j, 0, n, code, has_min);
    if (edge_g256_is_narrow(code, has_min)) {
        edge_g256_pair_sub_block(second0, second1, u0, u1, tokens, q, q_stride, j, 1, n, code, has_min);
        for (int t = 0; t < n; t++) {
            isum0[t] = _mm512_dpwssd_epi32(isum0[t], edge_join_halves(first0[t], second0[t]), scales0->sc[j]);
            isum1[t] = _mm512_dpwssd_epi32(isum1[t], edge_join_halves(first1[t], second1[t]), scales1->sc[j]);
        }
    } else if (edge_g256_parts(code, has_min) == 2) {
        edge_g256_scale(isum0, first0, scales0->sc[2 * j], n);
        edge_g256_scale(isum1, first1, scales1->sc[2 * j], n);
        edge_g256_pair_sub_block(second0, second1, u0, u1, tokens, q, q_stride, j, 1, n, code, has_min);
        edge_g256_scale(isum0, second0, scales0->sc[2 * j + 1], n);
        edge_g256_scale(isum1, second1, scales1->sc[2 * j + 1], n);
    } else if (edge_g256_has_scales(code, has_min)) {
        edge_g256_scale(isum0, first0, scales0->sc[j], n);
        edge_g256_scale(isum1, first1, scales1->sc[j], n);
    } else {
        for (int t = 0; t < n; t++) {
            isum0[t] = _mm512_add_epi32(isum0[t], first0[t]);
            isum1[t] = _mm512_add_epi32(isum1[t], first1[t]);
        }
    }
}

/* n tokens, n a constant, from token t0 on against super-tile g of two tile rows, of which the first panel has what
 * belongs to the tokens; adds to rows[0] and rows[1]. */
EDGE_INLINE void edge_g256_pair_block(float *const rows[2], const edge_g256_panel panels[2], const edge_acts *acts,
                                      int32_t t0, int32_t g, int n, int code, int has_min) {
    const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_SUPER * g;
    const edge_g256_token *tokens = panels[0].tokens + t0;
    __m512i isum[2][EDGE_PAIR_TOKENS];
    for (int t = 0; t < n; t++)
        isum[0][t] = isum[1][t] = _mm512_setzero_si512();
    for (int j = 0; j < EDGE_SUPER_TILES; j++)
        edge_g256_pair_tile(isum[0], isum[1], panels, tokens, q + EDGE_GROUP * j, acts->q_stride, j, n, code, has_min);
    for (int i = 0; i < 2; i++) {
        for (int t = 0; t < n; t++) {
            float *row = rows[i] + EDGE_TILE_ROWS * (t0 + t);
            const float d = acts->d[(t0 + t) * acts->d_stride + g];
            _mm512_storeu_ps(row, edge_g256_accumulate(_mm512_loadu_ps(row), isum[i][t], &panels[i].scales, d,
                                                       tokens + t, code, has_min));
        }
    }
}

EDGE_INLINE void edge_g256_64x32(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, int code, int has_min) {
    const size_t super_bytes = (size_t)edge_g256_bytes(code, has_min);
    const int32_t supers = cols / EDGE_SUPER;
    float *const rows[2] = {out, out + EDGE_TILE_ROWS * num_tokens};
    edge_g256_panel panels[2];
    memset(out, 0, 2 * sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < supers; g++) {
        const uint8_t *super[2] = {tiles + (size_t)g * super_bytes, tiles + (size_t)(supers + g) * super_bytes};
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < EDGE_SUPER_TILES; j++)
                edge_unpack(panels[i].u + 8 * j, super[i] + j * edge_code_bytes(code), code);
            edge_g256_load_scales(&panels[i].scales, super[i], code, has_min);
        }
        for (int32_t t = 0; t < num_tokens; t++)
            edge_g256_prepare_token(panels[0].tokens + t, acts->s + t * acts->s_stride + 16 * g, code, has_min);
#define EDGE_PAIR(t0, n)                                                                                               \
    edge_prefetch_share(super[0] + super_bytes, super_bytes, t0, n, num_tokens);                                       \
    edge_prefetch_share(super[1] + super_bytes, super_bytes, t0, n, num_tokens);                                       \
    edge_g256_pair_block(rows, panels, acts, t0, g, n, code, has_min)
        EDGE_IN_FOURS(num_tokens, EDGE_PAIR)
#undef EDGE_PAIR
    }
}

#endif
