/* Which avx2 kernel serves which weight family and shape. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_kernels__avx2.h"

void edge_kernels_fill_avx2(edge_kernels *kernels) {
    kernels->isa = EDGE_ISA_AVX2;
    kernels->rms_norm = edge_rms_norm_f32__avx2;
    kernels->silu = edge_silu_f32__avx2;
    kernels->silu_mul = edge_silu_mul_f32__avx2;
    kernels->add = edge_add_f32__avx2;
    kernels->mul = edge_mul_f32__avx2;
    kernels->rope_norm = edge_rope_norm_f32__avx2;
    kernels->rope_neox = edge_rope_neox_f32__avx2;
}
