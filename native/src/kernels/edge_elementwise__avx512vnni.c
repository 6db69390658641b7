/* Elementwise kernels: elementwise.h, vectorised by the compiler. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "elementwise.h"

#include "edge_kernels__avx512vnni.h"

void edge_rms_norm_f32__avx512vnni(float *out, const float *x, const float *gain, int32_t n, float eps) {
    edge_rms_norm(out, x, gain, n, eps);
}

void edge_layer_norm_f32__avx512vnni(float *out, const float *x, const float *gain, const float *bias, int32_t n,
                                     float eps) {
    edge_layer_norm(out, x, gain, bias, n, eps);
}

void edge_silu_f32__avx512vnni(float *out, const float *x, int32_t n) {
    edge_silu_loop(out, x, n);
}

void edge_silu_mul_f32__avx512vnni(float *out, const float *gate, const float *up, int32_t n) {
    edge_silu_mul(out, gate, up, n);
}

void edge_gelu_f32__avx512vnni(float *out, const float *x, int32_t n) {
    edge_gelu_loop(out, x, n);
}

void edge_gelu_mul_f32__avx512vnni(float *out, const float *gate, const float *up, int32_t n) {
    edge_gelu_mul(out, gate, up, n);
}

void edge_gelu_erf_f32__avx512vnni(float *out, const float *x, int32_t n) {
    edge_gelu_erf_loop(out, x, n);
}

void edge_gelu_erf_mul_f32__avx512vnni(float *out, const float *gate, const float *up, int32_t n) {
    edge_gelu_erf_mul(out, gate, up, n);
}

void edge_relu2_f32__avx512vnni(float *out, const float *x, int32_t n) {
    edge_relu2_loop(out, x, n);
}

void edge_relu2_mul_f32__avx512vnni(float *out, const float *gate, const float *up, int32_t n) {
    edge_relu2_mul(out, gate, up, n);
}

void edge_add_f32__avx512vnni(float *out, const float *a, const float *b, int32_t n) {
    edge_add(out, a, b, n);
}

void edge_mul_f32__avx512vnni(float *out, const float *a, const float *b, int32_t n) {
    edge_mul(out, a, b, n);
}

void edge_rope_norm_f32__avx512vnni(float *x, const float *cosine, const float *sine, int32_t dims) {
    edge_rope_norm(x, cosine, sine, dims);
}

void edge_rope_neox_f32__avx512vnni(float *x, const float *cosine, const float *sine, int32_t dims) {
    edge_rope_neox(x, cosine, sine, dims);
}
