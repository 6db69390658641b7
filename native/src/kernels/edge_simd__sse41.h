/* The NEON operations that the templates of 16-byte vectors use, by the instructions of SSE4.1: so that one text serves
 * both. Lanes, loads and rounding are the same; comparisons give all ones or zero, as there. The guard is that of
 * edge_simd__neon.h, whose place this takes. There is no F16C here: halves are converted in integers. */
#ifndef EDGE_SIMD_H
#define EDGE_SIMD_H

#include <smmintrin.h>
#include <stdint.h>
#include <string.h>

#include "inline.h"

typedef __m128i int8x16_t;
typedef __m128i uint8x16_t;
typedef __m128i int32x4_t;
typedef __m128i uint32x4_t;
typedef __m128 float32x4_t;

/* An operation that is one instruction: its name, result, arguments and expression. */
#define EDGE_AS(result, name, arguments, expression)                                                                   \
    EDGE_INLINE result name arguments {                                                                                \
        return expression;                                                                                             \
    }

EDGE_AS(__m128i, vld1q_s8, (const int8_t *p), _mm_loadu_si128((const __m128i *)p))
EDGE_AS(__m128i, vld1q_u8, (const uint8_t *p), _mm_loadu_si128((const __m128i *)p))
EDGE_AS(__m128i, vld1q_s32, (const int32_t *p), _mm_loadu_si128((const __m128i *)p))
EDGE_AS(__m128, vld1q_f32, (const float *p), _mm_loadu_ps(p))
EDGE_AS(__m128i, vdupq_n_s8, (int8_t x), _mm_set1_epi8(x))
EDGE_AS(__m128i, vdupq_n_u8, (uint8_t x), _mm_set1_epi8((char)x))
EDGE_AS(__m128i, vdupq_n_s32, (int32_t x), _mm_set1_epi32(x))
EDGE_AS(__m128, vdupq_n_f32, (float x), _mm_set1_ps(x))

EDGE_AS(__m128i, vaddq_s8, (__m128i a, __m128i b), _mm_add_epi8(a, b))
EDGE_AS(__m128i, vaddq_u8, (__m128i a, __m128i b), _mm_add_epi8(a, b))
EDGE_AS(__m128i, vsubq_s8, (__m128i a, __m128i b), _mm_sub_epi8(a, b))
EDGE_AS(__m128i, vnegq_s8, (__m128i a), _mm_sub_epi8(_mm_setzero_si128(), a))
EDGE_AS(__m128i, vaddq_s32, (__m128i a, __m128i b), _mm_add_epi32(a, b))
EDGE_AS(__m128i, vsubq_s32, (__m128i a, __m128i b), _mm_sub_epi32(a, b))
EDGE_AS(__m128i, vmlaq_s32, (__m128i sum, __m128i a, __m128i b), _mm_add_epi32(sum, _mm_mullo_epi32(a, b)))
EDGE_AS(__m128, vaddq_f32, (__m128 a, __m128 b), _mm_add_ps(a, b))
EDGE_AS(__m128, vsubq_f32, (__m128 a, __m128 b), _mm_sub_ps(a, b))
EDGE_AS(__m128, vmulq_f32, (__m128 a, __m128 b), _mm_mul_ps(a, b))
EDGE_AS(__m128, vcvtq_f32_s32, (__m128i a), _mm_cvtepi32_ps(a))

EDGE_AS(__m128i, vandq_u8, (__m128i a, __m128i b), _mm_and_si128(a, b))
EDGE_AS(__m128i, vandq_s32, (__m128i a, __m128i b), _mm_and_si128(a, b))
EDGE_AS(__m128i, vorrq_u8, (__m128i a, __m128i b), _mm_or_si128(a, b))
EDGE_AS(__m128i, vshlq_n_s32, (__m128i a, int n), _mm_slli_epi32(a, n))
EDGE_AS(__m128i, vshrq_n_s32, (__m128i a, int n), _mm_srai_epi32(a, n))
EDGE_AS(__m128i, vshlq_n_s8, (__m128i a, int n), _mm_and_si128(_mm_slli_epi16(a, n), _mm_set1_epi8((char)(0xff << n))))
EDGE_AS(__m128i, vshrq_n_u8, (__m128i a, int n), _mm_and_si128(_mm_srli_epi16(a, n), _mm_set1_epi8((char)(0xff >> n))))

EDGE_AS(__m128i, vcgtq_s8, (__m128i a, __m128i b), _mm_cmpgt_epi8(a, b))
EDGE_AS(__m128i, vcgtq_s32, (__m128i a, __m128i b), _mm_cmpgt_epi32(a, b))
EDGE_AS(__m128i, vceqq_s32, (__m128i a, __m128i b), _mm_cmpeq_epi32(a, b))
EDGE_AS(__m128i, vmvnq_u8, (__m128i a), _mm_xor_si128(a, _mm_set1_epi8(-1)))
EDGE_AS(__m128i, vtstq_u8, (__m128i a, __m128i b), vmvnq_u8(_mm_cmpeq_epi8(_mm_and_si128(a, b), _mm_setzero_si128())))
EDGE_AS(__m128i, vtstq_s32, (__m128i a, __m128i b), vmvnq_u8(_mm_cmpeq_epi32(_mm_and_si128(a, b), _mm_setzero_si128())))
EDGE_AS(__m128i, vbslq_s8, (__m128i where, __m128i a, __m128i b), _mm_blendv_epi8(b, a, where))
EDGE_AS(__m128i, vbslq_s32, (__m128i where, __m128i a, __m128i b), _mm_blendv_epi8(b, a, where))
EDGE_AS(__m128, vbslq_f32, (__m128i where, __m128 a, __m128 b), _mm_blendv_ps(b, a, _mm_castsi128_ps(where)))
/* Of codes below 16 only, which are all there are. */
EDGE_AS(__m128i, vqtbl1q_s8, (__m128i values, __m128i codes), _mm_shuffle_epi8(values, codes))

