/* Encoders: attention over whole sequences, layer norms, activations without a gate and rows by position give the same
 * bits on every level, for every number of threads, order of tokens and batch; half a sequence is refused. */
#include "edge/program.h"

#include <stdlib.h>

#include "check.h"
#include "os.h"
#include "tiny.h"

#define SEQUENCES 5
#define LONGEST   200 /* two runs of attention */
#define STRIDE    ((LONGEST + EDGE_KV_BLOCK_SIZE - 1) / EDGE_KV_BLOCK_SIZE)
#define TOKENS    (SEQUENCES * LONGEST)
#define BLOCKS    (SEQUENCES * STRIDE)

typedef struct expected {
    int32_t lengths[SEQUENCES], ids[SEQUENCES][LONGEST];
    float *rows[SEQUENCES]; /* (length, hidden), each sequence alone by scalar kernels and one thread */
} expected;

static int32_t embed(tiny *t, int32_t rows, int32_t mode) {
    int32_t weight = tiny_matrix(t, rows, t->hidden);
    edge_op *op = tiny_op(t, EDGE_OP_EMBED);
    op->weight[0] = weight;
    op->mode = mode;
    return op->out[0] = tiny_buffer(t, t->hidden, 0);
}

static int32_t add(tiny *t, int32_t a, int32_t b) {
    edge_op *op = tiny_op(t, EDGE_OP_ADD);
    op->in[0] = a;
    op->in[1] = b;
    return op->out[0] = tiny_buffer(t, t->hidden, 0);
}

static int32_t layer_norm(tiny *t, int32_t x) {
    int32_t gain = tiny_vector(t, t->hidden, 1.0f), bias = tiny_vector(t, t->hidden, 0.0f);
    edge_op *op = tiny_op(t, EDGE_OP_LAYER_NORM);
    op->in[0] = x;
    op->norm[0] = gain;
    op->norm[1] = bias;
    op->eps = 1e-12f;
    return op->out[0] = tiny_buffer(t, t->hidden, 0);
}

static int32_t layer(tiny *t, int32_t x, int32_t number) {
    int32_t width = t->num_heads * t->head_dim, kv_width = t->num_kv_heads * t->head_dim;
    int32_t weights[3] = {tiny_matrix(t, width, t->hidden), tiny_matrix(t, kv_width, t->hidden),
                          tiny_matrix(t, kv_width, t->hidden)};
    edge_op *op = tiny_op(t, EDGE_OP_LINEAR);
    op->in[0] = x;
    for (int32_t i = 0; i < 3; i++) {
        op->weight[i] = weights[i];
        op->out[i] = tiny_buffer(t, i == 0 ? width : kv_width, 0);
    }
    int32_t q = op->out[0], k = op->out[1], v = op->out[2];
    op = tiny_op(t, EDGE_OP_ATTENTION);
    op->in[0] = q;
    op->in[1] = k;
    op->in[2] = v;
    op->layer = op->kv_source_layer = number;
    op->num_heads = t->num_heads;
    op->num_kv_heads = t->num_kv_heads;
    op->head_dim = t->head_dim;
    op->scale = 0.5f;
    op->mode = EDGE_ATTENTION_WHOLE;
    int32_t attended = op->out[0] = tiny_buffer(t, width, 0);
    x = layer_norm(t, tiny_linear(t, attended, 0, t->hidden, x, 0));
    int32_t up = tiny_matrix(t, t->ff, t->hidden), bias = tiny_vector(t, t->ff, 0.0f);
    op = tiny_op(t, EDGE_OP_LINEAR);
    op->in[0] = x;
    op->weight[0] = up;
    op->bias[0] = bias;
    op->activation = random_int(&t->state, EDGE_ACT_SILU, EDGE_NUM_ACTIVATIONS - 1);
    int32_t inside = op->out[0] = tiny_buffer(t, t->ff, 0);
    return layer_norm(t, tiny_linear(t, inside, 0, t->hidden, x, 0));
}

