/* The searches of the quantiser, four blocks at a time. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "edge_kernels__sse41.h"
#include "edge_simd__sse41.h"

#define edge_smaller_floats(a, b)     _mm_min_ps(a, b)
#define edge_pick_floats(where, a, b) _mm_blendv_ps(b, a, (__m128)(where))

#include "search.h"

void edge_search_affine_f32__sse41(float *scale, float *min, const float *x, const float *w, const edge_affine *how) {
    edge_search_affine(scale, min, x, w, how);
}

void edge_search_symmetric_f32__sse41(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_symmetric(scale, x, w, size, most);
}

void edge_search_descent_f32__sse41(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_descent(scale, x, w, size, most);
}

void edge_search_table_f32__sse41(float *scale, const float *x, const float *w, int32_t size, const int8_t values[16]) {
    edge_search_table(scale, x, w, size, values);
}
