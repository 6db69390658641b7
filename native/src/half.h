/* Half and bfloat16 to float and back, in integer arithmetic: the same bits on every machine. */
#ifndef EDGE_HALF_H
#define EDGE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float edge_bits_f32(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t edge_f32_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float edge_bf16_to_f32(uint16_t half) {
    return edge_bits_f32((uint32_t)half << 16);
}

static inline float edge_f16_to_f32(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t magnitude = half & 0x7fffu;
    if (magnitude >= 0x7c00u) { /* Inf, NaN */
        return edge_bits_f32(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    }
    if (magnitude < 0x0400u) { /* zero, subnormal: magnitude * 2^-24 is exact */
        return edge_bits_f32(sign | edge_f32_bits((float)magnitude * 0x1p-24f));
    }
    return edge_bits_f32(sign | ((magnitude << 13) + (112u << 23)));
}

/* Round to nearest even; beyond 65504 + half a step: Inf. */
static inline uint16_t edge_f32_to_f16(float value) {
    uint32_t bits = edge_f32_bits(value);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00u);
    }
    if (magnitude >= 0x477ff000u) { /* 65520 rounds up to 2^16 */
        return (uint16_t)(sign | 0x7c00u);
    }
    if (magnitude < 0x38800000u) {
        /* Below 2^-14 a half counts in steps of 2^-24, which are the last place of a float in [0.5, 1): adding 0.5
         * makes the floating-point unit do the rounding. */
        uint32_t steps = edge_f32_bits(edge_bits_f32(magnitude) + 0.5f) - edge_f32_bits(0.5f);
        return (uint16_t)(sign | steps);
    }
    magnitude += 0xfffu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | (magnitude - (112u << 23)) >> 13);
}

#endif
