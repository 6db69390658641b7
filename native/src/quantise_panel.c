/* Weights as the searches want them: blocks as lanes, and how much an error counts beside each. */
#include <math.h>

#include "quantise.h"

void edge_panel_fill(float *panel, const float *values, int32_t size, int32_t count) {
    for (int32_t k = 0; k < size; k++) {
        for (int32_t block = 0; block < EDGE_SEARCH_LANES; block++) {
            panel[k * EDGE_SEARCH_LANES + block] = block < count ? values[block * size + k] : 0.0f;
        }
    }
}

void edge_scales_affine(const edge_kernels *kernels, float *scale, float *min, const float *x, const float *w,
                        int32_t count, const edge_affine *how) {
    _Alignas(64) float panel_x[EDGE_PANEL_VALUES], panel_w[EDGE_PANEL_VALUES];
    edge_panel_fill(panel_x, x, how->size, count);
    edge_panel_fill(panel_w, w, how->size, count);
    kernels->search_affine(scale, min, panel_x, panel_w, how);
}

void edge_scales_of(edge_search_scale_fn *search, float *scale, const float *x, const float *w, int32_t size,
                    int32_t count, float most) {
    _Alignas(64) float panel_x[EDGE_PANEL_VALUES], panel_w[EDGE_PANEL_VALUES];
    edge_panel_fill(panel_x, x, size, count);
    edge_panel_fill(panel_w, w, size, count);
    search(scale, panel_x, panel_w, size, most);
}

float edge_sum_of_squares(const float *x, int64_t count) {
    float sum = 0.0f;
    for (int64_t i = 0; i < count; i++) {
        sum = sum + x[i] * x[i];
    }
    return sum;
}

void edge_weigh(float *w, const float *x, const float *importance, float sigma2, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        w[i] = importance ? importance[i] * sqrtf(sigma2 + x[i] * x[i]) : x[i] * x[i];
    }
}
