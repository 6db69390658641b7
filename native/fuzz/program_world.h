/* What fuzz_program edits: weights and arenas that are made once, and two sound programs with adapters: a decoder, and
 * an encoder, whose tokens see their whole sequence. */
#ifndef EDGE_FUZZ_PROGRAM_WORLD_H
#define EDGE_FUZZ_PROGRAM_WORLD_H

#include "edge/program.h"
#include "input.h"
#include "program.h"

#define MAX_OPS     12
#define MAX_BUFFERS 14
#define MAX_TOKENS  12 /* more than EDGE_PRIVATE_ROWS: both plans of a linear operation */
#define NUM_WEIGHTS 17
#define MAX_LORAS   3
#define ARENA_BYTES (96u << 10)
#define STRIDE      3
#define BLOCKS      5

enum {
    W_EMBED,
    W_32X32,
    W_16X32,
    W_64X32,
    W_32X64,
    W_HEAD,
    W_F32,
    W_Q4K,
    W_Q6K,
    W_DOWN,
    W_LOW,
    W_HIGH,
    V_32,
    V_16,
    V_64,
    V_256,
    W_PLACES
};

typedef struct candidate {
    edge_op ops[MAX_OPS];
    edge_buffer buffers[MAX_BUFFERS];
    edge_rope rope;
    double frequency_scale[8];
    edge_lora loras[MAX_LORAS];
    edge_program_config config;
    int encodes; /* which arenas it runs on */
    int32_t ids[MAX_TOKENS], positions[MAX_TOKENS], sequences[MAX_TOKENS], rows[MAX_TOKENS], adapters[MAX_TOKENS],
        tables[2 * STRIDE];
    edge_batch batch;
} candidate;

/* Made once: weights, one KV arena for each of the two runs (of halves for decoders, of floats for encoders), pools of
 * one and two threads. */
static edge_weights *weights[NUM_WEIGHTS];
static edge_kv *kvs[2][2];
static edge_threads *pools[2];

static void make_matrix(int32_t index, int32_t type, int32_t rows, int32_t cols) {
    uint64_t bytes, packed;
    FUZZ_REQUIRE(edge_weights_sizes(type, rows, cols, &bytes, &packed) == EDGE_OK);
    uint8_t *data = malloc(bytes);
    FUZZ_REQUIRE(data != NULL);
    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)((i * 2654435761u >> 7) & 0x2f); /* as halves and floats: small and finite */
    }
    FUZZ_REQUIRE(edge_weights_create(&weights[index], type, rows, cols, data, bytes, NULL) == EDGE_OK);
    free(data);
}

static void make_vector(int32_t index, int32_t size) {
    float data[256];
    for (int32_t i = 0; i < size; i++) {
        data[i] = 1.0f + 0.01f * (float)(i % 7);
    }
    FUZZ_REQUIRE(edge_weights_create_vector(&weights[index], EDGE_TYPE_F32, size, data,
                                            (uint64_t)size * sizeof(float)) == EDGE_OK);
}

static void make_world(void) {
    const edge_kv_config kv[] = {{EDGE_KV_F16, 2, 1, 16, BLOCKS}, {EDGE_KV_F32, 2, 1, 16, BLOCKS}};
    make_matrix(W_EMBED, EDGE_TYPE_Q8_0, 20, 32);
    make_matrix(W_32X32, EDGE_TYPE_Q4_0, 32, 32);
    make_matrix(W_16X32, EDGE_TYPE_Q5_0, 16, 32);
    make_matrix(W_64X32, EDGE_TYPE_Q4_1, 64, 32);
    make_matrix(W_32X64, EDGE_TYPE_Q8_0, 32, 64);
    make_matrix(W_HEAD, EDGE_TYPE_F16, 20, 32);
    make_matrix(W_F32, EDGE_TYPE_BF16, 32, 32);
    make_matrix(W_Q4K, EDGE_TYPE_Q4_K, 33, 256);
    make_matrix(W_Q6K, EDGE_TYPE_Q6_K, 32, 256);
    make_matrix(W_DOWN, EDGE_TYPE_Q8_0, 256, 32);
    make_matrix(W_LOW, EDGE_TYPE_F16, 5, 32);
    make_matrix(W_HIGH, EDGE_TYPE_F32, 256, 5);
    make_matrix(W_PLACES, EDGE_TYPE_F32, STRIDE * EDGE_KV_BLOCK_SIZE, 32);
    make_vector(V_32, 32);
    make_vector(V_16, 16);
    make_vector(V_64, 64);
    make_vector(V_256, 256);
    for (int32_t i = 0; i < 2; i++) {
        FUZZ_REQUIRE(edge_kv_create(&kvs[0][i], &kv[0]) == EDGE_OK && edge_kv_create(&kvs[1][i], &kv[1]) == EDGE_OK);
        FUZZ_REQUIRE(edge_threads_create(&pools[i], i + 1) == EDGE_OK);
    }
}

