/* The inside of a program: what create plans, and what the threads of a step share. */
#ifndef EDGE_PROGRAM_INTERNAL_H
#define EDGE_PROGRAM_INTERNAL_H

#include <stdatomic.h>

#include "acts.h"
#include "edge/program.h"
#include "kernels.h"
#include "kv.h"
#include "os.h"
#include "weights.h"

#define EDGE_MAX_ITEMS     16384 /* operations, buffers, weights; a bound on the time that checking takes */
#define EDGE_MAX_ROPES     64
#define EDGE_MAX_ROWS      65536     /* tokens, logits and sequences of a step */
#define EDGE_MAX_POSITION  (1 << 25) /* exclusive; frequencies are at most 16, so angles stay below 2^29 */
#define EDGE_MAX_FREQUENCY 16.0
#define EDGE_MAX_BLOCKS    24 /* allocations of one program */
#define EDGE_MAX_REGIONS   16 /* files that its weights are mapped from */
#define EDGE_MAX_ADAPTERS  256

/* Up to so many rows every thread quantises the whole input for itself: that is cheaper than a barrier. */
#define EDGE_PRIVATE_ROWS 8

/* What create worked out about one operation. */
typedef struct edge_op_plan {
    int32_t row_kind;     /* of its output: 0 tokens, 1 logits */
    int32_t num_weights;  /* LINEAR: matrices */
    int32_t kinds;        /* LINEAR: activation kinds that its weights read */
    int32_t slot;         /* LINEAR: the shared area that holds its quantised input */
    int32_t linked;       /* LINEAR: in a large step the operation before quantises the input */
    int32_t quantize_out; /* kinds in which a large step also quantises out[0], for the linked operation behind */
    int32_t unit;         /* LINEAR: tile rows that a large step quantises together */
    int32_t begins_span;  /* the span of a stream that this operation is the first to read; -1: none */
    int32_t ends_span;    /* the one that it is the last to read; -1: none */
    int32_t rank;         /* LINEAR: the largest of what adapters add to it; 0: nothing */
} edge_op_plan;

typedef struct edge_rope_plan {
    int32_t num_pairs;
    int32_t neox;
    float magnitude;
    double *frequencies; /* (num_pairs,) */
    float *cosines;      /* (max_tokens, num_pairs), of the step's tokens */
    float *sines;
} edge_rope_plan;

/* What attention knows of some query heads after a part of the positions: unnormalised outputs (rows, head_dim), maxima
 * and sums (rows,). */
typedef struct edge_partial {
    float *o, *max, *sum;
} edge_partial;

/* Memory that belongs to one thread. */
typedef struct edge_private {
    edge_acts_area acts; /* EDGE_PRIVATE_ROWS rows */
    float *row;          /* a normalised row on its way to codes */
    float *queries;      /* (tokens of a tile x heads of a KV head, head_dim), normalised and rotated */
    edge_partial all;    /* of those query heads, over all runs so far */
    edge_partial run;    /* over the blocks of one run so far */
    edge_partial block;  /* over one block */
    float *head;         /* (head_dim,): one key */
    uint16_t *half;      /* (head_dim,) */
    int8_t *codes;       /* Q8: the queries, or a key; and their scales */
    float *scales;
    uint8_t *keys, *values; /* Q4: K and V of one head in a block, as Q8 */
} edge_private;

typedef struct edge_block {
    void *memory;
    uint64_t bytes;
} edge_block;

/* For tests of how work is shared out: a thread calls it before it takes pieces of work, and with at_end when it found
 * no more of them and will wait for the others. */
typedef void edge_pace_fn(void *context, int32_t worker, int at_end);

struct edge_program {
    edge_program_config config; /* its pointers are replaced by our copies */
    edge_op *ops;
    edge_buffer *buffers;
    edge_weights **weights;
    edge_op_plan *plans;
    edge_rope_plan *ropes;
    edge_lora *loras;
    int32_t *lora_of; /* (num_ops, num_adapters): which of the loras, -1: none */
    const edge_kernels *kernels;
    int32_t window;     /* the widest of the layers in window_kv */
    int32_t is_whole;   /* some attention sees whole sequences, so a step has nothing less of one */
    int32_t vocab_size; /* token ids are below: the smallest embedding */
    const edge_region *regions[EDGE_MAX_REGIONS]; /* that weights lie in, each once */
    int32_t num_regions;
    edge_stream *stream; /* that weights come from; NULL: all of them stay in memory */

