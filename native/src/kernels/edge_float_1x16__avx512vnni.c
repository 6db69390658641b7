/* Float weights, one token. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_float_template__avx512vnni.h"
#include "edge_kernels__avx512vnni.h"

void edge_matmul_f32_f32_f32_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_float_1x16(out, tiles, cols, acts, EDGE_FAMILY_F32);
}

void edge_matmul_f32_f32_f16_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_float_1x16(out, tiles, cols, acts, EDGE_FAMILY_F16);
}

void edge_matmul_f32_f32_bf16_1x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    (void)num_tokens;
    edge_float_1x16(out, tiles, cols, acts, EDGE_FAMILY_BF16);
}
