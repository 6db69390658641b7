/* Formats with one scale per 32 k, one token. */
#if (!defined(__AVXVNNI__) && !defined(EDGE_SIMULATE_AVXVNNI)) || !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavxvnni -mavx2 -mf16c"
#endif

#include "edge_step__avxvnni.h"

#include "edge_dot_g32_template__avx2.h"
#include "edge_kernels__avxvnni.h"

#define KERNEL(FAMILY, family, code, has_min)                                                                          \
    void edge_matmul_f32_a8g32_##family##_1x16__avxvnni(float *out, const uint8_t *tiles, int32_t cols,                \
                                                        const edge_acts *acts, int32_t num_tokens) {                   \
        (void)num_tokens;                                                                                              \
        edge_g32_rows(out, tiles, cols, acts, 0, code, has_min, 1);                                                    \
    }
EDGE_G32_FAMILIES(KERNEL)
