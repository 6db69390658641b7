/* Activations to int8, the specification. */
#include <math.h>
#include <string.h>

#include "edge_kernels__scalar.h"
#include "expf.h"

/* One group of `size` values; a sum for every `span` of them. */
static void quantize_group(int8_t *q, float *d, int32_t *s, const float *x, int32_t size, int32_t span) {
    uint32_t largest = 0; /* magnitudes compare as integers, NaN above Inf above every number */
    for (int32_t i = 0; i < size; i++) {
        uint32_t magnitude = edge_f32_bits(x[i]) & 0x7fffffffu;
        largest = magnitude > largest ? magnitude : largest;
    }
    memset(q, 0, (size_t)size);
    memset(s, 0, (size_t)(size / span) * sizeof s[0]);
    *d = largest < 0x7f800000u ? 0.0f : NAN;
    float amax = edge_bits_f32(largest);
    if (largest >= 0x7f800000u || amax < 0x1p-100f) {
        return;
    }
    *d = amax / 127.0f;
    float inverse = 127.0f / amax;
    for (int32_t i = 0; i < size; i++) {
        float rounded = (x[i] * inverse + EDGE_ROUND) - EDGE_ROUND;
        q[i] = (int8_t)rounded;
        s[i / span] += q[i];
    }
}

void edge_quantize_a8g32_f32__scalar(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    for (int32_t g = 0; g < n / EDGE_GROUP; g++) {
        quantize_group(q + g * EDGE_GROUP, d + g, s + g, x + g * EDGE_GROUP, EDGE_GROUP, 32);
    }
}

void edge_quantize_a8g256_f32__scalar(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    for (int32_t g = 0; g < n / EDGE_SUPER; g++) {
        quantize_group(q + g * EDGE_SUPER, d + g, s + g * (EDGE_SUPER / 16), x + g * EDGE_SUPER, EDGE_SUPER, 16);
    }
}

void edge_convert_f16_f32__scalar(uint16_t *out, const float *x, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        out[i] = edge_f32_to_f16(x[i]);
    }
}
