/* Activations to int8 as loops that a compiler turns into lanes: the bits of edge_quantize__scalar.c on every level. */
#ifndef EDGE_QUANTIZE_H
#define EDGE_QUANTIZE_H

#include <math.h>
#include <string.h>

#include "expf.h"
#include "kernels.h"

/* One group of `size` values, a sum for every `span` of them; both constants. */
EDGE_INLINE void edge_quantize_group(int8_t *restrict q, float *restrict d, int32_t *restrict s,
                                     const float *restrict x, int32_t size, int32_t span) {
    uint32_t bits[EDGE_SUPER];
    uint32_t largest = 0;
    memcpy(bits, x, (size_t)size * sizeof bits[0]);
    for (int32_t i = 0; i < size; i++) {
        const uint32_t magnitude = bits[i] & 0x7fffffffu;
        largest = magnitude > largest ? magnitude : largest;
    }
    const float amax = edge_bits_f32(largest);
    if (largest >= 0x7f800000u || amax < 0x1p-100f) {
        memset(q, 0, (size_t)size);
        memset(s, 0, (size_t)(size / span) * sizeof s[0]);
        *d = largest < 0x7f800000u ? 0.0f : NAN;
        return;
    }
    *d = amax / 127.0f;
    const float inverse = 127.0f / amax;
    for (int32_t begin = 0; begin < size; begin += span) {
        int32_t code[32], sum = 0;
        for (int32_t i = 0; i < span; i++) {
            code[i] = (int32_t)((x[begin + i] * inverse + EDGE_ROUND) - EDGE_ROUND);
            sum += code[i];
        }
        for (int32_t i = 0; i < span; i++) {
            q[begin + i] = (int8_t)code[i];
        }
        s[begin / span] = sum;
    }
}

EDGE_INLINE void edge_quantize_a8g32(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    for (int32_t g = 0; g < n / EDGE_GROUP; g++) {
        edge_quantize_group(q + g * EDGE_GROUP, d + g, s + g, x + g * EDGE_GROUP, EDGE_GROUP, 32);
    }
}

EDGE_INLINE void edge_quantize_a8g256(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    for (int32_t g = 0; g < n / EDGE_SUPER; g++) {
        edge_quantize_group(q + g * EDGE_SUPER, d + g, s + g * (EDGE_SUPER / 16), x + g * EDGE_SUPER, EDGE_SUPER, 16);
    }
}

#endif