    uint8_t *arena;
    edge_acts_area shared[2];
    edge_private *threads;
    float *low;               /* (3, max_tokens, low_width): the rows of a linear operation as `down` leaves them */
    int64_t low_width;        /* the largest rank */
    edge_partial partials;    /* attention of a step with few tokens: a row for each token, query head and run */
    _Atomic int32_t *arrived; /* finished pieces of what another piece waits for, 0 between operations */
    int32_t *last_block;      /* (max_sequences,): scratch of the batch check */
    int32_t *lengths;         /* (max_sequences,): of a program that is whole, positions of each in the step */
    int32_t *ends;            /* (max_tokens,): the last position of each token's sequence */
    uint32_t *written;        /* scratch of the batch check: places in the KV arena */

    edge_block blocks[EDGE_MAX_BLOCKS]; /* everything above, for destroy */
    int32_t num_blocks;

    /* One step. Plain fields are written before the threads start. */
    const edge_batch *batch;
    int adapted; /* a row of it uses an adapter */
    edge_kv *kv;
    edge_kv *window_kv; /* of the layers behind num_layers */
    edge_threads *pool;
    edge_status stopped; /* EDGE_CANCELLED or EDGE_FILE_LOST: why the step ended before its last operation */
    edge_pace_fn *pace;  /* NULL but in tests */
    void *pace_context;
    _Atomic int32_t running;
    _Atomic int32_t cancel;
    _Atomic int32_t nonfinite;
    _Atomic int32_t stop[2]; /* by parity of the operation: see step.c */
    /* By parity of the phase: the next piece of work. All threads write it all the time: a cache line of its own. */
    _Alignas(EDGE_ALIGNMENT) _Atomic int64_t counter[2];
};

/* One thread in a step. */
typedef struct edge_worker {
    edge_program *program;
    edge_private *own;
    int32_t index, count;
    uint32_t phase;
} edge_worker;

/* program_check.c: every rule of program.h (the public one); fills plans' row_kind, num_weights and kinds. */
edge_status edge_program_check(const edge_program_config *config, edge_op_plan *plans, int32_t *vocab_size,
                               uint8_t *defined, uint8_t *stored, edge_error *error);
edge_status edge_program_check_limits(const edge_program_config *config, edge_error *error);

/* program_stream.c: finds the stream of the weights, checks that operations use its spans in their order, and claims
 * it.
 */
edge_status edge_program_link_stream(edge_program *program, edge_error *error);

/* batch.c: everything about a batch. */
edge_status edge_batch_check(edge_program *program, const edge_batch *batch, const edge_kv *kv, edge_error *error);

/* step.c. next: takes pieces begin .. end - 1 of the `total` of this phase, `least` or more; 0 when none is left. */
int edge_worker_next(edge_worker *worker, int64_t total, int64_t least, int64_t *begin, int64_t *end);
void edge_worker_barrier(edge_worker *worker);

void edge_run_linear(edge_worker *worker, const edge_op *op, const edge_op_plan *plan);
void edge_run_attention(edge_worker *worker, const edge_op *op, const edge_op_plan *plan);

static inline float *edge_buffer_rows(const edge_program *program, int32_t buffer) {
    return (float *)(void *)(program->arena + program->buffers[buffer].offset);
}

static inline int32_t edge_row_count(const edge_program *program, int32_t row_kind) {
    return row_kind == 0 ? program->batch->num_tokens : program->batch->num_logits;
}

/* Whether this is the last of `count` pieces that another piece of work waits for: what the others wrote is visible
 * then, and the counter is at 0 again. */
static inline int edge_is_last(_Atomic int32_t *arrived, int32_t count) {
    if (atomic_fetch_add_explicit(arrived, 1, memory_order_acq_rel) + 1 < count) {
        return 0;
    }
    atomic_store_explicit(arrived, 0, memory_order_relaxed);
    return 1;
}

/* The shape of the kernels for so many rows. */
static inline edge_shape edge_shape_of(int32_t count) {
    return count == 1 ? EDGE_SHAPE_1X16 : count <= 8 ? EDGE_SHAPE_8X16 : EDGE_SHAPE_64X16;
}

static inline edge_unary_fn *edge_activation_of(const edge_kernels *kernels, int32_t activation) {
    return activation == EDGE_ACT_GELU       ? kernels->gelu
           : activation == EDGE_ACT_RELU2    ? kernels->relu2
           : activation == EDGE_ACT_GELU_ERF ? kernels->gelu_erf
                                             : kernels->silu;
}

/* activation(gate) * up. */
static inline edge_binary_fn *edge_gate_of(const edge_kernels *kernels, int32_t activation) {
    return activation == EDGE_ACT_GELU       ? kernels->gelu_mul
           : activation == EDGE_ACT_RELU2    ? kernels->relu2_mul
           : activation == EDGE_ACT_GELU_ERF ? kernels->gelu_erf_mul
                                             : kernels->silu_mul;
}

static inline const float *edge_vector(const edge_program *program, int32_t weight) {
    return weight < 0 ? NULL : (const float *)(const void *)program->weights[weight]->data;
}

#endif
