/* Q3_K and Q6_K: blocks of 16 with a signed scale, a code of one half per 256 weights.
 * Source: ggml's quantize_row_q6_K_ref, quantize_row_q3_K_ref and quantize_row_q3_K_impl. */
#include <math.h>
#include <string.h>

#include "quantise.h"

#define BLOCK  16
#define BLOCKS EDGE_SEARCH_LANES

/* Codes -most .. most - 1 of scales, the one of largest magnitude at -most; returns what a code counts, rounded. */
static float scale_codes(int8_t codes[BLOCKS], uint8_t *half, const float scale[BLOCKS], int32_t most) {
    float largest = 0.0f;
    for (int32_t i = 0; i < BLOCKS; i++) {
        largest = fabsf(scale[i]) > fabsf(largest) ? scale[i] : largest;
    }
    memset(codes, 0, BLOCKS);
    if (fabsf(largest) < 1e-15f) {
        return edge_put_half(half, 0.0f);
    }
    const float inverse = (float)-most / largest;
    for (int32_t i = 0; i < BLOCKS; i++) {
        codes[i] = (int8_t)edge_nearest(inverse * scale[i], (float)-most, (float)(most - 1));
    }
    return edge_put_half(half, 1.0f / inverse);
}

static void put_codes(uint8_t codes[EDGE_SUPER], const float *x, float d, const int8_t scales[BLOCKS], int32_t most) {
    for (int32_t i = 0; i < BLOCKS; i++) {
        edge_codes_of(codes + i * BLOCK, x + i * BLOCK, BLOCK, d * (float)scales[i], 0.0f, -most, most - 1);
    }
}

static void pack_q6_k(uint8_t *out, const uint8_t codes[EDGE_SUPER], const int8_t scales[BLOCKS]) {
    for (int32_t i = 0; i < 128; i++) {
        const uint8_t *pair = codes + i / 64 * 128 + i % 64;
        out[i] = (uint8_t)((pair[0] & 15) | (pair[64] & 15) << 4);
    }
    for (int32_t i = 0; i < 64; i++) {
        const uint8_t *four = codes + i / 32 * 128 + i % 32;
        out[128 + i] = (uint8_t)(four[0] >> 4 | four[32] >> 4 << 2 | four[64] >> 4 << 4 | four[96] >> 4 << 6);
    }
    memcpy(out + 192, scales, BLOCKS);
}

void edge_encode_q6_k(uint8_t *out, const edge_encode_row *row) {
    float scale[BLOCKS], w[EDGE_SUPER];
    uint8_t codes[EDGE_SUPER];
    int8_t scales[BLOCKS];
    for (int64_t first = 0; first < row->cols; first += EDGE_SUPER, out += 210) {
        const float *x = row->x + first;
        edge_weigh(w, x, NULL, 0.0f, EDGE_SUPER);
        edge_scales_of(row->kernels->search_symmetric, scale, x, row->importance ? row->importance + first : w, BLOCK,
                       BLOCKS, 32.0f);
        const float d = scale_codes(scales, out + 208, scale, 128);
        put_codes(codes, x, d, scales, 32);
        pack_q6_k(out, codes, scales);
    }
}

/* Sixteen scales of six bits, 32 added, in twelve bytes: low nibbles first, then the upper two bits of each. */
static void pack_q3_k(uint8_t *out, const uint8_t codes[EDGE_SUPER], const int8_t scales[BLOCKS]) {
    uint8_t low[EDGE_SUPER];
    memset(out, 0, 108);
    for (int32_t i = 0; i < EDGE_SUPER; i++) {
        out[i % 32] = (uint8_t)(out[i % 32] | (codes[i] >> 2) << i / 32);
        low[i] = codes[i] & 3;
    }
    edge_put_quarters(out + 32, low);
    for (int32_t i = 0; i < BLOCKS; i++) {
        const int32_t scale = scales[i] + 32;
        out[96 + i % 8] = (uint8_t)(out[96 + i % 8] | (scale & 15) << i / 8 * 4);
        out[104 + i % 4] = (uint8_t)(out[104 + i % 4] | scale >> 4 << i / 4 * 2);
    }
}

static void sums_of(float sums[BLOCKS], const float *w) {
    for (int32_t i = 0; i < BLOCKS; i++) {
        sums[i] = 0.0f;
        for (int32_t k = 0; k < BLOCK; k++) {
            sums[i] = sums[i] + w[i * BLOCK + k];
        }
    }
}

void edge_encode_q3_k(uint8_t *out, const edge_encode_row *row) {
    float scale[BLOCKS], sums[BLOCKS], w[EDGE_SUPER], d;
    uint8_t codes[EDGE_SUPER];
    int8_t scales[BLOCKS];
    for (int64_t first = 0; first < row->cols; first += EDGE_SUPER, out += 110) {
        const float *x = row->x + first, *importance = row->importance ? row->importance + first : NULL;
        const float sigma2 = importance ? 2.0f * edge_sum_of_squares(x, EDGE_SUPER) / (float)EDGE_SUPER : 0.0f;
        edge_weigh(w, x, importance, sigma2, EDGE_SUPER);
        edge_scales_of(importance ? row->kernels->search_symmetric : row->kernels->search_descent, scale, x, w, BLOCK,
                       BLOCKS, 4.0f);
        if (importance) {
            sums_of(sums, w);
            d = edge_put_half(out + 108, edge_super_scale_signed(scales, scale, sums, BLOCKS, 32));
        } else {
            d = scale_codes(scales, out + 108, scale, 32);
        }
        put_codes(codes, x, d, scales, 4);
        pack_q3_k(out, codes, scales);
    }
}
