/* Random tiny programs: the shape of a llama, with every format, option and fusion drawn by lot. */
#ifndef EDGE_TEST_TINY_H
#define EDGE_TEST_TINY_H

#include <stdlib.h>
#include <string.h>

#include "edge/program.h"
#include "random.h"

#define TINY_MAX_OPS       64
#define TINY_MAX_BUFFERS   64
#define TINY_MAX_WEIGHTS   512
#define TINY_ADAPTERS      3
#define TINY_MAX_LORAS     (TINY_MAX_OPS * TINY_ADAPTERS)
#define TINY_MAX_PAIRS     32
#define TINY_MAX_POSITIONS 1024 /* of a sequence: four runs of attention */

typedef struct tiny {
    uint64_t state;
    edge_op ops[TINY_MAX_OPS];
    edge_buffer buffers[TINY_MAX_BUFFERS];
    edge_weights *weights[TINY_MAX_WEIGHTS];
    edge_rope rope;
    double frequency_scale[TINY_MAX_PAIRS];
    int32_t num_ops, num_buffers, num_weights, num_layers, num_heads, num_kv_heads, head_dim, hidden, ff, vocab;
    edge_lora loras[TINY_MAX_LORAS];
    int32_t num_loras, num_adapters;
    int32_t logits_buffer, kv_type;
    int32_t forced_type; /* of all matrices; -1: by lot */
    int32_t plain;       /* nothing by lot: everything fused, no bias, no head norms */
} tiny;

static inline int tiny_chance(tiny *t, int32_t one_in) {
    return !t->plain && random_int(&t->state, 1, one_in) == 1;
}

/* A finite half of modest size. */
static inline void tiny_half(tiny *t, uint8_t *at) {
    uint32_t half = (uint32_t)random_int(&t->state, 0x1000, 0x2600) | (tiny_chance(t, 2) ? 0x8000u : 0);
    at[0] = (uint8_t)half;
    at[1] = (uint8_t)(half >> 8);
}

/* Random GGUF blocks: any codes, scales of modest size. */
static inline void tiny_fill(tiny *t, int32_t type, uint8_t *data, uint64_t bytes) {
    static const struct {
        int32_t type, block, halves[2];
    } blocks[] = {{EDGE_TYPE_F16, 2, {0, -1}},      {EDGE_TYPE_Q8_0, 34, {0, -1}},    {EDGE_TYPE_Q4_0, 18, {0, -1}},
                  {EDGE_TYPE_Q4_1, 20, {0, 2}},     {EDGE_TYPE_Q5_0, 22, {0, -1}},    {EDGE_TYPE_Q5_1, 24, {0, 2}},
                  {EDGE_TYPE_Q1_0, 18, {0, -1}},    {EDGE_TYPE_Q2_0, 18, {0, -1}},    {EDGE_TYPE_IQ4_NL, 18, {0, -1}},
                  {EDGE_TYPE_Q2_K, 84, {80, 82}},   {EDGE_TYPE_Q3_K, 110, {108, -1}}, {EDGE_TYPE_Q4_K, 144, {0, 2}},
                  {EDGE_TYPE_Q5_K, 176, {0, 2}},    {EDGE_TYPE_Q6_K, 210, {208, -1}}, {EDGE_TYPE_TQ2_0, 66, {64, -1}},
                  {EDGE_TYPE_TQ1_0, 54, {52, -1}},  {EDGE_TYPE_IQ4_XS, 136, {0, -1}}, {EDGE_TYPE_IQ3_S, 110, {0, -1}},
                  {EDGE_TYPE_IQ3_XXS, 98, {0, -1}}, {EDGE_TYPE_IQ2_XXS, 66, {0, -1}}, {EDGE_TYPE_IQ2_XS, 74, {0, -1}},
                  {EDGE_TYPE_IQ2_S, 82, {0, -1}},   {EDGE_TYPE_IQ1_S, 50, {0, -1}}};
    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)random_u64(&t->state);
    }
    if (type == EDGE_TYPE_F32 || type == EDGE_TYPE_BF16) {
        uint64_t size = type == EDGE_TYPE_F32 ? 4 : 2;
        for (uint64_t i = 0; i < bytes; i += size) {
            float value = 0.3f * random_unit(&t->state);
            memcpy(data + i, (uint8_t *)&value + (4 - size), size);
        }
    }
    for (uint64_t i = 0; type == EDGE_TYPE_MXFP4 && i < bytes; i += 17) {
        data[i] = (uint8_t)random_int(&t->state, 118, 128);
    }
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        for (uint64_t i = 0; blocks[b].type == type && i < bytes; i += (uint64_t)blocks[b].block) {
            for (int32_t h = 0; h < 2; h++) {
                if (blocks[b].halves[h] >= 0) {
                    tiny_half(t, data + i + blocks[b].halves[h]);
                }
            }
        }
    }
}

