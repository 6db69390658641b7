/* Which scalar kernel serves which weight family and shape. */
#include "edge_kernels__scalar.h"

void edge_kernels_fill_scalar(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_SCALAR;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_f32__scalar;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_f32__scalar;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_f32__scalar;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_f16__scalar;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_f16__scalar;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_f16__scalar;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_bf16__scalar;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_bf16__scalar;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_bf16__scalar;
    kernels->matmul[EDGE_FAMILY_W8G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w8g32__scalar;
    kernels->matmul[EDGE_FAMILY_W8G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w8g32__scalar;
    kernels->matmul[EDGE_FAMILY_W8G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w8g32__scalar;
    kernels->matmul[EDGE_FAMILY_W4G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w4g32__scalar;
    kernels->matmul[EDGE_FAMILY_W4G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w4g32__scalar;
    kernels->matmul[EDGE_FAMILY_W4G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w4g32__scalar;
    kernels->matmul[EDGE_FAMILY_W4MG32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w4mg32__scalar;
    kernels->matmul[EDGE_FAMILY_W4MG32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w4mg32__scalar;
    kernels->matmul[EDGE_FAMILY_W4MG32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w4mg32__scalar;
    kernels->matmul[EDGE_FAMILY_W5G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w5g32__scalar;
    kernels->matmul[EDGE_FAMILY_W5G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w5g32__scalar;
    kernels->matmul[EDGE_FAMILY_W5G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w5g32__scalar;
    kernels->matmul[EDGE_FAMILY_W4MG256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w4mg256__scalar;
    kernels->matmul[EDGE_FAMILY_W4MG256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w4mg256__scalar;
    kernels->matmul[EDGE_FAMILY_W4MG256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w4mg256__scalar;
    kernels->matmul[EDGE_FAMILY_W6G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w6g256__scalar;
    kernels->matmul[EDGE_FAMILY_W6G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w6g256__scalar;
    kernels->matmul[EDGE_FAMILY_W6G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w6g256__scalar;
    kernels->quantize_a8g32 = edge_quantize_a8g32_f32__scalar;
    kernels->quantize_a8g256 = edge_quantize_a8g256_f32__scalar;
    kernels->rms_norm = edge_rms_norm_f32__scalar;
    kernels->silu = edge_silu_f32__scalar;
    kernels->silu_mul = edge_silu_mul_f32__scalar;
    kernels->add = edge_add_f32__scalar;
    kernels->mul = edge_mul_f32__scalar;
    kernels->rope_norm = edge_rope_norm_f32__scalar;
    kernels->rope_neox = edge_rope_neox_f32__scalar;
    kernels->attend_f16 = edge_attend_f32_f32_f16__scalar;
    kernels->attend_f32 = edge_attend_f32_f32_f32__scalar;
    kernels->attend_merge = edge_attend_merge_f32__scalar;
    kernels->f32_to_f16 = edge_convert_f16_f32__scalar;
}
