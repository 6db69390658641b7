/* Attention of many query heads over one KV block: both products go in panels of 32 x 32 elements of K or V, which stay
 * in the first-level cache for all rows. What a level's file defines before it includes this:
 *
 * edge_panel_add: out[r][c] = (begin ? 0 : out[r][c]) + the sum over i < n, ascending, of a[r][i] * b[i][c], for r <
 * rows and c < 32. b holds halves or floats, is_half a constant. edge_panel_load: to[i][c] = from[i][c] as floats for i
 * < n, c < width, and 0 for width <= c < 32. EDGE_DIRECT_ROWS: up to so many rows read halves where they lie; more of
 * them are worth a panel of floats. */
#ifndef EDGE_ATTEND_ROWS_H
#define EDGE_ATTEND_ROWS_H

#include "attend.h"

#define EDGE_PANEL EDGE_KV_BLOCK_SIZE

/* Element `index` of K or V. */
EDGE_INLINE const void *edge_kv_element(const void *values, int64_t index, int is_half) {
    return (const uint8_t *)values + index * (is_half ? 2 : 4);
}

/* out += a x b for a panel of 32 whole columns; b lies in the KV block. */
EDGE_INLINE void edge_panel_multiply(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                                     int64_t b_stride, int32_t n, int begin, int32_t rows, int is_half) {
    if (is_half && rows > EDGE_DIRECT_ROWS) {
        _Alignas(64) float panel[EDGE_PANEL * EDGE_PANEL];
        edge_panel_load(panel, b, b_stride, n, EDGE_PANEL, is_half);
        edge_panel_add(out, out_stride, a, a_stride, panel, EDGE_PANEL, n, begin, rows, 0);
    } else {
        edge_panel_add(out, out_stride, a, a_stride, b, b_stride, n, begin, rows, is_half);
    }
}

/* At most EDGE_ATTEND_ROWS rows. */
EDGE_INLINE void edge_attend_tile(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                                  int32_t head_dim, int32_t rows, int32_t valid, float scale, int is_half) {
    _Alignas(64) float p[EDGE_ATTEND_ROWS * EDGE_PANEL];
    int32_t d = 0;
    for (; d < head_dim; d += EDGE_PANEL) {
        const int32_t n = head_dim - d < EDGE_PANEL ? head_dim - d : EDGE_PANEL;
        edge_panel_multiply(p, EDGE_PANEL, q + d, head_dim, edge_kv_element(k, (int64_t)d * EDGE_PANEL, is_half),
                            EDGE_PANEL, n, d == 0, rows, is_half);
    }
    for (int32_t r = 0; r < rows; r++) {
        float *row = p + r * EDGE_PANEL;
        for (int32_t t = 0; t < EDGE_PANEL; t++) {
            row[t] = row[t] * scale;
        }
        edge_softmax_block(row, &max[r], &sum[r], valid);
    }
    for (d = 0; d + EDGE_PANEL <= head_dim; d += EDGE_PANEL) {
        edge_panel_multiply(o + d, head_dim, p, EDGE_PANEL, edge_kv_element(v, d, is_half), head_dim, valid, 1, rows,
                            is_half);
    }
    if (d < head_dim) {
        _Alignas(64) float panel[EDGE_PANEL * EDGE_PANEL], out[EDGE_ATTEND_ROWS * EDGE_PANEL];
        edge_panel_load(panel, edge_kv_element(v, d, is_half), head_dim, valid, head_dim - d, is_half);
        edge_panel_add(out, EDGE_PANEL, p, EDGE_PANEL, panel, EDGE_PANEL, valid, 1, rows, 0);
        for (int32_t r = 0; r < rows; r++) {
            memcpy(o + (int64_t)r * head_dim + d, out + r * EDGE_PANEL, (size_t)(head_dim - d) * sizeof out[0]);
        }
    }
}

EDGE_INLINE void edge_attend_rows(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                                  int32_t head_dim, int32_t rows, int32_t valid, float scale, int is_half) {
    for (int32_t begin = 0; begin < rows; begin += EDGE_ATTEND_ROWS) {
        const int32_t size = rows - begin < EDGE_ATTEND_ROWS ? rows - begin : EDGE_ATTEND_ROWS;
        const int64_t at = (int64_t)begin * head_dim;
        edge_attend_tile(o + at, max + begin, sum + begin, q + at, k, v, head_dim, size, valid, scale, is_half);
    }
}

#endif