static inline int32_t tiny_matrix(tiny *t, int32_t rows, int32_t cols) {
    /* By the columns of their blocks: 1, 32, 64, 128, 256. */
    static const int32_t types[] = {
        EDGE_TYPE_F32,     EDGE_TYPE_F16,   EDGE_TYPE_BF16,   EDGE_TYPE_Q8_0,  EDGE_TYPE_Q4_0,    EDGE_TYPE_Q4_1,
        EDGE_TYPE_Q5_0,    EDGE_TYPE_Q5_1,  EDGE_TYPE_IQ4_NL, EDGE_TYPE_MXFP4, EDGE_TYPE_NVFP4,   EDGE_TYPE_Q2_0,
        EDGE_TYPE_Q1_0,    EDGE_TYPE_Q2_K,  EDGE_TYPE_Q3_K,   EDGE_TYPE_Q4_K,  EDGE_TYPE_Q5_K,    EDGE_TYPE_Q6_K,
        EDGE_TYPE_TQ2_0,   EDGE_TYPE_TQ1_0, EDGE_TYPE_IQ4_XS, EDGE_TYPE_IQ3_S, EDGE_TYPE_IQ3_XXS, EDGE_TYPE_IQ2_XS,
        EDGE_TYPE_IQ2_XXS, EDGE_TYPE_IQ2_S, EDGE_TYPE_IQ1_S};
    int32_t count = (int32_t)(sizeof types / sizeof types[0]);
    int32_t last = cols % 256 == 0 ? count - 1 : cols % 128 == 0 ? 12 : cols % 64 == 0 ? 11 : cols % 32 == 0 ? 9 : 2;
    int32_t first = last == count - 1 && tiny_chance(t, 2) ? 13 : 0; /* they fit few matrices: prefer them there */
    int32_t type = t->forced_type >= 0 ? t->forced_type : types[random_int(&t->state, first, last)];
    uint64_t bytes, packed;
    if (edge_weights_sizes(type, rows, cols, &bytes, &packed) != EDGE_OK) {
        abort();
    }
    uint8_t *data = malloc(bytes);
    tiny_fill(t, type, data, bytes);
    if (edge_weights_create(&t->weights[t->num_weights], type, rows, cols, data, bytes, NULL) != EDGE_OK) {
        abort();
    }
    free(data);
    return t->num_weights++;
}

static inline int32_t tiny_vector(tiny *t, int32_t size, float center) {
    float *data = malloc((size_t)size * sizeof(float));
    for (int32_t i = 0; i < size; i++) {
        data[i] = center + 0.2f * random_unit(&t->state);
    }
    if (edge_weights_create_vector(&t->weights[t->num_weights], EDGE_TYPE_F32, size, data,
                                   (uint64_t)size * sizeof(float)) != EDGE_OK) {
        abort();
    }
    free(data);
    return t->num_weights++;
}

static inline int32_t tiny_buffer(tiny *t, int32_t width, int32_t rows) {
    t->buffers[t->num_buffers] = (edge_buffer){0, width, rows};
    return t->num_buffers++;
}