static void make(tiny *t, uint64_t seed) {
    static const int32_t hiddens[] = {32, 64, 256, 96}, ffs[] = {64, 96, 256, 512}, dims[] = {16, 32, 8, 12};
    memset(t, 0, sizeof *t);
    t->state = seed * 0x9e3779b97f4a7c15u + 1;
    t->forced_type = seed % 3 == 0 ? EDGE_TYPE_Q8_0 : seed % 3 == 1 ? EDGE_TYPE_F32 : -1;
    t->hidden = hiddens[random_int(&t->state, 0, 3)];
    t->ff = ffs[random_int(&t->state, 0, 3)];
    t->head_dim = dims[random_int(&t->state, 0, t->forced_type == EDGE_TYPE_F32 ? 3 : 2)];
    t->num_kv_heads = random_int(&t->state, 1, 2);
    t->num_heads = t->num_kv_heads * random_int(&t->state, 1, 2);
    while (t->num_heads * t->head_dim % 32 != 0) { /* whole groups of activations */
        t->num_heads = t->num_kv_heads *= 2;
    }
    t->num_layers = 2;
    t->vocab = 40;
    t->kv_type = random_int(&t->state, EDGE_KV_F32, EDGE_KV_Q4);
    int32_t x = embed(t, t->vocab, EDGE_EMBED_TOKEN);
    x = add(t, x, embed(t, LONGEST, EDGE_EMBED_POSITION));
    x = layer_norm(t, add(t, x, embed(t, 2, EDGE_EMBED_FIRST)));
    for (int32_t i = 0; i < t->num_layers; i++) {
        x = layer(t, x, i);
    }
    edge_op *op = tiny_op(t, EDGE_OP_SELECT_ROWS);
    op->in[0] = x;
    t->logits_buffer = op->out[0] = tiny_buffer(t, t->hidden, 1);
}

typedef struct run {
    edge_program *program;
    edge_threads *threads;
    edge_kv *kv;
} run;

static run open_run(tiny *t, edge_isa isa, int32_t threads) {
    edge_program_config config = tiny_config(t, isa, TOKENS, TOKENS, SEQUENCES, threads);
    const edge_kv_config kv = {t->kv_type, t->num_layers, t->num_kv_heads, t->head_dim, BLOCKS};
    edge_error error = {""};
    run r = {NULL, NULL, NULL};
    config.num_ropes = 0;
    config.max_positions = LONGEST;
    CHECK(edge_program_create(&r.program, &config, &error) == EDGE_OK, "%s", error.message);
    CHECK(edge_threads_create(&r.threads, threads) == EDGE_OK && edge_kv_create(&r.kv, &kv) == EDGE_OK, "objects");
    if (!r.program || !r.threads || !r.kv) {
        exit(check_result("encoder"));
    }
    return r;
}

static void close_run(run *r) {
    edge_program_destroy(&r->program);
    edge_threads_destroy(&r->threads);
    edge_kv_destroy(&r->kv);
}

/* Tokens of a step, and the table of blocks. */
typedef struct work {
    int32_t ids[TOKENS], positions[TOKENS], sequences[TOKENS], rows[TOKENS], tables[BLOCKS], count;
} work;

static edge_status step(const run *r, const work *w, edge_error *error) {
    const edge_batch batch = {w->count,     SEQUENCES, STRIDE,  w->count, w->ids, w->positions,
                              w->sequences, w->tables, w->rows, NULL,     NULL,   NULL};
    return edge_program_step(r->program, r->threads, r->kv, &batch, error);
}

static void append(work *w, const expected *e, int32_t sequence) {
    for (int32_t i = 0; i < e->lengths[sequence]; i++, w->count++) {
        w->ids[w->count] = e->ids[sequence][i];
        w->positions[w->count] = i;
        w->sequences[w->count] = sequence;
        w->rows[w->count] = w->count;
    }
}

static void start(work *w) {
    w->count = 0;
    for (int32_t i = 0; i < BLOCKS; i++) {
        w->tables[i] = (i * 11 + 3) % BLOCKS; /* which is no multiple of 11 */
    }
}

/* Rows do not depend on the order of tokens: swaps some. */
static void shuffle(work *w, uint64_t *state) {
    for (int32_t i = 0; i < w->count; i++) {
        int32_t j = random_int(state, 0, w->count - 1), *lists[] = {w->ids, w->positions, w->sequences};
        for (int32_t k = 0; k < 3; k++) {
            int32_t kept = lists[k][i];
            lists[k][i] = lists[k][j];
            lists[k][j] = kept;
        }
    }
}

