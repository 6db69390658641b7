/* The integer step of the NEON templates. Baseline ARMv8-A has no dot product: int8 products are summed in int16, in
 * pairs or for a whole group. A level with a better instruction includes its own edge_step__LEVEL.h before a template;
 * the guard is the same, so this one then stays out. */
#ifndef EDGE_STEP_H
#define EDGE_STEP_H

#include "codes.h"
#include "edge_simd__neon.h"

/* How many vectors of products fit int16: count * 127 * largest magnitude <= 32767. 8 bits and NL 128, IQ3_XXS 62,
 * S2 43, all others 32 and less (63 with 6 bits and no offset does not occur). */
EDGE_INLINE int edge_code_run(int code) {
    return code == 8 || code == EDGE_CODE_NL ? 2 : code == EDGE_CODE_N3X || code == EDGE_CODE_S2 ? 4 : 8;
}

/* Dot products of four rows with 4 * vectors activations. code and vectors are constants. */
EDGE_INLINE int32x4_t edge_dot_quarter(const int8x16_t *c, const int8_t *q, int vectors, int code) {
    const int together = edge_code_run(code) < vectors ? edge_code_run(code) : vectors;
    int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0);
    for (int begin = 0; begin < vectors; begin += together) {
        int16x8_t low16 = vdupq_n_s16(0), high16 = vdupq_n_s16(0);
        for (int v = begin; v < begin + together; v++) {
            const int8x16_t a = edge_broadcast_quad(q + 4 * v);
            low16 = vmlal_s8(low16, vget_low_s8(c[v]), vget_low_s8(a));
            high16 = vmlal_high_s8(high16, c[v], a);
        }
        low = vpadalq_s16(low, low16);
        high = vpadalq_s16(high, high16);
    }
    return vpaddq_s32(low, high);
}

#endif
