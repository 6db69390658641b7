/* Attention over KV blocks: stores this step's keys and values, then lets every query head attend to all positions up
 * to its own. Blocks are merged in position order, so no split of the work changes a bit. */
#include <string.h>

#include "program.h"

#define BLOCK EDGE_KV_BLOCK_SIZE

/* Per-head norm, then rotation by the token's position. */
static void norm_and_rotate(const edge_program *program, const edge_op *op, int32_t norm, int32_t token, float *head) {
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

static const int32_t *block_table(const edge_batch *batch, int32_t token) {
    return batch->block_tables + (int64_t)batch->sequences[token] * batch->table_stride;
}

/* Writes key and value of one head of one token into the arena, rounded to the cache type. */
static void store_head(const edge_worker *worker, const edge_op *op, int32_t token, int32_t kv_head) {
    const edge_program *program = worker->program;
    const edge_kernels *kernels = program->kernels;
    int32_t position = program->batch->positions[token], slot = position % BLOCK, n = op->head_dim;
    int32_t block = block_table(program->batch, token)[position / BLOCK];
    int64_t at = ((int64_t)token * op->num_kv_heads + kv_head) * n;
    const float *key = edge_buffer_rows(program, op->in[1]) + at, *value = edge_buffer_rows(program, op->in[2]) + at;
    void *keys = edge_kv_keys(program->kv, block, op->layer, kv_head);
    void *values = edge_kv_values(program->kv, block, op->layer, kv_head);
    float *head = worker->own->head;
    memcpy(head, key, (size_t)n * sizeof(float));
    norm_and_rotate(program, op, op->norm[1], token, head);
    if (program->config.kv_type == EDGE_KV_F16) {
        uint16_t *half = worker->own->half, *column = (uint16_t *)keys + slot;
        kernels->f32_to_f16(half, head, n);
        for (int32_t d = 0; d < n; d++) {
            column[(int64_t)d * BLOCK] = half[d];
        }
        kernels->f32_to_f16((uint16_t *)values + (int64_t)slot * n, value, n);
    } else {
        float *column = (float *)keys + slot;
        for (int32_t d = 0; d < n; d++) {
            column[(int64_t)d * BLOCK] = head[d];
        }
        memcpy((float *)values + (int64_t)slot * n, value, (size_t)n * sizeof(float));
    }
}

/* `rows` query heads against one block. */
static void attend_block(const edge_program *program, const edge_op *op, int32_t block, int32_t kv_head, int32_t rows,
                         int32_t valid, const float *query, float *o, float *max, float *sum) {
    const void *keys = edge_kv_keys(program->kv, block, op->kv_source_layer, kv_head);
    const void *values = edge_kv_values(program->kv, block, op->kv_source_layer, kv_head);
    if (program->config.kv_type == EDGE_KV_F16) {
        program->kernels->attend_f16(o, max, sum, query, keys, values, op->head_dim, rows, valid, op->scale);
    } else {
        program->kernels->attend_f32(o, max, sum, query, keys, values, op->head_dim, rows, valid, op->scale);
    }
}

/* All query heads of one KV head of one token: a block of K and V is read once for all of them. */
static void attend(const edge_worker *worker, const edge_op *op, int32_t token, int32_t kv_head) {
    const edge_program *program = worker->program;
    const edge_private *own = worker->own;
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads;
    int32_t position = program->batch->positions[token], last = position / BLOCK;
    const int32_t *table = block_table(program->batch, token);
    int64_t at = ((int64_t)token * op->num_heads + (int64_t)kv_head * heads) * n;
    memcpy(own->queries, edge_buffer_rows(program, op->in[0]) + at, (size_t)heads * (size_t)n * sizeof(float));
    for (int32_t h = 0; h < heads; h++) {
        norm_and_rotate(program, op, op->norm[0], token, own->queries + (int64_t)h * n);
    }
    for (int32_t b = 0; b <= last; b++) {
        int32_t valid = b < last ? BLOCK : position % BLOCK + 1;
        const edge_partial *to = b == 0 ? &own->running : &own->block;
        attend_block(program, op, table[b], kv_head, heads, valid, own->queries, to->o, to->max, to->sum);
        if (b > 0) {
            program->kernels->attend_merge(own->running.o, own->running.max, own->running.sum, to->o, to->max, to->sum,
                                           n, heads);
        }
    }
    float *out = edge_buffer_rows(program, op->out[0]) + at;
    for (int32_t h = 0; h < heads; h++) {
        float inverse = 1.0f / own->running.sum[h];
        for (int32_t d = 0; d < n; d++) {
            out[(int64_t)h * n + d] = own->running.o[(int64_t)h * n + d] * inverse;
        }
    }
}

/* One token: a KV head stores its own key and value and attends, without a barrier between. */
static void run_single(edge_worker *worker, const edge_op *op) {
    int64_t begin, end;
    while (edge_worker_next(worker, op->num_kv_heads, 1, &begin, &end)) {
        if (op->in[1] >= 0) {
            store_head(worker, op, 0, (int32_t)begin);
        }
        attend(worker, op, 0, (int32_t)begin);
    }
}

void edge_run_attention(edge_worker *worker, const edge_op *op, const edge_op_plan *plan) {
    const edge_program *program = worker->program;
    int32_t tokens = program->batch->num_tokens, heads = op->num_kv_heads;
    int64_t begin, end, total = (int64_t)tokens * heads;
    if (tokens == 1) {
        run_single(worker, op);
        return;
    }
    if (op->in[1] >= 0) {
        while (edge_worker_next(worker, total, edge_worker_grain(worker, total), &begin, &end)) {
            for (int64_t i = begin; i < end; i++) {
                store_head(worker, op, (int32_t)(i / heads), (int32_t)(i % heads));
            }
        }
        edge_worker_barrier(worker);
    }
    if (!plan->quantize_out || !edge_attention_quantizes(tokens, worker->count)) {
        while (edge_worker_next(worker, total, 1, &begin, &end)) {
            attend(worker, op, (int32_t)(begin / heads), (int32_t)(begin % heads));
        }
        return;
    }
    int64_t width = program->buffers[op->out[0]].width;
    while (edge_worker_next(worker, tokens, 1, &begin, &end)) {
        for (int32_t head = 0; head < heads; head++) {
            attend(worker, op, (int32_t)begin, head);
        }
        const float *out = edge_buffer_rows(program, op->out[0]) + begin * width;
        edge_acts_quantize(program->kernels, &program->shared[0], plan->quantize_out, out, begin, width, 0,
                           (int32_t)width);
    }
}
