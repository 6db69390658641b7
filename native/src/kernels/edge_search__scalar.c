/* The searches of the quantiser, the specification: one lane at a time. */
#include "edge_kernels__scalar.h"
#include "inline.h"

#define EDGE_FLOATS 1
typedef float edge_floats;
#define edge_pick_floats(where, a, b) ((where) ? (a) : (b))

EDGE_INLINE float edge_load_floats(const float *from) {
    return *from;
}

EDGE_INLINE void edge_store_floats(float *to, float x) {
    *to = x;
}

EDGE_INLINE float edge_all_floats(float x) {
    return x;
}

EDGE_INLINE float edge_smaller_floats(float a, float b) {
    return a < b ? a : b;
}

EDGE_INLINE float edge_larger_floats(float a, float b) {
    return a > b ? a : b;
}

#include "search.h"

void edge_search_affine_f32__scalar(float *scale, float *min, const float *x, const float *w, const edge_affine *how) {
    edge_search_affine(scale, min, x, w, how);
}

void edge_search_symmetric_f32__scalar(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_symmetric(scale, x, w, size, most);
}

void edge_search_descent_f32__scalar(float *scale, const float *x, const float *w, int32_t size, float most) {
    edge_search_descent(scale, x, w, size, most);
}

void edge_search_table_f32__scalar(float *scale, const float *x, const float *w, int32_t size,
                                   const int8_t values[16]) {
    edge_search_table(scale, x, w, size, values);
}
