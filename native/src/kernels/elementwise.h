/* Norms, activations and rotations as plain loops over 16 lanes. Without contraction every ISA's compiler must produce
 * the same bits from them, so one text serves all levels, compiled with each level's flags. */
#ifndef EDGE_ELEMENTWISE_H
#define EDGE_ELEMENTWISE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "expf.h"

#define EDGE_LANES 16

/* lane[l] += lane[l + s], s = 8, 4, 2, 1: the one order in which lanes are summed. */
EDGE_INLINE float edge_sum_lanes(float lane[EDGE_LANES]) {
    for (int32_t s = EDGE_LANES / 2; s > 0; s /= 2) {
        for (int32_t l = 0; l < s; l++) {
            lane[l] = lane[l] + lane[l + s];
        }
    }
    return lane[0];
}

/* The same tree for the maximum. On a tie or NaN the later lane wins: a > b ? a : b. */
EDGE_INLINE float edge_max_lanes(float lane[EDGE_LANES]) {
    for (int32_t s = EDGE_LANES / 2; s > 0; s /= 2) {
        for (int32_t l = 0; l < s; l++) {
            lane[l] = lane[l] > lane[l + s] ? lane[l] : lane[l + s];
        }
    }
    return lane[0];
}

#define EDGE_EACH_BLOCK 256

/* out[i] = result for i < n, where result is an expression in i. Results are collected before they are stored, so that
 * a compiler vectorises even where out is an input. (In blocks of 16, gcc would unroll and then not vectorise.) */
#define EDGE_EACH(out, n, result)                                                                                      \
    do {                                                                                                               \
        float block[EDGE_EACH_BLOCK];                                                                                  \
        for (int32_t begin = 0; begin < (n); begin += EDGE_EACH_BLOCK) {                                               \
            const int32_t size = (n) - begin < EDGE_EACH_BLOCK ? (n) - begin : EDGE_EACH_BLOCK;                        \
            for (int32_t l = 0; l < size; l++) {                                                                       \
                const int32_t i = begin + l;                                                                           \
                block[l] = (result);                                                                                   \
            }                                                                                                          \
            memcpy((out) + begin, block, (size_t)size * sizeof block[0]);                                              \
        }                                                                                                              \
    } while (0)

EDGE_INLINE void edge_rms_norm(float *out, const float *x, const float *gain, int32_t n, float eps) {
    float lane[EDGE_LANES] = {0};
    int32_t whole = n - n % EDGE_LANES;
    for (int32_t i = 0; i < whole; i += EDGE_LANES) {
        for (int32_t l = 0; l < EDGE_LANES; l++) {
            lane[l] = lane[l] + x[i + l] * x[i + l];
        }
    }
    for (int32_t l = 0; l < n - whole; l++) {
        lane[l] = lane[l] + x[whole + l] * x[whole + l];
    }
    float scale = 1.0f / sqrtf(edge_sum_lanes(lane) / (float)n + eps);
    EDGE_EACH(out, n, (x[i] * scale) * gain[i]);
}

EDGE_INLINE void edge_layer_norm(float *out, const float *x, const float *gain, const float *bias, int32_t n,
                                 float eps) {
    float sums[EDGE_LANES] = {0}, squares[EDGE_LANES] = {0};
    int32_t whole = n - n % EDGE_LANES;
    for (int32_t i = 0; i < whole; i += EDGE_LANES) {
        for (int32_t l = 0; l < EDGE_LANES; l++) {
            sums[l] = sums[l] + x[i + l];
        }
    }
    for (int32_t l = 0; l < n - whole; l++) {
        sums[l] = sums[l] + x[whole + l];
    }
    const float mean = edge_sum_lanes(sums) / (float)n;
    for (int32_t i = 0; i < whole; i += EDGE_LANES) {
        for (int32_t l = 0; l < EDGE_LANES; l++) {
            squares[l] = squares[l] + (x[i + l] - mean) * (x[i + l] - mean);
        }
    }
    for (int32_t l = 0; l < n - whole; l++) {
        squares[l] = squares[l] + (x[whole + l] - mean) * (x[whole + l] - mean);
    }
    const float scale = 1.0f / sqrtf(edge_sum_lanes(squares) / (float)n + eps);
    EDGE_EACH(out, n, ((x[i] - mean) * scale) * gain[i] + bias[i]);
}

EDGE_INLINE void edge_silu_loop(float *out, const float *x, int32_t n) {
    EDGE_EACH(out, n, edge_silu(x[i]));
}

EDGE_INLINE void edge_silu_mul(float *out, const float *gate, const float *up, int32_t n) {
    EDGE_EACH(out, n, edge_silu(gate[i]) * up[i]);
}

EDGE_INLINE void edge_gelu_loop(float *out, const float *x, int32_t n) {
    EDGE_EACH(out, n, edge_gelu(x[i]));
}

EDGE_INLINE void edge_gelu_mul(float *out, const float *gate, const float *up, int32_t n) {
    EDGE_EACH(out, n, edge_gelu(gate[i]) * up[i]);
}

EDGE_INLINE void edge_gelu_erf_loop(float *out, const float *x, int32_t n) {
    EDGE_EACH(out, n, edge_gelu_erf(x[i]));
}

EDGE_INLINE void edge_gelu_erf_mul(float *out, const float *gate, const float *up, int32_t n) {
    EDGE_EACH(out, n, edge_gelu_erf(gate[i]) * up[i]);
}

EDGE_INLINE void edge_relu2_loop(float *out, const float *x, int32_t n) {
    EDGE_EACH(out, n, edge_relu2(x[i]));
}

EDGE_INLINE void edge_relu2_mul(float *out, const float *gate, const float *up, int32_t n) {
    EDGE_EACH(out, n, edge_relu2(gate[i]) * up[i]);
}

EDGE_INLINE void edge_add(float *out, const float *a, const float *b, int32_t n) {
    EDGE_EACH(out, n, a[i] + b[i]);
}

EDGE_INLINE void edge_mul(float *out, const float *a, const float *b, int32_t n) {
    EDGE_EACH(out, n, a[i] * b[i]);
}

EDGE_INLINE void edge_rope_norm(float *x, const float *restrict cosine, const float *restrict sine, int32_t dims) {
    for (int32_t i = 0; i < dims / 2; i++) {
        float x0 = x[2 * i], x1 = x[2 * i + 1];
        x[2 * i] = x0 * cosine[i] - x1 * sine[i];
        x[2 * i + 1] = x0 * sine[i] + x1 * cosine[i];
    }
}

EDGE_INLINE void edge_rope_neox(float *x, const float *restrict cosine, const float *restrict sine, int32_t dims) {
    int32_t half = dims / 2;
    for (int32_t i = 0; i < half; i++) {
        float x0 = x[i], x1 = x[i + half];
        x[i] = x0 * cosine[i] - x1 * sine[i];
        x[i + half] = x0 * sine[i] + x1 * cosine[i];
    }
}

#endif
