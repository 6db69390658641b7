/* The dotprod kernels (sdot); everything else is NEON's. */
#ifndef EDGE_KERNELS_DOTPROD_H
#define EDGE_KERNELS_DOTPROD_H

#include "families.h"
#include "kernels.h"

#define EDGE_DECLARE_G32(FAMILY, family, code, has_min)                                                                \
    edge_matmul_fn edge_matmul_f32_a8g32_##family##_1x16__dotprod;                                                     \
    edge_matmul_fn edge_matmul_f32_a8g32_##family##_8x16__dotprod;                                                     \
    edge_matmul_fn edge_matmul_f32_a8g32_##family##_64x16__dotprod;
EDGE_G32_FAMILIES(EDGE_DECLARE_G32)

#define EDGE_DECLARE_G256(FAMILY, family, code, has_min)                                                               \
    edge_matmul_fn edge_matmul_f32_a8g256_##family##_1x16__dotprod;                                                    \
    edge_matmul_fn edge_matmul_f32_a8g256_##family##_8x16__dotprod;                                                    \
    edge_matmul_fn edge_matmul_f32_a8g256_##family##_64x16__dotprod;
EDGE_G256_FAMILIES(EDGE_DECLARE_G256)

edge_peak_fn edge_peak_i32_a8_u8__dotprod;

#endif