static inline edge_op *tiny_op(tiny *t, edge_op_kind kind) {
    edge_op *op = &t->ops[t->num_ops++];
    memset(op, 0xff, sizeof *op); /* every reference is -1 */
    op->kind = (int32_t)kind;
    op->activation = EDGE_ACT_NONE;
    op->num_heads = op->num_kv_heads = op->head_dim = 0;
    op->eps = 1e-5f;
    op->scale = 1.0f;
    op->window = op->mode = 0;
    return op;
}

/* out = [residual +] weight x, x = in or rms_norm(in). residual < 0: a new buffer. */
static inline int32_t tiny_linear(tiny *t, int32_t in, int norm, int32_t rows, int32_t residual, int32_t row_kind) {
    int32_t cols = t->buffers[in].width, weight = tiny_matrix(t, rows, cols);
    edge_op *op = tiny_op(t, EDGE_OP_LINEAR);
    op->in[0] = in;
    op->weight[0] = weight;
    op->norm[0] = norm ? tiny_vector(t, cols, 1.0f) : -1;
    op->bias[0] = tiny_chance(t, 3) ? tiny_vector(t, rows, 0.0f) : -1;
    op->residual = residual;
    op->out[0] = residual >= 0 && tiny_chance(t, 2) ? residual : tiny_buffer(t, rows, row_kind);
    return op->out[0];
}

/* Residual addition, fused or as an operation of its own. */
static inline int32_t tiny_residual(tiny *t, int32_t in, int32_t x) {
    if (tiny_chance(t, 3)) {
        int32_t y = tiny_linear(t, in, 0, t->hidden, -1, 0);
        edge_op *op = tiny_op(t, EDGE_OP_ADD);
        op->in[0] = x;
        op->in[1] = y;
        return op->out[0] = tiny_buffer(t, t->hidden, 0);
    }
    return tiny_linear(t, in, 0, t->hidden, x, 0);
}

static inline int32_t tiny_attention(tiny *t, int32_t x, int32_t layer) {
    static const int32_t windows[] = {0, 0, 0, 1, 7, 32, 33, 129, 200};
    int32_t q_width = t->num_heads * t->head_dim, kv_width = t->num_kv_heads * t->head_dim;
    int shares = layer > 0 && tiny_chance(t, 4); /* reads the KV of the layer before, stores none */
    int32_t widths[3] = {q_width, kv_width, kv_width}, q[3] = {-1, -1, -1};
    edge_op *op;
    if (tiny_chance(t, 3)) {
        for (int32_t i = 0; i < (shares ? 1 : 3); i++) {
            q[i] = tiny_linear(t, x, 1, widths[i], -1, 0);
        }
    } else {
        op = tiny_op(t, EDGE_OP_LINEAR);
        op->in[0] = x;
        op->norm[0] = tiny_vector(t, t->hidden, 1.0f);
        for (int32_t i = 0; i < (shares ? 1 : 3); i++) {
            op->weight[i] = tiny_matrix(t, widths[i], t->hidden);
            op->bias[i] = tiny_chance(t, 2) ? tiny_vector(t, widths[i], 0.0f) : -1;
            op->out[i] = q[i] = tiny_buffer(t, widths[i], 0);
        }
    }
    op = tiny_op(t, EDGE_OP_ATTENTION);
    memcpy(op->in, q, sizeof q);
    op->norm[0] = tiny_chance(t, 2) ? tiny_vector(t, t->head_dim, 1.0f) : -1;
    op->norm[1] = !shares && tiny_chance(t, 2) ? tiny_vector(t, t->head_dim, 1.0f) : -1;
    op->layer = shares ? -1 : layer;
    op->kv_source_layer = shares ? 0 : layer;
    op->num_heads = t->num_heads;
    op->num_kv_heads = t->num_kv_heads;
    op->head_dim = t->head_dim;
    op->rope = tiny_chance(t, 8) ? -1 : 0;
    op->scale = 0.5f;
    op->window = windows[random_int(&t->state, 0, 8)];
    return op->out[0] = tiny_buffer(t, q_width, 0);
}

