/* The AVX-512 intrinsics that the kernels use: the compiler's own or, on a CPU without AVX-512, SIMDe's equivalents.
 * The conversions that SIMDe lacks are joined here from two 256-bit halves. */
#ifndef EDGE_SIMD_AVX512VNNI_H
#define EDGE_SIMD_AVX512VNNI_H

#if defined(EDGE_SIMULATE_AVX512)
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <immintrin.h>
#include <simde/x86/avx512.h>
#else
#include <immintrin.h>
#endif

#include <stdint.h>
#include <string.h>

#include "inline.h"

#if defined(EDGE_SIMULATE_AVX512)

typedef union edge_halves {
    __m512 f;
    __m512i i;
    __m256 f256[2];
    __m256i i256[2];
} edge_halves;

EDGE_INLINE __m512 edge_i32_to_f32(__m512i x) {
    edge_halves in = {.i = x}, out;
    out.f256[0] = _mm256_cvtepi32_ps(in.i256[0]);
    out.f256[1] = _mm256_cvtepi32_ps(in.i256[1]);
    return out.f;
}

EDGE_INLINE __m512i edge_load_u8_as_i32(const uint8_t *p) {
    edge_halves out;
    out.i256[0] = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
    out.i256[1] = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8)));
    return out.i;
}

EDGE_INLINE __m512i edge_load_i8_as_i32(const uint8_t *p) {
    edge_halves out;
    out.i256[0] = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p));
    out.i256[1] = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8)));
    return out.i;
}

EDGE_INLINE __m512 edge_load_f16(const void *p) {
    const uint8_t *bytes = p;
    edge_halves out;
    out.f256[0] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)bytes));
    out.f256[1] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(bytes + 16)));
    return out.f;
}

EDGE_INLINE __m512 edge_load_bf16(const void *p) {
    const uint8_t *bytes = p;
    edge_halves out;
    out.i256[0] = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)bytes)), 16);
    out.i256[1] = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(bytes + 16))), 16);
    return out.f;
}

/* Round to nearest even. */
EDGE_INLINE void edge_store_f16(uint16_t *p, __m512 x) {
    edge_halves in = {.f = x};
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(in.f256[0], _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)(p + 8), _mm256_cvtps_ph(in.f256[1], _MM_FROUND_TO_NEAREST_INT));
}

/* x / 2^bits, for multiples of that. */
EDGE_INLINE __m512i edge_shift_down(__m512i x, int bits) {
    edge_halves in = {.i = x}, out;
    out.i256[0] = _mm256_srai_epi32(in.i256[0], bits);
    out.i256[1] = _mm256_srai_epi32(in.i256[1], bits);
    return out.i;
}

#else

EDGE_INLINE __m512 edge_i32_to_f32(__m512i x) {
    return _mm512_cvtepi32_ps(x);
}

EDGE_INLINE __m512i edge_load_u8_as_i32(const uint8_t *p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

EDGE_INLINE __m512i edge_load_i8_as_i32(const uint8_t *p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p));
}

EDGE_INLINE __m512 edge_load_f16(const void *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(p));
}

EDGE_INLINE __m512 edge_load_bf16(const void *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16));
}

/* Round to nearest even. */
EDGE_INLINE void edge_store_f16(uint16_t *p, __m512 x) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

/* x / 2^bits, for multiples of that; bits is a constant. */
EDGE_INLINE __m512i edge_shift_down(__m512i x, int bits) {
    return _mm512_srai_epi32(x, (unsigned)bits);
}

#endif

/* Lanes of floats, by the names that every level gives them. */
#define EDGE_FLOATS 16
typedef __m512 edge_floats;
typedef __m512i edge_ints;

EDGE_INLINE __m512 edge_load_floats(const float *from) {
    return _mm512_loadu_ps(from);
}

EDGE_INLINE void edge_store_floats(float *to, __m512 x) {
    _mm512_storeu_ps(to, x);
}

EDGE_INLINE void edge_store_ints(int32_t *to, __m512i x) {
    _mm512_storeu_si512(to, x);
}

EDGE_INLINE __m512 edge_all_floats(float x) {
    return _mm512_set1_ps(x);
}

EDGE_INLINE __m512 edge_add_floats(__m512 a, __m512 b) {
    return _mm512_add_ps(a, b);
}

/* a > b ? a : b, so b where one is NaN. */
EDGE_INLINE __m512 edge_larger_floats(__m512 a, __m512 b) {
    return _mm512_max_ps(a, b);
}

/* sum + a * b, rounded twice. */
EDGE_INLINE __m512 edge_multiply_add(__m512 sum, __m512 a, __m512 b) {
    return _mm512_add_ps(sum, _mm512_mul_ps(a, b));
}

EDGE_INLINE __m512 edge_load_i8(const int8_t *from) {
    return edge_i32_to_f32(edge_load_i8_as_i32((const uint8_t *)from));
}

/* Four activations in every 32-bit lane. */
EDGE_INLINE __m512i edge_broadcast_quad(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/* Asks for the cache lines of `bytes` bytes that the loop reaches `ahead` bytes later; a prefetch never faults. */
EDGE_INLINE void edge_prefetch(const uint8_t *p, size_t ahead, size_t bytes) {
    const uintptr_t from = (uintptr_t)p + ahead;
    for (size_t i = 0; i < bytes; i += 64)
        _mm_prefetch((const char *)(from + i), _MM_HINT_T0);
}

#endif
