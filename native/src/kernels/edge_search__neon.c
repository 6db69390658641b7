/* The searches of the quantiser, four blocks at a time. */
#if !defined(__ARM_NEON)
#error "this file needs NEON"
#endif

#include "edge_kernels__neon.h"
#include "edge_simd__neon.h"

/* Not vminq, which makes a NaN of a NaN. */
#define edge_pick_floats(where, a, b) vbslq_f32((uint32x4_t)(where), a, b)
#define edge_smaller_floats(a, b)     edge_pick_floats((a) < (b), a, b)

#include "search.h"

void edge_search_affine_f32__neon(float *scale, float *min, const float *x, const float *w, const edge_affine *how) {
    edge_search_affine(scale, min, x, w, how);
}

void edge_search_symmetric_f32__neon(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_symmetric(scale, x, w, size, most);
}

void edge_search_descent_f32__neon(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_descent(scale, x, w, size, most);
}

void edge_search_table_f32__neon(float *scale, const float *x, const float *w, int32_t size, const int8_t values[16]) {
    edge_search_table(scale, x, w, size, values);
}
