/* Rounding with feedback against the same in double, step by step, and what it refuses. */
#include "edge/gptq.h"

#include <math.h>

#include "check.h"
#include "random.h"

#define ROWS   5
#define COLS   48
#define LEVELS 16

static float weights[ROWS * COLS], scales[ROWS * COLS], minima[ROWS * COLS], factor[COLS * COLS], errors[ROWS * COLS];
static float original[ROWS * COLS];
static uint8_t codes[ROWS * COLS];

static edge_gptq_block whole(void) {
    return (edge_gptq_block){weights, scales, minima, factor, codes, errors, ROWS, COLS, LEVELS};
}

static float real(uint64_t *state, float low, float high) {
    return low + (high - low) * (float)((double)(random_u64(state) >> 11) * 0x1p-53);
}

static void fill(uint64_t *state, float coupling) {
    for (int32_t i = 0; i < ROWS * COLS; i++) {
        original[i] = weights[i] = real(state, -1.0f, 1.0f);
        scales[i] = real(state, 0.05f, 0.2f) * (i % 3 == 0 ? -1.0f : 1.0f);
        minima[i] = 8.0f * scales[i];
    }
    for (int32_t i = 0; i < COLS; i++) {
        for (int32_t j = 0; j < COLS; j++) {
            factor[i * COLS + j] =
                i == j ? real(state, 0.5f, 2.0f) : (j > i ? coupling * real(state, -1.0f, 1.0f) : 9.0f);
        }
    }
}

/* The column's weight as it stands when its turn comes, from the errors of the columns before it. */
static double weight_at(int32_t row, int32_t column) {
    double weight = (double)original[row * COLS + column];
    for (int32_t before = 0; before < column; before++) {
        weight -= (double)errors[row * COLS + before] * (double)factor[before * COLS + column];
    }
    return weight;
}

static void test_every_step(float coupling) {
    uint64_t state = 7;
    fill(&state, coupling);
    edge_gptq_block block = whole();
    CHECK(edge_gptq_round(&block, NULL) == EDGE_OK, "status");
    for (int32_t i = 0; i < ROWS * COLS; i++) {
        int32_t row = i / COLS, column = i % COLS;
        double scale = (double)scales[i], minimum = (double)minima[i], weight = weight_at(row, column);
        double value = scale * codes[i] - minimum;
        double exact = (weight + minimum) / scale;
        double clamped = fmin(fmax(exact, 0.0), LEVELS - 1.0);
        CHECK(fabs(clamped - codes[i]) <= 0.5 + 1e-4, "row %d column %d: code %d for %g", row, column, codes[i], exact);
        double error = (weight - value) / (double)factor[column * COLS + column];
        CHECK(fabs(error - (double)errors[i]) <= 1e-5, "row %d column %d: error %g, %g", row, column, (double)errors[i],
              error);
    }
}

static void test_what_has_no_nearest(void) {
    uint64_t state = 9;
    fill(&state, 0.0f);
    scales[0] = minima[0] = 0.0f;
    static const float strange[] = {NAN, INFINITY, -1e30f}; /* in last columns, which nothing is behind */
    for (int32_t i = 0; i < 3; i++) {
        int32_t at = (i + 1) * COLS + COLS - 1;
        weights[at] = strange[i];
        scales[at] = 0.1f;
        minima[at] = 0.8f;
    }
    edge_gptq_block block = whole();
    CHECK(edge_gptq_round(&block, NULL) == EDGE_OK, "status");
    CHECK(codes[0] == 0, "a scale of 0: code %d", codes[0]);
    CHECK(codes[2 * COLS - 1] == 0, "not a number: code %d", codes[2 * COLS - 1]);
    CHECK(codes[3 * COLS - 1] == LEVELS - 1, "infinity: code %d", codes[3 * COLS - 1]);
    CHECK(codes[4 * COLS - 1] == 0, "very negative: code %d", codes[4 * COLS - 1]);
}

static void test_refusals(void) {
    uint64_t state = 8;
    fill(&state, 0.1f);
    edge_error error;
    edge_gptq_block block = whole();
    CHECK(edge_gptq_round(NULL, &error) == EDGE_INVALID, "no block");
    block.codes = NULL;
    CHECK(edge_gptq_round(&block, &error) == EDGE_INVALID && strstr(error.message, "NULL"), "%s", error.message);
    static const struct {
        int64_t rows;
        int32_t cols, levels;
    } bad[] = {{-1, COLS, 16}, {(int64_t)1 << 31, COLS, 16}, {1, 0, 16}, {1, EDGE_GPTQ_MAX_COLS + 1, 16}, {1, COLS, 1},
               {1, COLS, 257}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        block = whole();
        block.rows = bad[i].rows;
        block.cols = bad[i].cols;
        block.levels = bad[i].levels;
        CHECK(edge_gptq_round(&block, &error) == EDGE_INVALID && strstr(error.message, "out of range"), "case %d",
              (int)i);
    }
    static const float diagonals[] = {0.0f, -1.0f, NAN, INFINITY};
    for (size_t i = 0; i < sizeof diagonals / sizeof diagonals[0]; i++) {
        block = whole();
        factor[3 * COLS + 3] = diagonals[i];
        CHECK(edge_gptq_round(&block, &error) == EDGE_INVALID && strstr(error.message, "factor [3, 3]"), "%s",
              error.message);
    }
    factor[3 * COLS + 3] = 1.0f;
    block = whole();
    block.rows = 0;
    CHECK(edge_gptq_round(&block, NULL) == EDGE_OK, "no rows");
}

int main(void) {
    test_every_step(0.0f);
    test_every_step(0.3f);
    test_what_has_no_nearest();
    test_refusals();
    return check_result("gptq");
}
