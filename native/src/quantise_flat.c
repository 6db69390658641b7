/* Blocks of 32 with one scale, or a scale and a minimum: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
 * Without importance the largest weights decide, as in ggml's reference; with it the scale is searched. */
#include <math.h>
#include <string.h>

#include "quantise.h"

#define BLOCK 32

/* most: codes are -most .. most - 1, or 0 .. most with a minimum. */
typedef struct flat {
    int32_t bytes, most, has_min, has_fifth_bit;
} flat;

static const flat q4_0 = {18, 8, 0, 0}, q4_1 = {20, 15, 1, 0}, q5_0 = {22, 16, 0, 1}, q5_1 = {24, 31, 1, 1};

static void put_codes(uint8_t *block, const flat *f, const uint8_t codes[BLOCK]) {
    uint8_t *at = block + (f->has_min ? 4 : 2);
    if (f->has_fifth_bit) {
        memset(at, 0, 4);
        for (int32_t i = 0; i < BLOCK; i++) {
            at[i / 8] = (uint8_t)(at[i / 8] | (codes[i] >> 4 & 1) << i % 8);
        }
        at += 4;
    }
    edge_put_nibbles(at, codes, BLOCK);
}

/* 1 / scale, and 0 where that is not finite: such a scale rounds to the half 0, so the codes do not count. */
static float inverse_of(float scale) {
    const float inverse = 1.0f / scale;
    return isfinite(inverse) ? inverse : 0.0f;
}

/* x * inverse + shift, rounded once, without its fraction. */
static void put_truncated(uint8_t codes[BLOCK], const float *x, float minus, float inverse, double shift,
                          int32_t most) {
    for (int32_t i = 0; i < BLOCK; i++) {
        const float shifted = (float)((double)(x[i] - minus) * (double)inverse + shift);
        codes[i] = (uint8_t)edge_smaller(edge_larger(shifted, 0.0f), (float)most);
    }
}

static float largest_of(const float *x) {
    float largest = x[0];
    for (int32_t i = 1; i < BLOCK; i++) {
        largest = fabsf(x[i]) > fabsf(largest) ? x[i] : largest;
    }
    return largest;
}

static void plain_block(uint8_t *block, const flat *f, const float *x) {
    uint8_t codes[BLOCK];
    if (f->has_min) {
        float min = x[0], max = x[0];
        for (int32_t i = 1; i < BLOCK; i++) {
            min = edge_smaller(x[i], min);
            max = edge_larger(x[i], max);
        }
        const float scale = (max - min) / (float)f->most;
        edge_put_half(block, scale);
        edge_put_half(block + 2, min);
        put_truncated(codes, x, min, inverse_of(scale), 0.5, f->most);
    } else {
        const float scale = largest_of(x) / (float)-f->most;
        edge_put_half(block, scale);
        put_truncated(codes, x, 0.0f, inverse_of(scale), f->most + 0.5, 2 * f->most - 1);
    }
    put_codes(block, f, codes);
}

/* Up to EDGE_SEARCH_LANES blocks whose scales are searched. */
static void searched_blocks(uint8_t *out, const flat *f, const edge_kernels *kernels, const float *x, const float *w,
                            int32_t count) {
    const edge_affine how = {BLOCK, 0, 36, -0.9f, 0.05f, (float)f->most};
    float scale[EDGE_SEARCH_LANES], min[EDGE_SEARCH_LANES];
    uint8_t codes[BLOCK];
    if (f->has_min) {
        edge_scales_affine(kernels, scale, min, x, w, count, &how);
    } else {
        edge_scales_of(kernels->search_symmetric, scale, x, w, BLOCK, count, (float)f->most);
    }
    for (int32_t i = 0; i < count; i++) {
        uint8_t *block = out + i * f->bytes;
        const float d = edge_put_half(block, scale[i]);
        if (f->has_min) {
            edge_codes_of(codes, x + i * BLOCK, BLOCK, d, -edge_put_half(block + 2, -min[i]), 0, f->most);
        } else {
            edge_codes_of(codes, x + i * BLOCK, BLOCK, d, 0.0f, -f->most, f->most - 1);
        }
        put_codes(block, f, codes);
    }
}

static void encode(uint8_t *out, const edge_encode_row *row, const flat *f) {
    const int64_t num_blocks = row->cols / BLOCK;
    if (!row->importance) {
        for (int64_t i = 0; i < num_blocks; i++) {
            plain_block(out + i * f->bytes, f, row->x + i * BLOCK);
        }
        return;
    }
    const float sigma2 = edge_sum_of_squares(row->x, row->cols) / (float)row->cols;
    for (int64_t i = 0; i < num_blocks; i += EDGE_SEARCH_LANES) {
        const int64_t left = num_blocks - i;
        const int32_t count = left < EDGE_SEARCH_LANES ? (int32_t)left : EDGE_SEARCH_LANES;
        float w[EDGE_PANEL_VALUES];
        edge_weigh(w, row->x + i * BLOCK, row->importance + i * BLOCK, sigma2, (int64_t)count * BLOCK);
        searched_blocks(out + i * f->bytes, f, row->kernels, row->x + i * BLOCK, w, count);
    }
}

void edge_encode_q4_0(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q4_0);
}

void edge_encode_q4_1(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q4_1);
}

void edge_encode_q5_0(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q5_0);
}

void edge_encode_q5_1(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q5_1);
}

/* Halves away from zero, within -127 .. 127. */
static int32_t code_8(float scaled) {
    const float magnitude = edge_smaller(fabsf(scaled), 127.0f);
    const int32_t whole = (int32_t)magnitude;
    const int32_t code = whole + (magnitude - (float)whole >= 0.5f);
    return scaled < 0.0f ? -code : code;
}

static float error_of_8(const float *x, const float *w, float inverse, float d) {
    float error = 0.0f;
    for (int32_t i = 0; i < BLOCK; i++) {
        const float off = x[i] - d * (float)code_8(x[i] * inverse);
        error = error + w[i] * off * off;
    }
    return error;
}

/* The scale by weighted least squares for the codes that `scale` gives. */
static float fitted_8(const float *x, const float *w, float inverse) {
    float sum_xl = 0.0f, sum_l2 = 0.0f;
    for (int32_t i = 0; i < BLOCK; i++) {
        const float code = (float)code_8(x[i] * inverse);
        sum_xl = sum_xl + w[i] * x[i] * code;
        sum_l2 = sum_l2 + w[i] * code * code;
    }
    return sum_l2 > 0.0f ? sum_xl / sum_l2 : 0.0f;
}

void edge_encode_q8_0(uint8_t *out, const edge_encode_row *row) {
    for (int64_t i = 0; i < row->cols / BLOCK; i++, out += 34) {
        const float *x = row->x + i * BLOCK;
        const float scale = fabsf(largest_of(x)) / 127.0f;
        float inverse = inverse_of(scale), d = edge_put_half(out, scale);
        if (row->importance) {
            const float *w = row->importance + i * BLOCK, fitted = fitted_8(x, w, inverse);
            uint8_t half[2];
            const float other = edge_put_half(half, fitted), back = inverse_of(other);
            if (error_of_8(x, w, back, other) < error_of_8(x, w, inverse, d)) {
                memcpy(out, half, sizeof half);
                inverse = back;
            }
        }
        for (int32_t k = 0; k < BLOCK; k++) {
            out[2 + k] = (uint8_t)(int8_t)code_8(x[k] * inverse);
        }
    }
}
