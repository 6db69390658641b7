/* Attention of query heads over one KV block, the specification: every head as if it were alone. */
#include <math.h>

#include "edge_kernels__scalar.h"
#include "elementwise.h"
#include "kv.h"

_Static_assert(EDGE_KV_BLOCK_SIZE == 2 * EDGE_LANES, "lane l takes positions l and l + 16");

/* p[t] from scores to weights; the block's maximum and sum. Positions before first, or at or beyond valid, count as
 * -Inf. */
static void softmax_block(float p[EDGE_KV_BLOCK_SIZE], float *max, float *sum, int32_t first, int32_t valid) {
    float lane[EDGE_LANES];
    for (int32_t t = 0; t < first; t++) {
        p[t] = -INFINITY;
    }
    for (int32_t t = valid; t < EDGE_KV_BLOCK_SIZE; t++) {
        p[t] = -INFINITY;
    }
    for (int32_t l = 0; l < EDGE_LANES; l++) {
        lane[l] = p[l] > p[l + EDGE_LANES] ? p[l] : p[l + EDGE_LANES];
    }
    *max = edge_max_lanes(lane);
    for (int32_t t = 0; t < EDGE_KV_BLOCK_SIZE; t++) {
        p[t] = t >= first && t < valid ? edge_expf(p[t] - *max) : 0.0f;
    }
    for (int32_t l = 0; l < EDGE_LANES; l++) {
        lane[l] = p[l] + p[l + EDGE_LANES];
    }
    *sum = edge_sum_lanes(lane);
}

void edge_attend_f32_f32_f32__scalar(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                     int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale) {
    for (int32_t r = 0; r < rows; r++, q += head_dim, o += head_dim) {
        float p[EDGE_KV_BLOCK_SIZE];
        for (int32_t t = first; t < valid; t++) {
            float score = 0.0f;
            for (int32_t d = 0; d < head_dim; d++) {
                score = score + q[d] * k[d * EDGE_KV_BLOCK_SIZE + t];
            }
            p[t] = score * scale;
        }
        softmax_block(p, &max[r], &sum[r], first, valid);
        for (int32_t d = 0; d < head_dim; d++) {
            float value = 0.0f;
            for (int32_t t = first; t < valid; t++) {
                value = value + p[t] * v[t * head_dim + d];
            }
            o[d] = value;
        }
    }
}

void edge_attend_f32_f32_f16__scalar(float *o, float *max, float *sum, const float *q, const uint16_t *k,
                                     const uint16_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                     float scale) {
    for (int32_t r = 0; r < rows; r++, q += head_dim, o += head_dim) {
        float p[EDGE_KV_BLOCK_SIZE];
        for (int32_t t = first; t < valid; t++) {
            float score = 0.0f;
            for (int32_t d = 0; d < head_dim; d++) {
                score = score + q[d] * edge_f16_to_f32(k[d * EDGE_KV_BLOCK_SIZE + t]);
            }
            p[t] = score * scale;
        }
        softmax_block(p, &max[r], &sum[r], first, valid);
        for (int32_t d = 0; d < head_dim; d++) {
            float value = 0.0f;
            for (int32_t t = first; t < valid; t++) {
                value = value + p[t] * edge_f16_to_f32(v[t * head_dim + d]);
            }
            o[d] = value;
        }
    }
}

void edge_attend_f32_q8_q8__scalar(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                                   const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                                   float scale) {
    float k_scales[EDGE_KV_BLOCK_SIZE], v_scales[EDGE_KV_BLOCK_SIZE];
    memcpy(k_scales, k, sizeof k_scales);
    memcpy(v_scales, v, sizeof v_scales);
    const int8_t *keys = (const int8_t *)k + sizeof k_scales, *values = (const int8_t *)v + sizeof v_scales;
    for (int32_t r = 0; r < rows; r++, q += edge_kv_q8_codes(head_dim), o += head_dim) {
        float p[EDGE_KV_BLOCK_SIZE];
        for (int32_t t = first; t < valid; t++) {
            int32_t dot = 0;
            for (int32_t i = 0; i < head_dim; i++) {
                dot += q[i] * keys[(i / 4 * EDGE_KV_BLOCK_SIZE + t) * 4 + i % 4];
            }
            p[t] = ((float)dot * (d[r] * k_scales[t])) * scale;
        }
        softmax_block(p, &max[r], &sum[r], first, valid);
        for (int32_t i = 0; i < head_dim; i++) {
            float value = 0.0f;
            for (int32_t t = first; t < valid; t++) {
                value = value + (p[t] * v_scales[t]) * (float)values[t * head_dim + i];
            }
            o[i] = value;
        }
    }
}

void edge_attend_merge_f32__scalar(float *o, float *max, float *sum, const float *o2, const float *max2,
                                   const float *sum2, int32_t head_dim, int32_t rows) {
    for (int32_t r = 0; r < rows; r++, o += head_dim, o2 += head_dim) {
        float both = max[r] > max2[r] ? max[r] : max2[r];
        float a = edge_expf(max[r] - both), b = edge_expf(max2[r] - both);
        for (int32_t d = 0; d < head_dim; d++) {
            o[d] = o[d] * a + o2[d] * b;
        }
        sum[r] = sum[r] * a + sum2[r] * b;
        max[r] = both;
    }
}