static inline int32_t tiny_gate(tiny *t, int32_t x) {
    edge_op *op;
    if (tiny_chance(t, 3)) { /* unfused */
        op = tiny_op(t, EDGE_OP_RMS_NORM);
        op->in[0] = x;
        op->norm[0] = tiny_vector(t, tiny_chance(t, 2) ? t->hidden : t->hidden / 2, 1.0f);
        int32_t normed = op->out[0] = tiny_buffer(t, t->hidden, 0);
        int32_t gate = tiny_linear(t, normed, 0, t->ff, -1, 0), up = tiny_linear(t, normed, 0, t->ff, -1, 0);
        op = tiny_op(t, EDGE_OP_ACTIVATION);
        op->activation = random_int(&t->state, EDGE_ACT_SILU, EDGE_NUM_ACTIVATIONS - 1);
        op->in[0] = gate;
        int32_t act = op->out[0] = tiny_buffer(t, t->ff, 0);
        op = tiny_op(t, EDGE_OP_MUL);
        op->in[0] = act;
        op->in[1] = up;
        return op->out[0] = tiny_buffer(t, t->ff, 0);
    }
    op = tiny_op(t, EDGE_OP_LINEAR);
    op->in[0] = x;
    op->norm[0] = tiny_vector(t, t->hidden, 1.0f);
    op->activation = random_int(&t->state, EDGE_ACT_SILU, EDGE_NUM_ACTIVATIONS - 1);
    for (int32_t i = 0; i < 2; i++) {
        op->weight[i] = tiny_matrix(t, t->ff, t->hidden);
        op->bias[i] = tiny_chance(t, 3) ? tiny_vector(t, t->ff, 0.0f) : -1;
    }
    return op->out[0] = tiny_buffer(t, t->ff, 0);
}

/* The operations and weights for sizes that are set. */
static inline void tiny_build(tiny *t) {
    t->rope.theta = 10000.0;
    t->rope.dims = tiny_chance(t, 3) ? t->head_dim / 2 : t->head_dim;
    t->rope.neox = tiny_chance(t, 2);
    t->rope.magnitude = 1.0f;
    for (int32_t i = 0; i < TINY_MAX_PAIRS; i++) {
        t->frequency_scale[i] = tiny_chance(t, 2) ? 0.125 : 1.0;
    }
    t->rope.frequency_scale = t->frequency_scale;

    int32_t embedding = tiny_matrix(t, t->vocab, t->hidden);
    edge_op *op = tiny_op(t, EDGE_OP_EMBED);
    op->weight[0] = embedding;
    op->scale = 4.0f;
    int32_t x = op->out[0] = tiny_buffer(t, t->hidden, 0);
    for (int32_t layer = 0; layer < t->num_layers; layer++) {
        x = tiny_residual(t, tiny_attention(t, x, layer), x);
        x = tiny_residual(t, tiny_gate(t, x), x);
    }
    op = tiny_op(t, EDGE_OP_SELECT_ROWS);
    op->in[0] = x;
    int32_t selected = op->out[0] = tiny_buffer(t, t->hidden, 1);
    t->logits_buffer = tiny_linear(t, selected, 1, t->vocab, -1, 1);
}

/* Adapters that add to most linear operations, of any rank: those of one operation differ. */
static inline void tiny_adapters(tiny *t, int32_t num_adapters) {
    static const int32_t types[] = {EDGE_TYPE_F32, EDGE_TYPE_F16, EDGE_TYPE_BF16};
    int32_t kept = t->forced_type;
    t->num_adapters = num_adapters;
    for (int32_t i = 0; i < t->num_ops * num_adapters; i++) {
        const edge_op *op = &t->ops[i / num_adapters];
        if (op->kind != EDGE_OP_LINEAR || tiny_chance(t, 5)) {
            continue;
        }
        edge_lora *lora = &t->loras[t->num_loras++];
        *lora = (edge_lora){i / num_adapters, i % num_adapters, {-1, -1, -1}, {-1, -1, -1}, {0}};
        for (int32_t w = 0; w < 3 && op->weight[w] >= 0; w++) {
            int32_t rank = t->plain ? 4 : random_int(&t->state, 1, 40);
            int32_t rows = t->buffers[op->out[op->activation == EDGE_ACT_NONE ? w : 0]].width;
            if (tiny_chance(t, 5)) {
                continue;
            }
            t->forced_type = types[random_int(&t->state, 0, 2)];
            lora->down[w] = tiny_matrix(t, rank, t->buffers[op->in[0]].width);
            lora->up[w] = tiny_matrix(t, rows, rank);
            lora->scale[w] = 0.25f * random_unit(&t->state);
        }
    }
    t->forced_type = kept;
}

