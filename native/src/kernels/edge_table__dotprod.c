/* Which dotprod kernel serves which weight family and shape. */
#if !defined(__ARM_FEATURE_DOTPROD)
#error "this file needs -march=armv8.2-a+dotprod"
#endif

#include "edge_kernels__dotprod.h"

#define FILL_G32(FAMILY, family, code, has_min)                                                                        \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_##family##_1x16__dotprod;           \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_##family##_8x16__dotprod;           \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_##family##_64x16__dotprod;

#define FILL_G256(FAMILY, family, code, has_min)                                                                       \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_##family##_1x16__dotprod;          \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_##family##_8x16__dotprod;          \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_##family##_64x16__dotprod;

void edge_kernels_fill_dotprod(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_DOTPROD;
    EDGE_G32_FAMILIES(FILL_G32)
    EDGE_G256_FAMILIES(FILL_G256)
    kernels->peak = edge_peak_i32_a8_u8__dotprod;
}
