/* Integer dot products of formats whose scales stand for themselves, one per 16, 32, 64 or 128 k, in three shapes.
 * Lanes are rows. */
#ifndef EDGE_DOT_G32_TEMPLATE_AVX512VNNI_H
#define EDGE_DOT_G32_TEMPLATE_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"
#include "kernels.h"

EDGE_INLINE const uint8_t *edge_g32_tile_at(const uint8_t *tiles, int32_t g, int code, int has_min) {
    const int32_t shared = edge_g32_tiles(code);
    return tiles + (int64_t)(g / shared) * edge_g32_bytes(code, has_min) + g % shared * edge_code_bytes(code);
}

/* Sixteen powers of two, 2^(e - 128). */
EDGE_INLINE __m512 edge_load_e8m0(const uint8_t *p) {
    const __m512i e = edge_load_u8_as_i32(p);
    const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
    const __mmask16 is_normal = _mm512_cmpgt_epi32_mask(e, _mm512_set1_epi32(1));
    const __mmask16 is_one = _mm512_cmpeq_epi32_mask(e, _mm512_set1_epi32(1));
    const __m512i small = _mm512_mask_mov_epi32(_mm512_set1_epi32(0x00200000), is_one, _mm512_set1_epi32(0x00400000));
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(small, is_normal, normal));
}

/* Sixteen UE4M3, halved; 0x7f is 0. */
EDGE_INLINE __m512 edge_load_ue4m3(const uint8_t *p) {
    const __m512i e = edge_load_u8_as_i32(p);
    const __m512i bits = _mm512_slli_epi32(_mm512_and_si512(e, _mm512_set1_epi32(0x7f)), 20);
    const __m512 value = _mm512_mul_ps(_mm512_castsi512_ps(bits), _mm512_set1_ps(0x1p119f));
    const __mmask16 is_none = _mm512_cmpeq_epi32_mask(e, _mm512_set1_epi32(0x7f));
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(_mm512_castps_si512(value), is_none, _mm512_setzero_si512()));
}

/* What multiplies a group: scales by span, and the minimum. */
typedef struct edge_g32_scales {
    __m512 d[2], m;
} edge_g32_scales;

EDGE_INLINE edge_g32_scales edge_g32_load_scales(const uint8_t *tiles, int32_t g, int code, int has_min) {
    const int32_t shared = edge_g32_tiles(code);
    const uint8_t *at = tiles + (int64_t)(g / shared) * edge_g32_bytes(code, has_min);
    at += shared * edge_code_bytes(code);
    edge_g32_scales scales;
    if (code == EDGE_CODE_FP4S) {
        scales.d[0] = edge_load_ue4m3(at);
        scales.d[1] = edge_load_ue4m3(at + EDGE_TILE_ROWS);
    } else {
        scales.d[0] = scales.d[1] = code == EDGE_CODE_FP4 ? edge_load_e8m0(at) : edge_load_f16(at);
    }
    scales.m = has_min ? edge_load_f16(at + EDGE_ROW_HALVES) : _mm512_setzero_ps();
    return scales;
}

/* One group into the float accumulator: a multiply and an add, never fused, then the same for the minimum. */
EDGE_INLINE __m512 edge_g32_accumulate(__m512 acc, __m512i isum, __m512 d, __m512 m, float da, int32_t s, int has_min) {
    const __m512 scale = _mm512_mul_ps(d, _mm512_set1_ps(da));
    acc = _mm512_add_ps(acc, _mm512_mul_ps(edge_i32_to_f32(isum), scale));
    if (has_min)
        acc = _mm512_add_ps(acc, _mm512_mul_ps(m, _mm512_set1_ps(da * (float)s)));
    return acc;
}

/* The sum of 16 activations. */
EDGE_INLINE int32_t edge_sum16(const int8_t *q) {
    int32_t sum = 0;
    for (int k = 0; k < 16; k++)
        sum += q[k];
    return sum;
}