static inline void tiny_make(tiny *t, uint64_t seed, int32_t num_layers) {
    static const int32_t hiddens[] = {32, 64, 256, 96}, ffs[] = {64, 96, 256, 288, 512}, dims[] = {16, 32, 8, 64};
    memset(t, 0, sizeof *t);
    t->state = seed * 0x9e3779b97f4a7c15u + 1;
    t->hidden = hiddens[random_int(&t->state, 0, 3)];
    t->ff = ffs[random_int(&t->state, 0, 4)];
    t->head_dim = dims[random_int(&t->state, 0, 3)];
    t->num_kv_heads = random_int(&t->state, 1, 2);
    t->num_heads = t->num_kv_heads * random_int(&t->state, 1, 4);
    t->num_layers = num_layers;
    t->vocab = random_int(&t->state, 20, 50);
    t->kv_type = random_int(&t->state, EDGE_KV_F32, EDGE_KV_Q4);
    t->forced_type = tiny_chance(t, 8) ? EDGE_TYPE_F32 : -1;
    tiny_build(t);
}

/* A fused llama of one type, always the same shape: q, k, v at once, gate and up at once, residuals fused. */
static inline void tiny_make_plain(tiny *t, int32_t type, int32_t num_layers) {
    memset(t, 0, sizeof *t);
    t->state = 3;
    t->plain = 1;
    t->forced_type = type;
    t->hidden = t->ff = 256;
    t->head_dim = 64;
    t->num_kv_heads = 2;
    t->num_heads = 4;
    t->num_layers = num_layers;
    t->vocab = 40;
    t->kv_type = EDGE_KV_F16;
    tiny_build(t);
}

static inline void tiny_free(tiny *t) {
    for (int32_t i = 0; i < t->num_weights; i++) {
        edge_weights_destroy(&t->weights[i]);
    }
}

/* Places the buffers one after the other for these sizes. */
static inline edge_program_config tiny_config(tiny *t, edge_isa isa, int32_t max_tokens, int32_t max_logits,
                                              int32_t max_sequences, int32_t max_threads) {
    uint64_t end = 0;
    for (int32_t i = 0; i < t->num_buffers; i++) {
        int32_t rows = t->buffers[i].rows ? max_logits : max_tokens;
        t->buffers[i].offset = end;
        end += ((uint64_t)t->buffers[i].width * (uint64_t)rows * sizeof(float) + 63) / 64 * 64;
    }
    edge_program_config c = {.ops = t->ops,
                             .buffers = t->buffers,
                             .loras = t->loras,
                             .num_loras = t->num_loras,
                             .num_adapters = t->num_adapters,
                             .weights = t->weights,
                             .ropes = &t->rope,
                             .num_ops = t->num_ops,
                             .num_buffers = t->num_buffers,
                             .num_weights = t->num_weights,
                             .num_ropes = 1,
                             .max_tokens = max_tokens,
                             .max_logits = max_logits,
                             .max_sequences = max_sequences,
                             .logits_buffer = t->logits_buffer,
                             .arena_bytes = end,
                             .isa = (int32_t)isa,
                             .num_layers = t->num_layers,
                             .num_kv_heads = t->num_kv_heads,
                             .head_dim = t->head_dim,
                             .kv_type = t->kv_type,
                             .max_threads = max_threads,
                             .max_positions = TINY_MAX_POSITIONS};
    return c;
}

#endif
