/* K-quants, one token. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_dot_g256_template__avx512vnni.h"
#include "edge_kernels__avx512vnni.h"

void edge_matmul_f32_a8g256_w2mg256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, 2, 1);
}

void edge_matmul_f32_a8g256_w3g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, 3, 0);
}

void edge_matmul_f32_a8g256_w4mg256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, 4, 1);
}

void edge_matmul_f32_a8g256_w5mg256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, 5, 1);
}

void edge_matmul_f32_a8g256_w6g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, 6, 0);
}

void edge_matmul_f32_a8g256_w2g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, 2, 0);
}

void edge_matmul_f32_a8g256_t5g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_T5, 0);
}

void edge_matmul_f32_a8g256_n4g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_NL, 0);
}

void edge_matmul_f32_a8g256_n3g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_N3, 0);
}

void edge_matmul_f32_a8g256_n3xg256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_N3X, 0);
}

void edge_matmul_f32_a8g256_s2g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_S2, 0);
}

void edge_matmul_f32_a8g256_d1g256_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_D1, 0);
}
