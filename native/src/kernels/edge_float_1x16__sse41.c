/* Float weights, one token. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_simd__sse41.h"

#include "edge_float_template__neon.h"
#include "edge_kernels__sse41.h"

void edge_matmul_f32_f32_f32_1x16__sse41(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    (void)num_tokens;
    edge_float_1x16(out, tiles, cols, acts, EDGE_FAMILY_F32);
}

void edge_matmul_f32_f32_f16_1x16__sse41(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                         int32_t num_tokens) {
    (void)num_tokens;
    edge_float_1x16(out, tiles, cols, acts, EDGE_FAMILY_F16);
}

void edge_matmul_f32_f32_bf16_1x16__sse41(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                          int32_t num_tokens) {
    (void)num_tokens;
    edge_float_1x16(out, tiles, cols, acts, EDGE_FAMILY_BF16);
}
