/* Which i8mm kernel serves which weight family. */
#if !defined(__ARM_FEATURE_MATMUL_INT8)
#error "this file needs -march=armv8.2-a+i8mm"
#endif

#include "edge_kernels__i8mm.h"

#define FILL_G32(FAMILY, family, code, has_min)                                                                        \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_##family##_64x16__i8mm;

#define FILL_G256(FAMILY, family, code, has_min)                                                                       \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_##family##_64x16__i8mm;

void edge_kernels_fill_i8mm(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_I8MM;
    EDGE_G32_FAMILIES(FILL_G32)
    EDGE_G256_FAMILIES(FILL_G256)
    kernels->peak = edge_peak_i32_a8_u8__i8mm;
}
