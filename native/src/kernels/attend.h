/* The parts of attention that a compiler turns into lanes: softmax of a block and the merge of two blocks, with the
 * bits of edge_attend__scalar.c on every level. */
#ifndef EDGE_ATTEND_H
#define EDGE_ATTEND_H

#include "edge/kv.h"
#include "elementwise.h"

/* p[t] from scores to weights, t < valid, and to 0 beyond; the block's maximum and sum. */
EDGE_INLINE void edge_softmax_block(float p[EDGE_KV_BLOCK_SIZE], float *max, float *sum, int32_t valid) {
    float lane[EDGE_LANES];
    for (int32_t t = valid; t < EDGE_KV_BLOCK_SIZE; t++) {
        p[t] = -INFINITY;
    }
    for (int32_t l = 0; l < EDGE_LANES; l++) {
        lane[l] = p[l] > p[l + EDGE_LANES] ? p[l] : p[l + EDGE_LANES];
    }
    const float largest = edge_max_lanes(lane);
    for (int32_t t = 0; t < EDGE_KV_BLOCK_SIZE; t++) {
        p[t] = edge_expf(p[t] - largest);
    }
    for (int32_t t = valid; t < EDGE_KV_BLOCK_SIZE; t++) {
        p[t] = 0.0f; /* exp(-Inf - -Inf) is NaN */
    }
    for (int32_t l = 0; l < EDGE_LANES; l++) {
        lane[l] = p[l] + p[l + EDGE_LANES];
    }
    *sum = edge_sum_lanes(lane);
    *max = largest;
}

EDGE_INLINE void edge_attend_merge(float *restrict o, float *max, float *sum, const float *restrict o2, float max2,
                                   float sum2, int32_t head_dim) {
    const float both = *max > max2 ? *max : max2;
    const float a = edge_expf(*max - both), b = edge_expf(max2 - both);
    for (int32_t d = 0; d < head_dim; d++) {
        o[d] = o[d] * a + o2[d] * b;
    }
    *sum = *sum * a + sum2 * b;
    *max = both;
}

#endif
