/* What a program may not be: one wrong field at a time. */
#include "program_bench.h"

static void refuse(bench *b, const char *what) {
    edge_program *program = NULL;
    b->error.message[0] = 0;
    edge_status status = edge_program_create(&program, &b->config, &b->error);
    CHECK(status == EDGE_INVALID && !program && b->error.message[0], "%s: status %d", what, status);
    edge_program_destroy(&program);
}

static void refuse_int(bench *b, const char *what, int32_t *place, int32_t value) {
    int32_t kept = *place;
    *place = value;
    refuse(b, what);
    *place = kept;
}

static void refuse_float(bench *b, const char *what, float *place, float value) {
    float kept = *place;
    *place = value;
    refuse(b, what);
    *place = kept;
}

#define REFUSE(b, place, value)       refuse_int(&(b), #place " = " #value, &(b).place, value)
#define REFUSE_FLOAT(b, place, value) refuse_float(&(b), #place " = " #value, &(b).place, value)

static void test_sizes(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    REFUSE(b, config.num_ops, 0);
    REFUSE(b, config.num_ops, -1);
    REFUSE(b, config.num_ops, 1 << 20);
    REFUSE(b, config.num_ops, 7); /* no logits */
    REFUSE(b, config.num_buffers, 0);
    REFUSE(b, config.num_buffers, 9); /* no logits buffer */
    REFUSE(b, config.num_weights, -1);
    REFUSE(b, config.num_weights, 3);
    REFUSE(b, config.num_ropes, -1);
    REFUSE(b, config.num_ropes, 0);
    REFUSE(b, config.num_ropes, 65);
    REFUSE(b, config.max_tokens, 0);
    REFUSE(b, config.max_tokens, TOKENS + 1); /* leaves the arena */
    REFUSE(b, config.max_tokens, 1 << 30);
    REFUSE(b, config.max_logits, 0);
    REFUSE(b, config.max_logits, TOKENS + 1);
    REFUSE(b, config.max_sequences, 0);
    REFUSE(b, config.max_threads, 0);
    REFUSE(b, config.max_threads, EDGE_MAX_THREADS + 1);
    REFUSE(b, config.logits_buffer, -1);
    REFUSE(b, config.logits_buffer, 10);
    REFUSE(b, config.logits_buffer, 0); /* token rows */
    REFUSE(b, config.num_layers, 0);
    REFUSE(b, config.num_kv_heads, 1);
    REFUSE(b, config.head_dim, 32);
    REFUSE(b, config.head_dim, 63);
    REFUSE(b, config.kv_type, 4);
    REFUSE(b, t.buffers[0].width, 0);
    REFUSE(b, t.buffers[0].width, 255);
    REFUSE(b, t.buffers[0].width, INT32_MAX);
    REFUSE(b, t.buffers[0].rows, 2);
    REFUSE(b, t.buffers[0].rows, -1);
    static const uint64_t offsets[] = {32, UINT64_MAX - 63, 1ull << 40};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        uint64_t kept = b.t.buffers[0].offset;
        b.t.buffers[0].offset = offsets[i];
        refuse(&b, "offset");
        b.t.buffers[0].offset = kept;
    }
    b.config.arena_bytes -= 64;
    refuse(&b, "a smaller arena");
    b.config.arena_bytes += 64;
    edge_program *program = NULL;
    static const int32_t levels[] = {-1, EDGE_ISA_COUNT, INT32_MAX};
    for (int32_t i = 0; i < 3; i++) {
        b.config.isa = levels[i];
        CHECK(edge_program_create(&program, &b.config, &b.error) == EDGE_UNSUPPORTED && !program, "isa");
    }
    b.config.isa = EDGE_ISA_SCALAR;
    CHECK(edge_program_create(NULL, &b.config, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_program_create(&program, NULL, NULL) == EDGE_INVALID, "NULL");
    bench_close(&b);
}

