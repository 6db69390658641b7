/* Any op list, buffers and batch: create refuses or accepts; what it accepts steps without touching foreign memory, and
 * gives the same bits on scalar and on the best level, for any number of threads. The input edits a sound program field
 * by field, so that it reaches what lies behind the checks, or writes one from nothing. */
#include "program_world.h"

/* num_tokens tokens from a position on; of an encoder two whole sequences, the first of `start` tokens or fewer. Tables
 * of two sequences that share no block. */
static void make_batch(candidate *c, input *in) {
    int32_t tokens = 1 + input_byte(in) % MAX_TOKENS, start = input_byte(in) % (STRIDE * EDGE_KV_BLOCK_SIZE);
    for (int32_t i = 0; i < MAX_TOKENS; i++) {
        int second = c->encodes && i >= start;
        c->ids[i] = i % 20;
        c->positions[i] = !c->encodes ? start + i : second ? i - start : i;
        c->rows[i] = i;
        c->sequences[i] = second;
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
    edge_kv *kv = kvs[c->encodes][slot];
    memset(kv->arena, 0, (size_t)(kv->block_bytes * BLOCKS));
    edge_status status = edge_program_create(program, &config, &error);
    FUZZ_REQUIRE((status == EDGE_OK) == (*program != NULL));
    return status == EDGE_OK ? edge_program_step(*program, pool, kv, &c->batch, &error) : status;
}

/* Keys and values with the same bits (any NaN equals any NaN). */
static int same_kv(int encodes) {
    const uint8_t *left = kvs[encodes][0]->arena, *right = kvs[encodes][1]->arena;
    const int64_t bytes = (int64_t)(kvs[encodes][0]->block_bytes * BLOCKS);
    if (encodes) {
        return input_same_floats((const float *)(const void *)left, (const float *)(const void *)right, bytes / 4);
    }
    const uint16_t *a = (const uint16_t *)(const void *)left, *b = (const uint16_t *)(const void *)right;
    for (int64_t i = 0; i < bytes / 2; i++) {
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
    const uint8_t what = input_byte(&in) % 16;
    if (what < 7) {
        make_decoder(&c);
    } else if (what < 15) {
        make_encoder(&c);
    } else {
        c.rope.frequency_scale = c.frequency_scale;
        c.config.num_weights = NUM_WEIGHTS;
        c.config.arena_bytes = ARENA_BYTES;
    }
    make_batch(&c, &in);
    edge_threads *pool = pools[input_byte(&in) % 8 == 7];
    const int32_t more_ops = input_byte(&in) % MAX_OPS, more_buffers = input_byte(&in) % (MAX_BUFFERS - 9);
    c.config.num_ops = 1 + (c.config.num_ops + MAX_OPS - 1 + more_ops) % MAX_OPS;
    c.config.num_buffers = c.encodes ? MAX_BUFFERS - more_buffers : 10 + more_buffers;
    const int sound = what < 15 && more_ops == 0 && more_buffers == 0 && in.left == 0 &&
                      c.positions[0] + c.batch.num_tokens <= STRIDE * EDGE_KV_BLOCK_SIZE;
    while (in.left > 0) {
        edit(&c, &in);
    }
    clamp(&c);
    FUZZ_REQUIRE(edge_isa_select(NULL, &best, NULL) == EDGE_OK);
    int32_t isa = c.config.isa == 0 ? (int32_t)best : c.config.isa;
    edge_status first = run(&c, EDGE_ISA_SCALAR, 0, pools[0], &plain), second = run(&c, isa, 1, pool, &fast);
    FUZZ_REQUIRE(!sound || first == EDGE_OK);
    if (second != EDGE_UNSUPPORTED && c.config.max_threads >= 2) {
        FUZZ_REQUIRE(first == second);
    }
    if (first == EDGE_OK && second == EDGE_OK) {
        int64_t count = (int64_t)c.batch.num_logits * c.buffers[c.config.logits_buffer].width;
        FUZZ_REQUIRE(input_same_floats(edge_program_logits(plain), edge_program_logits(fast), count));
        FUZZ_REQUIRE(same_kv(c.encodes));
    }
    edge_program_destroy(&plain);
    edge_program_destroy(&fast);
    return 0;
}
