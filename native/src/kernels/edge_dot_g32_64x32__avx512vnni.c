/* Formats with one scale per 32 k, 1 .. 64 tokens, two tile rows. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_dot_g32_pair__avx512vnni.h"
#include "edge_kernels__avx512vnni.h"

void edge_matmul_f32_a8g32_w8g32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                   const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 8, 0);
}

void edge_matmul_f32_a8g32_w4g32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                   const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 4, 0);
}

void edge_matmul_f32_a8g32_w4mg32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 4, 1);
}

void edge_matmul_f32_a8g32_w5g32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                   const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 5, 0);
}

void edge_matmul_f32_a8g32_w5mg32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 5, 1);
}

void edge_matmul_f32_a8g32_w1g128_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 1, 0);
}

void edge_matmul_f32_a8g32_w2g64_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                   const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, 2, 0);
}

void edge_matmul_f32_a8g32_n4g32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                   const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, EDGE_CODE_NL, 0);
}

void edge_matmul_f32_a8g32_e4g32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                   const edge_acts *acts, int32_t num_tokens) {
    edge_g32_64x32(out, tiles, cols, acts, num_tokens, EDGE_CODE_FP4, 0);
}
