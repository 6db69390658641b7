/* What attention writes: this step's keys and values, normed, rotated and rounded to the cache type. */
#include <math.h>
#include <string.h>

#include "attention.h"
#include "expf.h"

#define BLOCK EDGE_KV_BLOCK_SIZE

void edge_norm_and_rotate(const edge_program *program, const edge_op *op, int32_t norm, int32_t token, float *head) {
    const edge_kernels *kernels = program->kernels;
    if (norm >= 0) {
        kernels->rms_norm(head, head, edge_vector(program, norm), op->head_dim, op->eps);
    }
    if (op->rope >= 0) {
        const edge_rope_plan *rope = &program->ropes[op->rope];
        const float *cosines = rope->cosines + (int64_t)token * rope->num_pairs;
        const float *sines = rope->sines + (int64_t)token * rope->num_pairs;
        (rope->neox ? kernels->rope_neox : kernels->rope_norm)(head, cosines, sines, 2 * rope->num_pairs);
    }
}

void edge_quantize_head(int8_t *q, float *d, const float *x, int32_t n) {
    uint32_t largest = 0;
    for (int32_t i = 0; i < n; i++) {
        uint32_t magnitude = edge_f32_bits(x[i]) & 0x7fffffffu;
        largest = magnitude > largest ? magnitude : largest;
    }
    float amax = edge_bits_f32(largest);
    int is_used = largest < 0x7f800000u && amax >= 0x1p-100f;
    float inverse = is_used ? 127.0f / amax : 0.0f;
    *d = is_used ? amax / 127.0f : largest < 0x7f800000u ? 0.0f : NAN;
    for (int32_t i = 0; i < n; i++) {
        q[i] = is_used ? (int8_t)((x[i] * inverse + EDGE_ROUND) - EDGE_ROUND) : 0;
    }
    for (int32_t i = n; i < edge_kv_q8_codes(n); i++) {
        q[i] = 0;
    }
}

/* Key (normed and rotated) and value of a position into a Q8 block. */
static void store_q8(int8_t *codes, uint8_t *keys, uint8_t *values, const float *key, const float *value, int32_t slot,
                     int32_t n) {
    float *scales = (float *)(void *)keys, *value_scales = (float *)(void *)values;
    int8_t *column = (int8_t *)(scales + BLOCK) + (int64_t)slot * 4;
    edge_quantize_head(codes, &scales[slot], key, n);
    for (int32_t i = 0; i < n; i += 4) {
        memcpy(column + (int64_t)i * BLOCK, codes + i, 4);
    }
    edge_quantize_head(codes, &value_scales[slot], value, n);
    memcpy((int8_t *)(value_scales + BLOCK) + (int64_t)slot * n, codes, (size_t)n);
}

void edge_store_position(const edge_kernels *kernels, int32_t type, void *keys, void *values, int32_t slot, float *head,
                         const float *value, int32_t n, uint16_t *half) {
    if (type == EDGE_KV_F16) {
        uint16_t *column = (uint16_t *)keys + slot;
        kernels->f32_to_f16(half, head, n);
        for (int32_t d = 0; d < n; d++) {
            column[(int64_t)d * BLOCK] = half[d];
        }
        kernels->f32_to_f16((uint16_t *)values + (int64_t)slot * n, value, n);
    } else if (type == EDGE_KV_Q8) {
        store_q8((int8_t *)half, keys, values, head, value, slot, n);
    } else if (type == EDGE_KV_Q4) {
        edge_hadamard(head, n, 1);
        edge_store_q4(keys, values, head, value, slot, n, (uint8_t *)half);
    } else {
        float *column = (float *)keys + slot;
        for (int32_t d = 0; d < n; d++) {
            column[(int64_t)d * BLOCK] = head[d];
        }
        memcpy((float *)values + (int64_t)slot * n, value, (size_t)n * sizeof(float));
    }
}

void edge_store_head(const edge_worker *worker, const edge_op *op, int32_t token, int32_t kv_head) {
    const edge_program *program = worker->program;
    int32_t position = program->batch->positions[token], slot = position % BLOCK, n = op->head_dim;
    int32_t block = edge_block_table(program, op->layer, token)[position / BLOCK];
    int64_t at = ((int64_t)token * op->num_kv_heads + kv_head) * n;
    const float *key = edge_buffer_rows(program, op->in[1]) + at, *value = edge_buffer_rows(program, op->in[2]) + at;
    const edge_kv_place place = edge_kv_place_of(program, op->layer);
    void *keys = edge_kv_keys(place.kv, block, place.layer, kv_head);
    void *values = edge_kv_values(place.kv, block, place.layer, kv_head);
    float *head = worker->own->head;
    memcpy(head, key, (size_t)n * sizeof(float));
    edge_norm_and_rotate(program, op, op->norm[1], token, head);
    /* own->codes holds queries, so half is where the codes are made */
    edge_store_position(program->kernels, program->config.kv_type, keys, values, slot, head, value, n,
                        worker->own->half);
}
