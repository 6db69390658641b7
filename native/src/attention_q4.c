/* Q4 blocks: the codes of a Q8 block, two to a byte, that attention unpacks to one of its own before the Q8 kernels
 * read it. Keys and queries are turned by a Hadamard matrix first, which spreads outliers over a head (QuaRot, Ashkboos
 * et al., 2024, https://arxiv.org/abs/2404.00456) and leaves their products as they are. */
#include <math.h>
#include <string.h>

#include "attention.h"
#include "expf.h"

#define BLOCK EDGE_KV_BLOCK_SIZE

void edge_hadamard(float *head, int32_t n, int is_key) {
    int32_t size = n & -n; /* the largest power of two that n is a multiple of */
    float factor = is_key ? 1.0f / (float)size : 1.0f;
    for (float *part = head; part < head + n; part += size) {
        for (int32_t half = 1; half < size; half *= 2) {
            for (int32_t begin = 0; begin < size; begin += 2 * half) {
                for (int32_t i = begin; i < begin + half; i++) {
                    float a = part[i], b = part[i + half];
                    part[i] = a + b;
                    part[i + half] = a - b;
                }
            }
        }
        for (int32_t i = 0; i < size; i++) {
            part[i] *= factor;
        }
    }
}

/* Codes -8 .. 7 as 0 .. 15, zeros up to a multiple of 4 behind them. The value of the largest magnitude, the first of
 * several, becomes -8. What is not finite or too small is treated as edge_quantize_head does. */
static void quantize(uint8_t *q, float *d, const float *x, int32_t n) {
    uint32_t largest = 0;
    float extreme = 0.0f;
    for (int32_t i = 0; i < n; i++) {
        uint32_t magnitude = edge_f32_bits(x[i]) & 0x7fffffffu;
        if (magnitude > largest) {
            largest = magnitude;
            extreme = x[i];
        }
    }
    int is_used = largest < 0x7f800000u && edge_bits_f32(largest) >= 0x1p-100f;
    float inverse = is_used ? -8.0f / extreme : 0.0f;
    *d = is_used ? extreme / -8.0f : largest < 0x7f800000u ? 0.0f : NAN;
    for (int32_t i = 0; i < edge_kv_q8_codes(n); i++) {
        float code = is_used && i < n ? (x[i] * inverse + EDGE_ROUND) - EDGE_ROUND : 0.0f;
        q[i] = (uint8_t)(8 + (int32_t)(code > 7.0f ? 7.0f : code));
    }
}

void edge_store_q4(uint8_t *keys, uint8_t *values, const float *key, const float *value, int32_t slot, int32_t n,
                   uint8_t *codes) {
    float *scales = (float *)(void *)keys, *value_scales = (float *)(void *)values;
    uint8_t *column = (uint8_t *)(scales + BLOCK) + (int64_t)slot * 2;
    uint8_t *row = (uint8_t *)(value_scales + BLOCK) + (int64_t)slot * (n / 2);
    quantize(codes, &scales[slot], key, n);
    for (int32_t i = 0; i < n; i += 4) { /* four dimensions of a position are neighbours */
        uint8_t *to = column + (int64_t)i / 2 * BLOCK;
        to[0] = (uint8_t)(codes[i] | codes[i + 1] << 4);
        to[1] = (uint8_t)(codes[i + 2] | codes[i + 3] << 4);
    }
    quantize(codes, &value_scales[slot], value, n);
    for (int32_t i = 0; i < n; i += 2) {
        row[i / 2] = (uint8_t)(codes[i] | codes[i + 1] << 4);
    }
}

void edge_unpack_q4(uint8_t *restrict q8, const uint8_t *restrict q4, int32_t codes) {
    memcpy(q8, q4, BLOCK * sizeof(float));
    int8_t *to = (int8_t *)q8 + BLOCK * sizeof(float);
    const uint8_t *from = q4 + BLOCK * sizeof(float);
    for (int32_t i = 0; i < codes * (BLOCK / 2); i++) {
        to[2 * i] = (int8_t)((from[i] & 15) - 8);
        to[2 * i + 1] = (int8_t)((from[i] >> 4) - 8);
    }
}
