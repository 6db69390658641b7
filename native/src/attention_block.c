/* The queries of a KV head, and their look at one block. */
#include <string.h>

#include "attention.h"
#include "inline.h"

void edge_prepare_queries(const edge_worker *worker, const edge_op *op, int32_t first, int32_t count, int32_t kv_head) {
    const edge_program *program = worker->program;
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads;
    float *query = worker->own->queries;
    for (int32_t token = first; token < first + count; token++) {
        int64_t at = ((int64_t)token * op->num_heads + (int64_t)kv_head * heads) * n;
        memcpy(query, edge_buffer_rows(program, op->in[0]) + at, (size_t)heads * (size_t)n * sizeof(float));
        for (int32_t h = 0; h < heads; h++, query += n) {
            edge_norm_and_rotate(program, op, op->norm[0], token, query);
            if (program->config.kv_type == EDGE_KV_Q4) {
                edge_hadamard(query, n, 0);
            }
        }
    }
    for (int32_t row = 0; edge_kv_has_codes(program->config.kv_type) && row < count * heads; row++) {
        edge_quantize_head(worker->own->codes + (int64_t)row * edge_kv_q8_codes(n), &worker->own->scales[row],
                           worker->own->queries + (int64_t)row * n, n);
    }
}

void edge_attend_block(const edge_worker *worker, const edge_op *op, int32_t block, int32_t kv_head, int32_t row,
                       int32_t rows, int32_t first, int32_t valid, const edge_partial *to) {
    const edge_program *program = worker->program;
    const edge_kernels *kernels = program->kernels;
    const edge_private *own = worker->own;
    int32_t n = op->head_dim;
    const edge_kv_place at = edge_kv_place_of(program, op->kv_source_layer);
    const void *keys = edge_kv_keys(at.kv, block, at.layer, kv_head);
    const void *values = edge_kv_values(at.kv, block, at.layer, kv_head);
    const float *query = own->queries + (int64_t)row * n;
    switch (program->config.kv_type) {
    case EDGE_KV_F16:
        kernels->attend_f16(to->o, to->max, to->sum, query, keys, values, n, rows, first, valid, op->scale);
        break;
    case EDGE_KV_Q4:
        edge_unpack_q4(own->keys, keys, edge_kv_q8_codes(n));
        edge_unpack_q4(own->values, values, n);
        keys = own->keys;
        values = own->values;
        /* fallthrough */
    case EDGE_KV_Q8:
        kernels->attend_q8(to->o, to->max, to->sum, own->codes + (int64_t)row * edge_kv_q8_codes(n), own->scales + row,
                           keys, values, n, rows, first, valid, op->scale);
        break;
    default:
        kernels->attend_f32(to->o, to->max, to->sum, query, keys, values, n, rows, first, valid, op->scale);
        break;
    }
}

void edge_ask_block(const edge_program *program, const edge_op *op, int32_t block, int32_t kv_head) {
    const edge_kv_place at = edge_kv_place_of(program, op->kv_source_layer);
    const uint8_t *keys = edge_kv_keys(at.kv, block, at.layer, kv_head);
    const uint8_t *values = edge_kv_values(at.kv, block, at.layer, kv_head);
    for (uint64_t i = 0; i < at.kv->head_bytes; i += EDGE_ALIGNMENT) {
        EDGE_ASK(keys + i);
        EDGE_ASK(values + i);
    }
}
