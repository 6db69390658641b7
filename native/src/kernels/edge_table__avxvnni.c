/* Which avxvnni kernel serves which weight family and shape. */
#if (!defined(__AVXVNNI__) && !defined(EDGE_SIMULATE_AVXVNNI)) || !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavxvnni -mavx2 -mf16c"
#endif

#include "edge_kernels__avxvnni.h"

#define FILL_G32(FAMILY, family, code, has_min)                                                                        \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_##family##_1x16__avxvnni;           \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_##family##_8x16__avxvnni;           \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_##family##_64x16__avxvnni;

#define FILL_G256(FAMILY, family, code, has_min)                                                                       \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_##family##_1x16__avxvnni;          \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_##family##_8x16__avxvnni;          \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_##family##_64x16__avxvnni;

void edge_kernels_fill_avxvnni(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_AVXVNNI;
    EDGE_G32_FAMILIES(FILL_G32)
    EDGE_G256_FAMILIES(FILL_G256)
    kernels->peak = edge_peak_i32_a8_u8__avxvnni;
}
