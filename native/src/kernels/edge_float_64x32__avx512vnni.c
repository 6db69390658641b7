/* Float weights, 1 .. 64 tokens, two tile rows. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_float_template__avx512vnni.h"
#include "edge_kernels__avx512vnni.h"

void edge_matmul_f32_f32_f32_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_float_64x32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_F32);
}

void edge_matmul_f32_f32_f16_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_float_64x32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_F16);
}

void edge_matmul_f32_f32_bf16_64x32__avx512vnni(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                                int32_t num_tokens) {
    edge_float_64x32(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_BF16);
}
