/* K-quants, 1 .. 8 tokens. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "edge_dot_g256_template__neon.h"
#include "edge_kernels__neon.h"

void edge_matmul_f32_a8g256_w2mg256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, 2, 1);
}

void edge_matmul_f32_a8g256_w3g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, 3, 0);
}

void edge_matmul_f32_a8g256_w4mg256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, 4, 1);
}

void edge_matmul_f32_a8g256_w5mg256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, 5, 1);
}

void edge_matmul_f32_a8g256_w6g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, 6, 0);
}

void edge_matmul_f32_a8g256_w2g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, 2, 0);
}

void edge_matmul_f32_a8g256_t5g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, EDGE_CODE_T5, 0);
}

void edge_matmul_f32_a8g256_n4g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, EDGE_CODE_NL, 0);
}

void edge_matmul_f32_a8g256_n3g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, EDGE_CODE_N3, 0);
}

void edge_matmul_f32_a8g256_n3xg256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, EDGE_CODE_N3X, 0);
}

void edge_matmul_f32_a8g256_s2g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, EDGE_CODE_S2, 0);
}

void edge_matmul_f32_a8g256_d1g256_8x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_matmul(out, tiles, cols, acts, num_tokens, EDGE_CODE_D1, 0);
}
