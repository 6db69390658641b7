/* K-quants, 1 .. 8 tokens. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_dot_g256_template__avx2.h"
#include "edge_kernels__avx2.h"

void edge_matmul_f32_a8g256_w4mg256_8x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    edge_g256_8x16(out, tiles, cols, acts, num_tokens, 4);
}

void edge_matmul_f32_a8g256_w6g256_8x16__avx2(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    edge_g256_8x16(out, tiles, cols, acts, num_tokens, 6);
}