static void test_adapters(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    tiny_adapters(&b.t, 2);
    int32_t kept = b.config.num_weights;
    b.config.num_weights = b.t.num_weights;
    b.config.num_loras = b.t.num_loras;
    b.config.num_adapters = 2;
    edge_program *program = NULL;
    CHECK(edge_program_create(&program, &b.config, &b.error) == EDGE_OK, "%s", b.error.message);
    edge_program_destroy(&program);
    REFUSE(b, config.num_adapters, -1);
    REFUSE(b, config.num_adapters, 1);
    REFUSE(b, config.num_adapters, 257);
    REFUSE(b, config.num_loras, -1);
    REFUSE(b, config.num_loras, 1 << 20);
    REFUSE(b, config.num_weights, kept);
    REFUSE(b, t.loras[0].op, -1);
    REFUSE(b, t.loras[0].op, 0); /* EMBED */
    REFUSE(b, t.loras[0].op, 64);
    REFUSE(b, t.loras[0].adapter, -1);
    REFUSE(b, t.loras[0].adapter, 1); /* as the next */
    REFUSE(b, t.loras[1].adapter, 2);
    REFUSE(b, t.loras[0].down[0], -1);
    REFUSE(b, t.loras[0].down[0], -2);
    REFUSE(b, t.loras[0].up[0], -1);
    REFUSE(b, t.loras[0].up[0], 1 << 20);
    REFUSE(b, t.loras[0].down[0], b.t.loras[0].up[0]);
    REFUSE(b, t.loras[0].down[0], b.t.ops[1].norm[0]);   /* a vector */
    REFUSE(b, t.loras[0].down[0], b.t.ops[1].weight[0]); /* of another rank, and quantised */
    REFUSE(b, t.loras[0].up[0], b.t.loras[0].up[1]);     /* k has fewer rows than q */
    REFUSE_FLOAT(b, t.loras[0].scale[2], NAN);
    for (int32_t i = 0; i < b.t.num_loras; i++) {
        if (b.t.loras[i].op == 3) { /* one matrix, a second pair */
            REFUSE(b, t.loras[i].down[1], b.t.loras[i].down[0]);
        }
    }
    const edge_lora *loras = b.config.loras;
    b.config.loras = NULL;
    refuse(&b, "no loras");
    b.config.loras = loras;
    /* Quantised matrices of sizes that fit. */
    int32_t type = b.t.forced_type;
    b.t.forced_type = EDGE_TYPE_Q8_0;
    int32_t down = tiny_matrix(&b.t, 32, b.t.hidden), up = tiny_matrix(&b.t, b.t.hidden, 32);
    b.t.forced_type = type;
    b.config.num_weights = b.t.num_weights;
    b.t.loras[0].down[0] = down;
    b.t.loras[0].up[0] = up;
    refuse(&b, "quantised");
    bench_close(&b);
}

static void test_ropes(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    REFUSE(b, t.rope.dims, 0);
    REFUSE(b, t.rope.dims, 7);
    REFUSE(b, t.rope.dims, 66); /* more than a head */
    REFUSE(b, t.rope.dims, 1026);
    REFUSE(b, t.rope.neox, 2);
    REFUSE(b, t.rope.reserved, 1);
    REFUSE_FLOAT(b, t.rope.magnitude, INFINITY);
    static const double thetas[] = {0.0, -1.0, 0.5, NAN, INFINITY, 1e30}, scales[] = {-1.0, NAN, INFINITY, 16.5};
    for (int32_t i = 0; i < 6; i++) {
        b.t.rope.theta = thetas[i];
        refuse(&b, "theta");
    }
    b.t.rope.theta = 1e4;
    for (int32_t i = 0; i < 4; i++) {
        b.t.frequency_scale[31] = scales[i];
        refuse(&b, "frequency scale");
    }
    b.t.frequency_scale[31] = 1.0;
    b.t.rope.frequency_scale = NULL;
    refuse(&b, "no frequency scale");
    bench_close(&b);
}

