/* The part of attention that a compiler turns into lanes: the merge of two blocks, with the bits of
 * edge_attend__scalar.c on every level. */
#ifndef EDGE_ATTEND_H
#define EDGE_ATTEND_H

#include "edge/kv.h"
#include "expf.h"
#include "kernels.h"

/* The factors of all rows first: they are loops without branches over rows. */
EDGE_INLINE void edge_attend_merge(float *restrict o, float *restrict max, float *restrict sum,
                                   const float *restrict o2, const float *restrict max2, const float *restrict sum2,
                                   int32_t head_dim, int32_t rows) {
    float a[EDGE_ATTEND_ROWS], b[EDGE_ATTEND_ROWS];
    for (int32_t begin = 0; begin < rows; begin += EDGE_ATTEND_ROWS) {
        const int32_t size = rows - begin < EDGE_ATTEND_ROWS ? rows - begin : EDGE_ATTEND_ROWS;
        for (int32_t r = 0; r < size; r++) {
            const float m = max[begin + r], m2 = max2[begin + r], both = m > m2 ? m : m2;
            a[r] = edge_expf(m - both);
            b[r] = edge_expf(m2 - both);
            sum[begin + r] = sum[begin + r] * a[r] + sum2[begin + r] * b[r];
            max[begin + r] = both;
        }
        for (int32_t r = 0; r < size; r++) {
            float *to = o + (int64_t)(begin + r) * head_dim;
            const float *from = o2 + (int64_t)(begin + r) * head_dim, first = a[r], second = b[r];
            for (int32_t d = 0; d < head_dim; d++) {
                to[d] = to[d] * first + from[d] * second;
            }
        }
    }
}

#endif
