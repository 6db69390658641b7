/* Integer dot products of super-blocks of 256 k: the integer scales of sub-blocks in int32, one float operation per
 * 256 k. Lanes are rows. */
#ifndef EDGE_DOT_G256_TEMPLATE_AVX512VNNI_H
#define EDGE_DOT_G256_TEMPLATE_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"
#include "edge_ternary__avx512vnni.h"

/* Sub-blocks of a tile. */
EDGE_INLINE int edge_g256_parts(int code, int has_min) {
    return edge_g256_has_scales(code, has_min) && edge_g256_is_split(code) ? 2 : 1;
}

/* Whether sums of a sub-block fit 16 bits: 16 x 127 times the largest value. Two of them are scaled at once then. */
EDGE_INLINE int edge_g256_is_narrow(int code, int has_min) {
    return edge_g256_has_scales(code, has_min) && (code == 2 || code == 3 || code == EDGE_CODE_D1);
}

/* What belongs to a super-tile beside its codes: a scale for each sub-block (of narrow ones, for two in the halves of a
 * lane) and, with minima, those of two sub-blocks in the halves of a lane. */
typedef struct edge_g256_scales {
    __m512i sc[16], m[8];
    __m512 d, dmin;
} edge_g256_scales;

/* What belongs to a super-block of a token: for each sub-block, where its sum starts (less the codes' offset times the
 * activations), or the sum of its activations, which minima are multiplied by and 16 bits hold. */
typedef union edge_g256_token {
    _Alignas(64) int32_t start[16];
    int16_t sums[16];
} edge_g256_token;

/* s: the 16 sums of 16 activations. */
EDGE_INLINE void edge_g256_prepare_token(edge_g256_token *token, const int32_t *s, int code, int has_min) {
    const int parts = edge_g256_parts(code, has_min);
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)s);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(s + 8));
    if (parts == 1) /* the eight sums of 32 */
        low = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8);
    if (has_min) {
        const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, parts == 1 ? low : high), 0xd8);
        _mm256_store_si256((__m256i *)(void *)token->sums, packed);
        return;
    }
    const __m256i offset = _mm256_set1_epi32(-edge_code_offset(code, has_min));
    _mm256_store_si256((__m256i *)(void *)token->start, _mm256_mullo_epi32(low, offset));
    if (parts == 2)
        _mm256_store_si256((__m256i *)(void *)(token->start + 8), _mm256_mullo_epi32(high, offset));
}

/* The lower halves of the lanes of both, the first one's low. */
EDGE_INLINE __m512i edge_join_halves(__m512i first, __m512i second) {
    return _mm512_mask_mov_epi16(first, 0xaaaaaaaau, _mm512_slli_epi32(second, 16));
}

EDGE_INLINE void edge_g256_pair_minimum(edge_g256_scales *scales, __m512i m, int j) {
    scales->m[j / 2] = j % 2 ? edge_join_halves(scales->m[j / 2], m) : m;
}

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
        edge_g256_pair_minimum(scales, _mm512_srli_epi32(bytes, 4), j);
    } else if (has_min) {
        scales->sc[j] = edge_load_u8_as_i32(sc + EDGE_TILE_ROWS * j);
        edge_g256_pair_minimum(scales, edge_load_u8_as_i32(sc + EDGE_TILE_ROWS * (EDGE_SUPER_TILES + j)), j);
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
    for (int j = 0; edge_g256_is_narrow(code, has_min) && j < EDGE_SUPER_TILES; j++)
        scales->sc[j] = edge_join_halves(scales->sc[2 * j], scales->sc[2 * j + 1]);
    const uint8_t *d = super + edge_g256_d(code, has_min);
    scales->d = edge_load_f16(d);
    if (edge_g256_unit(code) != 1.0f)
        scales->d = _mm512_mul_ps(scales->d, _mm512_set1_ps(edge_g256_unit(code)));
    if (has_min)
        scales->dmin = edge_load_f16(d + EDGE_ROW_HALVES);
}

