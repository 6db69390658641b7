/* A model as a validated list of operations over planned buffers, and the step that runs it. */
#ifndef EDGE_PROGRAM_H
#define EDGE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "edge/cpu.h"
#include "edge/kv.h"
#include "edge/status.h"
#include "edge/threads.h"
#include "edge/weights.h"

/* Values are part of the interface: append only. Every buffer holds float rows; a row is one token
 * (or, after SELECT_ROWS, one wanted logit row). in, out, residual: buffer numbers. weight, bias, norm: weight numbers.
 * -1 means none. */
typedef enum edge_op_kind {
    EDGE_OP_EMBED = 1,      /* out[0] = scale * weight[0] row of the token id, or as mode says */
    EDGE_OP_RMS_NORM = 2,   /* out[0] = rms_norm(in[0], norm[0], eps); in groups of the norm vector's size */
    EDGE_OP_LINEAR = 3,     /* out[i] = weight[i] x + bias[i], x = in[0] or rms_norm(in[0], norm[0], eps), i < 3.
                               activation != NONE: out[0] = act(weight[0] x + bias[0]), with a second matrix
                               times (weight[1] x + bias[1]).
                               residual >= 0 (one output only): out[0] = residual + that */
    EDGE_OP_ATTENTION = 4,  /* in = q, k, v; norm[0], norm[1]: per-head norms of q and k, before rope; stores k and v at
                               layer, attends over kv_source_layer; k = v = -1: nothing is stored. With a window only
                               over the row's own position and the window - 1 before it */
    EDGE_OP_ADD = 5,        /* out[0] = in[0] + in[1] */
    EDGE_OP_MUL = 6,        /* out[0] = in[0] * in[1] */
    EDGE_OP_ACTIVATION = 7, /* out[0] = act(in[0]) */
    EDGE_OP_SELECT_ROWS = 8, /* out[0] (logit rows) = the rows of in[0] whose logits are wanted */
    EDGE_OP_LAYER_NORM = 9   /* out[0] = layer_norm(in[0], gain norm[0], bias norm[1]) of whole rows */
} edge_op_kind;

typedef enum edge_activation {
    EDGE_ACT_NONE = 0,
    EDGE_ACT_SILU = 1,     /* x / (1 + exp(-x)) */
    EDGE_ACT_GELU = 2,     /* x / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3): the form with tanh(u) */
    EDGE_ACT_RELU2 = 3,    /* max(x, 0)^2 */
    EDGE_ACT_GELU_ERF = 4, /* x / 2 (1 + erf(x / sqrt(2))) */
    EDGE_NUM_ACTIVATIONS
} edge_activation;

/* Which row EMBED looks up. */
typedef enum edge_embed_mode {
    EDGE_EMBED_TOKEN = 0,    /* that of the token id */
    EDGE_EMBED_POSITION = 1, /* that of the position: the matrix has max_positions rows or more */
    EDGE_EMBED_FIRST = 2     /* the first */
} edge_embed_mode;

/* What a token sees in ATTENTION. */
typedef enum edge_attention_mode {
    EDGE_ATTENTION_CAUSAL = 0, /* what comes before it, and itself */
    EDGE_ATTENTION_WHOLE = 1   /* all of its sequence, no window. Every sequence of a step stands in it whole: each
                                  position from 0 on once */
} edge_attention_mode;

/* 27 four-byte fields, no padding: Python fills it with struct.pack. */
typedef struct edge_op {
    int32_t kind;
    int32_t in[3];
    int32_t out[3];
    int32_t weight[3];
    int32_t bias[3];
    int32_t norm[2];
    int32_t residual;
    int32_t activation;
    int32_t layer;
    int32_t kv_source_layer;
    int32_t num_heads;
    int32_t num_kv_heads;
    int32_t head_dim;
    int32_t rope; /* number of an edge_rope, or -1 */
    float eps;
    float scale;    /* EMBED: factor; ATTENTION: factor of q.k */
    int32_t window; /* ATTENTION: positions that a row sees, its own the last of them; 0: all up to its own */
    int32_t mode;   /* EMBED: edge_embed_mode; ATTENTION: edge_attention_mode; 0 otherwise */
} edge_op;

/* What one adapter (LoRA: Hu et al. 2021, https://arxiv.org/abs/2106.09685) adds to a LINEAR operation, for those rows
 * of a step that use it: out[i] = (weight[i] x + bias[i]) + up[i] (scale[i] * (down[i] x)), before activation and
 * residual. down[i] (rank, inputs) and up[i] (outputs, rank) are weight numbers of float matrices, whose input is not
 * quantised; -1 and -1: nothing is added. 11 four-byte fields, no padding. */
typedef struct edge_lora {
    int32_t op;      /* number of the operation */
    int32_t adapter; /* 0 .. num_adapters - 1; an operation and an adapter come together once */
    int32_t down[3];
    int32_t up[3];
    float scale[3];
} edge_lora;

