/* The multiplications and additions that the float peak measures, over the lanes of a level (edge_simd__LEVEL.h, which
 * is included before). */
#ifndef EDGE_PEAK_LANES_H
#define EDGE_PEAK_LANES_H

#include "kernels.h"

#define EDGE_PEAK_VECTORS 12 /* chains side by side hide the latency of a multiplication and an addition */

_Static_assert(EDGE_PEAK_CHAINS % (2 * EDGE_PEAK_VECTORS * EDGE_FLOATS) == 0, "chains fill whole passes");

/* edge_peak_f32_fn. sets (1 or 2, a constant) of vectors are advanced together: 1 fits 16 registers, 2 fit 32. */
EDGE_INLINE uint32_t edge_peak_chains(const float *starts, float factor, float addend, int32_t rounds, int sets) {
    const edge_floats multiplier = edge_all_floats(factor), summand = edge_all_floats(addend);
    uint32_t all = 0;
    for (int begin = 0; begin < EDGE_PEAK_CHAINS; begin += sets * EDGE_PEAK_VECTORS * EDGE_FLOATS) {
        edge_floats chains[2][EDGE_PEAK_VECTORS];
        float ends[2][EDGE_PEAK_VECTORS * EDGE_FLOATS];
        for (int s = 0; s < sets; s++) {
            for (int v = 0; v < EDGE_PEAK_VECTORS; v++) {
                chains[s][v] = edge_load_floats(starts + begin + (s * EDGE_PEAK_VECTORS + v) * EDGE_FLOATS);
            }
        }
        for (int32_t round = 0; round < rounds; round++) {
            for (int s = 0; s < sets; s++) {
                for (int v = 0; v < EDGE_PEAK_VECTORS; v++) {
                    chains[s][v] = edge_multiply_add(summand, chains[s][v], multiplier);
                }
            }
        }
        for (int s = 0; s < sets; s++) {
            for (int v = 0; v < EDGE_PEAK_VECTORS; v++) {
                edge_store_floats(ends[s] + v * EDGE_FLOATS, chains[s][v]);
            }
            all += edge_sum_bits(ends[s], EDGE_PEAK_VECTORS * EDGE_FLOATS);
        }
    }
    return all;
}

#endif
