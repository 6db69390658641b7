/* Any bytes as a matrix of any type: packing, rows as floats, and products that are equal on every level and shape. */
#include "edge/weights.h"
#include "input.h"
#include "kernels.h"
#include "weights.h"

#define MAX_ROWS   17 /* a tile row and one row of the next */
#define MAX_COLS   512
#define MAX_TOKENS 9 /* more than 8: the chunk shape on its own terms */

static const int32_t types[] = {
    EDGE_TYPE_F32,    EDGE_TYPE_F16,   EDGE_TYPE_BF16,   EDGE_TYPE_Q8_0,  EDGE_TYPE_Q4_0,    EDGE_TYPE_Q4_1,
    EDGE_TYPE_Q5_0,   EDGE_TYPE_Q4_K,  EDGE_TYPE_Q6_K,   EDGE_TYPE_Q5_1,  EDGE_TYPE_Q1_0,    EDGE_TYPE_Q2_0,
    EDGE_TYPE_IQ4_NL, EDGE_TYPE_MXFP4, EDGE_TYPE_NVFP4,  EDGE_TYPE_Q2_K,  EDGE_TYPE_Q3_K,    EDGE_TYPE_Q5_K,
    EDGE_TYPE_TQ1_0,  EDGE_TYPE_TQ2_0, EDGE_TYPE_IQ4_XS, EDGE_TYPE_IQ3_S, EDGE_TYPE_IQ3_XXS, EDGE_TYPE_IQ2_XXS,
    EDGE_TYPE_IQ2_XS, EDGE_TYPE_IQ2_S, EDGE_TYPE_IQ1_S,  EDGE_TYPE_IQ1_M};

/* Activations of one kind, made by the kernels of a level. */
typedef struct activations {
    int8_t q[MAX_TOKENS * MAX_COLS + EDGE_OVERREAD];
    float d[MAX_TOKENS * MAX_COLS / EDGE_GROUP + EDGE_OVERREAD];
    int32_t s[MAX_TOKENS * MAX_COLS / 16 + EDGE_OVERREAD];
} activations;

static edge_acts prepare(const edge_kernels *kernels, edge_act_kind kind, activations *a, const float *x, int32_t cols,
                         int32_t tokens) {
    edge_acts acts = {0};
    if (kind == EDGE_ACT_F32) {
        acts.x = x;
        acts.x_stride = cols;
        return acts;
    }
    int32_t group = kind == EDGE_ACT_A8G32 ? EDGE_GROUP : EDGE_SUPER, sums = kind == EDGE_ACT_A8G32 ? EDGE_GROUP : 16;
    acts = (edge_acts){NULL, a->q, a->d, a->s, 0, cols, cols / group, cols / sums};
    for (int32_t t = 0; t < tokens; t++) {
        (kind == EDGE_ACT_A8G32 ? kernels->quantize_a8g32 : kernels->quantize_a8g256)(
            a->q + t * acts.q_stride, a->d + t * acts.d_stride, a->s + t * acts.s_stride, x + (int64_t)t * cols, cols);
    }
    return acts;
}

static void compare_products(const edge_weights *w, const float *x, int32_t tokens) {
    static activations a, b;
    edge_isa best;
    FUZZ_REQUIRE(edge_isa_select(NULL, &best, NULL) == EDGE_OK);
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR), *fast = edge_kernels_get(best);
    edge_act_kind kind = edge_family_acts(w->family);
    int32_t cols = (int32_t)w->cols;
    edge_acts left = prepare(scalar, kind, &a, x, cols, tokens), right = prepare(fast, kind, &b, x, cols, tokens);
    for (int64_t row = 0; row < w->rows; row += EDGE_TILE_ROWS) {
        const uint8_t *tiles = w->data + (uint64_t)(row / EDGE_TILE_ROWS) * w->tile_row_bytes;
        float expected[MAX_TOKENS * EDGE_TILE_ROWS], out[MAX_TOKENS * EDGE_TILE_ROWS];
        scalar->matmul[w->family][EDGE_SHAPE_64X16](expected, tiles, cols, &left, tokens);
        for (int32_t shape = 0; shape < EDGE_NUM_SHAPES; shape++) {
            int32_t most = shape == EDGE_SHAPE_1X16 ? 1 : shape == EDGE_SHAPE_8X16 ? 8 : MAX_TOKENS;
            int32_t count = tokens < most ? tokens : most;
            fast->matmul[w->family][shape](out, tiles, cols, &right, count);
            FUZZ_REQUIRE(input_same_floats(out, expected, (int64_t)count * EDGE_TILE_ROWS));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    int32_t type = types[input_byte(&in) % (sizeof types / sizeof types[0])];
    int32_t rows = input_byte(&in) % (MAX_ROWS + 2), cols = (input_byte(&in) << 8 | input_byte(&in)) % (MAX_COLS + 1);
    int32_t tokens = 1 + input_byte(&in) % MAX_TOKENS;
    cols >>= input_byte(&in) % 4; /* mostly narrow: more inputs a second */
    if (input_byte(&in) % 8) {    /* mostly whole blocks */
        cols = type == EDGE_TYPE_Q4_K || type == EDGE_TYPE_Q6_K ? 256 + cols / 256 * 256 : cols / 32 * 32;
        cols = cols > MAX_COLS ? MAX_COLS : cols;
    }
    uint64_t source_bytes = 0, packed_bytes = 0;
    if (edge_weights_sizes(type, rows, cols, &source_bytes, &packed_bytes) != EDGE_OK) {
        return 0;
    }
    static float x[MAX_TOKENS * MAX_COLS];
    for (int32_t i = 0; i < tokens * cols; i++) {
        x[i] = i < 64 ? input_float(&in) : x[i % 61] + 0.25f;
    }
    uint8_t *source = malloc(source_bytes);
    FUZZ_REQUIRE(source != NULL);
    for (uint64_t i = 0; i < source_bytes; i++) {
        source[i] = in.left ? in.data[i % in.left] : (uint8_t)i;
    }
    edge_weights *w = NULL;
    FUZZ_REQUIRE(edge_weights_create(&w, type, rows, cols, source, source_bytes, NULL) == EDGE_OK);
    free(source);
    static float row[MAX_COLS];
    for (int32_t i = 0; i < rows; i++) {
        FUZZ_REQUIRE(edge_weights_row(w, i, row) == EDGE_OK);
    }
    FUZZ_REQUIRE(edge_weights_row(w, rows, row) == EDGE_INVALID);
    compare_products(w, x, tokens);
    edge_weights_destroy(&w);
    return 0;
}
