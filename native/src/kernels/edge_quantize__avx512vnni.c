/* Activations to int8 (quantize.h, vectorised by the compiler) and to half. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_kernels__avx512vnni.h"
#include "edge_simd__avx512vnni.h"
#include "half.h"
#include "quantize.h"

void edge_quantize_a8g32_f32__avx512vnni(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g32(q, d, s, x, n);
}

void edge_quantize_a8g256_f32__avx512vnni(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g256(q, d, s, x, n);
}

void edge_convert_f16_f32__avx512vnni(uint16_t *out, const float *x, int32_t n) {
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        edge_store_f16(out + i, _mm512_loadu_ps(x + i));
    }
    for (; i < n; i++) {
        out[i] = edge_f32_to_f16(x[i]);
    }
}
