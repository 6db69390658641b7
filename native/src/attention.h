/* The parts of attention: what is written to the KV arena, and how the reading of it is cut. */
#ifndef EDGE_ATTENTION_H
#define EDGE_ATTENTION_H

#include "program.h"

/* Blocks that are merged before they are merged with others: part of the numeric contract, as the block size is. */
#define EDGE_RUN_BLOCKS 4

/* Most tokens whose queries of one KV head look at a block together. */
static inline int32_t edge_attention_tile(const edge_op *op) {
    int32_t tokens = EDGE_ATTEND_ROWS / (op->num_heads / op->num_kv_heads);
    return tokens > 0 ? tokens : 1;
}

/* Where a layer's K and V are: the arena, the tables of its blocks, and the layer's number there. */
typedef struct edge_kv_place {
    const edge_kv *kv;
    const int32_t *tables;
    int32_t layer;
} edge_kv_place;

static inline edge_kv_place edge_kv_place_of(const edge_program *program, int32_t layer) {
    int32_t full = program->config.num_layers;
    return layer < full ? (edge_kv_place){program->kv, program->batch->block_tables, layer}
                        : (edge_kv_place){program->window_kv, program->batch->window_tables, layer - full};
}

/* The last position that each token of the step sees. */
static inline const int32_t *edge_ends(const edge_program *program, const edge_op *op) {
    return op->mode == EDGE_ATTENTION_WHOLE ? program->ends : program->batch->positions;
}

/* Blocks of a token's sequence. */
static inline const int32_t *edge_block_table(const edge_program *program, int32_t layer, int32_t token) {
    const edge_batch *batch = program->batch;
    return edge_kv_place_of(program, layer).tables + (int64_t)batch->sequences[token] * batch->table_stride;
}

/* Per-head norm (norm < 0: none), then rotation by the token's position. */
void edge_norm_and_rotate(const edge_program *program, const edge_op *op, int32_t norm, int32_t token, float *head);

/* A head of n values to int8 codes with one scale, zeros behind them up to a multiple of 4. As a group of activations:
 * NaN or Inf among the values makes all codes 0 and the scale NaN, values below 2^-100 are zero. */
void edge_quantize_head(int8_t *q, float *d, const float *x, int32_t n);

/* Turns a head by the Hadamard matrix of the largest power of two that n is a multiple of, part by part; a key is
 * divided by that power, so that the product of a turned query and a turned key is theirs. Sums are paired in a fixed
 * order. */
void edge_hadamard(float *head, int32_t n, int is_key);

/* Key (normed, rotated and turned) and value of a position into a Q4 block. codes: room for a head's. */
void edge_store_q4(uint8_t *keys, uint8_t *values, const float *key, const float *value, int32_t slot, int32_t n,
                   uint8_t *codes);

/* K or V of one head of a Q4 block, `codes` of each position, as a Q8 block has it. */
void edge_unpack_q4(uint8_t *restrict q8, const uint8_t *restrict q4, int32_t codes);

/* The queries of `count` tokens and one KV head into the thread's own memory, normed, rotated, and as codes where the
 * cache has them. */
void edge_prepare_queries(const edge_worker *worker, const edge_op *op, int32_t first, int32_t count, int32_t kv_head);

/* `rows` of the prepared queries, from `row` on, against the positions first .. valid - 1 of a block, into `to`. */
void edge_attend_block(const edge_worker *worker, const edge_op *op, int32_t block, int32_t kv_head, int32_t row,
                       int32_t rows, int32_t first, int32_t valid, const edge_partial *to);

/* Asks for the K and V of a block that will be attended to next. */
void edge_ask_block(const edge_program *program, const edge_op *op, int32_t block, int32_t kv_head);
/* Key (normed and rotated; it may be changed) and value of a position into a block of a type. half: room for a head's,
 * rounded up to a multiple of 4. */
void edge_store_position(const edge_kernels *kernels, int32_t type, void *keys, void *values, int32_t slot, float *head,
                         const float *value, int32_t n, uint16_t *half);

/* Writes key and value of one head of one token into the arena, rounded to the cache type. */
void edge_store_head(const edge_worker *worker, const edge_op *op, int32_t token, int32_t kv_head);

#endif
