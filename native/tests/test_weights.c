/* Packing: every row of every type comes back as its GGUF blocks say; bad arguments and failed allocations are refused.
 * The decoders here are written from the table of block layouts, not from the packing code. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "code_books.h"
#include "edge/weights.h"
#include "half.h"
#include "kernels.h"
#include "os.h"
#include "random.h"
#include "weights.h"

#define MAX_COLS 1024
#define MAX_ROWS 70
#define ROUNDS   60 /* per type */

typedef struct source_type {
    const char *name;
    int32_t type, values, bytes;
    uint64_t tile_bytes; /* packed bytes of 16 rows x values, from the layout's description */
    float (*decode)(const uint8_t *block, int32_t e);
} source_type;

static const int8_t nl[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const int8_t fp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static float half_at(const uint8_t *p) {
    return edge_f16_to_f32((uint16_t)(p[0] | p[1] << 8));
}

static int32_t nibble(const uint8_t *qs, int32_t e, int32_t half) {
    return e < half ? qs[e] & 15 : qs[e - half] >> 4;
}

static float decode_f32(const uint8_t *b, int32_t e) {
    (void)e;
    return edge_bits_f32((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
}

static float decode_f16(const uint8_t *b, int32_t e) {
    (void)e;
    return half_at(b);
}

static float decode_bf16(const uint8_t *b, int32_t e) {
    (void)e;
    return edge_bits_f32((uint32_t)(b[0] | b[1] << 8) << 16);
}

static float decode_q8_0(const uint8_t *b, int32_t e) {
    return (float)(int8_t)b[2 + e] * half_at(b);
}

static float decode_q4_0(const uint8_t *b, int32_t e) {
    return (float)(nibble(b + 2, e, 16) - 8) * half_at(b);
}

static float decode_q4_1(const uint8_t *b, int32_t e) {
    return (float)nibble(b + 4, e, 16) * half_at(b) + half_at(b + 2);
}

static float decode_q5_0(const uint8_t *b, int32_t e) {
    uint32_t qh = (uint32_t)b[2] | (uint32_t)b[3] << 8 | (uint32_t)b[4] << 16 | (uint32_t)b[5] << 24;
    int32_t high = (int32_t)(qh >> e & 1) << 4;
    return (float)((nibble(b + 6, e, 16) | high) - 16) * half_at(b);
}

static int32_t scale_of_k(const uint8_t *s, int32_t j) {
    return j < 4 ? s[j] & 63 : (s[j + 4] & 15) + 16 * (s[j - 4] >> 6);
}

static int32_t min_of_k(const uint8_t *s, int32_t j) {
    return j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) + 16 * (s[j] >> 6);
}

static int32_t nibble_of_k(const uint8_t *qs, int32_t e) {
    uint8_t byte = qs[e / 64 * 32 + e % 32];
    return e / 32 % 2 ? byte >> 4 : byte & 15;
}

static float decode_q4_k(const uint8_t *b, int32_t e) {
    float scale = half_at(b) * (float)scale_of_k(b + 4, e / 32);
    return scale * (float)nibble_of_k(b + 16, e) - half_at(b + 2) * (float)min_of_k(b + 4, e / 32);
}

static float decode_q6_k(const uint8_t *b, int32_t e) {
    int32_t h = e / 128, j = e % 128 / 32, l = e % 32;
    uint8_t low = b[h * 64 + (j & 1) * 32 + l];
    int32_t q = (j < 2 ? low & 15 : low >> 4) + 16 * (b[128 + h * 32 + l] >> 2 * j & 3);
    return (half_at(b + 208) * (float)(int8_t)b[192 + e / 16]) * (float)(q - 32);
}

static float decode_q5_1(const uint8_t *b, int32_t e) {
    return (float)(nibble(b + 8, e, 16) | (b[4 + e / 8] >> e % 8 & 1) << 4) * half_at(b) + half_at(b + 2);
}

static float decode_q1_0(const uint8_t *b, int32_t e) {
    return b[2 + e / 8] >> e % 8 & 1 ? half_at(b) : -half_at(b);
}

static float decode_q2_0(const uint8_t *b, int32_t e) {
    return (float)((b[2 + e / 4] >> 2 * (e % 4) & 3) - 1) * half_at(b);
}

static float decode_iq4_nl(const uint8_t *b, int32_t e) {
    return (float)nl[nibble(b + 2, e, 16)] * half_at(b);
}

static float decode_mxfp4(const uint8_t *b, int32_t e) {
    return (float)fp4[nibble(b + 1, e, 16)] * ldexpf(1.0f, b[0] - 128);
}

static float decode_nvfp4(const uint8_t *b, int32_t e) {
    int32_t s = e / 16, exponent = b[s] >> 3 & 15, mantissa = b[s] & 7;
    float scale = exponent == 0 ? ldexpf((float)mantissa, -9) : ldexpf(1.0f + (float)mantissa / 8.0f, exponent - 7);
    return (float)fp4[nibble(b + 4 + 8 * s, e % 16, 8)] * (b[s] == 0x7f ? 0.0f : 0.5f * scale);
}

static int32_t two_bits(const uint8_t *qs, int32_t e) {
    return qs[e / 128 * 32 + e % 32] >> 2 * (e % 128 / 32) & 3;
}

static float decode_q2_k(const uint8_t *b, int32_t e) {
    int32_t sc = b[e / 16];
    float d = half_at(b + 80), dmin = half_at(b + 82);
    return (d * (float)(sc & 15)) * (float)two_bits(b + 16, e) - dmin * (float)(sc >> 4);
}

static float decode_q3_k(const uint8_t *b, int32_t e) {
    const uint8_t *s = b + 96;
    int32_t j = e / 16, low = j < 8 ? s[j] & 15 : s[j - 8] >> 4, high = s[8 + j % 4] >> 2 * (j / 4) & 3;
    int32_t bit = b[e % 32] >> e / 32 & 1;
    return (half_at(b + 108) * (float)((low | high << 4) - 32)) * (float)(two_bits(b + 32, e) - (bit ? 0 : 4));
}

static float decode_q5_k(const uint8_t *b, int32_t e) {
    int32_t q = nibble_of_k(b + 48, e) + 16 * (b[16 + e % 32] >> e / 32 & 1);
    float scale = half_at(b) * (float)scale_of_k(b + 4, e / 32);
    return scale * (float)q - half_at(b + 2) * (float)min_of_k(b + 4, e / 32);
}

static float decode_tq2_0(const uint8_t *b, int32_t e) {
    return half_at(b + 64) * (float)(two_bits(b, e) - 1);
}

static float decode_tq1_0(const uint8_t *b, int32_t e) {
    int32_t byte = e < 160 ? e % 32 : e < 240 ? 32 + (e - 160) % 16 : 48 + (e - 240) % 4;
    int32_t power = e < 160 ? e / 32 : e < 240 ? (e - 160) / 16 : (e - 240) / 4;
    int32_t x = b[byte];
    while (power-- > 0) {
        x = x * 3 & 255;
    }
    return half_at(b + 52) * (float)((x * 3 >> 8) - 1);
}

static float decode_iq4_xs(const uint8_t *b, int32_t e) {
    int32_t ib = e / 32, high = (b[2] | b[3] << 8) >> 2 * ib & 3;
    int32_t ls = (b[4 + ib / 2] >> 4 * (ib % 2) & 15) | high << 4;
    return (half_at(b) * (float)(ls - 32)) * (float)nl[nibble(b + 8 + 16 * ib, e % 32, 16)];
}

static uint32_t word_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Whether value j of eight is negative: seven bits say, the eighth makes the number of minus signs even. */
static int negative(uint32_t seven, int32_t j) {
    if (j < 7) {
        return (int)(seven >> j & 1u);
    }
    int count = 0;
    for (int32_t i = 0; i < 7; i++) {
        count += (int)(seven >> i & 1u);
    }
    return count % 2;
}

static float level2(uint16_t entry, int32_t j) {
    static const float levels[4] = {8.0f, 25.0f, 43.0f, 0.0f};
    return levels[entry >> 2 * j & 3];
}

static float decode_iq2_xxs(const uint8_t *b, int32_t e) {
    const uint8_t *from = b + 2 + 8 * (e / 32);
    uint32_t a = word_at(from + 4);
    int32_t l = e % 32 / 8, j = e % 8;
    float db = half_at(b) * (0.5f + (float)(a >> 28)) / 4.0f, value = level2(edge_grid_iq2xxs[from[l]], j);
    return db * (negative(a >> 7 * l & 127u, j) ? -value : value);
}

static float decode_iq2_xs(const uint8_t *b, int32_t e) {
    int32_t k = e / 8, j = e % 8, q = b[2 + 2 * k] | b[3 + 2 * k] << 8;
    float sc = (float)(k % 4 < 2 ? b[66 + k / 4] & 15 : b[66 + k / 4] >> 4);
    float value = level2(edge_grid_iq2xs[q & 511], j);
    return half_at(b) * (0.5f + sc) / 4.0f * (negative((uint32_t)q >> 9, j) ? -value : value);
}

static float decode_iq2_s(const uint8_t *b, int32_t e) {
    int32_t k = e / 8, j = e % 8, index = b[2 + k] | (b[66 + k / 4] >> 2 * (k % 4) & 3) << 8;
    float sc = (float)(k % 4 < 2 ? b[74 + k / 4] & 15 : b[74 + k / 4] >> 4), value = level2(edge_grid_iq2s[index], j);
    return half_at(b) * (0.5f + sc) / 4.0f * (b[34 + k] >> j & 1 ? -value : value);
}

static float decode_iq3_xxs(const uint8_t *b, int32_t e) {
    static const float levels[8] = {4.0f, 12.0f, 20.0f, 28.0f, 36.0f, 44.0f, 52.0f, 62.0f};
    uint32_t a = word_at(b + 66 + 4 * (e / 32));
    float value = levels[edge_grid_iq3xxs[b[2 + e / 4]] >> 3 * (e % 4) & 7];
    return half_at(b) * (0.5f + (float)(a >> 28)) / 2.0f *
           (negative(a >> 7 * (e % 32 / 8) & 127u, e % 8) ? -value : value);
}

static float decode_iq3_s(const uint8_t *b, int32_t e) {
    int32_t k = e / 4, index = b[2 + k] | (b[66 + k / 8] >> k % 8 & 1) << 8, ib = e / 32;
    float value = (float)(2 * (edge_grid_iq3s[index] >> 3 * (e % 4) & 7) + 1);
    float sc = (float)(1 + 2 * (b[106 + ib / 2] >> 4 * (ib % 2) & 15));
    return half_at(b) * sc * (b[74 + k / 2] >> (e % 4 + 4 * (k % 2)) & 1 ? -value : value);
}

static float decode_iq1_s(const uint8_t *b, int32_t e) {
    int32_t ib = e / 32, l = e % 32 / 8, qh = b[34 + 2 * ib] | b[35 + 2 * ib] << 8;
    int32_t index = b[2 + e / 8] | (qh >> 3 * l & 7) << 8;
    float delta = qh & 0x8000 ? -0.125f : 0.125f, level = (float)(edge_grid_iq1s[index] >> 2 * (e % 8) & 3) - 1.0f;
    return half_at(b) * (float)(2 * (qh >> 12 & 7) + 1) * (level + delta);
}

static float decode_iq1_m(const uint8_t *b, int32_t e) {
    int32_t k = e / 8, hb = b[32 + k / 2] >> 4 * (k % 2) & 15, ib = e / 32, words[4];
    for (int32_t i = 0; i < 4; i++) {
        words[i] = b[48 + 2 * i] | b[49 + 2 * i] << 8;
    }
    uint32_t d = 0;
    for (int32_t i = 0; i < 4; i++) {
        d |= (uint32_t)(words[i] >> 12) << 4 * i;
    }
    int32_t s3 = words[ib / 2] >> (6 * (ib % 2) + 3 * (k % 4 / 2)) & 7, index = b[k] | (hb & 7) << 8;
    float level = (float)(edge_grid_iq1s[index] >> 2 * (e % 8) & 3) - 1.0f;
    return edge_f16_to_f32((uint16_t)d) * (float)(2 * s3 + 1) * (level + (hb & 8 ? -0.125f : 0.125f));
}

static const source_type types[] = {
    {"F32", EDGE_TYPE_F32, 1, 4, 64, decode_f32},
    {"F16", EDGE_TYPE_F16, 1, 2, 32, decode_f16},
    {"BF16", EDGE_TYPE_BF16, 1, 2, 32, decode_bf16},
    {"Q8_0", EDGE_TYPE_Q8_0, 32, 34, 544, decode_q8_0},
    {"Q4_0", EDGE_TYPE_Q4_0, 32, 18, 288, decode_q4_0},
    {"Q4_1", EDGE_TYPE_Q4_1, 32, 20, 320, decode_q4_1},
    {"Q5_0", EDGE_TYPE_Q5_0, 32, 22, 352, decode_q5_0},
    {"Q5_1", EDGE_TYPE_Q5_1, 32, 24, 384, decode_q5_1},
    {"Q1_0", EDGE_TYPE_Q1_0, 128, 18, 288, decode_q1_0},
    {"Q2_0", EDGE_TYPE_Q2_0, 64, 18, 288, decode_q2_0},
    {"IQ4_NL", EDGE_TYPE_IQ4_NL, 32, 18, 288, decode_iq4_nl},
    {"MXFP4", EDGE_TYPE_MXFP4, 32, 17, 272, decode_mxfp4},
    {"NVFP4", EDGE_TYPE_NVFP4, 64, 36, 576, decode_nvfp4},
    {"Q2_K", EDGE_TYPE_Q2_K, 256, 84, 1344, decode_q2_k},
    {"Q3_K", EDGE_TYPE_Q3_K, 256, 110, 1824, decode_q3_k},
    {"Q4_K", EDGE_TYPE_Q4_K, 256, 144, 2368, decode_q4_k},
    {"Q5_K", EDGE_TYPE_Q5_K, 256, 176, 2880, decode_q5_k},
    {"Q6_K", EDGE_TYPE_Q6_K, 256, 210, 3360, decode_q6_k},
    {"TQ2_0", EDGE_TYPE_TQ2_0, 256, 66, 1056, decode_tq2_0},
    {"TQ1_0", EDGE_TYPE_TQ1_0, 256, 54, 864, decode_tq1_0},
    {"IQ4_XS", EDGE_TYPE_IQ4_XS, 256, 136, 2208, decode_iq4_xs},
    {"IQ3_S", EDGE_TYPE_IQ3_S, 256, 110, 2208, decode_iq3_s},
    {"IQ3_XXS", EDGE_TYPE_IQ3_XXS, 256, 98, 2208, decode_iq3_xxs},
    {"IQ2_XXS", EDGE_TYPE_IQ2_XXS, 256, 66, 1504, decode_iq2_xxs},
    {"IQ2_XS", EDGE_TYPE_IQ2_XS, 256, 74, 1504, decode_iq2_xs},
    {"IQ2_S", EDGE_TYPE_IQ2_S, 256, 82, 1504, decode_iq2_s},
    {"IQ1_S", EDGE_TYPE_IQ1_S, 256, 50, 1120, decode_iq1_s},
    {"IQ1_M", EDGE_TYPE_IQ1_M, 256, 56, 1120, decode_iq1_m},
};

#define NUM_TYPES (int)(sizeof types / sizeof types[0])

static uint8_t *random_source(uint64_t *state, uint64_t bytes) {
    uint8_t *source = malloc(bytes);
    int32_t fill = random_int(state, 0, 9);
    for (uint64_t i = 0; source && i < bytes; i++) {
        source[i] = fill == 0 ? 0xff : fill == 1 ? 0x80 : (uint8_t)random_u64(state);
    }
    return source;
}

static void check_rows(const source_type *type, const edge_weights *weights, const uint8_t *source, int64_t rows,
                       int64_t cols) {
    float got[MAX_COLS], want[MAX_COLS];
    int64_t blocks = cols / type->values;
    for (int64_t row = 0; row < rows; row++) {
        CHECK(edge_weights_row(weights, row, got) == EDGE_OK, "%s row %d", type->name, (int)row);
        for (int64_t k = 0; k < cols; k++) {
            want[k] =
                type->decode(source + (row * blocks + k / type->values) * type->bytes, (int32_t)(k % type->values));
        }
        int64_t at = check_first_difference(want, got, cols);
        CHECK(at < 0, "%s, %d x %d, row %d, value %d: %a, want %a", type->name, (int)rows, (int)cols, (int)row, (int)at,
              (double)got[at < 0 ? 0 : at], (double)want[at < 0 ? 0 : at]);
    }
    CHECK(edge_weights_row(weights, rows, got) == EDGE_INVALID, "%s: a row behind the last", type->name);
    CHECK(edge_weights_row(weights, -1, got) == EDGE_INVALID, "%s: row -1", type->name);
}

/* Rows that pad the last tile row must be zero: kernels read them. */
static void check_padding(const source_type *type, const edge_weights *weights, int64_t rows, int64_t cols) {
    float values[MAX_COLS];
    for (int64_t row = rows; row % EDGE_TILE_ROWS != 0; row++) {
        edge_weights padded = *weights;
        padded.rows = row + 1;
        CHECK(edge_weights_row(&padded, row, values) == EDGE_OK, "%s padding row %d", type->name, (int)row);
        for (int64_t k = 0; k < cols; k++) {
            CHECK(values[k] == 0.0f, "%s padding row %d, value %d: %g", type->name, (int)row, (int)k,
                  (double)values[k]);
        }
    }
}

static void check_round_trip(const source_type *type, uint64_t *state, edge_threads *threads) {
    int64_t rows = random_int(state, 1, MAX_ROWS);
    int64_t cols = (int64_t)type->values * random_int(state, 1, type->values == 1 ? 130 : MAX_COLS / type->values);
    uint64_t source_bytes = 0, packed_bytes = 0;
    CHECK(edge_weights_sizes(type->type, rows, cols, &source_bytes, &packed_bytes) == EDGE_OK, "%s", type->name);
    CHECK(source_bytes == (uint64_t)(rows * (cols / type->values) * type->bytes), "%s source bytes", type->name);
    uint64_t tile_rows = (uint64_t)((rows + 15) / 16);
    CHECK(packed_bytes == tile_rows * (uint64_t)(cols / type->values) * type->tile_bytes, "%s packed bytes",
          type->name);
    int code_book = strncmp(type->name, "IQ", 2) == 0 && strncmp(type->name, "IQ4", 3) != 0;
    uint64_t tile_source = 16 * (uint64_t)type->bytes;
    CHECK(100 * type->tile_bytes <= (code_book ? 150 : 104) * tile_source, "%s: %u packed bytes for %u", type->name,
          (unsigned)type->tile_bytes, (unsigned)tile_source);
    uint8_t *source = random_source(state, source_bytes);
    edge_weights *weights = NULL;
    edge_status status = edge_weights_create(&weights, type->type, rows, cols, source, source_bytes, threads);
    CHECK(status == EDGE_OK, "%s create: %d", type->name, (int)status);
    if (status == EDGE_OK) {
        CHECK(edge_weights_packed_bytes(weights) == packed_bytes, "%s", type->name);
        check_rows(type, weights, source, rows, cols);
        check_padding(type, weights, rows, cols);
    }
    edge_weights_destroy(&weights);
    CHECK(weights == NULL, "destroy nulls");
    free(source);
}

static void check_refusals(void) {
    uint64_t a = 0, b = 0;
    uint8_t block[256] = {0};
    edge_weights *weights = NULL;
    CHECK(edge_weights_sizes(99, 1, 32, &a, &b) == EDGE_UNSUPPORTED, "no such type");
    CHECK(edge_weights_sizes(-1, 1, 32, &a, &b) == EDGE_UNSUPPORTED, "no such type");
    for (int i = 0; i < NUM_TYPES; i++) {
        int32_t type = types[i].type;
        CHECK(edge_weights_sizes(type, 0, 256, &a, &b) == EDGE_INVALID, "no rows");
        CHECK(edge_weights_sizes(type, -1, 256, &a, &b) == EDGE_INVALID, "negative rows");
        CHECK(edge_weights_sizes(type, 1, 0, &a, &b) == EDGE_INVALID, "no columns");
        CHECK(edge_weights_sizes(type, 1, -256, &a, &b) == EDGE_INVALID, "negative columns");
        CHECK(edge_weights_sizes(type, 1, INT64_MAX / 256 * 256, &a, &b) == EDGE_INVALID, "columns beyond int32");
        CHECK(edge_weights_sizes(type, INT64_MAX, 256, &a, &b) == EDGE_INVALID, "rows beyond int32");
        CHECK(types[i].values == 1 || edge_weights_sizes(type, 1, 255, &a, &b) == EDGE_INVALID, "part of a block");
        CHECK(edge_weights_create(&weights, type, 1, 256, block, 1, NULL) == EDGE_INVALID, "too few bytes");
    }
    CHECK(edge_weights_sizes(EDGE_TYPE_F32, INT32_MAX, INT32_MAX, &a, &b) == EDGE_INVALID, "bytes overflow");
    /* More than an address space: refused before the source is read. */
    CHECK(edge_weights_sizes(EDGE_TYPE_F16, 1 << 30, 1 << 20, &a, &b) == EDGE_OK, "2^51 bytes have a size");
    CHECK(edge_weights_create(&weights, EDGE_TYPE_F16, 1 << 30, 1 << 20, block, a, NULL) == EDGE_NO_MEMORY,
          "2^51 bytes are not to be had");
    CHECK(weights == NULL, "nothing was made");
}

static void check_vectors(void) {
    static const float values[5] = {1.0f, -2.5f, 0.0f, 65504.0f, 0x1p-24f};
    uint16_t halves[5], bfloats[5];
    edge_weights *weights = NULL;
    float row[5];
    for (int i = 0; i < 5; i++) {
        halves[i] = edge_f32_to_f16(values[i]);
        bfloats[i] = (uint16_t)(edge_f32_bits(values[i]) >> 16);
    }
    const void *sources[3] = {values, halves, bfloats};
    const int32_t kinds[3] = {EDGE_TYPE_F32, EDGE_TYPE_F16, EDGE_TYPE_BF16};
    for (int kind = 0; kind < 3; kind++) {
        uint64_t bytes = kind == 0 ? 20 : 10;
        CHECK(edge_weights_create_vector(&weights, kinds[kind], 5, sources[kind], bytes) == EDGE_OK, "vector");
        const float *held = (const float *)(const void *)weights->data;
        for (int i = 0; i < 5; i++) {
            float want = kind == 2 ? edge_bits_f32((uint32_t)bfloats[i] << 16) : values[i];
            CHECK(held[i] == want, "vector value %d: %g", i, (double)held[i]);
        }
        CHECK(edge_weights_packed_bytes(weights) == 20 && weights->is_vector, "a vector is held as float");
        CHECK(edge_weights_row(weights, 0, row) == EDGE_INVALID, "a vector has no rows");
        edge_weights_destroy(&weights);
        CHECK(edge_weights_create_vector(&weights, kinds[kind], 5, sources[kind], bytes - 1) == EDGE_INVALID, "bytes");
        CHECK(edge_weights_create_vector(&weights, kinds[kind], 0, sources[kind], 0) == EDGE_INVALID, "no values");
    }
    CHECK(edge_weights_create_vector(&weights, EDGE_TYPE_Q8_0, 32, values, 34) == EDGE_UNSUPPORTED, "quantised vector");
    CHECK(edge_weights_create_vector(&weights, 77, 5, values, 20) == EDGE_UNSUPPORTED, "no such type");
}

/* Every allocation fails once; nothing leaks and nothing is handed out. */
static void check_failed_allocations(void) {
    uint8_t source[34 * 3] = {0};
    float values[4] = {0};
    edge_weights *weights = NULL;
    int64_t live = edge_os_live();
    for (int64_t count = 0; count < 2; count++) {
        edge_os_fail_after(count);
        edge_status status = edge_weights_create(&weights, EDGE_TYPE_Q8_0, 3, 32, source, sizeof source, NULL);
        CHECK(status == EDGE_NO_MEMORY && !weights, "allocation %d fails: %d", (int)count, (int)status);
        edge_os_fail_after(count);
        status = edge_weights_create_vector(&weights, EDGE_TYPE_F32, 4, values, sizeof values);
        CHECK(status == EDGE_NO_MEMORY && !weights, "allocation %d fails: %d", (int)count, (int)status);
        edge_os_fail_after(-1);
        CHECK(edge_os_live() == live, "allocation %d: something leaked", (int)count);
    }
    edge_weights_destroy(&weights);
    edge_weights_destroy(NULL);
}

int main(void) {
    edge_threads *threads = NULL;
    uint64_t state = 11;
    CHECK(edge_threads_create(&threads, 3) == EDGE_OK, "a pool");
    for (int i = 0; i < NUM_TYPES; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            check_round_trip(&types[i], &state, round % 2 ? threads : NULL);
        }
    }
    edge_threads_destroy(&threads);
    check_refusals();
    check_vectors();
    check_failed_allocations();
    CHECK(edge_os_live() == 0, "%d allocations are still alive", (int)edge_os_live());
    return check_result("weights");
}
