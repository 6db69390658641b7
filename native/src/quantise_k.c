/* Q2_K, Q4_K and Q5_K: blocks with a scale and a minimum, both codes of two halves per 256 weights.
 * Source: ggml's quantize_row_q4_K_ref and quantize_row_q4_K_impl, and their like. */
#include <math.h>
#include <string.h>

#include "quantise.h"

typedef struct k_type {
    int32_t size;       /* weights in a block: 16 or 32 */
    int32_t most;       /* codes are 0 .. most */
    int32_t most_scale; /* codes of scales and minima are 0 .. most_scale */
    edge_affine plain, important;
} k_type;

static const k_type q2_k = {16, 3, 15, {16, 1, 15, -0.5f, 0.1f, 3.0f}, {16, 0, 36, -0.9f, 0.05f, 3.0f}};
static const k_type q4_k = {32, 15, 63, {32, 0, 20, -1.0f, 0.1f, 15.0f}, {32, 0, 36, -0.9f, 0.05f, 15.0f}};
static const k_type q5_k = {32, 31, 63, {32, 0, 15, -0.5f, 0.1f, 31.0f}, {32, 0, 36, -0.9f, 0.05f, 31.0f}};

/* What a super-block is before it is packed. */
typedef struct k_block {
    uint8_t scales[16], mins[16], codes[EDGE_SUPER];
} k_block;

/* How much an error counts when nothing is known: the magnitude, and in blocks of 32 their root mean square with it. */
static void weigh_plain(float *w, const float *x, int32_t size, int32_t count) {
    for (int32_t block = 0; block < count; block++, x += size, w += size) {
        const float added = size == 32 ? sqrtf(edge_sum_of_squares(x, size) / (float)size) : 0.0f;
        for (int32_t i = 0; i < size; i++) {
            w[i] = added + fabsf(x[i]);
        }
    }
}

/* Codes of scales (or minima), all against the largest; returns what a code counts. */
static float plain_codes(uint8_t *codes, const float *values, int32_t count, int32_t most) {
    float largest = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        largest = edge_larger(largest, values[i]);
    }
    const float inverse = largest > 0.0f ? (float)most / largest : 0.0f;
    for (int32_t i = 0; i < count; i++) {
        codes[i] = (uint8_t)edge_nearest(inverse * values[i], 0.0f, (float)most);
    }
    return largest / (float)most;
}

/* Scales, minima and codes of one super-block; d and dmin go to halves. */
static void finish(k_block *block, uint8_t *halves, const k_type *t, const float *x, const float *w, const float *scale,
                   const float *min) {
    const int32_t count = EDGE_SUPER / t->size;
    float d, dmin;
    if (w) {
        float sums[16];
        for (int32_t i = 0; i < count; i++) {
            sums[i] = 0.0f;
            for (int32_t k = 0; k < t->size; k++) {
                sums[i] = sums[i] + w[i * t->size + k];
            }
        }
        d = edge_super_scale(block->scales, scale, sums, count, t->most_scale);
        dmin = edge_super_scale(block->mins, min, sums, count, t->most_scale);
    } else {
        d = plain_codes(block->scales, scale, count, t->most_scale);
        dmin = plain_codes(block->mins, min, count, t->most_scale);
    }
    d = edge_put_half(halves, d);
    dmin = edge_put_half(halves + 2, dmin);
    for (int32_t i = 0; i < count; i++) {
        edge_codes_of(block->codes + i * t->size, x + i * t->size, t->size, d * (float)block->scales[i],
                      dmin * (float)block->mins[i], 0, t->most);
    }
}

/* Scales and minima of up to EDGE_SEARCH_LANES blocks of a row, from value `first` on; w is filled. */
static void search(float *scale, float *min, float *w, const k_type *t, const edge_encode_row *row, int64_t first,
                   int32_t count) {
    const float *x = row->x + first;
    if (row->importance) {
        for (int32_t i = 0; i < count * t->size; i += EDGE_SUPER) {
            const float factor = t->size == 32 ? 2.0f : 1.0f;
            const float sigma2 = factor * edge_sum_of_squares(x + i, EDGE_SUPER) / (float)EDGE_SUPER;
            edge_weigh(w + i, x + i, row->importance + first + i, sigma2, EDGE_SUPER);
        }
    } else {
        weigh_plain(w, x, t->size, count);
    }
    edge_scales_affine(row->kernels, scale, min, x, w, count, row->importance ? &t->important : &t->plain);
}

typedef void pack_fn(uint8_t *out, const k_block *block);

static void encode(uint8_t *out, const edge_encode_row *row, const k_type *t, int32_t bytes, int32_t halves_at,
                   pack_fn *pack) {
    const int32_t panel = EDGE_SEARCH_LANES * t->size;
    float scale[EDGE_SEARCH_LANES], min[EDGE_SEARCH_LANES], w[EDGE_PANEL_VALUES];
    k_block block;
    for (int64_t first = 0; first < row->cols; first += panel) {
        const int32_t values = row->cols - first < panel ? (int32_t)(row->cols - first) : panel;
        search(scale, min, w, t, row, first, values / t->size);
        for (int32_t i = 0; i < values; i += EDGE_SUPER, out += bytes) {
            finish(&block, out + halves_at, t, row->x + first + i, row->importance ? w + i : NULL, scale + i / t->size,
                   min + i / t->size);
            pack(out, &block);
        }
    }
}

static void pack_q2_k(uint8_t *out, const k_block *block) {
    for (int32_t i = 0; i < 16; i++) {
        out[i] = (uint8_t)(block->scales[i] | block->mins[i] << 4);
    }
    edge_put_quarters(out + 16, block->codes);
}

/* Eight scales and minima of six bits in twelve bytes: the upper bits of the last four lie above the first eight. */
static void put_scales(uint8_t *to, const k_block *block) {
    for (int32_t i = 0; i < 4; i++) {
        to[i] = (uint8_t)(block->scales[i] | block->scales[i + 4] >> 4 << 6);
        to[i + 4] = (uint8_t)(block->mins[i] | block->mins[i + 4] >> 4 << 6);
        to[i + 8] = (uint8_t)((block->scales[i + 4] & 15) | (block->mins[i + 4] & 15) << 4);
    }
}

static void pack_q4_k(uint8_t *out, const k_block *block) {
    put_scales(out + 4, block);
    for (int32_t i = 0; i < EDGE_SUPER; i += 64) {
        edge_put_nibbles(out + 16 + i / 2, block->codes + i, 64);
    }
}

static void pack_q5_k(uint8_t *out, const k_block *block) {
    put_scales(out + 4, block);
    memset(out + 16, 0, 32);
    for (int32_t i = 0; i < EDGE_SUPER; i++) {
        out[16 + i % 32] = (uint8_t)(out[16 + i % 32] | (block->codes[i] >> 4) << i / 32);
    }
    for (int32_t i = 0; i < EDGE_SUPER; i += 64) {
        edge_put_nibbles(out + 48 + i / 2, block->codes + i, 64);
    }
}

void edge_encode_q2_k(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q2_k, 84, 80, pack_q2_k);
}

void edge_encode_q4_k(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q4_k, 144, 0, pack_q4_k);
}

void edge_encode_q5_k(uint8_t *out, const edge_encode_row *row) {
    encode(out, row, &q5_k, 176, 0, pack_q5_k);
}
