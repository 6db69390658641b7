/* The searches of the quantiser, eight blocks at a time. */
#if !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavx2 -mf16c"
#endif

#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"

#define edge_smaller_floats(a, b)     _mm256_min_ps(a, b)
#define edge_pick_floats(where, a, b) _mm256_blendv_ps(b, a, (__m256)(where))

#include "search.h"

void edge_search_affine_f32__avx2(float *scale, float *min, const float *x, const float *w, const edge_affine *how) {
    edge_search_affine(scale, min, x, w, how);
}

void edge_search_symmetric_f32__avx2(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_symmetric(scale, x, w, size, most);
}

void edge_search_descent_f32__avx2(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_descent(scale, x, w, size, most);
}

void edge_search_table_f32__avx2(float *scale, const float *x, const float *w, int32_t size, const int8_t values[16]) {
    edge_search_table(scale, x, w, size, values);
}
