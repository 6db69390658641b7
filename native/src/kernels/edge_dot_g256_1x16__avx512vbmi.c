/* Trits, five to a byte, which vpermi2b looks up: one token. */
#if (!defined(__AVX512VNNI__) || !defined(__AVX512VBMI__)) && !defined(EDGE_SIMULATE_AVX512VBMI)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512vbmi"
#endif

#include "edge_dot_g256_template__avx512vnni.h"
#include "edge_kernels__avx512vbmi.h"

void edge_matmul_f32_a8g256_t5g256_1x16__avx512vbmi(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_T5, 0);
}

void edge_matmul_f32_a8g256_s2g256_1x16__avx512vbmi(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_S2, 0);
}

void edge_matmul_f32_a8g256_d1g256_1x16__avx512vbmi(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_1x16(out, tiles, cols, acts, EDGE_CODE_D1, 0);
}