static void compare(tiny *t, const expected *e, edge_isa isa, int32_t threads, uint64_t *state) {
    static work w;
    run r = open_run(t, isa, threads);
    edge_error error = {""};
    for (int32_t round = 0; round < 3; round++) {
        start(&w);
        for (int32_t s = 0; s < SEQUENCES; s++) {
            if (round == 0 || random_int(state, 0, 1)) {
                append(&w, e, s);
            }
        }
        if (w.count == 0) {
            continue;
        }
        if (round == 2) {
            shuffle(&w, state);
        }
        CHECK(step(&r, &w, &error) == EDGE_OK, "%s", error.message);
        const float *out = edge_program_logits(r.program);
        for (int32_t i = 0; i < w.count; i++) {
            const float *want = e->rows[w.sequences[i]] + (int64_t)w.positions[i] * t->hidden;
            CHECK(check_first_difference(out + (int64_t)i * t->hidden, want, t->hidden) < 0,
                  "%s, %d threads, round %d: sequence %d, position %d", edge_isa_name(isa), threads, round,
                  w.sequences[i], w.positions[i]);
        }
    }
    close_run(&r);
}

static void make_expected(tiny *t, expected *e) {
    static const int32_t lengths[SEQUENCES] = {1, 5, 33, LONGEST, 70};
    static work w;
    run r = open_run(t, EDGE_ISA_SCALAR, 1);
    edge_error error = {""};
    for (int32_t s = 0; s < SEQUENCES; s++) {
        e->lengths[s] = lengths[s];
        for (int32_t i = 0; i < LONGEST; i++) {
            e->ids[s][i] = random_int(&t->state, 0, t->vocab - 1);
        }
        start(&w);
        append(&w, e, s);
        CHECK(step(&r, &w, &error) == EDGE_OK, "%s", error.message);
        size_t bytes = sizeof(float) * (size_t)lengths[s] * (size_t)t->hidden;
        e->rows[s] = malloc(bytes);
        memcpy(e->rows[s], edge_program_logits(r.program), bytes);
    }
    close_run(&r);
}

/* The later tokens must matter to the first one, or nothing here would be tested. */
static void check_sees_all(tiny *t, expected *e) {
    static work w;
    run r = open_run(t, EDGE_ISA_SCALAR, 1);
    edge_error error = {""};
    start(&w);
    append(&w, e, 4);
    w.ids[w.count - 1] = (w.ids[w.count - 1] + 1) % t->vocab;
    CHECK(step(&r, &w, &error) == EDGE_OK, "%s", error.message);
    CHECK(check_first_difference(edge_program_logits(r.program), e->rows[4], (w.count - 1) * t->hidden) >= 0,
          "no token before it sees the last one");
    close_run(&r);
}

static void check_refusals(tiny *t, const expected *e) {
    static work w;
    run r = open_run(t, EDGE_ISA_SCALAR, 1);
    edge_error error = {""};
    start(&w);
    append(&w, e, 2);
    w.count--; /* the last position is missing: nothing says so, and that is a shorter sequence */
    CHECK(step(&r, &w, &error) == EDGE_OK, "%s", error.message);
    w.positions[3] = w.count; /* one in the middle is */
    CHECK(step(&r, &w, &error) == EDGE_INVALID, "a gap");
    w.positions[3] = 4; /* twice */
    CHECK(step(&r, &w, &error) == EDGE_INVALID, "a position twice");
    w.positions[3] = 3;
    CHECK(step(&r, &w, &error) == EDGE_OK, "%s", error.message);
    close_run(&r);
}

int main(int argc, char **argv) {
    int64_t before = edge_os_live();
    int32_t programs = check_cases(argc, argv, 1200) / 100;
    uint64_t state = 5;
    for (int32_t seed = 0; seed < (programs > 3 ? programs : 3); seed++) {
        tiny t;
        static expected e;
        make(&t, (uint64_t)seed);
        make_expected(&t, &e);
        for (int32_t isa = 0; isa < EDGE_ISA_COUNT; isa++) {
            for (int32_t threads = 1; threads <= 3 && edge_isa_supported((edge_isa)isa); threads++) {
                compare(&t, &e, (edge_isa)isa, threads, &state);
            }
        }
        check_sees_all(&t, &e);
        check_refusals(&t, &e);
        for (int32_t s = 0; s < SEQUENCES; s++) {
            free(e.rows[s]);
        }
        tiny_free(&t);
    }
    CHECK(edge_os_live() == before, "leak");
    return check_result("encoder");
}
