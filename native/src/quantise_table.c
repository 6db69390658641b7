/* Codes that stand for the 16 values of a table: IQ4_NL, IQ4_XS, MXFP4. */
#include <math.h>
#include <string.h>

#include "quantise.h"

#define BLOCK 32

const int8_t edge_values_iq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static void put_nearest(uint8_t *to, const float *x, float scale) {
    uint8_t codes[BLOCK];
    for (int32_t i = 0; i < BLOCK; i++) {
        codes[i] = edge_nearest_index(edge_values_iq4, scale != 0.0f ? x[i] / scale : 0.0f);
    }
    edge_put_nibbles(to, codes, BLOCK);
}

/* Scales of up to EDGE_SEARCH_LANES blocks; the weights of `span` values share what is added under the root. */
static void search(float *scale, const edge_encode_row *row, int64_t first, int32_t count, int32_t span) {
    _Alignas(64) float panel_x[EDGE_PANEL_VALUES], panel_w[EDGE_PANEL_VALUES];
    float w[EDGE_PANEL_VALUES];
    const float *x = row->x + first, *importance = row->importance ? row->importance + first : NULL;
    for (int32_t i = 0; i < count * BLOCK; i += span) {
        const float sigma2 = edge_sum_of_squares(x + i, span) * (2.0f / (float)span);
        edge_weigh(w + i, x + i, importance ? importance + i : NULL, sigma2, span);
    }
    edge_panel_fill(panel_x, x, BLOCK, count);
    edge_panel_fill(panel_w, w, BLOCK, count);
    row->kernels->search_table(scale, panel_x, panel_w, BLOCK, edge_values_iq4);
}

void edge_encode_iq4_nl(uint8_t *out, const edge_encode_row *row) {
    float scale[EDGE_SEARCH_LANES];
    for (int64_t first = 0; first < row->cols; first += EDGE_SEARCH_LANES * BLOCK) {
        const int64_t left = (row->cols - first) / BLOCK;
        const int32_t count = left < EDGE_SEARCH_LANES ? (int32_t)left : EDGE_SEARCH_LANES;
        search(scale, row, first, count, BLOCK);
        for (int32_t i = 0; i < count; i++, out += 18) {
            put_nearest(out + 2, row->x + first + i * BLOCK, edge_put_half(out, scale[i]));
        }
    }
}

/* One super-block from the scales of its eight blocks. */
static void put_iq4_xs(uint8_t *out, const float *x, const float scale[8]) {
    float largest = 0.0f;
    for (int32_t i = 0; i < 8; i++) {
        largest = fabsf(scale[i]) > fabsf(largest) ? scale[i] : largest;
    }
    const float wanted = largest / -32.0f, d = edge_put_half(out, wanted);
    memset(out + 2, 0, 6);
    for (int32_t i = 0; i < 8; i++) {
        const int32_t code = wanted != 0.0f ? edge_nearest(scale[i] / wanted, -32.0f, 31.0f) : 0;
        put_nearest(out + 8 + 16 * i, x + i * BLOCK, d * (float)code);
        out[2 + i / 4] = (uint8_t)(out[2 + i / 4] | (code + 32) >> 4 << 2 * (i % 4));
        out[4 + i / 2] = (uint8_t)(out[4 + i / 2] | ((code + 32) & 15) << 4 * (i % 2));
    }
}

void edge_encode_iq4_xs(uint8_t *out, const edge_encode_row *row) {
    float scale[EDGE_SEARCH_LANES];
    for (int64_t first = 0; first < row->cols; first += EDGE_SEARCH_LANES * BLOCK) {
        const int64_t left = (row->cols - first) / BLOCK;
        const int32_t count = left < EDGE_SEARCH_LANES ? (int32_t)left : EDGE_SEARCH_LANES;
        search(scale, row, first, count, EDGE_SUPER);
        for (int32_t i = 0; i < count; i += 8, out += 136) {
            put_iq4_xs(out, row->x + first + i * BLOCK, scale + i);
        }
    }
}

static const float fp4[8] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 6.0f, 8.0f, 12.0f}; /* twice the values of E2M1 */

/* Of two that are as near the smaller. Zero has no sign. */
static uint8_t fp4_code(float x) {
    int32_t code = 0;
    for (int32_t i = 1; i < 8; i++) {
        code += fabsf(x) > 0.5f * (fp4[i - 1] + fp4[i]);
    }
    return (uint8_t)(code + (x < 0.0f && code > 0 ? 8 : 0));
}

/* 2^(exponent - 128), a subnormal number for 0 and 1; and one over it. */
static float fp4_scale(int32_t exponent) {
    return exponent < 2 ? edge_bits_f32(0x00200000u << exponent) : edge_bits_f32((uint32_t)(exponent - 1) << 23);
}

static float fp4_error(const float *x, const float *w, int32_t exponent) {
    const float scale = fp4_scale(exponent);
    float error = 0.0f;
    for (int32_t i = 0; i < BLOCK; i++) {
        const float off = fabsf(x[i]) - scale * fp4[fp4_code(x[i] / scale) & 7];
        error = error + w[i] * off * off;
    }
    return error;
}

/* The largest weight lies between 4 and 8 steps, and codes reach 6; with importance also one step coarser or finer. */
void edge_encode_mxfp4(uint8_t *out, const edge_encode_row *row) {
    for (int64_t first = 0; first < row->cols; first += BLOCK, out += 17) {
        const float *x = row->x + first;
        uint32_t largest = 0;
        uint8_t codes[BLOCK];
        for (int32_t i = 0; i < BLOCK; i++) {
            const uint32_t magnitude = edge_f32_bits(x[i]) & 0x7fffffffu;
            largest = magnitude > largest ? magnitude : largest;
        }
        const int32_t base = (int32_t)(largest >> 23) - 2;
        int32_t exponent = base > 0 ? base : 0;
        if (row->importance && base > 0) {
            const float *w = row->importance + first;
            float best = fp4_error(x, w, base);
            for (int32_t other = base - 1; other <= base + 1; other += 2) {
                const float error = fp4_error(x, w, other);
                exponent = error < best ? other : exponent;
                best = edge_smaller(error, best);
            }
        }
        for (int32_t i = 0; i < BLOCK; i++) {
            codes[i] = fp4_code(x[i] / fp4_scale(exponent));
        }
        out[0] = (uint8_t)exponent;
        edge_put_nibbles(out + 1, codes, BLOCK);
    }
}
