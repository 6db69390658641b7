/* Which avx512vbmi kernel serves which weight family and shape. */
#if (!defined(__AVX512VNNI__) || !defined(__AVX512VBMI__)) && !defined(EDGE_SIMULATE_AVX512VBMI)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512vbmi"
#endif

#include "edge_kernels__avx512vbmi.h"

void edge_kernels_fill_avx512vbmi(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_AVX512VBMI;
    kernels->matmul[EDGE_FAMILY_T5G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_t5g256_1x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_T5G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_t5g256_8x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_T5G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_t5g256_64x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_S2G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_s2g256_1x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_S2G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_s2g256_8x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_S2G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_s2g256_64x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_D1G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_d1g256_1x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_D1G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_d1g256_8x16__avx512vbmi;
    kernels->matmul[EDGE_FAMILY_D1G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_d1g256_64x16__avx512vbmi;
}
