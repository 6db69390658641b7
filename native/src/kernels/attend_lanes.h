/* The two products and the softmax of attention, over the lanes of a level. What the level's edge_simd__LEVEL.h gives:
 * EDGE_FLOATS, edge_floats, edge_ints and their operations. What its file defines before it includes this:
 *
 * EDGE_BLOCK_ROWS, EDGE_BLOCK_VECTORS: so many rows of so many vectors are summed side by side, in registers.
 * edge_key_begin(q, codes): the sums that a query of so many codes begins with. edge_key_step(sums, keys, q): adds what
 * four codes of a query, at q, give with as many of EDGE_FLOATS positions, at keys. */
#ifndef EDGE_ATTEND_LANES_H
#define EDGE_ATTEND_LANES_H

#include <math.h>

#include "edge/kv.h"
#include "expf.h"

#define EDGE_PANEL       EDGE_KV_BLOCK_SIZE /* rows and columns */
#define EDGE_BLOCK_WIDTH (EDGE_BLOCK_VECTORS * EDGE_FLOATS)

_Static_assert(EDGE_PANEL == 32, "the steps of edge_join_row");
_Static_assert(EDGE_PANEL % EDGE_BLOCK_WIDTH == 0, "a panel is cut into whole blocks");

/* Element `index` of K or V, of a cache type that is a constant. */
EDGE_INLINE const void *edge_kv_element(const void *values, int64_t index, int type) {
    return (const uint8_t *)values + index * (type == EDGE_KV_F32 ? 4 : type == EDGE_KV_F16 ? 2 : 1);
}

/* The lanes from an element on. */
EDGE_INLINE edge_floats edge_load_lanes(const void *element, int type) {
    return type == EDGE_KV_Q8    ? edge_load_i8(element)
           : type == EDGE_KV_F16 ? edge_load_f16(element)
                                 : edge_load_floats(element);
}

EDGE_INLINE float edge_load_one(const void *element, int type) {
    return type == EDGE_KV_Q8    ? (float)*(const int8_t *)element
           : type == EDGE_KV_F16 ? edge_f16_to_f32(*(const uint16_t *)element)
                                 : *(const float *)element;
}

/* to[i][c] = from[i][c] as floats for i < n, c < width, and 0 for width <= c < 32. */
EDGE_INLINE void edge_panel_load(float *to, const void *from, int64_t stride, int32_t n, int32_t width, int type) {
    for (int32_t i = 0; i < n; i++, to += EDGE_PANEL) {
        int32_t c = 0;
        for (; c + EDGE_FLOATS <= width; c += EDGE_FLOATS) {
            edge_store_floats(to + c, edge_load_lanes(edge_kv_element(from, i * stride + c, type), type));
        }
        for (; c < width; c++) {
            to[c] = edge_load_one(edge_kv_element(from, i * stride + c, type), type);
        }
        for (; c < EDGE_PANEL; c++) {
            to[c] = 0.0f;
        }
    }
}

/* edge_panel_add of a block; rows (1 .. EDGE_BLOCK_ROWS) is a constant. */
EDGE_INLINE void edge_block_add(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                                int64_t b_stride, int32_t n, int begin, int rows, int type) {
    edge_floats acc[EDGE_BLOCK_ROWS][EDGE_BLOCK_VECTORS];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_BLOCK_VECTORS; i++) {
            acc[r][i] = begin ? edge_all_floats(0.0f) : edge_load_floats(out + r * out_stride + i * EDGE_FLOATS);
        }
    }
    for (int32_t k = 0; k < n; k++) {
        edge_floats factor[EDGE_BLOCK_ROWS];
        for (int r = 0; r < rows; r++) {
            factor[r] = edge_all_floats(a[r * a_stride + k]);
        }
        for (int i = 0; i < EDGE_BLOCK_VECTORS; i++) {
            const edge_floats lanes = edge_load_lanes(edge_kv_element(b, k * b_stride + i * EDGE_FLOATS, type), type);
            for (int r = 0; r < rows; r++) {
                acc[r][i] = edge_multiply_add(acc[r][i], factor[r], lanes);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_BLOCK_VECTORS; i++) {
            edge_store_floats(out + r * out_stride + i * EDGE_FLOATS, acc[r][i]);
        }
    }
}

/* out[r][c] = (begin ? 0 : out[r][c]) + the sum over i < n, ascending, of a[r][i] * b[i][c], for r < rows and c < 32. b
 * holds elements of a cache type, a constant. */
EDGE_INLINE void edge_panel_add(float *out, int64_t out_stride, const float *a, int64_t a_stride, const void *b,
                                int64_t b_stride, int32_t n, int begin, int32_t rows, int type) {
    for (int c = 0; c < EDGE_PANEL; c += EDGE_BLOCK_WIDTH) {
        const void *columns = edge_kv_element(b, c, type);
        int32_t r = 0;
        for (; r + EDGE_BLOCK_ROWS <= rows; r += EDGE_BLOCK_ROWS) {
            edge_block_add(out + r * out_stride + c, out_stride, a + r * a_stride, a_stride, columns, b_stride, n,
                           begin, EDGE_BLOCK_ROWS, type);
        }
        for (; EDGE_BLOCK_ROWS > 4 && r + 4 <= rows; r += 4) {
            edge_block_add(out + r * out_stride + c, out_stride, a + r * a_stride, a_stride, columns, b_stride, n,
                           begin, 4, type);
        }
        for (; r < rows; r++) {
            edge_block_add(out + r * out_stride + c, out_stride, a + r * a_stride, a_stride, columns, b_stride, n,
                           begin, 1, type);
        }
    }
}

