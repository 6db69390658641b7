/* Dot products of float weights (F32, F16, BF16; k-major) with float activations: groups of 32 k are summed on their
 * own, then added, so that four groups may run side by side without changing a bit. Lanes are rows. */
#ifndef EDGE_FLOAT_TEMPLATE_AVX512VNNI_H
#define EDGE_FLOAT_TEMPLATE_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"
#include "kernels.h"

#define EDGE_FLOAT_CHAINS  4   /* groups that run side by side: the latency of an add in multiplies */
#define EDGE_FLOAT_AHEAD   64  /* k that the prefetch is ahead */
#define EDGE_FLOAT_PANEL_K 128 /* k converted to float at a time: 8 KiB of stack */

/* type is a constant. */
EDGE_INLINE __m512 edge_load_weight(const uint8_t *tiles, int32_t k, edge_family type) {
    if (type == EDGE_FAMILY_F32)
        return _mm512_loadu_ps(tiles + (size_t)k * 4 * EDGE_TILE_ROWS);
    const uint8_t *halves = tiles + (size_t)k * 2 * EDGE_TILE_ROWS;
    return type == EDGE_FAMILY_F16 ? edge_load_f16(halves) : edge_load_bf16(halves);
}

/* acc + the group of `length` k from k0 on. */
EDGE_INLINE __m512 edge_float_group(__m512 acc, const uint8_t *tiles, const float *x, int32_t k0, int32_t length,
                                    edge_family type) {
    __m512 group = _mm512_setzero_ps();
    for (int32_t k = k0; k < k0 + length; k++)
        group = _mm512_add_ps(group, _mm512_mul_ps(edge_load_weight(tiles, k, type), _mm512_set1_ps(x[k])));
    return _mm512_add_ps(acc, group);
}

EDGE_INLINE void edge_float_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 edge_family type) {
    const size_t k_bytes = (type == EDGE_FAMILY_F32 ? 4 : 2) * EDGE_TILE_ROWS;
    const float *x = acts->x;
    __m512 acc = _mm512_setzero_ps();
    int32_t k0 = 0;
    for (; k0 + EDGE_FLOAT_CHAINS * EDGE_GROUP <= cols; k0 += EDGE_FLOAT_CHAINS * EDGE_GROUP) {
        __m512 group[EDGE_FLOAT_CHAINS];
        for (int c = 0; c < EDGE_FLOAT_CHAINS; c++)
            group[c] = _mm512_setzero_ps();
        for (int32_t i = 0; i < EDGE_GROUP; i++) {
            for (int c = 0; c < EDGE_FLOAT_CHAINS; c++) {
                const int32_t k = k0 + EDGE_GROUP * c + i;
                const __m512 w = edge_load_weight(tiles, k, type);
                edge_prefetch(tiles + (size_t)k * k_bytes, EDGE_FLOAT_AHEAD * k_bytes, 1);
                group[c] = _mm512_add_ps(group[c], _mm512_mul_ps(w, _mm512_set1_ps(x[k])));
            }
        }
        for (int c = 0; c < EDGE_FLOAT_CHAINS; c++)
            acc = _mm512_add_ps(acc, group[c]);
    }
    for (; k0 < cols; k0 += EDGE_GROUP) {
        const int32_t rest = cols - k0;
        acc = edge_float_group(acc, tiles, x, k0, rest < EDGE_GROUP ? rest : EDGE_GROUP, type);
    }
    _mm512_storeu_ps(out, acc);
}

/* n tokens (n a constant) against `length` k; x: activations of the first token at the first k.
 * ahead: k that a prefetch of the weights is ahead, or 0 where they lie near; a constant. */
