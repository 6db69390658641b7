/* Activations to int8 (quantize.h, vectorised by the compiler). */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_kernels__sse41.h"
#include "quantize.h"

void edge_quantize_a8g32_f32__sse41(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g32(q, d, s, x, n);
}

void edge_quantize_a8g256_f32__sse41(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g256(q, d, s, x, n);
}
