/* Any op list, buffers and batch: create refuses or accepts; what it accepts steps without touching foreign memory, and
 * gives the same bits on scalar and on the best level, for any number of threads. The input edits a sound program field
 * by field, so that it reaches what lies behind the checks, or writes one from nothing. */
#include "edge/program.h"
#include "input.h"
#include "program.h"

#define MAX_OPS     12
#define MAX_BUFFERS 14
#define MAX_TOKENS  12 /* more than EDGE_PRIVATE_ROWS: both plans of a linear operation */
#define NUM_WEIGHTS 16
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
    V_256
};

typedef struct candidate {
    edge_op ops[MAX_OPS];
    edge_buffer buffers[MAX_BUFFERS];
    edge_rope rope;
    double frequency_scale[8];
    edge_lora loras[MAX_LORAS];
    edge_program_config config;
    int32_t ids[MAX_TOKENS], positions[MAX_TOKENS], sequences[MAX_TOKENS], rows[MAX_TOKENS], adapters[MAX_TOKENS],
        tables[2 * STRIDE];
    edge_batch batch;
} candidate;

/* Made once: weights, one KV arena for each of the two runs, pools of one and two threads. */
static edge_weights *weights[NUM_WEIGHTS];
static edge_kv *kvs[2];
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
    const edge_kv_config kv = {EDGE_KV_F16, 2, 1, 16, BLOCKS};
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
    make_vector(V_32, 32);
    make_vector(V_16, 16);
    make_vector(V_64, 64);
    make_vector(V_256, 256);
    for (int32_t i = 0; i < 2; i++) {
        FUZZ_REQUIRE(edge_kv_create(&kvs[i], &kv) == EDGE_OK);
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
    op->window = op->reserved = 0;
}

/* One layer with two query heads on one KV head; a second attention that reads the first one's KV; a head. */
static void make_sound(candidate *c) {
    static const int32_t widths[] = {32, 32, 16, 16, 32, 32, 256, 32, 32, 20};
    static const int32_t kinds[] = {EDGE_OP_EMBED,  EDGE_OP_LINEAR, EDGE_OP_ATTENTION,   EDGE_OP_LINEAR,
                                    EDGE_OP_LINEAR, EDGE_OP_LINEAR, EDGE_OP_SELECT_ROWS, EDGE_OP_LINEAR};
    uint64_t offset = 0;
    for (int32_t i = 0; i < 10; i++) {
        c->buffers[i] = (edge_buffer){offset, widths[i], i >= 8};
        offset += ((uint64_t)widths[i] * MAX_TOKENS * sizeof(float) + 63) / 64 * 64;
    }
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
    c->rope = (edge_rope){10000.0, 16, 0, 1.0f, 0, c->frequency_scale};
    for (int32_t i = 0; i < 8; i++) {
        c->frequency_scale[i] = 1.0;
    }
    c->config = (edge_program_config){.num_ops = 8,
                                      .num_buffers = 10,
                                      .num_weights = NUM_WEIGHTS,
                                      .num_ropes = 1,
                                      .num_loras = MAX_LORAS,
                                      .num_adapters = 2,
                                      .max_tokens = MAX_TOKENS,
                                      .max_logits = MAX_TOKENS,
                                      .max_sequences = 2,
                                      .logits_buffer = 9,
                                      .arena_bytes = ARENA_BYTES,
                                      .num_layers = 2,
                                      .num_kv_heads = 1,
                                      .head_dim = 16,
                                      .kv_type = EDGE_KV_F16,
                                      .max_threads = 2,
                                      .max_positions = STRIDE * EDGE_KV_BLOCK_SIZE};
}

/* num_tokens tokens from a position on, in two sequences that share no block. */
static void make_batch(candidate *c, input *in) {
    int32_t tokens = 1 + input_byte(in) % MAX_TOKENS, start = input_byte(in) % (STRIDE * EDGE_KV_BLOCK_SIZE);
    for (int32_t i = 0; i < MAX_TOKENS; i++) {
        c->ids[i] = i % 20;
        c->positions[i] = start + i;
        c->rows[i] = i;
        c->sequences[i] = 0;
        c->adapters[i] = i / 2 % 3 - 1;
    }
    for (int32_t i = 0; i < 2 * STRIDE; i++) {
        c->tables[i] = i < BLOCKS ? i : -1;
    }
    c->batch = (edge_batch){tokens,       2,         STRIDE,  tokens, c->ids, c->positions,
                            c->sequences, c->tables, c->rows, NULL,   NULL,   c->adapters};
}