/* One super-block of one token into the float accumulator. */
EDGE_INLINE __m512 edge_g256_accumulate(__m512 acc, __m512i isum, const edge_g256_scales *scales, float da,
                                        const edge_g256_token *token, int code, int has_min) {
    const __m512 factor = _mm512_set1_ps(da);
    acc = _mm512_add_ps(acc, _mm512_mul_ps(edge_i32_to_f32(isum), _mm512_mul_ps(scales->d, factor)));
    if (has_min) {
        __m512i msum = _mm512_setzero_si512();
        for (int p = 0; p < EDGE_SUPER_TILES * edge_g256_parts(code, has_min) / 2; p++)
            msum = _mm512_dpwssd_epi32(msum, scales->m[p], edge_broadcast_quad((const int8_t *)(token->sums + 2 * p)));
        acc = _mm512_sub_ps(acc, _mm512_mul_ps(edge_i32_to_f32(msum), _mm512_mul_ps(scales->dmin, factor)));
    }
    return acc;
}

/* sums[t] = the dot products of sub-block h of tile j for n tokens, h and n constants. */
EDGE_INLINE void edge_g256_sub_block(__m512i *sums, const __m512i u[8], const edge_g256_token *tokens, const int8_t *q,
                                     int64_t q_stride, int j, int h, int n, int code, int has_min) {
    const int parts = edge_g256_parts(code, has_min), vectors = EDGE_TILE_VECTORS / parts;
    for (int t = 0; t < n; t++)
        sums[t] = has_min ? _mm512_setzero_si512() : _mm512_set1_epi32(tokens[t].start[parts * j + h]);
    edge_dot_block(sums, u + vectors * h, vectors, q + 16 * h, q_stride, n);
}

/* isum[t] += scale * sums[t] */
EDGE_INLINE void edge_g256_scale(__m512i *isum, const __m512i *sums, __m512i scale, int n) {
    for (int t = 0; t < n; t++)
        isum[t] = _mm512_add_epi32(isum[t], _mm512_mullo_epi32(scale, sums[t]));
}

/* isum[t] += the scaled dot products of tile j for n tokens, n a constant. q: their codes at the tile. Sub-blocks are
 * written out: in a loop over them gcc 12 keeps the sums in memory. */
EDGE_INLINE void edge_g256_block(__m512i *isum, const __m512i u[8], const edge_g256_scales *scales,
                                 const edge_g256_token *tokens, const int8_t *q, int64_t q_stride, int j, int n,
                                 int code, int has_min) {
    __m512i first[EDGE_BLOCK_TOKENS], second[EDGE_BLOCK_TOKENS];
    edge_g256_sub_block(first, u, tokens, q, q_stride, j, 0, n, code, has_min);
    if (edge_g256_is_narrow(code, has_min)) {
        edge_g256_sub_block(second, u, tokens, q, q_stride, j, 1, n, code, has_min);
        for (int t = 0; t < n; t++)
            isum[t] = _mm512_dpwssd_epi32(isum[t], edge_join_halves(first[t], second[t]), scales->sc[j]);
    } else if (edge_g256_parts(code, has_min) == 2) {
        edge_g256_scale(isum, first, scales->sc[2 * j], n);
        edge_g256_sub_block(second, u, tokens, q, q_stride, j, 1, n, code, has_min);
        edge_g256_scale(isum, second, scales->sc[2 * j + 1], n);
    } else if (edge_g256_has_scales(code, has_min)) {
        edge_g256_scale(isum, first, scales->sc[j], n);
    } else {
        for (int t = 0; t < n; t++)
            isum[t] = _mm512_add_epi32(isum[t], first[t]);
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
        const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_SUPER * g;
        __m512i trits[EDGE_SUPER_VECTORS], isum[EDGE_BLOCK_TOKENS];
        edge_g256_scales scales;
        edge_g256_token tokens[EDGE_BLOCK_TOKENS];
        edge_g256_load_scales(&scales, super, code, has_min);
        for (int t = 0; t < n; t++)
            edge_g256_prepare_token(tokens + t, acts->s + (t0 + t) * acts->s_stride + 16 * g, code, has_min);
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
            edge_g256_block(isum, edge_code_is_trits(code) ? trits + 8 * j : u, &scales, tokens, q + EDGE_GROUP * j,
                            acts->q_stride, j, n, code, has_min);
        }
        for (int t = 0; t < n; t++)
            acc[t] = edge_g256_accumulate(acc[t], isum[t], &scales, acts->d[(t0 + t) * acts->d_stride + g], tokens + t,
                                          code, has_min);
    }
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc[t]);
}

