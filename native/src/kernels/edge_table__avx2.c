/* Which avx2 kernel serves which weight family and shape. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_kernels__avx2.h"

void edge_kernels_fill_avx2(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_AVX2;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_f32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_f32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_F32][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_f32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_f16_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_f16_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_F16][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_f16_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_1X16] = edge_matmul_f32_f32_bf16_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_8X16] = edge_matmul_f32_f32_bf16_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_BF16][EDGE_SHAPE_64X16] = edge_matmul_f32_f32_bf16_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W8G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w8g32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W8G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w8g32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W8G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w8g32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w4g32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w4g32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w4g32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4MG32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w4mg32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4MG32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w4mg32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4MG32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w4mg32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w5g32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w5g32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w5g32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5MG32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w5mg32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5MG32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w5mg32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5MG32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w5mg32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W1G128][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w1g128_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W1G128][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w1g128_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W1G128][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w1g128_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2G64][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_w2g64_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2G64][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_w2g64_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2G64][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_w2g64_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_N4G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_n4g32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_N4G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_n4g32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_N4G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_n4g32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_E4G32][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_e4g32_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_E4G32][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_e4g32_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_E4G32][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_e4g32_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_E4G16][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g32_e4g16_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_E4G16][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g32_e4g16_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_E4G16][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g32_e4g16_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2MG256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w2mg256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2MG256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w2mg256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2MG256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w2mg256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W3G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w3g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W3G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w3g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W3G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w3g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4MG256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w4mg256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4MG256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w4mg256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W4MG256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w4mg256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5MG256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w5mg256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5MG256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w5mg256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W5MG256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w5mg256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W6G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w6g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W6G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w6g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W6G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w6g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_w2g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_w2g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_W2G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_w2g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_T5G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_t5g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_T5G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_t5g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_T5G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_t5g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_N4G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_n4g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_N4G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_n4g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_N4G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_n4g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_N3G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_n3g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_N3G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_n3g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_N3G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_n3g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_N3XG256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_n3xg256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_N3XG256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_n3xg256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_N3XG256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_n3xg256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_S2G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_s2g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_S2G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_s2g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_S2G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_s2g256_64x16__avx2;
    kernels->matmul[EDGE_FAMILY_D1G256][EDGE_SHAPE_1X16] = edge_matmul_f32_a8g256_d1g256_1x16__avx2;
    kernels->matmul[EDGE_FAMILY_D1G256][EDGE_SHAPE_8X16] = edge_matmul_f32_a8g256_d1g256_8x16__avx2;
    kernels->matmul[EDGE_FAMILY_D1G256][EDGE_SHAPE_64X16] = edge_matmul_f32_a8g256_d1g256_64x16__avx2;
    kernels->quantize_a8g32 = edge_quantize_a8g32_f32__avx2;
    kernels->quantize_a8g256 = edge_quantize_a8g256_f32__avx2;
    kernels->rms_norm = edge_rms_norm_f32__avx2;
    kernels->silu = edge_silu_f32__avx2;
    kernels->silu_mul = edge_silu_mul_f32__avx2;
    kernels->add = edge_add_f32__avx2;
    kernels->mul = edge_mul_f32__avx2;
    kernels->rope_norm = edge_rope_norm_f32__avx2;
    kernels->rope_neox = edge_rope_neox_f32__avx2;
    kernels->attend_f16 = edge_attend_f32_f32_f16__avx2;
    kernels->attend_f32 = edge_attend_f32_f32_f32__avx2;
    kernels->attend_merge = edge_attend_merge_f32__avx2;
    kernels->f32_to_f16 = edge_convert_f16_f32__avx2;
}