/* Group g of n tokens (n a constant) from token t0 on, over codes that are already unpacked. */
EDGE_INLINE void edge_g32_block(__m512 *acc, const __m512i u[8], const edge_g32_scales *scales, const edge_acts *acts,
                                int32_t t0, int32_t g, int n, int code, int has_min) {
    const int32_t offset = edge_code_offset(code, has_min);
    const int8_t *q = acts->q + t0 * acts->q_stride + EDGE_GROUP * g;
    const float *da = acts->d + t0 * acts->d_stride + g;
    const int32_t *s = acts->s + t0 * acts->s_stride + g;
    const int vectors = EDGE_TILE_VECTORS / edge_g32_spans(code);
    for (int span = 0; span < edge_g32_spans(code); span++) {
        const int8_t *from = q + 4 * vectors * span;
        __m512i isum[EDGE_BLOCK_TOKENS];
        for (int t = 0; t < n; t++) {
            const int32_t sum =
                edge_g32_spans(code) > 1 ? edge_sum16(from + t * acts->q_stride) : s[t * acts->s_stride];
            isum[t] = _mm512_set1_epi32(-offset * sum);
        }
        edge_dot_block(isum, u + vectors * span, vectors, from, acts->q_stride, n);
        for (int t = 0; t < n; t++)
            acc[t] = edge_g32_accumulate(acc[t], isum[t], scales->d[span], scales->m, da[t * acts->d_stride],
                                         s[t * acts->s_stride], has_min);
    }
}

/* n tokens, n a constant, from token t0 on: a tile is unpacked into registers once. */
EDGE_INLINE void edge_g32_few(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t t0, int n,
                              int code, int has_min) {
    const size_t tile_bytes = (size_t)(edge_g32_bytes(code, has_min) / edge_g32_tiles(code));
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = edge_g32_tile_at(tiles, g, code, has_min);
        edge_prefetch(tile, EDGE_PREFETCH_TILES * tile_bytes, tile_bytes);
        const edge_g32_scales scales = edge_g32_load_scales(tiles, g, code, has_min);
        __m512i u[8];
        edge_unpack(u, tile, code);
        edge_g32_block(acc, u, &scales, acts, t0, g, n, code, has_min);
    }
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc[t]);
}

EDGE_INLINE void edge_g32_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int code,
                               int has_min) {
    if (code > 8) {
        edge_g32_few(out, tiles, cols, acts, 0, 1, code, has_min);
        return;
    }
    const size_t tile_bytes = (size_t)(edge_g32_bytes(code, has_min) / edge_g32_tiles(code));
    const int32_t offset = edge_code_offset(code, has_min);
    __m512 acc = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = edge_g32_tile_at(tiles, g, code, has_min);
        edge_prefetch(tile, EDGE_PREFETCH_TILES * tile_bytes, tile_bytes);
        const __m512i start = _mm512_set1_epi32(-offset * acts->s[g]);
        const __m512i isum = edge_dot_tile(start, tile, acts->q + EDGE_GROUP * g, code);
        const edge_g32_scales scales = edge_g32_load_scales(tiles, g, code, has_min);
        acc = edge_g32_accumulate(acc, isum, scales.d[0], scales.m, acts->d[g], acts->s[g], has_min);
    }
    _mm512_storeu_ps(out, acc);
}

/* 256 k of a tile row, unpacked, and what belongs to them of every token: so close together that all of a block is
 * found from one address. With a pointer for each token's scales and sums there are not registers enough. */
typedef struct edge_g32_panel {
    __m512i u[EDGE_SUPER_TILES][8];
    edge_g32_scales scales[EDGE_SUPER_TILES];
    int32_t start[2][EDGE_CHUNK_TOKENS][EDGE_SUPER_TILES]; /* by span: less the codes' offset times the activations */
    _Alignas(32) float d[EDGE_CHUNK_TOKENS][EDGE_SUPER_TILES];
    float m[EDGE_CHUNK_TOKENS][EDGE_SUPER_TILES]; /* what minima are multiplied by */
} edge_g32_panel;

EDGE_INLINE void edge_g32_unpack_panel(edge_g32_panel *panel, const uint8_t *tiles, int32_t g0, int32_t groups,
                                       int code, int has_min) {
    for (int32_t i = 0; i < groups; i++) {
        edge_unpack(panel->u[i], edge_g32_tile_at(tiles, g0 + i, code, has_min), code);
        panel->scales[i] = edge_g32_load_scales(tiles, g0 + i, code, has_min);
    }
}

/* The eight sums of a token times a number. */
EDGE_INLINE void edge_g32_gather_whole(edge_g32_panel *panel, const edge_acts *acts, int32_t t, int32_t g0,
                                       int32_t offset, int has_min) {
    const __m256 d = _mm256_loadu_ps(acts->d + t * acts->d_stride + g0);
    const __m256i s = _mm256_loadu_si256((const __m256i *)(const void *)(acts->s + t * acts->s_stride + g0));
    _mm256_store_ps(panel->d[t], d);
    if (has_min)
        _mm256_store_ps(panel->m[t], _mm256_mul_ps(d, _mm256_cvtepi32_ps(s)));
    else
        _mm256_store_si256((__m256i *)(void *)panel->start[0][t], _mm256_mullo_epi32(s, _mm256_set1_epi32(-offset)));
}