/* One edit: which array, which entry, which field, what value. */
static void edit(candidate *c, input *in) {
    uint8_t what = input_byte(in), index = input_byte(in), field = input_byte(in);
    int32_t *op = (int32_t *)(void *)&c->ops[index % MAX_OPS];
    edge_buffer *buffer = &c->buffers[index % MAX_BUFFERS];
    int32_t *arrays[] = {c->ids, c->positions, c->sequences, c->rows};
    int32_t *counts[] = {&c->batch.num_tokens, &c->batch.num_sequences, &c->batch.table_stride, &c->batch.num_logits};
    int32_t *sizes[] = {&c->config.num_ropes,     &c->config.max_tokens,  &c->config.max_logits,
                        &c->config.max_sequences, &c->config.num_layers,  &c->config.num_kv_heads,
                        &c->config.head_dim,      &c->config.kv_type,     &c->config.isa,
                        &c->config.logits_buffer, &c->config.max_threads, &c->config.max_positions};
    switch (what % 13) {
    case 0: /* a new operation */
        empty_op(&c->ops[index % MAX_OPS], field % 10);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        op[field % 27] = input_int(in);
        break;
    case 5: {
        float value = input_float(in);
        *(field % 2 ? &c->ops[index % MAX_OPS].eps : &c->ops[index % MAX_OPS].scale) = value;
        break;
    }
    case 6:
        buffer->width = (int32_t)((uint32_t)input_int(in) * (field % 2 ? 1u : 16u));
        break;
    case 7:
        buffer->offset =
            (uint64_t)(int64_t)input_int(in) * (field % 8 ? 64u : 1u) + (field % 16 == 9 ? UINT64_MAX / 2 : 0);
        break;
    case 8:
        buffer->rows = input_int(in);
        break;
    case 9:
        *sizes[index % 12] = input_int(in);
        break;
    case 10:
        if (field % 4 == 0) {
            *counts[index % 4] = input_int(in);
        } else {
            arrays[field % 4][index % MAX_TOKENS] = input_int(in);
            c->tables[index % (2 * STRIDE)] = field % 8 == 1 ? input_int(in) : c->tables[index % (2 * STRIDE)];
        }
        break;
    case 11: {
        int32_t *lora = (int32_t *)(void *)&c->loras[index % MAX_LORAS];
        lora[field % 8] = input_int(in); /* not the scales: any float would do */
        c->adapters[index % MAX_TOKENS] = field >= 128 ? input_int(in) : c->adapters[index % MAX_TOKENS];
        c->config.num_loras = field == 9 ? input_int(in) : c->config.num_loras;
        c->config.num_adapters = field == 10 ? input_int(in) : c->config.num_adapters;
        break;
    }
    default:
        c->rope.dims = index % 4 == 0 ? input_int(in) : c->rope.dims;
        c->rope.neox = index % 4 == 1 ? input_int(in) : c->rope.neox;
        c->rope.theta = index % 4 == 2 ? (double)input_float(in) * 1e5 : c->rope.theta;
        c->frequency_scale[field % 8] = index % 4 == 3 ? (double)input_float(in) : c->frequency_scale[field % 8];
        break;
    }
}

