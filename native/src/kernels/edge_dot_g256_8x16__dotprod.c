/* K-quants, 1 .. 8 tokens. */
#if !defined(__ARM_FEATURE_DOTPROD)
#error "this file needs -march=armv8.2-a+dotprod"
#endif

#include "edge_step__dotprod.h"

#include "edge_dot_g256_template__neon.h"
#include "edge_kernels__dotprod.h"

#define KERNEL(FAMILY, family, code, has_min)                                                                          \
    void edge_matmul_f32_a8g256_##family##_8x16__dotprod(float *out, const uint8_t *tiles, int32_t cols,               \
                                                         const edge_acts *acts, int32_t num_tokens) {                  \
        edge_g256_matmul(out, tiles, cols, acts, num_tokens, code, has_min);                                           \
    }
EDGE_G256_FAMILIES(KERNEL)
