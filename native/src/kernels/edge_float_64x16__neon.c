/* Float weights, 1 .. 64 tokens. */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "edge_float_template__neon.h"
#include "edge_kernels__neon.h"

void edge_matmul_f32_f32_f32_64x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    edge_float_many(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_F32);
}

void edge_matmul_f32_f32_f16_64x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    edge_float_many(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_F16);
}

void edge_matmul_f32_f32_bf16_64x16__neon(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                          int32_t num_tokens) {
    edge_float_many(out, tiles, cols, acts, num_tokens, EDGE_FAMILY_BF16);
}
