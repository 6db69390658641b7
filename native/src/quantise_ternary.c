/* TQ1_0 and TQ2_0: 256 weights as -1, 0 or 1 times one scale. Without importance the largest weight is the scale, as
 * in ggml: right for weights that are ternary already. With it the scale that loses least is searched. */
#include <math.h>

#include "quantise.h"

#define ROUNDS 8

/* 0, 1, 2 for -1, 0, 1; a half goes away from zero. */
static uint8_t code_of(float x, float inverse) {
    const float scaled = x * inverse;
    return (uint8_t)(1 + (scaled >= 0.5f) - (scaled <= -0.5f));
}

static float error_of(const float *x, const float *w, float scale) {
    float error = 0.0f;
    for (int32_t i = 0; i < EDGE_SUPER; i++) {
        const float off = x[i] - scale * (float)(code_of(x[i], 1.0f / scale) - 1);
        error = error + w[i] * off * off;
    }
    return error;
}

/* From `scale` on, rounding and fitting in turns; the scale with the least error on the way. */
static float descend(const float *x, const float *w, float scale, float *least) {
    float best = scale;
    *least = error_of(x, w, scale);
    for (int32_t round = 0; round < ROUNDS; round++) {
        float sum_x = 0.0f, sum_w = 0.0f;
        for (int32_t i = 0; i < EDGE_SUPER; i++) {
            const float code = (float)(code_of(x[i], 1.0f / scale) - 1);
            sum_x = sum_x + w[i] * x[i] * code;
            sum_w = sum_w + w[i] * code * code;
        }
        if (!(sum_x > 0.0f)) {
            break;
        }
        scale = sum_x / sum_w;
        const float error = error_of(x, w, scale);
        best = error < *least ? scale : best;
        *least = edge_smaller(error, *least);
    }
    return best;
}

static float scale_of(const float *x, const float *w) {
    float largest = 0.0f, sum = 0.0f;
    for (int32_t i = 0; i < EDGE_SUPER; i++) {
        largest = edge_larger(largest, fabsf(x[i]));
        sum = sum + fabsf(x[i]);
    }
    const float mean = sum / (float)EDGE_SUPER;
    if (!w || mean < 1e-15f) {
        return largest;
    }
    float of_largest, of_mean;
    const float from_largest = descend(x, w, largest, &of_largest), from_mean = descend(x, w, mean, &of_mean);
    return of_mean < of_largest ? from_mean : from_largest;
}

/* Codes of one super-block; returns the scale. */
static float codes_of(uint8_t codes[EDGE_SUPER], const edge_encode_row *row, int64_t first) {
    const float *x = row->x + first;
    const float scale = scale_of(x, row->importance ? row->importance + first : NULL);
    const float inverse = scale > 0.0f && isfinite(1.0f / scale) ? 1.0f / scale : 0.0f;
    for (int32_t i = 0; i < EDGE_SUPER; i++) {
        codes[i] = code_of(x[i], inverse);
    }
    return scale;
}

/* Trits at steps of `stride` as a fraction of 256, rounded up: the first is the most significant of five. */
static uint8_t put_trits(const uint8_t *codes, int32_t count, int32_t stride) {
    uint32_t number = 0;
    for (int32_t i = 0; i < 5; i++) {
        number = number * 3 + (i < count ? codes[i * stride] : 0u);
    }
    return (uint8_t)((number * 256 + 242) / 243);
}

void edge_encode_tq1_0(uint8_t *out, const edge_encode_row *row) {
    uint8_t codes[EDGE_SUPER];
    for (int64_t first = 0; first < row->cols; first += EDGE_SUPER, out += 54) {
        edge_put_half(out + 52, codes_of(codes, row, first));
        for (int32_t i = 0; i < 32; i++) {
            out[i] = put_trits(codes + i, 5, 32);
        }
        for (int32_t i = 0; i < 16; i++) {
            out[32 + i] = put_trits(codes + 160 + i, 5, 16);
        }
        for (int32_t i = 0; i < 4; i++) {
            out[48 + i] = put_trits(codes + 240 + i, 4, 4);
        }
    }
}

void edge_encode_tq2_0(uint8_t *out, const edge_encode_row *row) {
    uint8_t codes[EDGE_SUPER];
    for (int64_t first = 0; first < row->cols; first += EDGE_SUPER, out += 66) {
        edge_put_half(out + 64, codes_of(codes, row, first));
        edge_put_quarters(out, codes);
    }
}
