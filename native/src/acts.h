/* Where the activations of a linear operation lie: rows of codes, scales and sums for each kind its weights read. */
#ifndef EDGE_ACTS_H
#define EDGE_ACTS_H

#include <stdint.h>

#include "kernels.h"

/* Sets of activation kinds. */
#define EDGE_KIND(kind)      (1 << (kind))
#define EDGE_KINDS_QUANTIZED (EDGE_KIND(EDGE_ACT_A8G32) | EDGE_KIND(EDGE_ACT_A8G256))

/* Codes from one row to the next: an odd multiple of 256. A chunk reads 256 k of 64 rows again and again; a stride that
 * is a large power of two would put them all into a few sets of the first cache, and they would not stay there. */
static inline int64_t edge_acts_stride(int64_t cols) {
    return ((cols + EDGE_SUPER - 1) / EDGE_SUPER | 1) * EDGE_SUPER;
}

/* Row t of an operation whose stride is n starts at code t * n, scale t * n / 32 (or 256), sum t * n / 32 (or 16);
 * float rows follow each other without gaps. Pointers of kinds that no operation needs are NULL. */
typedef struct edge_acts_area {
    float *x; /* normalised rows, for float weights behind a norm */
    int8_t *q32, *q256;
    float *d32, *d256;
    int32_t *s32, *s256;
} edge_acts_area;

/* How many elements the largest operation needs: values per kind (rows x stride). */
typedef struct edge_acts_need {
    uint64_t values[3]; /* by edge_act_kind */
} edge_acts_need;

/* Quantises `count` values that stand at `column` of row `row`, for every quantised kind of the set. */
static inline void edge_acts_quantize(const edge_kernels *kernels, const edge_acts_area *area, int32_t kinds,
                                      const float *x, int64_t row, int64_t cols, int64_t column, int32_t count) {
    int64_t at = row * edge_acts_stride(cols) + column;
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
    const int64_t stride = edge_acts_stride(cols), at = row * stride;
    switch (kind) {
    case EDGE_ACT_F32:
        acts.x = x + row * cols;
        acts.x_stride = cols;
        break;
    case EDGE_ACT_A8G32:
        acts.q = area->q32 + at;
        acts.d = area->d32 + at / EDGE_GROUP;
        acts.s = area->s32 + at / EDGE_GROUP;
        acts.q_stride = stride;
        acts.d_stride = stride / EDGE_GROUP;
        acts.s_stride = stride / EDGE_GROUP;
        break;
    case EDGE_ACT_A8G256:
        acts.q = area->q256 + at;
        acts.d = area->d256 + at / EDGE_SUPER;
        acts.s = area->s256 + at / 16;
        acts.q_stride = stride;
        acts.d_stride = stride / EDGE_SUPER;
        acts.s_stride = stride / 16;
        break;
    }
    return acts;
}

#endif
