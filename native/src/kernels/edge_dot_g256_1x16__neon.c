/* K-quants, one token. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "edge_dot_g256_template__neon.h"
#include "edge_kernels__neon.h"

void edge_matmul_f32_a8g256_w4mg256_1x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                               int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_matmul(out, tiles, cols, acts, 1, 4);
}

void edge_matmul_f32_a8g256_w6g256_1x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                              int32_t num_tokens) {
    (void)num_tokens;
    edge_g256_matmul(out, tiles, cols, acts, 1, 6);
}