EDGE_INLINE void edge_float_block(__m512 *acc, const uint8_t *tiles, int32_t length, const float *x, int64_t x_stride,
                                  int n, edge_family type, size_t ahead) {
    const size_t k_bytes = (type == EDGE_FAMILY_F32 ? 4 : 2) * EDGE_TILE_ROWS;
    for (int32_t k0 = 0; k0 < length; k0 += EDGE_GROUP) {
        const int32_t end = k0 + EDGE_GROUP < length ? k0 + EDGE_GROUP : length;
        __m512 group[EDGE_BLOCK_TOKENS];
        for (int t = 0; t < n; t++)
            group[t] = _mm512_setzero_ps();
        for (int32_t k = k0; k < end; k++) {
            const __m512 w = edge_load_weight(tiles, k, type);
            if (ahead)
                edge_prefetch(tiles + (size_t)k * k_bytes, ahead * k_bytes, 1);
            for (int t = 0; t < n; t++)
                group[t] = _mm512_add_ps(group[t], _mm512_mul_ps(w, _mm512_set1_ps(x[t * x_stride + k])));
        }
        for (int t = 0; t < n; t++)
            acc[t] = _mm512_add_ps(acc[t], group[t]);
    }
}

EDGE_INLINE void edge_float_few(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t t0,
                                int n, edge_family type) {
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_setzero_ps();
    edge_float_block(acc, tiles, cols, acts->x + t0 * acts->x_stride, acts->x_stride, n, type, EDGE_FLOAT_AHEAD);
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * (t0 + t), acc[t]);
}

/* n tokens, n a constant, against a panel of floats; adds to out (the rows of these tokens). */
EDGE_INLINE void edge_float_panel_block(float *out, const uint8_t *panel, int32_t length, const float *x,
                                        int64_t x_stride, int n) {
    __m512 acc[EDGE_BLOCK_TOKENS];
    for (int t = 0; t < n; t++)
        acc[t] = _mm512_loadu_ps(out + EDGE_TILE_ROWS * t);
    edge_float_block(acc, panel, length, x, x_stride, n, EDGE_FAMILY_F32, 0);
    for (int t = 0; t < n; t++)
        _mm512_storeu_ps(out + EDGE_TILE_ROWS * t, acc[t]);
}

EDGE_INLINE void edge_float_8x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                 int32_t num_tokens, edge_family type){
#define EDGE_FEW(t0, n) edge_float_few(out, tiles, cols, acts, t0, n, type)
    EDGE_IN_BLOCKS(num_tokens, EDGE_FEW)
#undef EDGE_FEW
}

EDGE_INLINE void edge_float_64x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                  int32_t num_tokens, edge_family type) {
    const size_t k_bytes = (type == EDGE_FAMILY_F32 ? 4 : 2) * EDGE_TILE_ROWS;
    __m512 converted[EDGE_FLOAT_PANEL_K];
    memset(out, 0, sizeof(float) * EDGE_TILE_ROWS * (size_t)num_tokens);
    for (int32_t k0 = 0; k0 < cols; k0 += EDGE_FLOAT_PANEL_K) {
        const int32_t rest = cols - k0, length = rest < EDGE_FLOAT_PANEL_K ? rest : EDGE_FLOAT_PANEL_K;
        const uint8_t *panel = (const uint8_t *)converted;
        if (type == EDGE_FAMILY_F32)
            panel = tiles + (size_t)k0 * 4 * EDGE_TILE_ROWS;
        else
            for (int32_t k = 0; k < length; k++)
                converted[k] = edge_load_weight(tiles, k0 + k, type);
        const float *x = acts->x + k0;
        const uint8_t *next = tiles + (size_t)(k0 + length) * k_bytes;
#define EDGE_PANEL(t0, n)                                                                                              \
    edge_prefetch_share(next, (size_t)length *k_bytes, t0, n, num_tokens);                                             \
    edge_float_panel_block(out + EDGE_TILE_ROWS * (t0), panel, length, x + (t0) * acts->x_stride, acts->x_stride, n)
        EDGE_IN_BLOCKS(num_tokens, EDGE_PANEL)
#undef EDGE_PANEL
    }
}

#endif
