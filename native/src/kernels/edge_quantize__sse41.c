/* Activations to int8 (quantize.h, vectorised by the compiler) and to half. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_kernels__sse41.h"
#include "edge_simd__sse41.h"
#include "half.h"
#include "quantize.h"

void edge_quantize_a8g32_f32__sse41(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g32(q, d, s, x, n);
}

void edge_quantize_a8g256_f32__sse41(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g256(q, d, s, x, n);
}

void edge_convert_f16_f32__sse41(uint16_t *out, const float *x, int32_t n) {
    int32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        edge_store_f16(out + i, _mm_loadu_ps(x + i));
    }
    for (; i < n; i++) {
        out[i] = edge_f32_to_f16(x[i]);
    }
}
