/* The encoders of block types, and what they share. Each encodes one row; the caller has checked that it is finite. */
#ifndef EDGE_QUANTISE_INTERNAL_H
#define EDGE_QUANTISE_INTERNAL_H

#include "edge/quantise.h"
#include "half.h"
#include "inline.h"
#include "kernels.h"

/* One row on its way. importance: NULL, or cols values. */
typedef struct edge_encode_row {
    const edge_kernels *kernels;
    const float *x;
    const float *importance;
    int64_t cols;
} edge_encode_row;

/* Writes the blocks of a row. A scale that a half cannot hold comes out infinite: the caller looks. */
typedef void edge_encode_fn(uint8_t *out, const edge_encode_row *row);

edge_encode_fn edge_encode_q8_0, edge_encode_q4_0, edge_encode_q4_1, edge_encode_q5_0, edge_encode_q5_1;
edge_encode_fn edge_encode_iq4_nl, edge_encode_iq4_xs, edge_encode_mxfp4, edge_encode_tq1_0, edge_encode_tq2_0;
edge_encode_fn edge_encode_q2_k, edge_encode_q3_k, edge_encode_q4_k, edge_encode_q5_k, edge_encode_q6_k;

extern const int8_t edge_values_iq4[16]; /* of IQ4_NL and IQ4_XS, ascending */

/* --- quantise_panel.c: weights as the searches want them --- */

#define EDGE_PANEL_VALUES (32 * EDGE_SEARCH_LANES)

/* Blocks of `size` values that stand one after the other become lanes; the lanes behind `count` blocks are zeros. */
void edge_panel_fill(float *panel, const float *values, int32_t size, int32_t count);

/* Scales of up to EDGE_SEARCH_LANES blocks of `size` weights and w beside them, in row order. */
void edge_scales_affine(const edge_kernels *kernels, float *scale, float *min, const float *x, const float *w,
                        int32_t count, const edge_affine *how);
void edge_scales_of(edge_search_scale_fn *search, float *scale, const float *x, const float *w, int32_t size,
                    int32_t count, float most);

float edge_sum_of_squares(const float *x, int64_t count);

/* w = importance * sqrt(sigma2 + x^2), or x^2 without importance. */
void edge_weigh(float *w, const float *x, const float *importance, float sigma2, int64_t count);

/* --- quantise_scales.c: scales of blocks as codes of one scale above them --- */

/* scale ~ result * code, codes 0 .. most, for up to 16 scales >= 0; w: how much an error counts. Source: ggml's
 * make_qp_quants. */
float edge_super_scale(uint8_t *codes, const float *scale, const float *w, int32_t count, int32_t most);

/* The same with codes -most .. most - 1, for scales of any sign. */
float edge_super_scale_signed(int8_t *codes, const float *scale, const float *w, int32_t count, int32_t most);

/* --- small things --- */

EDGE_INLINE float edge_larger(float a, float b) {
    return a > b ? a : b;
}

EDGE_INLINE float edge_smaller(float a, float b) {
    return a < b ? a : b;
}

/* The nearest integer in low .. high, ties to even; low for NaN. */
EDGE_INLINE int32_t edge_nearest(float x, float low, float high) {
    const float inside = edge_smaller(edge_larger(x, low), high);
    return (int32_t)((inside + 0x1.8p+23f) - 0x1.8p+23f);
}

/* Stores a half; gives back what a reader of it gets. */
EDGE_INLINE float edge_put_half(uint8_t *to, float value) {
    const uint16_t half = edge_f32_to_f16(value);
    to[0] = (uint8_t)(half & 255);
    to[1] = (uint8_t)(half >> 8);
    return edge_f16_to_f32(half);
}

/* codes = (x + plus) / scale, rounded, within low .. high, less low; 0 where the scale is zero and all mean the same.
 */
EDGE_INLINE void edge_codes_of(uint8_t *codes, const float *x, int32_t count, float scale, float plus, int32_t low,
                               int32_t high) {
    for (int32_t i = 0; i < count; i++) {
        codes[i] = (uint8_t)(scale != 0.0f ? edge_nearest((x[i] + plus) / scale, (float)low, (float)high) - low : 0);
    }
}

/* Which of the 16 values is nearest to x. */
EDGE_INLINE uint8_t edge_nearest_index(const int8_t values[16], float x) {
    int32_t index = 0;
    for (int32_t i = 1; i < 16; i++) {
        index += x + x >= (float)(values[i - 1] + values[i]);
    }
    return (uint8_t)index;
}

/* 32 codes of four bits: the second half of them in the upper nibbles. */
EDGE_INLINE void edge_put_nibbles(uint8_t *to, const uint8_t *codes, int32_t count) {
    for (int32_t i = 0; i < count / 2; i++) {
        to[i] = (uint8_t)((codes[i] & 15) | (codes[i + count / 2] & 15) << 4);
    }
}

/* 256 codes of two bits: 32 bytes hold four runs of 32 codes, the first in the lowest bits. */
EDGE_INLINE void edge_put_quarters(uint8_t to[EDGE_SUPER / 4], const uint8_t codes[EDGE_SUPER]) {
    for (int32_t i = 0; i < EDGE_SUPER / 4; i++) {
        const uint8_t *four = codes + i / 32 * 128 + i % 32;
        to[i] = (uint8_t)(four[0] | four[32] << 2 | four[64] << 4 | four[96] << 6);
    }
}

#endif
