/* Activations to int8 and to half. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include <math.h>

#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"
#include "half.h"

/* The largest magnitude of `size` (a constant) values, as an integer. */
EDGE_INLINE uint32_t largest_bits(const float *x, int size) {
    const __m256i mask = _mm256_set1_epi32(0x7fffffff);
    __m256i most = _mm256_and_si256(edge_load(x), mask);
    for (int i = EDGE_LANE_ROWS; i < size; i += EDGE_LANE_ROWS) {
        most = _mm256_max_epu32(most, _mm256_and_si256(edge_load(x + i), mask));
    }
    __m128i half = _mm_max_epu32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_max_epu32(half, _mm_shuffle_epi32(half, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(half);
}

/* Eight codes as int32: the conversion rounds to nearest even, as the specification's additions do. */
EDGE_INLINE __m256i codes_of(const float *x, __m256 inverse) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), inverse));
}

/* 32 codes; the sums of the first and the last 16. */
EDGE_INLINE void quantize_32(int8_t *q, int32_t sums[2], const float *x, __m256 inverse) {
    const __m256i low = _mm256_packs_epi32(codes_of(x, inverse), codes_of(x + 8, inverse));
    const __m256i high = _mm256_packs_epi32(codes_of(x + 16, inverse), codes_of(x + 24, inverse));
    /* Packing works inside 128 bits: put groups of four back in order. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i codes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    edge_store(q, codes);
    __m256i sum = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), codes), _mm256_set1_epi16(1));
    sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32(sum, 0x4e));
    sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32(sum, 0xb1));
    sums[0] = _mm_cvtsi128_si32(_mm256_castsi256_si128(sum));
    sums[1] = _mm_cvtsi128_si32(_mm256_extracti128_si256(sum, 1));
}

/* One group of `size` values, a sum for every `span` (16 or 32) of them; both constants. */
EDGE_INLINE void quantize_group(int8_t *q, float *d, int32_t *s, const float *x, int size, int span) {
    const uint32_t largest = largest_bits(x, size);
    const float amax = edge_bits_f32(largest);
    if (largest >= 0x7f800000u || amax < 0x1p-100f) {
        memset(q, 0, (size_t)size);
        memset(s, 0, (size_t)(size / span) * sizeof s[0]);
        *d = largest < 0x7f800000u ? 0.0f : NAN;
        return;
    }
    *d = amax / 127.0f;
    const __m256 inverse = _mm256_set1_ps(127.0f / amax);
    for (int i = 0; i < size; i += 32) {
        int32_t sums[2];
        quantize_32(q + i, sums, x + i, inverse);
        if (span == 32) {
            s[i / 32] = sums[0] + sums[1];
        } else {
            s[i / 16] = sums[0];
            s[i / 16 + 1] = sums[1];
        }
    }
}

void edge_quantize_a8g32_f32__avx2(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    for (int32_t g = 0; g < n / EDGE_GROUP; g++) {
        quantize_group(q + g * EDGE_GROUP, d + g, s + g, x + g * EDGE_GROUP, EDGE_GROUP, 32);
    }
}

void edge_quantize_a8g256_f32__avx2(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    for (int32_t g = 0; g < n / EDGE_SUPER; g++) {
        quantize_group(q + g * EDGE_SUPER, d + g, s + g * (EDGE_SUPER / 16), x + g * EDGE_SUPER, EDGE_SUPER, 16);
    }
}

void edge_convert_f16_f32__avx2(uint16_t *out, const float *x, int32_t n) {
    int32_t i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm_storeu_si128((__m128i *)(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
    }
    for (; i < n; i++) {
        out[i] = edge_f32_to_f16(x[i]);
    }
}