static void empty_op(edge_op *op, int32_t kind) {
    memset(op, 0xff, sizeof *op);
    op->kind = kind;
    op->activation = EDGE_ACT_NONE;
    op->num_heads = op->num_kv_heads = op->head_dim = 0;
    op->eps = 1e-5f;
    op->scale = 1.0f;
    op->window = op->mode = 0;
}

/* Buffers one behind the other; those from `first_logits` on have a row for each logit row. */
static void make_buffers(candidate *c, const int32_t *widths, int32_t count, int32_t first_logits) {
    uint64_t offset = 0;
    for (int32_t i = 0; i < count; i++) {
        c->buffers[i] = (edge_buffer){offset, widths[i], i >= first_logits};
        offset += ((uint64_t)widths[i] * MAX_TOKENS * sizeof(float) + 63) / 64 * 64;
    }
}

static void make_config(candidate *c, int32_t num_ops, int32_t num_buffers, int32_t kv_type) {
    c->rope = (edge_rope){10000.0, 16, 0, 1.0f, 0, c->frequency_scale};
    for (int32_t i = 0; i < 8; i++) {
        c->frequency_scale[i] = 1.0;
    }
    c->config = (edge_program_config){.num_ops = num_ops,
                                      .num_buffers = num_buffers,
                                      .num_weights = NUM_WEIGHTS,
                                      .num_ropes = 1,
                                      .num_loras = MAX_LORAS,
                                      .num_adapters = 2,
                                      .max_tokens = MAX_TOKENS,
                                      .max_logits = MAX_TOKENS,
                                      .max_sequences = 2,
                                      .logits_buffer = num_buffers - 1,
                                      .arena_bytes = ARENA_BYTES,
                                      .num_layers = 2,
                                      .num_kv_heads = 1,
                                      .head_dim = 16,
                                      .kv_type = kv_type,
                                      .max_threads = 2,
                                      .max_positions = STRIDE * EDGE_KV_BLOCK_SIZE};
}

/* One layer with two query heads on one KV head; a second attention that reads the first one's KV; a head. */
static void make_decoder(candidate *c) {
    static const int32_t widths[] = {32, 32, 16, 16, 32, 32, 256, 32, 32, 20};
    static const int32_t kinds[] = {EDGE_OP_EMBED,  EDGE_OP_LINEAR, EDGE_OP_ATTENTION,   EDGE_OP_LINEAR,
                                    EDGE_OP_LINEAR, EDGE_OP_LINEAR, EDGE_OP_SELECT_ROWS, EDGE_OP_LINEAR};
    make_buffers(c, widths, 10, 8);
    for (int32_t i = 0; i < 8; i++) {
        empty_op(&c->ops[i], kinds[i]);
        c->ops[i].out[0] = i == 0 ? 0 : i < 2 ? 1 : i + 2;
        c->ops[i].in[0] = i == 0 ? -1 : i == 1 ? 0 : i == 2 ? 1 : i + 1;
    }
    edge_op *op = c->ops;
    op[0].weight[0] = W_EMBED;
    op[1].norm[0] = op[4].norm[0] = op[7].norm[0] = V_32;
    op[1].weight[0] = W_32X32;
    op[1].weight[1] = op[1].weight[2] = W_16X32;
    op[1].bias[0] = V_32;
    op[1].out[1] = op[2].in[1] = 2;
    op[1].out[2] = op[2].in[2] = 3;
    op[2].norm[0] = V_16;
    op[2].layer = op[2].kv_source_layer = op[2].rope = 0;
    op[2].num_heads = 2;
    op[2].num_kv_heads = 1;
    op[2].head_dim = 16;
    op[3].weight[0] = W_32X32;
    op[3].residual = 0;
    op[4].weight[0] = op[4].weight[1] = W_DOWN;
    op[4].activation = EDGE_ACT_SILU;
    op[5].weight[0] = W_Q6K;
    op[5].residual = 5;
    op[7].weight[0] = W_HEAD;
    c->loras[0] = (edge_lora){1, 0, {W_F32, -1, -1}, {W_F32, -1, -1}, {0.5f, 0.0f, 0.0f}};
    c->loras[1] = (edge_lora){4, 0, {W_LOW, W_LOW, -1}, {W_HIGH, W_HIGH, -1}, {0.5f, 0.25f, 0.0f}};
    c->loras[2] = (edge_lora){4, 1, {-1, W_LOW, -1}, {-1, W_HIGH, -1}, {0.0f, 1.0f, 0.0f}};
    make_config(c, 8, 10, EDGE_KV_F16);
}

