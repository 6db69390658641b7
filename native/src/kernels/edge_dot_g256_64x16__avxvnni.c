/* K-quants, a chunk of tokens. */
#if (!defined(__AVXVNNI__) && !defined(EDGE_SIMULATE_AVXVNNI)) || !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavxvnni -mavx2 -mf16c"
#endif

#include "edge_step__avxvnni.h"

#include "edge_dot_g256_template__avx2.h"
#include "edge_kernels__avxvnni.h"

#define KERNEL(FAMILY, family, code, has_min)                                                                          \
    void edge_matmul_f32_a8g256_##family##_64x16__avxvnni(float *out, const uint8_t *tiles, int32_t cols,              \
                                                          const edge_acts *acts, int32_t num_tokens) {                 \
        edge_g256_64x16(out, tiles, cols, acts, num_tokens, code, has_min);                                            \
    }
EDGE_G256_FAMILIES(KERNEL)
