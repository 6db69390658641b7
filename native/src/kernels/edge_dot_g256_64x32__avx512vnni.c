/* Super-blocks of 256 k, 1 .. 64 tokens, two tile rows. Of Q2_K two of 64x16 are as fast. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_dot_g256_pair__avx512vnni.h"
#include "edge_kernels__avx512vnni.h"

void edge_matmul_f32_a8g256_w3g256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, 3, 0);
}

void edge_matmul_f32_a8g256_w4mg256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                      const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, 4, 1);
}

void edge_matmul_f32_a8g256_w5mg256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                      const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, 5, 1);
}

void edge_matmul_f32_a8g256_w6g256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, 6, 0);
}

void edge_matmul_f32_a8g256_w2g256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, 2, 0);
}

void edge_matmul_f32_a8g256_n4g256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, EDGE_CODE_NL, 0);
}

void edge_matmul_f32_a8g256_n3g256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, EDGE_CODE_N3, 0);
}

void edge_matmul_f32_a8g256_n3xg256_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                      const edge_acts *acts, int32_t num_tokens) {
    edge_g256_64x32(out, tiles, cols, acts, num_tokens, EDGE_CODE_N3X, 0);
}