/* The arrays hold so much: counts beyond are the caller's lie, which no library can find out. */
static void clamp(candidate *c) {
    c->config.num_ropes = c->config.num_ropes > 1 ? 1 : c->config.num_ropes;
    c->config.num_loras = c->config.num_loras > MAX_LORAS ? MAX_LORAS : c->config.num_loras;
    c->config.max_threads = c->config.max_threads > 4 ? 4 : c->config.max_threads;
    if (c->config.max_positions > 4096 && c->config.max_positions <= EDGE_MAX_POSITION) {
        c->config.max_positions = 4096; /* scratch for more may be there for one of the two programs only */
    }
    c->rope.dims = c->rope.dims > 16 && c->rope.dims <= 1024 ? 16 : c->rope.dims; /* frequency_scale has 8 */
    c->batch.num_tokens = c->batch.num_tokens > MAX_TOKENS ? MAX_TOKENS : c->batch.num_tokens;
    c->batch.num_logits = c->batch.num_logits > MAX_TOKENS ? MAX_TOKENS : c->batch.num_logits;
    int64_t cells = (int64_t)c->batch.num_sequences * c->batch.table_stride;
    if (c->batch.num_sequences > 0 && (cells > 2 * STRIDE || c->batch.table_stride > 2 * STRIDE)) {
        c->batch.num_sequences = 2;
        c->batch.table_stride = STRIDE;
    }
    c->config.ops = c->ops;
    c->config.buffers = c->buffers;
    c->config.weights = weights;
    c->config.ropes = &c->rope;
    c->config.loras = c->loras;
}

/* Runs the step with a level; the program stays open for the comparison. */
static edge_status run(const candidate *c, int32_t isa, int32_t slot, edge_threads *pool, edge_program **program) {
    edge_program_config config = c->config;
    edge_error error;
    config.isa = isa;
    memset(kvs[slot]->arena, 0, (size_t)(kvs[slot]->block_bytes * BLOCKS));
    edge_status status = edge_program_create(program, &config, &error);
    FUZZ_REQUIRE((status == EDGE_OK) == (*program != NULL));
    return status == EDGE_OK ? edge_program_step(*program, pool, kvs[slot], &c->batch, &error) : status;
}

/* Halves with the same bits (any NaN equals any NaN). */
static int same_kv(void) {
    const uint16_t *a = (const uint16_t *)(const void *)kvs[0]->arena,
                   *b = (const uint16_t *)(const void *)kvs[1]->arena;
    for (uint64_t i = 0; i < kvs[0]->block_bytes * BLOCKS / 2; i++) {
        if (a[i] != b[i] && ((a[i] & 0x7fff) <= 0x7c00 || (b[i] & 0x7fff) <= 0x7c00)) {
            return 0;
        }
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!weights[0]) {
        make_world();
    }
    static candidate c;
    input in = {data, size};
    edge_program *plain = NULL, *fast = NULL;
    edge_isa best;
    memset(&c, 0, sizeof c);
    if (input_byte(&in) % 16 != 15) {
        make_sound(&c);
    } else {
        c.rope.frequency_scale = c.frequency_scale;
        c.config.num_weights = NUM_WEIGHTS;
        c.config.arena_bytes = ARENA_BYTES;
    }
    make_batch(&c, &in);
    edge_threads *pool = pools[input_byte(&in) % 8 == 7];
    c.config.num_ops = 1 + (c.config.num_ops + MAX_OPS - 1 + input_byte(&in)) % MAX_OPS;
    c.config.num_buffers = 10 + input_byte(&in) % (MAX_BUFFERS - 9);
    while (in.left > 0) {
        edit(&c, &in);
    }
    clamp(&c);
    FUZZ_REQUIRE(edge_isa_select(NULL, &best, NULL) == EDGE_OK);
    int32_t isa = c.config.isa == 0 ? (int32_t)best : c.config.isa;
    edge_status first = run(&c, EDGE_ISA_SCALAR, 0, pools[0], &plain), second = run(&c, isa, 1, pool, &fast);
    if (second != EDGE_UNSUPPORTED && c.config.max_threads >= 2) {
        FUZZ_REQUIRE(first == second);
    }
    if (first == EDGE_OK && second == EDGE_OK) {
        int64_t count = (int64_t)c.batch.num_logits * c.buffers[c.config.logits_buffer].width;
        FUZZ_REQUIRE(input_same_floats(edge_program_logits(plain), edge_program_logits(fast), count));
        FUZZ_REQUIRE(same_kv());
    }
    edge_program_destroy(&plain);
    edge_program_destroy(&fast);
    return 0;
}
