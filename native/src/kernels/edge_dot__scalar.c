/* Integer dot products, the specification: exact in int32 inside an activation group, then one float multiply and one
 * add per scale, k ascending. One function serves every shape. */
#include <string.h>

#include "edge_kernels__scalar.h"
#include "format.h"
#include "tile.h"

typedef int32_t tile_values[EDGE_TILE_ROWS]; /* of one k */

/* values[k] of n k from `begin` on in a unit. */
static void unpack(tile_values *values, const edge_format *format, const uint8_t *unit, int32_t begin, int32_t n) {
    for (int32_t k = 0; k < n; k++) {
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            values[k][row] = edge_format_value(format, unit, begin + k, row);
        }
    }
}

/* sum[row] = values . q over n k. */
static void dot(int32_t sum[EDGE_TILE_ROWS], tile_values *values, const int8_t *q, int32_t n) {
    memset(sum, 0, EDGE_TILE_ROWS * sizeof sum[0]);
    for (int32_t k = 0; k < n; k++) {
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            sum[row] += values[k][row] * q[k];
        }
    }
}

/* Scales that stand for themselves: out += dot * (d * da), then m * (da * s), for each group of 32 or less. */
static void matmul_g32(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t num_tokens,
                       edge_family family) {
    const edge_format *format = edge_format_of(family);
    const int32_t step = format->span < EDGE_GROUP ? format->span : EDGE_GROUP;
    tile_values values[EDGE_GROUP];
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t k = 0; k < cols; k += step) {
        const uint8_t *unit = tiles + (int64_t)(k / format->unit) * format->bytes;
        const int32_t inside = k % format->unit, g = k / EDGE_GROUP;
        float d[EDGE_TILE_ROWS], m[EDGE_TILE_ROWS] = {0};
        unpack(values, format, unit, inside, step);
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            d[row] = edge_format_scale(format, unit, inside / format->span, row);
            m[row] = format->min_at > 0 ? edge_format_min(format, unit, row) : 0.0f;
        }
        for (int32_t t = 0; t < num_tokens; t++) {
            const float da = acts->d[t * acts->d_stride + g], s = (float)acts->s[t * acts->s_stride + g];
            int32_t sum[EDGE_TILE_ROWS];
            dot(sum, values, acts->q + t * acts->q_stride + k, step);
            for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
                float *to = out + t * EDGE_TILE_ROWS + row;
                *to = *to + (float)sum[row] * (d[row] * da);
                if (format->min_at > 0) {
                    *to = *to + m[row] * (da * s);
                }
            }
        }
    }
}

/* One super-block against one token: out += sum_j sc_j dot_j * (d * da), then -= sum_j m_j s_j * (dmin * da). */
static void add_super(float *out, const edge_format *format, const uint8_t *unit, tile_values *values, const int8_t *q,
                      float da, const int32_t *s) {
    int32_t isum[EDGE_TILE_ROWS] = {0}, msum[EDGE_TILE_ROWS] = {0}, sum[EDGE_TILE_ROWS];
    for (int32_t j = 0; j < EDGE_SUPER / format->span; j++) {
        int32_t total = 0;
        for (int32_t i = 0; i < format->span / 16; i++) {
            total += s[j * format->span / 16 + i];
        }
        dot(sum, values + j * format->span, q + j * format->span, format->span);
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            isum[row] += edge_format_sub_scale(format, unit, j, row) * sum[row];
            msum[row] += format->min_at > 0 ? edge_format_sub_min(format, unit, j, row) * total : 0;
        }
    }
    for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
        out[row] = out[row] + (float)isum[row] * (edge_format_scale(format, unit, 0, row) * da);
        if (format->min_at > 0) {
            out[row] = out[row] - (float)msum[row] * (edge_format_min(format, unit, row) * da);
        }
    }
}

static void matmul_g256(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t num_tokens,
                        edge_family family) {
    const edge_format *format = edge_format_of(family);
    tile_values values[EDGE_SUPER];
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *unit = tiles + (int64_t)g * format->bytes;
        unpack(values, format, unit, 0, EDGE_SUPER);
        for (int32_t t = 0; t < num_tokens; t++) {
            add_super(out + t * EDGE_TILE_ROWS, format, unit, values,
                      acts->q + t * acts->q_stride + (int64_t)g * EDGE_SUPER, acts->d[t * acts->d_stride + g],
                      acts->s + t * acts->s_stride + (int64_t)g * (EDGE_SUPER / 16));
        }
    }
}

void edge_matmul_f32_a8g32_w8g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W8G32);
}

void edge_matmul_f32_a8g32_w4g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W4G32);
}

void edge_matmul_f32_a8g32_w4mg32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                          int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W4MG32);
}

void edge_matmul_f32_a8g32_w5g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W5G32);
}

void edge_matmul_f32_a8g32_w5mg32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                          int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W5MG32);
}

void edge_matmul_f32_a8g32_w1g128__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                          int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W1G128);
}

void edge_matmul_f32_a8g32_w2g64__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W2G64);
}

void edge_matmul_f32_a8g32_n4g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_N4G32);
}

void edge_matmul_f32_a8g32_e4g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_E4G32);
}

void edge_matmul_f32_a8g32_e4g16__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_E4G16);
}

void edge_matmul_f32_a8g256_w2mg256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                            int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W2MG256);
}

void edge_matmul_f32_a8g256_w3g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W3G256);
}

void edge_matmul_f32_a8g256_w4mg256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                            int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W4MG256);
}

void edge_matmul_f32_a8g256_w5mg256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                            int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W5MG256);
}

void edge_matmul_f32_a8g256_w6g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W6G256);
}

void edge_matmul_f32_a8g256_w2g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_W2G256);
}

void edge_matmul_f32_a8g256_t5g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_T5G256);
}

void edge_matmul_f32_a8g256_n4g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_N4G256);
}

void edge_matmul_f32_a8g256_n3g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_N3G256);
}

void edge_matmul_f32_a8g256_n3xg256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                            int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_N3XG256);
}

void edge_matmul_f32_a8g256_s2g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_S2G256);
}

void edge_matmul_f32_a8g256_d1g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    matmul_g256(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_D1G256);
}