/* One layer as BERT's: rows by token and position, norms behind the residual, attention over whole sequences. */
static void make_encoder(candidate *c) {
    static const int32_t widths[] = {32, 32, 32, 32, 32, 16, 16, 32, 32, 32, 64, 32, 32, 32};
    static const struct {
        int32_t kind, in, out;
    } steps[] = {{EDGE_OP_EMBED, -1, 0},     {EDGE_OP_EMBED, -1, 1},       {EDGE_OP_ADD, 0, 2},
                 {EDGE_OP_LAYER_NORM, 2, 3}, {EDGE_OP_LINEAR, 3, 4},       {EDGE_OP_ATTENTION, 4, 7},
                 {EDGE_OP_LINEAR, 7, 8},     {EDGE_OP_LAYER_NORM, 8, 9},   {EDGE_OP_LINEAR, 9, 10},
                 {EDGE_OP_LINEAR, 10, 11},   {EDGE_OP_LAYER_NORM, 11, 12}, {EDGE_OP_SELECT_ROWS, 12, 13}};
    edge_op *op = c->ops;
    make_buffers(c, widths, 14, 13);
    for (int32_t i = 0; i < 12; i++) {
        empty_op(&op[i], steps[i].kind);
        op[i].in[0] = steps[i].in;
        op[i].out[0] = steps[i].out;
        if (steps[i].kind == EDGE_OP_LAYER_NORM) {
            op[i].norm[0] = op[i].norm[1] = V_32;
        }
    }
    op[0].weight[0] = W_EMBED;
    op[1].weight[0] = W_PLACES;
    op[1].mode = EDGE_EMBED_POSITION;
    op[2].in[1] = 1;
    op[4].weight[0] = W_32X32;
    op[4].weight[1] = op[4].weight[2] = W_16X32;
    op[4].bias[0] = V_32;
    op[4].out[1] = op[5].in[1] = 5;
    op[4].out[2] = op[5].in[2] = 6;
    op[5].layer = op[5].kv_source_layer = 0;
    op[5].num_heads = 2;
    op[5].num_kv_heads = 1;
    op[5].head_dim = 16;
    op[5].scale = 0.25f;
    op[5].mode = EDGE_ATTENTION_WHOLE;
    op[6].weight[0] = W_32X32;
    op[6].residual = 3;
    op[8].weight[0] = W_64X32;
    op[8].bias[0] = V_64;
    op[8].activation = EDGE_ACT_GELU_ERF;
    op[9].weight[0] = W_32X64;
    op[9].residual = 9;
    c->loras[0] = (edge_lora){4, 0, {W_F32, -1, -1}, {W_F32, -1, -1}, {0.5f, 0.0f, 0.0f}};
    c->loras[1] = (edge_lora){6, 0, {W_F32, -1, -1}, {W_F32, -1, -1}, {0.25f, 0.0f, 0.0f}};
    c->loras[2] = (edge_lora){6, 1, {W_F32, -1, -1}, {W_F32, -1, -1}, {1.0f, 0.0f, 0.0f}};
    c->encodes = 1;
    make_config(c, 12, 14, EDGE_KV_F32);
}

#endif