static void test_references(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    static const int32_t wrong[] = {-2, -1, 1000, INT32_MAX, INT32_MIN};
    for (int32_t i = 0; i < 5; i++) {
        for (int32_t op = 0; op < b.config.num_ops; op++) {
            REFUSE(b, t.ops[op].out[0], wrong[i]);
            if (b.t.ops[op].weight[0] >= 0) {
                REFUSE(b, t.ops[op].weight[0], wrong[i]);
            }
            if (op > 0) {
                REFUSE(b, t.ops[op].in[0], wrong[i]);
            }
            if (wrong[i] != -1) {
                REFUSE(b, t.ops[op].bias[0], wrong[i]);
                REFUSE(b, t.ops[op].norm[0], wrong[i]);
                REFUSE(b, t.ops[op].norm[1], wrong[i]);
                REFUSE(b, t.ops[op].residual, wrong[i]);
                REFUSE(b, t.ops[op].rope, wrong[i]);
            }
        }
    }
    for (int32_t op = 0; op < b.config.num_ops; op++) {
        REFUSE(b, t.ops[op].kind, 0);
        REFUSE(b, t.ops[op].kind, EDGE_OP_LAYER_NORM + 1);
        REFUSE(b, t.ops[op].mode, -1);
        REFUSE(b, t.ops[op].mode, 3);
        REFUSE(b, t.ops[op].window, -1);
        REFUSE(b, t.ops[op].out[2], 9);
        REFUSE(b, t.ops[op].activation, EDGE_NUM_ACTIVATIONS);
        REFUSE(b, t.ops[op].activation, -1);
    }
    REFUSE(b, t.ops[0].mode, EDGE_EMBED_POSITION); /* fewer rows than positions */
    REFUSE(b, t.ops[1].mode, 1);                   /* LINEAR has none */
    REFUSE(b, t.ops[0].window, 1);                 /* only ATTENTION has one */
    REFUSE(b, t.ops[1].window, 1);                 /* nor has LINEAR */
    REFUSE(b, t.ops[0].in[0], 0);                  /* EMBED has no input */
    REFUSE(b, t.ops[0].bias[0], 0);                /* nor a bias */
    REFUSE(b, t.ops[0].weight[0], 1);              /* a vector */
    REFUSE(b, t.ops[1].norm[0], 0);                /* a matrix */
    REFUSE(b, t.ops[1].in[0], 4);                  /* not written yet */
    REFUSE(b, t.ops[1].out[1], 1);                 /* q twice */
    REFUSE(b, t.ops[1].out[0], 2);                 /* width of k, and twice */
    REFUSE(b, t.ops[1].weight[1], -1);             /* a gap */
    REFUSE(b, t.ops[1].activation, 1);             /* three matrices */
    REFUSE(b, t.ops[1].residual, 0);               /* three outputs */
    REFUSE(b, t.ops[3].out[0], 4);                 /* its own input */
    REFUSE(b, t.ops[3].residual, 2);               /* width */
    REFUSE(b, t.ops[3].residual, 9);               /* rows of logits */
    REFUSE(b, t.ops[3].residual, 7);               /* not written yet */
    REFUSE(b, t.ops[4].out[1], 7);                 /* one output */
    REFUSE(b, t.ops[6].in[0], 8);                  /* its own output */
    REFUSE(b, t.ops[7].in[0], 7);                  /* rows of tokens */
    REFUSE(b, t.buffers[8].rows, 0);               /* SELECT_ROWS makes rows of logits */
    REFUSE_FLOAT(b, t.ops[0].scale, NAN);
    REFUSE_FLOAT(b, t.ops[1].eps, 0.0f);
    REFUSE_FLOAT(b, t.ops[1].eps, -1.0f);
    REFUSE_FLOAT(b, t.ops[1].eps, NAN);
    REFUSE_FLOAT(b, t.ops[1].eps, INFINITY);
    bench_close(&b);
}

static void test_attention(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    REFUSE(b, t.ops[2].in[1], -1); /* v without k */
    REFUSE(b, t.ops[2].in[2], -1);
    REFUSE(b, t.ops[2].in[1], 0); /* width */
    REFUSE(b, t.ops[2].layer, 1);
    REFUSE(b, t.ops[2].layer, -1);
    REFUSE(b, t.ops[2].kv_source_layer, 1);
    REFUSE(b, t.ops[2].kv_source_layer, -1);
    REFUSE(b, t.ops[2].num_heads, 0);
    REFUSE(b, t.ops[2].num_heads, 3);
    REFUSE(b, t.ops[2].num_heads, 8);
    REFUSE(b, t.ops[2].num_heads, INT32_MAX);
    REFUSE(b, t.ops[2].num_kv_heads, 0);
    REFUSE(b, t.ops[2].num_kv_heads, 4);
    REFUSE(b, t.ops[2].head_dim, 128);
    REFUSE(b, t.ops[2].rope, 1);
    REFUSE(b, t.ops[2].norm[0], b.t.ops[1].norm[0]); /* a vector of another size */
    REFUSE(b, t.ops[2].out[0], 1);                   /* in place */
    REFUSE_FLOAT(b, t.ops[2].scale, NAN);
    /* Nothing stores the layer that is read. */
    b.t.ops[2].in[1] = b.t.ops[2].in[2] = -1;
    refuse(&b, "no k and v");
    bench_close(&b);
}

