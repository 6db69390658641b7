/* The integer step of the NEON templates with sdot, signed by signed: four products a lane, exact in int32. The guard
 * is that of edge_step__neon.h, whose place this takes. */
#ifndef EDGE_STEP_H
#define EDGE_STEP_H

#include "edge_simd__neon.h"

/* sum + dot products of four rows with 16 activations. */
EDGE_INLINE int32x4_t edge_step_16(int32x4_t sum, const int8x16_t c[4], const int8_t *q) {
    const int8x16_t a = vld1q_s8(q);
    sum = vdotq_laneq_s32(sum, c[0], a, 0);
    sum = vdotq_laneq_s32(sum, c[1], a, 1);
    sum = vdotq_laneq_s32(sum, c[2], a, 2);
    return vdotq_laneq_s32(sum, c[3], a, 3);
}

/* Dot products of four rows with 4 * vectors activations, vectors 4 or 8 and a constant. */
EDGE_INLINE int32x4_t edge_dot_quarter(const int8x16_t *c, const int8_t *q, int vectors, int code) {
    (void)code;
    const int32x4_t first = edge_step_16(vdupq_n_s32(0), c, q);
    return vectors == 4 ? first : edge_step_16(first, c + 4, q + 16);
}

#endif
