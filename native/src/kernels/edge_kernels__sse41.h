/* The sse41 kernels: 16-byte vectors, maddubs, neither AVX nor F16C. Norms, activations and rotations are the scalar
 * level's: from the loops of elementwise.h compilers make the same packed instructions with SSE2. */
#ifndef EDGE_KERNELS_SSE41_H
#define EDGE_KERNELS_SSE41_H

#include "families.h"
#include "kernels.h"

#define EDGE_DECLARE_G32(FAMILY, family, code, has_min)                                                                \
    edge_matmul_fn edge_matmul_f32_a8g32_##family##_1x16__sse41;                                                       \
    edge_matmul_fn edge_matmul_f32_a8g32_##family##_8x16__sse41;                                                       \
    edge_matmul_fn edge_matmul_f32_a8g32_##family##_64x16__sse41;
EDGE_G32_FAMILIES(EDGE_DECLARE_G32)

#define EDGE_DECLARE_G256(FAMILY, family, code, has_min)                                                               \
    edge_matmul_fn edge_matmul_f32_a8g256_##family##_1x16__sse41;                                                      \
    edge_matmul_fn edge_matmul_f32_a8g256_##family##_8x16__sse41;                                                      \
    edge_matmul_fn edge_matmul_f32_a8g256_##family##_64x16__sse41;
EDGE_G256_FAMILIES(EDGE_DECLARE_G256)

edge_matmul_fn edge_matmul_f32_f32_f32_1x16__sse41;
edge_matmul_fn edge_matmul_f32_f32_f32_8x16__sse41;
edge_matmul_fn edge_matmul_f32_f32_f32_64x16__sse41;

edge_matmul_fn edge_matmul_f32_f32_f16_1x16__sse41;
edge_matmul_fn edge_matmul_f32_f32_f16_8x16__sse41;
edge_matmul_fn edge_matmul_f32_f32_f16_64x16__sse41;

edge_matmul_fn edge_matmul_f32_f32_bf16_1x16__sse41;
edge_matmul_fn edge_matmul_f32_f32_bf16_8x16__sse41;
edge_matmul_fn edge_matmul_f32_f32_bf16_64x16__sse41;

edge_quantize_fn edge_quantize_a8g32_f32__sse41;
edge_quantize_fn edge_quantize_a8g256_f32__sse41;
edge_f32_to_f16_fn edge_convert_f16_f32__sse41;

edge_attend_f16_fn edge_attend_f32_f32_f16__sse41;
edge_attend_f32_fn edge_attend_f32_f32_f32__sse41;
edge_attend_q8_fn edge_attend_f32_q8_q8__sse41;
edge_attend_merge_fn edge_attend_merge_f32__sse41;

edge_peak_fn edge_peak_i32_a8_u8__sse41;
edge_peak_f32_fn edge_peak_f32__sse41;

edge_search_affine_fn edge_search_affine_f32__sse41;
edge_search_scale_fn edge_search_symmetric_f32__sse41;
edge_search_scale_fn edge_search_descent_f32__sse41;
edge_search_table_fn edge_search_table_f32__sse41;

#endif
