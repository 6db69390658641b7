/* What the NEON kernels share. All loads go through bytes: tiles promise no alignment. Floating-point products are
 * added with a separate instruction, never with vmla or vfma (the numeric contract). */
#ifndef EDGE_SIMD_NEON_H
#define EDGE_SIMD_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "inline.h"

EDGE_INLINE float32x4_t edge_load_f32(const void *p) {
    return vreinterpretq_f32_u8(vld1q_u8(p));
}

EDGE_INLINE float32x4_t edge_load_f16(const void *p) {
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

EDGE_INLINE float32x4_t edge_load_bf16(const void *p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(p)), 16));
}

/* Four activations in every 32-bit lane. */
EDGE_INLINE int8x16_t edge_broadcast_quad(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

#endif