/* Buffers may share places, but then the older value is lost. */
static void test_places(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    uint64_t kept = b.t.buffers[4].offset;
    b.t.buffers[4].offset = b.t.buffers[0].offset; /* attention overwrites x, which the residual needs */
    refuse(&b, "x is lost");
    b.t.buffers[4].offset = kept;
    kept = b.t.buffers[6].offset;
    b.t.buffers[6].offset = b.t.buffers[1].offset; /* q is no longer needed */
    edge_program *program = NULL;
    CHECK(edge_program_create(&program, &b.config, &b.error) == EDGE_OK, "%s", b.error.message);
    edge_program_destroy(&program);
    b.t.buffers[6].offset = b.t.buffers[5].offset + 64; /* shifted over its input */
    refuse(&b, "shifted");
    b.t.buffers[6].offset = kept;
    b.t.buffers[7].offset = b.t.buffers[5].offset + 64; /* shifted over its residual */
    refuse(&b, "shifted residual");
    b.t.buffers[7].offset = b.t.buffers[5].offset; /* in place of its residual */
    CHECK(edge_program_create(&program, &b.config, &b.error) == EDGE_OK, "%s", b.error.message);
    edge_program_destroy(&program);
    bench_close(&b);
}

/* ADD, MUL, ACTIVATION and RMS_NORM in the place of op 5, which reads buffers 5 and 6 and writes 7. */
static void test_row_operations(void) {
    static const edge_op_kind kinds[] = {EDGE_OP_ADD, EDGE_OP_MUL, EDGE_OP_ACTIVATION, EDGE_OP_RMS_NORM};
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    for (int32_t i = 0; i < 4; i++) {
        edge_op *op = &b.t.ops[5];
        b.t.num_ops = 5;
        (void)tiny_op(&b.t, kinds[i]);
        op->in[0] = 5;
        op->in[1] = i < 2 ? 6 : -1;
        op->out[0] = 7;
        op->activation = kinds[i] == EDGE_OP_ACTIVATION ? EDGE_ACT_SILU : EDGE_ACT_NONE;
        op->norm[0] = kinds[i] == EDGE_OP_RMS_NORM ? b.t.ops[1].norm[0] : -1;
        edge_program *program = NULL;
        CHECK(edge_program_create(&program, &b.config, &b.error) == EDGE_OK, "%s", b.error.message);
        edge_program_destroy(&program);
        REFUSE(b, t.ops[5].in[0], 2); /* width */
        REFUSE(b, t.ops[5].in[0], 9); /* rows */
        REFUSE(b, t.ops[5].in[1], i < 2 ? -1 : 6);
        REFUSE(b, t.ops[5].in[2], 5);
        REFUSE(b, t.ops[5].out[0], 5);
        REFUSE(b, t.ops[5].out[0], 2);
        REFUSE(b, t.ops[5].weight[0], 0);
        REFUSE(b, t.ops[5].activation, kinds[i] == EDGE_OP_ACTIVATION ? EDGE_ACT_NONE : EDGE_ACT_SILU);
        if (kinds[i] == EDGE_OP_RMS_NORM) {
            REFUSE(b, t.ops[5].norm[0], 0);
            REFUSE(b, t.ops[5].norm[0], -1);
            REFUSE_FLOAT(b, t.ops[5].eps, 0.0f);
        }
    }
    bench_close(&b);
}

int main(void) {
    test_sizes();
    test_adapters();
    test_ropes();
    test_references();
    test_attention();
    test_places();
    test_row_operations();
    return check_result("program rules");
}
