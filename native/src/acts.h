/* Where the activations of a linear operation lie: rows of codes, scales and sums for each kind its weights read. */
#ifndef EDGE_ACTS_H
#define EDGE_ACTS_H

#include <stdint.h>

#include "kernels.h"

/* Sets of activation kinds. */
#define EDGE_KIND(kind)      (1 << (kind))
#define EDGE_KINDS_QUANTIZED (EDGE_KIND(EDGE_ACT_A8G32) | EDGE_KIND(EDGE_ACT_A8G256))

/* Rows follow each other without gaps: row t of an operation with `cols` inputs starts at code t * cols, scale
 * t * cols / 32 (or 256), sum t * cols / 32 (or 16). Pointers of kinds that no operation needs are NULL. */
typedef struct edge_acts_area {
    float *x; /* normalised rows, for float weights behind a norm */
    int8_t *q32, *q256;
    float *d32, *d256;
    int32_t *s32, *s256;
} edge_acts_area;

/* How many elements the largest operation needs: values per kind (rows x cols). */
typedef struct edge_acts_need {
    uint64_t values[3]; /* by edge_act_kind */
} edge_acts_need;

/* Quantises `count` values that stand at `column` of row `row`, for every quantised kind of the set. */
static inline void edge_acts_quantize(const edge_kernels *kernels, const edge_acts_area *area, int32_t kinds,
                                      const float *x, int64_t row, int64_t cols, int64_t column, int32_t count) {
    int64_t at = row * cols + column;
    if (kinds & EDGE_KIND(EDGE_ACT_A8G32)) {
        kernels->quantize_a8g32(area->q32 + at, area->d32 + at / EDGE_GROUP, area->s32 + at / EDGE_GROUP, x, count);
    }
    if (kinds & EDGE_KIND(EDGE_ACT_A8G256)) {
        kernels->quantize_a8g256(area->q256 + at, area->d256 + at / EDGE_SUPER, area->s256 + at / 16, x, count);
    }
}

/* The rows from `row` on as a kernel reads them. x: the float rows, used for the float kind. */
static inline edge_acts edge_acts_rows(const edge_acts_area *area, edge_act_kind kind, const float *x, int64_t row,
                                       int64_t cols) {
    edge_acts acts = {0};
    int64_t at = row * cols;
    switch (kind) {
    case EDGE_ACT_F32:
        acts.x = x + at;
        acts.x_stride = cols;
        break;
    case EDGE_ACT_A8G32:
        acts.q = area->q32 + at;
        acts.d = area->d32 + at / EDGE_GROUP;
        acts.s = area->s32 + at / EDGE_GROUP;
        acts.q_stride = cols;
        acts.d_stride = cols / EDGE_GROUP;
        acts.s_stride = cols / EDGE_GROUP;
        break;
    case EDGE_ACT_A8G256:
        acts.q = area->q256 + at;
        acts.d = area->d256 + at / EDGE_SUPER;
        acts.s = area->s256 + at / 16;
        acts.q_stride = cols;
        acts.d_stride = cols / EDGE_SUPER;
        acts.s_stride = cols / 16;
        break;
    }
    return acts;
}

#endif
