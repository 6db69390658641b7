/* The columns of a row depend on each other in order; the row of the factor that a column uses is contiguous. */
#include "edge/gptq.h"

#include <math.h>
#include <stddef.h>

#include "error.h"
#include "fpenv.h"

/* The nearest code; not a number becomes 0. */
static uint8_t nearest(float weight, float scale, float minimum, float top) {
    float code = scale == 0.0f ? 0.0f : (weight + minimum) / scale;
    code = code > 0.0f ? code : 0.0f;
    code = code < top ? code : top;
    return (uint8_t)(code + 0.5f);
}

static void round_row(const edge_gptq_block *b, int64_t row) {
    int64_t at = row * b->cols;
    float *restrict weights = b->weights + at;
    for (int32_t i = 0; i < b->cols; i++) {
        const float *restrict factor = b->factor + (int64_t)i * b->cols;
        float scale = b->scales[at + i], minimum = b->minima[at + i];
        uint8_t code = nearest(weights[i], scale, minimum, (float)(b->levels - 1));
        float error = (weights[i] - (scale * (float)code - minimum)) / factor[i];
        for (int32_t j = i + 1; j < b->cols; j++) {
            weights[j] -= error * factor[j];
        }
        b->codes[at + i] = code;
        b->errors[at + i] = error;
    }
}

edge_status edge_gptq_round(const edge_gptq_block *block, edge_error *error) {
    const edge_gptq_block *b = block;
    if (!b || !b->weights || !b->scales || !b->minima || !b->factor || !b->codes || !b->errors) {
        return edge_fail(error, EDGE_INVALID, "a pointer is NULL");
    }
    if (b->rows < 0 || b->rows > INT32_MAX || b->cols < 1 || b->cols > EDGE_GPTQ_MAX_COLS || b->levels < 2 ||
        b->levels > 256) {
        return edge_fail(error, EDGE_INVALID, "%lld rows, %d columns or %d levels are out of range", (long long)b->rows,
                         (int)b->cols, (int)b->levels);
    }
    for (int32_t i = 0; i < b->cols; i++) {
        float diagonal = b->factor[(int64_t)i * b->cols + i];
        if (!(diagonal > 0.0f) || !isfinite(diagonal)) {
            return edge_fail(error, EDGE_INVALID, "factor [%d, %d] is %g", (int)i, (int)i, (double)diagonal);
        }
    }
    uint64_t saved = edge_fpenv_enter();
    for (int64_t row = 0; row < b->rows; row++) {
        round_row(b, row);
    }
    edge_fpenv_leave(saved);
    return EDGE_OK;
}
