/* K-quants, a chunk of tokens. */
#if !defined(__ARM_FEATURE_MATMUL_INT8)
#error "this file needs -march=armv8.2-a+i8mm"
#endif

#include "edge_tokens__i8mm.h"

#include "edge_dot_g256_template__neon.h"
#include "edge_kernels__i8mm.h"

#define KERNEL(FAMILY, family, code, has_min)                                                                          \
    void edge_matmul_f32_a8g256_##family##_64x16__i8mm(float *out, const uint8_t *tiles, int32_t cols,                 \
                                                       const edge_acts *acts, int32_t num_tokens) {                    \
        edge_g256_matmul(out, tiles, cols, acts, num_tokens, code, has_min);                                           \
    }
EDGE_G256_FAMILIES(KERNEL)
