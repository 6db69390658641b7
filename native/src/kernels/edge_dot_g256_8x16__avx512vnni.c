/* K-quants, 1 .. 8 tokens. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "edge_dot_g256_template__avx512vnni.h"
#include "edge_kernels__avx512vnni.h"

void edge_matmul_f32_a8g256_w4mg256_8x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                     const edge_acts *acts, int32_t num_tokens) {
    edge_g256_8x16(out, tiles, cols, acts, num_tokens, 4);
}

void edge_matmul_f32_a8g256_w6g256_8x16__avx512vnni(float *out, const uint8_t *tiles, int32_t cols,
                                                    const edge_acts *acts, int32_t num_tokens) {
    edge_g256_8x16(out, tiles, cols, acts, num_tokens, 6);
}
