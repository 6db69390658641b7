/* What the NEON kernels share. All loads go through bytes: tiles promise no alignment. Floating-point products are
 * added with a separate instruction, never with vmla or vfma (the numeric contract). The templates of this level serve
 * others with 16-byte vectors too, which include their own edge_simd__LEVEL.h first; the guard is the same. */
#ifndef EDGE_SIMD_H
#define EDGE_SIMD_H

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

/* Bits `from` .. of every byte moved to bit `to`, masked. */
EDGE_INLINE uint8x16_t edge_bits(uint8x16_t x, int from, int to, uint8_t mask) {
    return vandq_u8(vshlq_u8(x, vdupq_n_s8((int8_t)(to - from))), vdupq_n_u8(mask));
}

/* Four bytes as int32 lanes. */
EDGE_INLINE int32x4_t edge_load_u8_as_i32(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide)));
}

EDGE_INLINE int32x4_t edge_load_i8_as_i32(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)))));
}

/* Lanes of floats, by the names that every level gives them. */
#define EDGE_FLOATS 4
typedef float32x4_t edge_floats;
typedef int32x4_t edge_ints;

EDGE_INLINE float32x4_t edge_load_floats(const float *from) {
    return vld1q_f32(from);
}

EDGE_INLINE void edge_store_floats(float *to, float32x4_t x) {
    vst1q_f32(to, x);
}

EDGE_INLINE void edge_store_ints(int32_t *to, int32x4_t x) {
    vst1q_s32(to, x);
}

EDGE_INLINE float32x4_t edge_all_floats(float x) {
    return vdupq_n_f32(x);
}

EDGE_INLINE float32x4_t edge_add_floats(float32x4_t a, float32x4_t b) {
    return vaddq_f32(a, b);
}

/* a > b ? a : b, so b where one is NaN. */
EDGE_INLINE float32x4_t edge_larger_floats(float32x4_t a, float32x4_t b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

/* sum + a * b, rounded twice. */
EDGE_INLINE float32x4_t edge_multiply_add(float32x4_t sum, float32x4_t a, float32x4_t b) {
    return vaddq_f32(sum, vmulq_f32(a, b));
}

EDGE_INLINE float32x4_t edge_load_i8(const int8_t *from) {
    return vcvtq_f32_s32(edge_load_i8_as_i32((const uint8_t *)from));
}

#endif