/* groups a constant where it is 8. */
EDGE_INLINE void edge_g32_gather_token(edge_g32_panel *panel, const edge_acts *acts, int32_t t, int32_t g0,
                                       int32_t groups, int code, int has_min) {
    const int32_t offset = edge_code_offset(code, has_min);
    const float *d = acts->d + t * acts->d_stride + g0;
    const int32_t *s = acts->s + t * acts->s_stride + g0;
    const int8_t *q = acts->q + t * acts->q_stride + EDGE_GROUP * g0;
    for (int32_t i = 0; i < groups; i++) {
        panel->d[t][i] = d[i];
        if (has_min)
            panel->m[t][i] = d[i] * (float)s[i];
        if (edge_g32_spans(code) == 1) {
            panel->start[0][t][i] = -offset * s[i];
        } else {
            panel->start[0][t][i] = -offset * edge_sum16(q + EDGE_GROUP * i);
            panel->start[1][t][i] = -offset * edge_sum16(q + EDGE_GROUP * i + 16);
        }
    }
}

/* n tokens, n a constant, from token t0 on against the first `groups` groups of the panel; adds to out. q: their codes
 * there. */
EDGE_INLINE void edge_g32_panel_block(float *out, const edge_g32_panel *panel, const int8_t *q, int64_t q_stride,
                                      int32_t t0, int32_t groups, int n, int code, int has_min) {
    const int vectors = EDGE_TILE_VECTORS / edge_g32_spans(code);
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_loadu_ps(out + EDGE_TILE_ROWS * (t0 + t));
    for (int32_t i = 0; i < groups; i++) {
        const edge_g32_scales *scales = &panel->scales[i];
        for (int span = 0; span < edge_g32_spans(code); span++) {
            __m512i isum[EDGE_BLOCK_TOKENS];
            for (int t = 0; t < n; t++)
                isum[t] = has_min ? _mm512_setzero_si512() : _mm512_set1_epi32(panel->start[span][t0 + t][i]);
            edge_dot_block(isum, panel->u[i] + vectors * span, vectors,
                           q + t0 * q_stride + EDGE_GROUP * i + 4 * vectors * span, q_stride, n);
            for (int t = 0; t < n; t++) {
                const __m512 scale = _mm512_mul_ps(scales->d[span], _mm512_set1_ps(panel->d[t0 + t][i]));
                acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(edge_i32_to_f32(isum[t]), scale));
                if (has_min)
                    acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(scales->m, _mm512_set1_ps(panel->m[t0 + t][i])));
            }
        }
    }
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc[t]);
}

EDGE_INLINE void edge_g32_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                               int32_t num_tokens, int code, int has_min){
#define EDGE_FEW(t0, n) edge_g32_few(out, tiles, cols, acts, t0, n, code, has_min)
    EDGE_IN_BLOCKS(num_tokens, EDGE_FEW)
#undef EDGE_FEW
}

EDGE_INLINE void edge_g32_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                int32_t num_tokens, int code, int has_min) {
    const int32_t num_groups = cols / EDGE_GROUP;
    const size_t tile_bytes = (size_t)(edge_g32_bytes(code, has_min) / edge_g32_tiles(code));
    edge_g32_panel panel;
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t g0 = 0; g0 < num_groups; g0 += EDGE_SUPER_TILES) {
        const int32_t rest = num_groups - g0, groups = rest < EDGE_SUPER_TILES ? rest : EDGE_SUPER_TILES;
        const int8_t *q = acts->q + EDGE_GROUP * g0;
        edge_g32_unpack_panel(&panel, tiles, g0, groups, code, has_min);
        for (int32_t t = 0; t < num_tokens; t++) {
            if (groups == EDGE_SUPER_TILES && edge_g32_spans(code) == 1)
                edge_g32_gather_whole(&panel, acts, t, g0, edge_code_offset(code, has_min), has_min);
            else
                edge_g32_gather_token(&panel, acts, t, g0, groups, code, has_min);
        }
        const uint8_t *next = edge_g32_tile_at(tiles, g0 + EDGE_SUPER_TILES, code, has_min);
#define EDGE_PANEL(t0, n)                                                                                              \
    edge_prefetch_share(next, EDGE_SUPER_TILES *tile_bytes, t0, n, num_tokens);                                        \
    edge_g32_panel_block(out, &panel, q, acts->q_stride, t0, groups, n, code, has_min)
        EDGE_IN_BLOCKS(num_tokens, EDGE_PANEL)
#undef EDGE_PANEL
    }
}

#endif
