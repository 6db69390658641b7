/* Activations to int8 (quantize.h, vectorised by the compiler) and to half. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"
#include "half.h"
#include "quantize.h"

void edge_quantize_a8g32_f32__avx2(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g32(q, d, s, x, n);
}

void edge_quantize_a8g256_f32__avx2(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g256(q, d, s, x, n);
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
