/* The scales of a super-block as codes of one scale: a search over sixteen values at most, in plain C. */
#include <math.h>

#include "quantise.h"

#define ROUNDS 5 /* of changing one code at a time */

/* Changes code by code while (sum of w s l)^2 / (sum of w l^2) grows. */
static float refine(uint8_t *codes, const float *scale, const float *w, int32_t count, int32_t most) {
    float sum_xl = 0.0f, sum_l2 = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        sum_xl = sum_xl + w[i] * scale[i] * (float)codes[i];
        sum_l2 = sum_l2 + w[i] * (float)codes[i] * (float)codes[i];
    }
    for (int32_t round = 0, changed = 1; round < ROUNDS && changed; round++) {
        changed = 0;
        for (int32_t i = 0; i < count; i++) {
            const float code = (float)codes[i];
            const float others_xl = sum_xl - w[i] * scale[i] * code, others_l2 = sum_l2 - w[i] * code * code;
            if (!(others_xl > 0.0f && others_l2 > 0.0f)) {
                continue;
            }
            const float other = (float)edge_nearest(scale[i] * others_l2 / others_xl, 0.0f, (float)most);
            const float new_xl = others_xl + w[i] * scale[i] * other, new_l2 = others_l2 + w[i] * other * other;
            if (other != code && new_xl * new_xl * sum_l2 > sum_xl * sum_xl * new_l2) {
                codes[i] = (uint8_t)other;
                sum_xl = new_xl;
                sum_l2 = new_l2;
                changed = 1;
            }
        }
    }
    return sum_l2 > 0.0f ? sum_xl / sum_l2 : 0.0f;
}

float edge_super_scale(uint8_t *codes, const float *scale, const float *w, int32_t count, int32_t most) {
    float largest = 0.0f, best_error = INFINITY, inverse = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        largest = edge_larger(largest, scale[i]);
        codes[i] = 0;
    }
    if (largest < 1e-15f) {
        return 0.0f;
    }
    for (int32_t n = 0; n <= 8; n++) { /* the plain one first, then those around it */
        const int32_t step = n == 0 ? 0 : n <= 4 ? n - 5 : n - 4;
        const float candidate = (0.1f * (float)step + (float)most) / largest, back = 1.0f / candidate;
        float error = 0.0f;
        for (int32_t i = 0; i < count; i++) {
            const float off = scale[i] - back * (float)edge_nearest(candidate * scale[i], 0.0f, (float)most);
            error = error + w[i] * off * off;
        }
        if (error < best_error) {
            best_error = error;
            inverse = candidate;
        }
    }
    for (int32_t i = 0; i < count; i++) {
        codes[i] = (uint8_t)edge_nearest(inverse * scale[i], 0.0f, (float)most);
    }
    return refine(codes, scale, w, count, most);
}

float edge_super_scale_signed(int8_t *codes, const float *scale, const float *w, int32_t count, int32_t most) {
    float largest = 0.0f, result = 0.0f, best = -1.0f, inverse = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        largest = fabsf(scale[i]) > fabsf(largest) ? scale[i] : largest;
        codes[i] = 0;
    }
    if (fabsf(largest) < 1e-15f) {
        return 0.0f;
    }
    for (int32_t n = 0; n <= 18; n++) {
        const int32_t step = n == 0 ? 0 : n <= 9 ? n - 10 : n - 9;
        const float candidate = -((float)most + 0.1f * (float)step) / largest;
        float sum_xl = 0.0f, sum_l2 = 0.0f;
        for (int32_t i = 0; i < count; i++) {
            const float code = (float)edge_nearest(candidate * scale[i], (float)-most, (float)(most - 1));
            sum_xl = sum_xl + w[i] * scale[i] * code;
            sum_l2 = sum_l2 + w[i] * code * code;
        }
        if (sum_l2 > 0.0f && sum_xl * sum_xl > best * sum_l2) {
            result = sum_xl / sum_l2;
            best = result * sum_xl;
            inverse = candidate;
        }
    }
    for (int32_t i = 0; i < count; i++) {
        codes[i] = (int8_t)edge_nearest(inverse * scale[i], (float)-most, (float)(most - 1));
    }
    return result;
}
