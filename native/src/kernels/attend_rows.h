/* Attention of many query heads over one KV block: both products go in panels of 32 x 32 elements of K or V, which stay
 * in the first-level cache for all rows. What a level's file defines before it includes this: what attend_lanes.h asks
 * for, and EDGE_DIRECT_ROWS: up to so many rows read K and V where they lie, more of them are worth a panel of floats.
 */
#ifndef EDGE_ATTEND_ROWS_H
#define EDGE_ATTEND_ROWS_H

#include "attend.h"
#include "attend_lanes.h"
#include "kv.h"

/* out += a x b for a panel of 32 whole columns; b lies in the KV block. */
EDGE_INLINE void edge_panel_multiply(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                                     int64_t b_stride, int32_t n, int begin, int32_t rows, int type) {
    if (type != EDGE_KV_F32 && rows > EDGE_DIRECT_ROWS) {
        _Alignas(64) float panel[EDGE_PANEL * EDGE_PANEL];
        edge_panel_load(panel, b, b_stride, n, EDGE_PANEL, type);
        edge_panel_add(out, out_stride, a, a_stride, panel, EDGE_PANEL, n, begin, rows, EDGE_KV_F32);
    } else {
        edge_panel_add(out, out_stride, a, a_stride, b, b_stride, n, begin, rows, type);
    }
}

/* o = p x v: p (rows, 32), the rows first .. valid - 1 of v (32, head_dim). */
EDGE_INLINE void edge_attend_values(float *o, const float *p, const void *v, int32_t head_dim, int32_t rows,
                                    int32_t first, int32_t valid, int type) {
    int32_t d = 0;
    p += first;
    v = edge_kv_element(v, (int64_t)first * head_dim, type);
    valid -= first;
    for (; d + EDGE_PANEL <= head_dim; d += EDGE_PANEL) {
        edge_panel_multiply(o + d, head_dim, p, EDGE_PANEL, edge_kv_element(v, d, type), head_dim, valid, 1, rows,
                            type);
    }
    if (d < head_dim) {
        _Alignas(64) float panel[EDGE_PANEL * EDGE_PANEL], out[EDGE_ATTEND_ROWS * EDGE_PANEL];
        edge_panel_load(panel, edge_kv_element(v, d, type), head_dim, valid, head_dim - d, type);
        edge_panel_add(out, EDGE_PANEL, p, EDGE_PANEL, panel, EDGE_PANEL, valid, 1, rows, EDGE_KV_F32);
        for (int32_t r = 0; r < rows; r++) {
            memcpy(o + (int64_t)r * head_dim + d, out + r * EDGE_PANEL, (size_t)(head_dim - d) * sizeof out[0]);
        }
    }
}

/* At most EDGE_ATTEND_ROWS rows. */
EDGE_INLINE void edge_attend_tile(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                                  int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale, int type) {
    _Alignas(64) float p[EDGE_ATTEND_ROWS * EDGE_PANEL];
    for (int32_t d = 0; d < head_dim; d += EDGE_PANEL) {
        const int32_t n = head_dim - d < EDGE_PANEL ? head_dim - d : EDGE_PANEL;
        edge_panel_multiply(p, EDGE_PANEL, q + d, head_dim, edge_kv_element(k, (int64_t)d * EDGE_PANEL, type),
                            EDGE_PANEL, n, d == 0, rows, type);
    }
    for (int32_t r = 0; r < rows; r++) {
        float *row = p + r * EDGE_PANEL;
        for (int32_t t = 0; t < EDGE_PANEL; t++) {
            row[t] = row[t] * scale;
        }
    }
    edge_softmax_rows(p, max, sum, rows, first, valid);
    edge_attend_values(o, p, v, head_dim, rows, first, valid, type);
}

/* The same for Q8: scores are integers times scales, the scale of a value goes into its weight. */
EDGE_INLINE void edge_attend_tile_q8(float *o, float *max, float *sum, const int8_t *q, const float *d,
                                     const uint8_t *k, const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first,
                                     int32_t valid, float scale) {
    _Alignas(64) float p[EDGE_ATTEND_ROWS * EDGE_PANEL];
    _Alignas(64) int32_t dots[EDGE_ATTEND_ROWS * EDGE_PANEL];
    float k_scales[EDGE_PANEL], v_scales[EDGE_PANEL];
    memcpy(k_scales, k, sizeof k_scales);
    memcpy(v_scales, v, sizeof v_scales);
    edge_key_dots(dots, q, (const int8_t *)k + sizeof k_scales, edge_kv_q8_codes(head_dim) / 4, rows);
    for (int32_t r = 0; r < rows; r++) {
        float *row = p + r * EDGE_PANEL;
        const float factor = d[r];
        for (int32_t t = 0; t < EDGE_PANEL; t++) {
            row[t] = ((float)dots[r * EDGE_PANEL + t] * (factor * k_scales[t])) * scale;
        }
    }
    edge_softmax_rows(p, max, sum, rows, first, valid);
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t t = 0; t < EDGE_PANEL; t++) {
            p[r * EDGE_PANEL + t] = p[r * EDGE_PANEL + t] * v_scales[t];
        }
    }
    edge_attend_values(o, p, v + sizeof v_scales, head_dim, rows, first, valid, EDGE_KV_Q8);
}

EDGE_INLINE void edge_attend_rows(float *o, float *max, float *sum, const float *q, const void *k, const void *v,
                                  int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale, int type) {
    for (int32_t begin = 0; begin < rows; begin += EDGE_ATTEND_ROWS) {
        const int32_t size = rows - begin < EDGE_ATTEND_ROWS ? rows - begin : EDGE_ATTEND_ROWS;
        const int64_t at = (int64_t)begin * head_dim;
        edge_attend_tile(o + at, max + begin, sum + begin, q + at, k, v, head_dim, size, first, valid, scale, type);
    }
}

EDGE_INLINE void edge_attend_rows_q8(float *o, float *max, float *sum, const int8_t *q, const float *d,
                                     const uint8_t *k, const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first,
                                     int32_t valid, float scale) {
    for (int32_t begin = 0; begin < rows; begin += EDGE_ATTEND_ROWS) {
        const int32_t size = rows - begin < EDGE_ATTEND_ROWS ? rows - begin : EDGE_ATTEND_ROWS;
        edge_attend_tile_q8(o + (int64_t)begin * head_dim, max + begin, sum + begin,
                            q + (int64_t)begin * edge_kv_q8_codes(head_dim), d + begin, k, v, head_dim, size, first,
                            valid, scale);
    }
}

#endif
