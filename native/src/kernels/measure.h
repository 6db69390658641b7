/* What the measuring kernels share. */
#ifndef EDGE_KERNELS_MEASURE_H
#define EDGE_KERNELS_MEASURE_H

#include <stdint.h>

#include "half.h"
#include "inline.h"

EDGE_INLINE uint64_t edge_fold(const uint64_t *words, int count) {
    uint64_t all = 0;
    for (int i = 0; i < count; i++) {
        all ^= words[i];
    }
    return all;
}

EDGE_INLINE uint32_t edge_sum_bits(const float *values, int count) {
    uint32_t all = 0;
    for (int i = 0; i < count; i++) {
        all += edge_f32_bits(values[i]);
    }
    return all;
}

/* Makes the compiler read memory again in the next round, instead of computing one round and multiplying. */
EDGE_INLINE void edge_forget_memory(void) {
    __asm__ volatile("" ::: "memory");
}

#endif
