/* Integer dot products, the specification: exact in int32 inside an activation group, then one float multiply and one
 * add per group, k ascending. One function serves every shape. */
#include <string.h>

#include "edge_kernels__scalar.h"
#include "half.h"
#include "tile.h"

/* codes[k][row] of one tile, less the offset that makes them signed. */
static void unpack(int32_t codes[EDGE_GROUP][EDGE_TILE_ROWS], const uint8_t *tile, int32_t bits, int32_t offset) {
    for (int32_t k = 0; k < EDGE_GROUP; k++) {
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            codes[k][row] = edge_tile_code(tile, bits, k, row) - offset;
        }
    }
}

/* sum[row] = codes . q over k values. */
static void dot(int32_t sum[EDGE_TILE_ROWS], int32_t codes[][EDGE_TILE_ROWS], const int8_t *q, int32_t n) {
    memset(sum, 0, EDGE_TILE_ROWS * sizeof sum[0]);
    for (int32_t k = 0; k < n; k++) {
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            sum[row] += codes[k][row] * q[k];
        }
    }
}

/* 32-wide blocks: tiles of tile_bytes with scales at d and, when m > 0, minima at m. */
static void matmul_g32(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t num_tokens,
                       int32_t bits, int32_t offset, int32_t tile_bytes, int32_t d, int32_t m) {
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = tiles + (int64_t)g * tile_bytes;
        int32_t codes[EDGE_GROUP][EDGE_TILE_ROWS], sum[EDGE_TILE_ROWS];
        unpack(codes, tile, bits, offset);
        for (int32_t t = 0; t < num_tokens; t++) {
            float da = acts->d[t * acts->d_stride + g];
            float s = (float)acts->s[t * acts->s_stride + g];
            dot(sum, codes, acts->q + t * acts->q_stride + (int64_t)g * EDGE_GROUP, EDGE_GROUP);
            for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
                float acc = out[t * EDGE_TILE_ROWS + row];
                acc = acc + (float)sum[row] * (edge_f16_to_f32(edge_tile_half(tile + d, row)) * da);
                if (m > 0) {
                    acc = acc + edge_f16_to_f32(edge_tile_half(tile + m, row)) * (da * s);
                }
                out[t * EDGE_TILE_ROWS + row] = acc;
            }
        }
    }
}

void edge_matmul_f32_a8g32_w8g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, 8, 0, EDGE_W8G32_BYTES, EDGE_W8G32_D, 0);
}

void edge_matmul_f32_a8g32_w4g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, 4, 8, EDGE_W4G32_BYTES, EDGE_W4G32_D, 0);
}

void edge_matmul_f32_a8g32_w4mg32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                          int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, 4, 0, EDGE_W4MG32_BYTES, EDGE_W4MG32_D, EDGE_W4MG32_M);
}

void edge_matmul_f32_a8g32_w5g32__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    matmul_g32(out, tiles, cols, acts, num_tokens, 5, 16, EDGE_W5G32_BYTES, EDGE_W5G32_D, 0);
}

/* codes[k][row] of a super-tile whose tiles have tile_bytes of codes. */
static void unpack_super(int32_t codes[EDGE_SUPER][EDGE_TILE_ROWS], const uint8_t *tile, int32_t bits, int32_t offset,
                         int32_t tile_bytes) {
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        unpack(codes + i * EDGE_GROUP, tile + i * tile_bytes, bits, offset);
    }
}

/* One super-tile of Q4_K against one token: out += d * da * sum_j sc_j dot_j - dmin * da * sum_j m_j s_j. */
static void add_w4mg256(float *out, const uint8_t *tile, int32_t codes[EDGE_SUPER][EDGE_TILE_ROWS], const int8_t *q,
                        float da, const int32_t *s) {
    int32_t isum[EDGE_TILE_ROWS] = {0}, msum[EDGE_TILE_ROWS] = {0}, sum[EDGE_TILE_ROWS];
    for (int32_t j = 0; j < EDGE_SUPER_TILES; j++) {
        dot(sum, codes + j * EDGE_GROUP, q + j * EDGE_GROUP, EDGE_GROUP);
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            isum[row] += tile[EDGE_W4MG256_SC + j * EDGE_TILE_ROWS + row] * sum[row];
            msum[row] += tile[EDGE_W4MG256_M + j * EDGE_TILE_ROWS + row] * (s[2 * j] + s[2 * j + 1]);
        }
    }
    for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
        float d = edge_f16_to_f32(edge_tile_half(tile + EDGE_W4MG256_D, row));
        float dmin = edge_f16_to_f32(edge_tile_half(tile + EDGE_W4MG256_DMIN, row));
        out[row] = out[row] + (float)isum[row] * (d * da);
        out[row] = out[row] - (float)msum[row] * (dmin * da);
    }
}

/* One super-tile of Q6_K against one token: out += d * da * sum_j sc_j dot_j, j over 16 sub-blocks of 16 k. */
static void add_w6g256(float *out, const uint8_t *tile, int32_t codes[EDGE_SUPER][EDGE_TILE_ROWS], const int8_t *q,
                       float da) {
    int32_t isum[EDGE_TILE_ROWS] = {0}, sum[EDGE_TILE_ROWS];
    const int8_t *sc = (const int8_t *)(tile + EDGE_W6G256_SC);
    for (int32_t j = 0; j < EDGE_SUPER / 16; j++) {
        dot(sum, codes + j * 16, q + j * 16, 16);
        for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
            isum[row] += sc[j * EDGE_TILE_ROWS + row] * sum[row];
        }
    }
    for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
        float d = edge_f16_to_f32(edge_tile_half(tile + EDGE_W6G256_D, row));
        out[row] = out[row] + (float)isum[row] * (d * da);
    }
}

void edge_matmul_f32_a8g256_w4mg256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                            int32_t num_tokens) {
    int32_t codes[EDGE_SUPER][EDGE_TILE_ROWS];
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *tile = tiles + (int64_t)g * EDGE_W4MG256_BYTES;
        unpack_super(codes, tile, 4, 0, EDGE_CODES_W4);
        for (int32_t t = 0; t < num_tokens; t++) {
            add_w4mg256(out + t * EDGE_TILE_ROWS, tile, codes, acts->q + t * acts->q_stride + (int64_t)g * EDGE_SUPER,
                        acts->d[t * acts->d_stride + g], acts->s + t * acts->s_stride + (int64_t)g * (EDGE_SUPER / 16));
        }
    }
}

void edge_matmul_f32_a8g256_w6g256__scalar(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                           int32_t num_tokens) {
    int32_t codes[EDGE_SUPER][EDGE_TILE_ROWS];
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *tile = tiles + (int64_t)g * EDGE_W6G256_BYTES;
        unpack_super(codes, tile, 6, 32, EDGE_CODES_W6);
        for (int32_t t = 0; t < num_tokens; t++) {
            add_w6g256(out + t * EDGE_TILE_ROWS, tile, codes, acts->q + t * acts->q_stride + (int64_t)g * EDGE_SUPER,
                       acts->d[t * acts->d_stride + g]);
        }
    }
}
