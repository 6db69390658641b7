/* The searches of the quantiser, one text for every level. A lane is a block of weights; element k of lane l stands at
 * k * EDGE_SEARCH_LANES + l. Sums run over k ascending, so results do not depend on how many lanes a vector has.
 *
 * The including file defines EDGE_FLOATS (lanes of a vector), edge_floats, with the operators of C, and
 *   edge_load_floats, edge_store_floats, edge_all_floats
 *   edge_smaller_floats(a, b): a < b ? a : b        edge_larger_floats(a, b): a > b ? a : b
 *   edge_pick_floats(where, a, b): a where a comparison holds, b elsewhere
 *
 * Source of the searches: ggml-quants.c, make_qkx2_quants, make_qx_quants, make_q3_quants and quantize_row_iq4_nl_impl.
 */
#ifndef EDGE_SEARCH_H
#define EDGE_SEARCH_H

#include "expf.h"
#include "inline.h"
#include "kernels.h"

#define EDGE_TOO_SMALL 1e-15f /* a block whose largest magnitude lies below has the scale 0 */

/* The nearest integer in low .. high, ties to even; low for NaN. */
EDGE_INLINE edge_floats edge_nearest_code(edge_floats x, edge_floats low, edge_floats high) {
    const edge_floats inside = edge_smaller_floats(edge_larger_floats(x, low), high);
    return (inside + edge_all_floats(EDGE_ROUND)) - edge_all_floats(EDGE_ROUND);
}

EDGE_INLINE edge_floats edge_magnitude(edge_floats x) {
    return edge_larger_floats(x, edge_all_floats(0.0f) - x);
}

/* sum of w * |scale * code + min - x|, or of its square. size and absolute are constants. */
EDGE_INLINE edge_floats edge_affine_error(const float *x, const float *w, const edge_floats *codes, edge_floats scale,
                                          edge_floats min, int32_t size, int absolute) {
    edge_floats error = edge_all_floats(0.0f);
    for (int32_t k = 0; k < size; k++) {
        const edge_floats off = scale * codes[k] + min - edge_load_floats(x + k * EDGE_SEARCH_LANES);
        const edge_floats square = off * off, counts = absolute ? edge_magnitude(off) : square;
        error = error + edge_load_floats(w + k * EDGE_SEARCH_LANES) * counts;
    }
    return error;
}

/* x ~ scale * code + min with min <= 0 and codes 0 .. most: for every candidate of the scale the codes, then scale and
 * min by weighted least squares. Candidates go out from the best minimum so far. */
EDGE_INLINE void edge_affine_lanes(float *scale_out, float *min_out, const float *x, const float *w,
                                   const edge_affine *how, int32_t size, int absolute) {
    const edge_floats zero = edge_all_floats(0.0f), most = edge_all_floats(how->most);
    edge_floats codes[32];
    edge_floats min = edge_load_floats(x), max = min, sum_w = edge_load_floats(w), sum_x = sum_w * min;
    for (int32_t k = 1; k < size; k++) {
        const edge_floats value = edge_load_floats(x + k * EDGE_SEARCH_LANES);
        const edge_floats weight = edge_load_floats(w + k * EDGE_SEARCH_LANES);
        min = edge_smaller_floats(value, min);
        max = edge_larger_floats(value, max);
        sum_w = sum_w + weight;
        sum_x = sum_x + weight * value;
    }
    min = edge_smaller_floats(min, zero);
    const edge_floats range = max - min, inverse = most / range;
    for (int32_t k = 0; k < size; k++) {
        codes[k] = edge_nearest_code(inverse * (edge_load_floats(x + k * EDGE_SEARCH_LANES) - min), zero, most);
    }
    edge_floats scale = edge_all_floats(1.0f) / inverse;
    edge_floats best = edge_affine_error(x, w, codes, scale, min, size, absolute);
    for (int32_t step = 0; step <= how->num_steps; step++) {
        const edge_floats candidate = edge_all_floats(how->begin + how->step * (float)step + how->most) / (max - min);
        edge_floats sum_l = zero, sum_l2 = zero, sum_xl = zero;
        for (int32_t k = 0; k < size; k++) {
            const edge_floats value = edge_load_floats(x + k * EDGE_SEARCH_LANES);
            const edge_floats code = edge_nearest_code(candidate * (value - min), zero, most);
            const edge_floats weighted = edge_load_floats(w + k * EDGE_SEARCH_LANES) * code;
            codes[k] = code;
            sum_l = sum_l + weighted;
            sum_l2 = sum_l2 + weighted * code;
            sum_xl = sum_xl + weighted * value;
        }
        const edge_floats determinant = sum_w * sum_l2 - sum_l * sum_l;
        edge_floats this_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
        edge_floats this_min = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
        this_scale = edge_pick_floats(this_min > zero, sum_xl / sum_l2, this_scale);
        this_min = edge_smaller_floats(this_min, zero);
        edge_floats error = edge_affine_error(x, w, codes, this_scale, this_min, size, absolute);
        error = edge_pick_floats(determinant > zero, error, best);
        scale = edge_pick_floats(error < best, this_scale, scale);
        min = edge_pick_floats(error < best, this_min, min);
        best = edge_smaller_floats(error, best);
    }
    edge_store_floats(scale_out, edge_pick_floats(range > zero, scale, zero));
    edge_store_floats(min_out, zero - min);
}

