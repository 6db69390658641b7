/* K-quants, one token. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_dot_g256_template__avx2.h"
#include "edge_kernels__avx2.h"

void edge_matmul_f32_a8g256_w2mg256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, 2, 1, 1);
}

void edge_matmul_f32_a8g256_w3g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, 3, 0, 1);
}

void edge_matmul_f32_a8g256_w4mg256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, 4, 1, 1);
}

void edge_matmul_f32_a8g256_w5mg256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, 5, 1, 1);
}

void edge_matmul_f32_a8g256_w6g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, 6, 0, 1);
}

void edge_matmul_f32_a8g256_w2g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, 2, 0, 1);
}

void edge_matmul_f32_a8g256_t5g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, EDGE_CODE_T5, 0, 1);
}

void edge_matmul_f32_a8g256_n4g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, EDGE_CODE_NL, 0, 1);
}

void edge_matmul_f32_a8g256_n3g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, EDGE_CODE_N3, 0, 1);
}

void edge_matmul_f32_a8g256_n3xg256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, EDGE_CODE_N3X, 0, 1);
}

void edge_matmul_f32_a8g256_s2g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, EDGE_CODE_S2, 0, 1);
}

void edge_matmul_f32_a8g256_d1g256_1x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_rows(out, tiles, cols, acts, 0, EDGE_CODE_D1, 0, 1);
}
