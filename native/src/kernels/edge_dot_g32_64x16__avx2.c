/* Formats with one scale per 32 k, a chunk of tokens. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_dot_g32_template__avx2.h"
#include "edge_kernels__avx2.h"

void edge_matmul_f32_a8g32_w8g32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 8, 0);
}

void edge_matmul_f32_a8g32_w4g32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 4, 0);
}

void edge_matmul_f32_a8g32_w4mg32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 4, 1);
}

void edge_matmul_f32_a8g32_w5g32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 5, 0);
}

void edge_matmul_f32_a8g32_w5mg32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 5, 1);
}

void edge_matmul_f32_a8g32_w1g128_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 1, 0);
}

void edge_matmul_f32_a8g32_w2g64_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, 2, 0);
}

void edge_matmul_f32_a8g32_n4g32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, EDGE_CODE_NL, 0);
}

void edge_matmul_f32_a8g32_e4g32_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, EDGE_CODE_FP4, 0);
}

void edge_matmul_f32_a8g32_e4g16_64x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                             int32_t num_tokens) {
    edge_g32_64x16(out, tiles, cols, acts, num_tokens, EDGE_CODE_FP4S, 0);
}