typedef struct edge_buffer {
    uint64_t offset; /* bytes from the start of the arena, a multiple of 64 */
    int32_t width;   /* floats in a row */
    int32_t rows;    /* 0: one row per token (max_tokens), 1: one per wanted logit (max_logits) */
} edge_buffer;

/* Rotary embedding: angle of pair i at position p = p * theta^(-2i/dims) * frequency_scale[i], computed in double. */
typedef struct edge_rope {
    double theta;
    int32_t dims;    /* rotated head dimensions, even */
    int32_t neox;    /* 0: pairs (2i, 2i+1); 1: pairs (i, i + dims/2) */
    float magnitude; /* factor of cos and sin (YaRN), 1 otherwise */
    int32_t reserved;
    const double *frequency_scale; /* dims/2 values; only read while the program is created */
} edge_rope;

typedef struct edge_program_config {
    const edge_op *ops;
    const edge_buffer *buffers;
    edge_weights *const *weights; /* borrowed: must outlive the program */
    const edge_rope *ropes;
    int32_t num_ops, num_buffers, num_weights, num_ropes;
    int32_t max_tokens; /* tokens in one step */
    int32_t max_logits; /* logit rows in one step */
    int32_t max_sequences;
    int32_t logits_buffer; /* rows == 1; its width is the vocabulary */
    uint64_t arena_bytes;
    int32_t isa;                                         /* edge_isa */
    int32_t num_layers, num_kv_heads, head_dim, kv_type; /* the KV arena it will run on must agree */
    int32_t max_threads;
    int32_t max_positions; /* of a sequence: attention's scratch grows with it */
    /* Behind the num_layers others (either may be 0): their K and V are in an arena of their own, which holds windows.
     */
    int32_t num_window_layers;
    const edge_lora *loras; /* what adapters add */
    int32_t num_loras, num_adapters;
} edge_program_config;

typedef struct edge_program edge_program;

/* One step's work. Rows of a sequence may be any positions whose KV blocks are in its table; each row attends to
 * positions 0 .. its own, which must have been stored by this or an earlier step. A block that a row is written to
 * stands once in the table. kv of a step is NULL where all layers have a window. */
typedef struct edge_batch {
    int32_t num_tokens;
    int32_t num_sequences;
    int32_t table_stride; /* blocks per row of block_tables */
    int32_t num_logits;
    const int32_t *token_ids;    /* (num_tokens,) */
    const int32_t *positions;    /* (num_tokens,) */
    const int32_t *sequences;    /* (num_tokens,) index of the block table */
    const int32_t *block_tables; /* (num_sequences, table_stride), block numbers, -1 where none */
    const int32_t *logit_rows;   /* (num_logits,) token indices, ascending */
    /* Where there are layers num_layers .. num_layers + num_window_layers - 1: their arena, and the tables of its
     * blocks, (num_sequences, table_stride). What no token of the step sees through its window may be -1. */
    const int32_t *window_tables;
    edge_kv *window_kv;
    const int32_t *adapters; /* (num_tokens,) the adapter that each row uses, -1: none; NULL: no row uses one */
} edge_batch;

/* Checks the whole op list against buffers, weights, ropes and the KV shape, then allocates everything a step will use.
 * After that a step allocates nothing. EDGE_INVALID with a message, EDGE_UNSUPPORTED (isa), EDGE_NO_MEMORY. */
EDGE_API edge_status edge_program_create(edge_program **out, const edge_program_config *config, edge_error *error);

/* Frees and nulls. NULL is allowed. */
EDGE_API void edge_program_destroy(edge_program **program);

/* Bytes that create allocated: arena, quantised activations, attention and rope scratch. */
EDGE_API uint64_t edge_program_bytes(const edge_program *program);

/* Runs one step. On EDGE_OK logits are at edge_program_logits. EDGE_INVALID: the batch breaks a rule, nothing ran.
 * EDGE_CANCELLED, EDGE_NONFINITE: KV positions of this batch are undefined, everything else is intact.
 * EDGE_FILE_LOST: the same, in this step and every later one: a file that weights are mapped from became shorter. */
EDGE_API edge_status edge_program_step(edge_program *program, edge_threads *threads, edge_kv *kv,
                                       const edge_batch *batch, edge_error *error);

/* Logits of the last step: (num_logits, vocabulary) floats, valid until the next step. */
EDGE_API const float *edge_program_logits(const edge_program *program);

/* The content of any buffer after a step, for tests: NULL for no such buffer. */
EDGE_API const float *edge_program_buffer(const edge_program *program, int32_t buffer);

/* May be called from any thread: the running step ends with EDGE_CANCELLED at the next operation. Cleared by that. */
EDGE_API void edge_program_cancel(edge_program *program);

#endif