EDGE_INLINE void edge_g256_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int code,
                                int has_min) {
    if (edge_g256_is_ternary(code, has_min)) {
        edge_g256_ternary_1x16(out, tiles, cols, acts, code);
        return;
    }
    if (code != 4 || !has_min) {
        edge_g256_few(out, tiles, cols, acts, 0, 1, code, has_min);
        return;
    }
    const size_t super_bytes = (size_t)edge_g256_bytes(code, has_min), code_bytes = (size_t)edge_code_bytes(code);
    __m512 acc = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (size_t)g * super_bytes;
        edge_g256_scales scales;
        edge_g256_token token;
        edge_g256_load_scales(&scales, super, code, has_min);
        edge_g256_prepare_token(&token, acts->s + 16 * g, code, has_min);
        __m512i isum = _mm512_setzero_si512();
        for (int j = 0; j < EDGE_SUPER_TILES; j++) {
            const uint8_t *codes = super + (size_t)j * code_bytes;
            edge_prefetch(codes, EDGE_PREFETCH_SUPERS * super_bytes, code_bytes);
            const int8_t *q = acts->q + EDGE_SUPER * g + EDGE_GROUP * j;
            const __m512i sum = edge_dot_tile(_mm512_setzero_si512(), codes, q, code);
            isum = _mm512_add_epi32(isum, _mm512_mullo_epi32(scales.sc[j], sum));
        }
        acc = edge_g256_accumulate(acc, isum, &scales, acts->d[g], &token, code, has_min);
    }
    _mm512_storeu_ps(out, acc);
}

/* 256 k of a tile row, unpacked, and what belongs to them of every token. */
typedef struct edge_g256_panel {
    __m512i u[EDGE_SUPER_VECTORS];
    edge_g256_scales scales;
    edge_g256_token tokens[EDGE_CHUNK_TOKENS];
} edge_g256_panel;

/* n tokens, n a constant, from token t0 on against super-tile g, which the panel holds; adds to out. */
EDGE_INLINE void edge_g256_panel_block(float *out, const edge_g256_panel *panel, const edge_acts *acts, int32_t t0,
                                       int32_t g, int n, int code, int has_min) {
    const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_SUPER * g;
    __m512i isum[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        isum[t] = _mm512_setzero_si512();
    for (int j = 0; j < EDGE_SUPER_TILES; j++)
        edge_g256_block(isum, panel->u + 8 * j, &panel->scales, panel->tokens + t0, q + EDGE_GROUP * j, acts->q_stride,
                        j, n, code, has_min);
    for (int t = 0; t < n; t++) {
        float *row = out + EDGE_TILE_ROWS * (t0 + t);
        const __m512 acc =
            edge_g256_accumulate(_mm512_loadu_ps(row), isum[t], &panel->scales, acts->d[(t0 + t) * acts->d_stride + g],
                                 panel->tokens + t0 + t, code, has_min);
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
    const size_t super_bytes = (size_t)edge_g256_bytes(code, has_min);
    edge_g256_panel panel;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (size_t)g * super_bytes;
        if (edge_code_is_trits(code))
            edge_unpack_trits(panel.u, super, code);
        for (int j = 0; !edge_code_is_trits(code) && j < EDGE_SUPER_TILES; j++)
            edge_unpack(panel.u + 8 * j, super + j * edge_code_bytes(code), code);
        edge_g256_load_scales(&panel.scales, super, code, has_min);
        for (int32_t t = 0; t < num_tokens; t++)
            edge_g256_prepare_token(panel.tokens + t, acts->s + t * acts->s_stride + 16 * g, code, has_min);
#define EDGE_PANEL(t0, n)                                                                                              \
    edge_prefetch_share(super + super_bytes, super_bytes, t0, n, num_tokens);                                          \
    edge_g256_panel_block(out, &panel, acts, t0, g, n, code, has_min)
        EDGE_IN_BLOCKS(num_tokens, EDGE_PANEL)
#undef EDGE_PANEL
    }
}

#endif