EDGE_AS(__m128i, vreinterpretq_s8_u8, (__m128i a), a)
EDGE_AS(__m128i, vreinterpretq_u8_s8, (__m128i a), a)
EDGE_AS(__m128i, vreinterpretq_u8_u32, (__m128i a), a)
EDGE_AS(__m128, vreinterpretq_f32_s32, (__m128i a), _mm_castsi128_ps(a))

#undef EDGE_AS

EDGE_INLINE void vst1q_s32(int32_t *p, __m128i a) {
    _mm_storeu_si128((__m128i *)p, a);
}

EDGE_INLINE void vst1q_f32(float *p, __m128 a) {
    _mm_storeu_ps(p, a);
}

/* Bits `from` .. of every byte moved to bit `to`, masked; from and to are constants. */
EDGE_INLINE __m128i edge_bits(__m128i x, int from, int to, uint8_t mask) {
    const __m128i moved = to > from ? _mm_slli_epi16(x, to - from) : _mm_srli_epi16(x, from - to);
    return _mm_and_si128(moved, _mm_set1_epi8((char)mask));
}

/* Four bytes as int32 lanes. */
EDGE_INLINE __m128i edge_load_u8_as_i32(const uint8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm_cvtepu8_epi32(_mm_cvtsi32_si128(four));
}

EDGE_INLINE __m128i edge_load_i8_as_i32(const uint8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm_cvtepi8_epi32(_mm_cvtsi32_si128(four));
}

EDGE_INLINE __m128 edge_load_f32(const void *p) {
    return _mm_loadu_ps(p);
}

/* As a float with the exponent of a half, then 2^112 times that: exact, subnormals too. Inf and NaN get theirs back. */
EDGE_INLINE __m128 edge_load_f16(const void *p) {
    const __m128i half = _mm_cvtepu16_epi32(_mm_loadl_epi64(p));
    const __m128i magnitude = _mm_and_si128(half, _mm_set1_epi32(0x7fff));
    const __m128i sign = _mm_slli_epi32(_mm_xor_si128(half, magnitude), 16);
    const __m128 small = _mm_castsi128_ps(_mm_slli_epi32(magnitude, 13));
    const __m128i value = _mm_castps_si128(_mm_mul_ps(small, _mm_set1_ps(0x1p112f)));
    const __m128i is_special = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7bff));
    const __m128i exponent = _mm_and_si128(is_special, _mm_set1_epi32(0x7f800000));
    return _mm_castsi128_ps(_mm_or_si128(sign, _mm_or_si128(value, exponent)));
}

EDGE_INLINE __m128 edge_load_bf16(const void *p) {
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(_mm_loadl_epi64(p)), 16));
}

/* Round to nearest even, as edge_f32_to_f16 does. */
EDGE_INLINE void edge_store_f16(uint16_t *p, __m128 x) {
    const __m128i bits = _mm_castps_si128(x), magnitude = _mm_and_si128(bits, _mm_set1_epi32(0x7fffffff));
    const __m128i sign = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(0x8000));
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(magnitude, 13), _mm_set1_epi32(1));
    const __m128i rounded = _mm_add_epi32(magnitude, _mm_add_epi32(odd, _mm_set1_epi32(0xfff - (112 << 23))));
    const __m128 steps = _mm_add_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0.5f));
    const __m128i small = _mm_sub_epi32(_mm_castps_si128(steps), _mm_castps_si128(_mm_set1_ps(0.5f)));
    __m128i half = _mm_srli_epi32(rounded, 13);
    half = _mm_blendv_epi8(half, small, _mm_cmpgt_epi32(_mm_set1_epi32(0x38800000), magnitude));
    half = _mm_blendv_epi8(half, _mm_set1_epi32(0x7c00), _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x477fefff)));
    half = _mm_blendv_epi8(half, _mm_set1_epi32(0x7e00), _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7f800000)));
    half = _mm_or_si128(half, sign);
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi32(half, half));
}

/* Lanes of floats, by the names that every level gives them. */
#define EDGE_FLOATS 4
typedef __m128 edge_floats;
typedef __m128i edge_ints;

EDGE_INLINE __m128 edge_load_floats(const float *from) {
    return _mm_loadu_ps(from);
}

EDGE_INLINE void edge_store_floats(float *to, __m128 x) {
    _mm_storeu_ps(to, x);
}

EDGE_INLINE void edge_store_ints(int32_t *to, __m128i x) {
    vst1q_s32(to, x);
}

EDGE_INLINE __m128 edge_all_floats(float x) {
    return _mm_set1_ps(x);
}

EDGE_INLINE __m128 edge_add_floats(__m128 a, __m128 b) {
    return _mm_add_ps(a, b);
}

/* a > b ? a : b, so b where one is NaN. */
EDGE_INLINE __m128 edge_larger_floats(__m128 a, __m128 b) {
    return _mm_max_ps(a, b);
}

/* sum + a * b, rounded twice. */
EDGE_INLINE __m128 edge_multiply_add(__m128 sum, __m128 a, __m128 b) {
    return _mm_add_ps(sum, _mm_mul_ps(a, b));
}

EDGE_INLINE __m128 edge_load_i8(const int8_t *from) {
    return _mm_cvtepi32_ps(edge_load_i8_as_i32((const uint8_t *)from));
}

#endif
