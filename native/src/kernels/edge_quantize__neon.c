/* Activations to int8 (quantize.h, vectorised by the compiler) and to half. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "edge_kernels__neon.h"
#include "edge_simd__neon.h"
#include "half.h"
#include "quantize.h"

void edge_quantize_a8g32_f32__neon(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g32(q, d, s, x, n);
}

void edge_quantize_a8g256_f32__neon(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    edge_quantize_a8g256(q, d, s, x, n);
}

void edge_convert_f16_f32__neon(uint16_t *out, const float *x, int32_t n) {
    int32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(x + i))));
    }
    for (; i < n; i++) {
        out[i] = edge_f32_to_f16(x[i]);
    }
}
