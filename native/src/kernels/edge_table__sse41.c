/* Which sse41 kernel serves which weight family and shape. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_kernels__sse41.h"

#define FILL_G32(FAMILY, family, code, has_min)                                                                        \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_##family##_1x16__sse41;             \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_##family##_8x16__sse41;             \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_##family##_64x16__sse41;

#define FILL_G256(FAMILY, family, code, has_min)                                                                       \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_##family##_1x16__sse41;            \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_##family##_8x16__sse41;            \
    kernels->matmul[EDGE_FAMILY_##FAMILY][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_##family##_64x16__sse41;

void edge_kernels_fill_sse41(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_SSE41;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_f32_1x16__sse41;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_f32_8x16__sse41;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_f32_64x16__sse41;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_f16_1x16__sse41;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_f16_8x16__sse41;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_f16_64x16__sse41;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_bf16_1x16__sse41;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_bf16_8x16__sse41;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_bf16_64x16__sse41;
    EDGE_G32_FAMILIES(FILL_G32)
    EDGE_G256_FAMILIES(FILL_G256)
    kernels->quantize_a8g32 = edge_quantize_a8g32_f32__sse41;
    kernels->quantize_a8g256 = edge_quantize_a8g256_f32__sse41;
    kernels->attend_f16 = edge_attend_f32_f32_f16__sse41;
    kernels->attend_f32 = edge_attend_f32_f32_f32__sse41;
    kernels->attend_q8 = edge_attend_f32_q8_q8__sse41;
    kernels->attend_merge = edge_attend_merge_f32__sse41;
    kernels->f32_to_f16 = edge_convert_f16_f32__sse41;
    kernels->peak = edge_peak_i32_a8_u8__sse41;
    kernels->peak_f32 = edge_peak_f32__sse41;
    kernels->search_affine = edge_search_affine_f32__sse41;
    kernels->search_symmetric = edge_search_symmetric_f32__sse41;
    kernels->search_descent = edge_search_descent_f32__sse41;
    kernels->search_table = edge_search_table_f32__sse41;
}
