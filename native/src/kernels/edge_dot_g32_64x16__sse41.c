/* Formats with one scale per 32 k, a chunk of tokens. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_step__sse41.h"

#include "edge_dot_g32_template__neon.h"
#include "edge_kernels__sse41.h"

#define KERNEL(FAMILY, family, code, has_min)                                                                          \
    void edge_matmul_f32_a8g32_##family##_64x16__sse41(float *out, const uint8_t *tiles, int32_t cols,                 \
                                                       const edge_acts *acts, int32_t num_tokens) {                    \
        edge_g32_matmul(out, tiles, cols, acts, num_tokens, code, has_min);                                            \
    }
EDGE_G32_FAMILIES(KERNEL)