/* edge_key_dots of a block; rows (1 .. EDGE_BLOCK_ROWS) is a constant. */
EDGE_INLINE void edge_block_dots(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int rows) {
    edge_ints acc[EDGE_BLOCK_ROWS][EDGE_BLOCK_VECTORS];
    for (int r = 0; r < rows; r++) {
        const edge_ints begin = edge_key_begin(q + (int64_t)r * groups * 4, groups * 4);
        for (int i = 0; i < EDGE_BLOCK_VECTORS; i++) {
            acc[r][i] = begin;
        }
    }
    for (int32_t g = 0; g < groups; g++, k += EDGE_PANEL * 4) {
        for (int i = 0; i < EDGE_BLOCK_VECTORS; i++) {
            for (int r = 0; r < rows; r++) {
                acc[r][i] = edge_key_step(acc[r][i], k + i * EDGE_FLOATS * 4, q + (int64_t)(r * groups + g) * 4);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < EDGE_BLOCK_VECTORS; i++) {
            edge_store_ints(dots + r * EDGE_PANEL + i * EDGE_FLOATS, acc[r][i]);
        }
    }
}

/* dots[r][t] = q[r] . k[t], t < 32, of `groups` times four codes; k: (groups, 32, 4). */
EDGE_INLINE void edge_key_dots(int32_t *dots, const int8_t *q, const int8_t *k, int32_t groups, int32_t rows) {
    for (int t = 0; t < EDGE_PANEL; t += EDGE_BLOCK_WIDTH) {
        int32_t r = 0;
        for (; r + EDGE_BLOCK_ROWS <= rows; r += EDGE_BLOCK_ROWS) {
            edge_block_dots(dots + r * EDGE_PANEL + t, q + (int64_t)r * groups * 4, k + t * 4, groups, EDGE_BLOCK_ROWS);
        }
        for (; EDGE_BLOCK_ROWS > 4 && r + 4 <= rows; r += 4) {
            edge_block_dots(dots + r * EDGE_PANEL + t, q + (int64_t)r * groups * 4, k + t * 4, groups, 4);
        }
        for (; r < rows; r++) {
            edge_block_dots(dots + r * EDGE_PANEL + t, q + (int64_t)r * groups * 4, k + t * 4, groups, 1);
        }
    }
}

EDGE_INLINE edge_floats edge_join_floats(edge_floats a, edge_floats b, int is_sum) {
    return is_sum ? edge_add_floats(a, b) : edge_larger_floats(a, b);
}

EDGE_INLINE float edge_join_two(float a, float b, int is_sum) {
    return is_sum ? a + b : a > b ? a : b;
}

/* The sum or the maximum (a constant) of a row of 32: t and t + 16 first, then the tree of edge_sum_lanes and
 * edge_max_lanes. Every step has a size of its own: over a variable one, compilers make loops of any length. */
EDGE_INLINE float edge_join_row(const float *row, int is_sum) {
    enum { VECTORS = EDGE_PANEL / EDGE_FLOATS };
    edge_floats lanes[VECTORS];
    float left[EDGE_FLOATS];
    for (int i = 0; i < VECTORS; i++) {
        lanes[i] = edge_load_floats(row + i * EDGE_FLOATS);
    }
    for (int i = 0; i < VECTORS / 2; i++) {
        lanes[i] = edge_join_floats(lanes[i], lanes[i + VECTORS / 2], is_sum);
    }
    for (int i = 0; i < VECTORS / 4; i++) {
        lanes[i] = edge_join_floats(lanes[i], lanes[i + VECTORS / 4], is_sum);
    }
    for (int i = 0; i < VECTORS / 8; i++) {
        lanes[i] = edge_join_floats(lanes[i], lanes[i + VECTORS / 8], is_sum);
    }
    edge_store_floats(left, lanes[0]); /* 4, 8 or 16 are left */
    for (int l = 0; l < EDGE_FLOATS - 8; l++) {
        left[l] = edge_join_two(left[l], left[l + 8], is_sum);
    }
    for (int l = 0; l < 4 && EDGE_FLOATS > 4; l++) {
        left[l] = edge_join_two(left[l], left[l + 4], is_sum);
    }
    return edge_join_two(edge_join_two(left[0], left[2], is_sum), edge_join_two(left[1], left[3], is_sum), is_sum);
}

/* p[r][t] from scores to weights, first <= t < valid, and to 0 outside; the block's maxima and sums. A row on its own
 * would wait for one result after the other: rows go together through the three parts. */
EDGE_INLINE void edge_softmax_rows(float *p, float *max, float *sum, int32_t rows, int32_t first, int32_t valid) {
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t t = 0; t < first; t++) {
            p[r * EDGE_PANEL + t] = -INFINITY;
        }
        for (int32_t t = valid; t < EDGE_PANEL; t++) {
            p[r * EDGE_PANEL + t] = -INFINITY;
        }
        max[r] = edge_join_row(p + r * EDGE_PANEL, 0);
    }
    for (int32_t r = 0; r < rows; r++) {
        float *row = p + r * EDGE_PANEL;
        const float largest = max[r];
        for (int32_t t = 0; t < EDGE_PANEL; t++) {
            row[t] = edge_expf(row[t] - largest);
        }
        for (int32_t t = 0; t < first; t++) {
            row[t] = 0.0f; /* exp(-Inf - -Inf) is NaN */
        }
        for (int32_t t = valid; t < EDGE_PANEL; t++) {
            row[t] = 0.0f;
        }
    }
    for (int32_t r = 0; r < rows; r++) {
        sum[r] = edge_join_row(p + r * EDGE_PANEL, 1);
    }
}

#endif