/* The element of largest magnitude, with its sign; the first of several. */
EDGE_INLINE edge_floats edge_largest(const float *x, int32_t size) {
    edge_floats largest = edge_load_floats(x);
    for (int32_t k = 1; k < size; k++) {
        const edge_floats value = edge_load_floats(x + k * EDGE_SEARCH_LANES);
        largest = edge_pick_floats(edge_magnitude(value) > edge_magnitude(largest), value, largest);
    }
    return largest;
}

EDGE_INLINE void edge_store_scale(float *out, edge_floats scale, edge_floats largest) {
    const edge_floats zero = edge_all_floats(0.0f);
    edge_store_floats(out, edge_pick_floats(edge_magnitude(largest) < edge_all_floats(EDGE_TOO_SMALL), zero, scale));
}

/* Keeps (scale, best) or takes what these sums give: the squared error falls as sum_xl^2 / sum_l2 grows. */
EDGE_INLINE void edge_take_better(edge_floats *scale, edge_floats *best, edge_floats sum_xl, edge_floats sum_l2) {
    const edge_floats zero = edge_all_floats(0.0f);
    const edge_floats gain = edge_pick_floats(sum_l2 > zero, sum_xl * sum_xl - *best * sum_l2, zero);
    const edge_floats candidate = sum_xl / sum_l2;
    *best = edge_pick_floats(gain > zero, candidate * sum_xl, *best);
    *scale = edge_pick_floats(gain > zero, candidate, *scale);
}

/* x ~ scale * code with codes -most .. most - 1. */
EDGE_INLINE void edge_symmetric_lanes(float *scale_out, const float *x, const float *w, int32_t size, float most) {
    const edge_floats zero = edge_all_floats(0.0f), low = zero - edge_all_floats(most),
                      high = edge_all_floats(most - 1);
    const edge_floats largest = edge_largest(x, size);
    edge_floats scale = zero, best = edge_all_floats(-1.0f); /* worse than any */
    for (int32_t i = 0; i <= 18; i++) {                      /* the plain scale first, then those around it */
        const int32_t step = i == 0 ? 0 : i <= 9 ? i - 10 : i - 9;
        const edge_floats inverse = edge_all_floats(-(most + 0.1f * (float)step)) / largest;
        edge_floats sum_xl = zero, sum_l2 = zero;
        for (int32_t k = 0; k < size; k++) {
            const edge_floats value = edge_load_floats(x + k * EDGE_SEARCH_LANES);
            const edge_floats weight = edge_load_floats(w + k * EDGE_SEARCH_LANES);
            const edge_floats code = edge_nearest_code(value * inverse, low, high);
            sum_xl = sum_xl + weight * value * code;
            sum_l2 = sum_l2 + weight * code * code;
        }
        edge_take_better(&scale, &best, sum_xl, sum_l2);
    }
    edge_store_scale(scale_out, scale, largest);
}

/* The same from one rounding on, changing code by code while that helps: for so few codes that it does. */
EDGE_INLINE void edge_descent_lanes(float *scale_out, const float *x, const float *w, int32_t size, float most) {
    const edge_floats zero = edge_all_floats(0.0f), low = zero - edge_all_floats(most),
                      high = edge_all_floats(most - 1);
    const edge_floats largest = edge_largest(x, size), inverse = low / largest;
    edge_floats codes[16], sum_xl = zero, sum_l2 = zero;
    for (int32_t k = 0; k < size; k++) {
        const edge_floats value = edge_load_floats(x + k * EDGE_SEARCH_LANES);
        const edge_floats weight = edge_load_floats(w + k * EDGE_SEARCH_LANES);
        codes[k] = edge_nearest_code(value * inverse, low, high);
        sum_xl = sum_xl + weight * value * codes[k];
        sum_l2 = sum_l2 + weight * codes[k] * codes[k];
    }
    for (int32_t i = 0; i < 5 * size; i++) {
        const int32_t k = i % size;
        const edge_floats value = edge_load_floats(x + k * EDGE_SEARCH_LANES), code = codes[k];
        const edge_floats weight = edge_load_floats(w + k * EDGE_SEARCH_LANES);
        const edge_floats others_xl = sum_xl - weight * value * code, others_l2 = sum_l2 - weight * code * code;
        const edge_floats other = edge_nearest_code(value * others_l2 / others_xl, low, high);
        const edge_floats new_xl = others_xl + weight * value * other, new_l2 = others_l2 + weight * other * other;
        edge_floats gain = new_xl * new_xl * sum_l2 - sum_xl * sum_xl * new_l2;
        gain = edge_pick_floats(others_xl > zero, gain, zero);
        gain = edge_pick_floats(new_l2 > zero, gain, zero);
        gain = edge_pick_floats(edge_magnitude(other - code) > zero, gain, zero);
        codes[k] = edge_pick_floats(gain > zero, other, code);
        sum_xl = edge_pick_floats(gain > zero, new_xl, sum_xl);
        sum_l2 = edge_pick_floats(gain > zero, new_l2, sum_l2);
    }
    const edge_floats scale = edge_pick_floats(sum_l2 > zero, sum_xl / sum_l2, zero);
    edge_store_scale(scale_out, scale, largest);
}

/* The nearest of the 16 values of the table, the upper one in the middle between two. */
EDGE_INLINE edge_floats edge_nearest_value(edge_floats x, const int8_t values[16]) {
    const edge_floats twice = x + x;
    edge_floats value = edge_all_floats(values[0]);
    for (int32_t i = 1; i < 16; i++) {
        value = edge_pick_floats(twice < edge_all_floats((float)(values[i - 1] + values[i])), value,
                                 edge_all_floats(values[i]));
    }
    return value;
}

/* x ~ scale * values[code]. */
EDGE_INLINE void edge_table_lanes(float *scale_out, const float *x, const float *w, int32_t size,
                                  const int8_t values[16]) {
    const edge_floats zero = edge_all_floats(0.0f), largest = edge_largest(x, size);
    edge_floats scale = zero, best = edge_all_floats(-1.0f); /* worse than any */
    for (int32_t step = -8; step <= 7; step++) {             /* the largest weight at 127, then at and around -127 */
        const edge_floats inverse = edge_all_floats((float)(step == -8 ? -values[0] : step + values[0])) / largest;
        edge_floats sum_xq = zero, sum_q2 = zero;
        for (int32_t k = 0; k < size; k++) {
            const edge_floats x_k = edge_load_floats(x + k * EDGE_SEARCH_LANES);
            const edge_floats weight = edge_load_floats(w + k * EDGE_SEARCH_LANES);
            const edge_floats value = edge_nearest_value(x_k * inverse, values);
            sum_xq = sum_xq + weight * value * x_k;
            sum_q2 = sum_q2 + weight * value * value;
        }
        edge_take_better(&scale, &best, sum_xq, sum_q2);
    }
    edge_store_scale(scale_out, scale, largest);
}

/* What a level's kernels are. Sizes become constants here. */
EDGE_INLINE void edge_search_affine(float *scale, float *min, const float *x, const float *w, const edge_affine *how) {
    for (int32_t lane = 0; lane < EDGE_SEARCH_LANES; lane += EDGE_FLOATS) {
        if (how->size == 32) {
            edge_affine_lanes(scale + lane, min + lane, x + lane, w + lane, how, 32, 0);
        } else if (how->absolute) {
            edge_affine_lanes(scale + lane, min + lane, x + lane, w + lane, how, 16, 1);
        } else {
            edge_affine_lanes(scale + lane, min + lane, x + lane, w + lane, how, 16, 0);
        }
    }
}

EDGE_INLINE void edge_search_symmetric(float *scale, const float *x, const float *w, int32_t size, float most) {
    for (int32_t lane = 0; lane < EDGE_SEARCH_LANES; lane += EDGE_FLOATS) {
        edge_symmetric_lanes(scale + lane, x + lane, w + lane, size, most);
    }
}

EDGE_INLINE void edge_search_descent(float *scale, const float *x, const float *w, int32_t size, float most) {
    for (int32_t lane = 0; lane < EDGE_SEARCH_LANES; lane += EDGE_FLOATS) {
        edge_descent_lanes(scale + lane, x + lane, w + lane, size, most);
    }
}

EDGE_INLINE void edge_search_table(float *scale, const float *x, const float *w, int32_t size,
                                   const int8_t values[16]) {
    for (int32_t lane = 0; lane < EDGE_SEARCH_LANES; lane += EDGE_FLOATS) {
        edge_table_lanes(scale + lane, x + lane, w + lane, size, values);
    }
}

#endif
