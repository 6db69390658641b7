/* Attention beyond one run of blocks: steps of few tokens, which hand out runs, give the bits of one long step, which
 * hands out tiles, for every number of threads, order of tokens and batch; branches of a prefix those of each alone. */
#include "attention.h"

#include <stdlib.h>

#include "check.h"
#include "tiny.h"

#define RUN       (EDGE_RUN_BLOCKS * EDGE_KV_BLOCK_SIZE)
#define TOKENS    (2 * RUN + 12) /* of a sequence: three runs */
#define START     (2 * RUN - 11) /* what comes before is stored once */
#define STRIDE    (TOKENS / EDGE_KV_BLOCK_SIZE + 1)
#define SHORT     40 /* tokens of the second sequence: one run */

#define BRANCHES  10 /* of sequence 0, behind START */
#define SEQUENCES (2 + BRANCHES)
#define OWN       (STRIDE - START / EDGE_KV_BLOCK_SIZE) /* blocks of a branch that it shares with nobody */
#define BLOCKS    (2 * STRIDE + BRANCHES * OWN)

typedef struct world {
    tiny t;
    edge_kv *kv;
    uint8_t *kept; /* the arena with positions before START of sequence 0, and those of sequence 1 but the last */
    int32_t ids[SEQUENCES][TOKENS], tables[SEQUENCES * STRIDE];
    float *logits[SEQUENCES]; /* (TOKENS, vocab), of one long step each; of a branch alone, token by token */
} world;

static edge_program *open_program(world *w, edge_isa isa, int32_t threads) {
    edge_program_config config = tiny_config(&w->t, isa, TOKENS, TOKENS, SEQUENCES, threads);
    edge_program *program = NULL;
    edge_error error = {""};
    CHECK(edge_program_create(&program, &config, &error) == EDGE_OK, "%s", error.message);
    return program;
}

/* One step: positions[i] of sequences[i], logits of all rows against the long step's. */
static void step(world *w, edge_program *program, edge_threads *threads, int32_t count, const int32_t *positions,
                 const int32_t *sequences, int compare, const char *what) {
    int32_t ids[TOKENS], rows[TOKENS];
    for (int32_t i = 0; i < count; i++) {
        ids[i] = w->ids[sequences[i]][positions[i]];
        rows[i] = i;
    }
    const edge_batch batch = {count,     SEQUENCES, STRIDE, count, ids,  positions,
                              sequences, w->tables, rows,   NULL,  NULL, NULL};
    edge_error error = {""};
    CHECK(edge_program_step(program, threads, w->kv, &batch, &error) == EDGE_OK, "%s: %s", what, error.message);
    int32_t vocab = w->t.vocab;
    for (int32_t i = 0; i < count && compare; i++) {
        const float *want = w->logits[sequences[i]] + (int64_t)positions[i] * vocab;
        CHECK(check_first_difference(edge_program_logits(program) + (int64_t)i * vocab, want, vocab) < 0,
              "%s, %d threads: sequence %d, position %d", what, (int)edge_threads_count(threads), (int)sequences[i],
              (int)positions[i]);
    }
}

static void long_step(world *w, edge_program *program, edge_threads *threads, int32_t sequence, int32_t count) {
    int32_t positions[TOKENS], sequences[TOKENS];
    for (int32_t i = 0; i < count; i++) {
        positions[i] = i;
        sequences[i] = sequence;
    }
    step(w, program, threads, count, positions, sequences, 0, "long step");
}

static void open_world(world *w, uint64_t seed) {
    memset(w, 0, sizeof *w);
    tiny_make(&w->t, seed, 2);
    const edge_kv_config config = {w->t.kv_type, w->t.num_layers, w->t.num_kv_heads, w->t.head_dim, BLOCKS};
    edge_threads *one = NULL;
    edge_program *program = open_program(w, EDGE_ISA_SCALAR, 1);
    CHECK(edge_kv_create(&w->kv, &config) == EDGE_OK && edge_threads_create(&one, 1) == EDGE_OK, "objects");
    if (!w->kv || !one || !program) {
        exit(check_result("attention"));
    }
    for (int32_t i = 0; i < 2 * STRIDE; i++) {
        w->tables[i] = (i * 7 + 3) % (2 * STRIDE); /* which is no multiple of 7 */
    }
    for (int32_t i = 2 * STRIDE; i < SEQUENCES * STRIDE; i++) { /* branches: the tail is their own */
        int32_t branch = i / STRIDE - 2, own = i % STRIDE - (STRIDE - OWN);
        w->tables[i] = own < 0 ? w->tables[i % STRIDE] : 2 * STRIDE + branch * OWN + own;
    }
    size_t bytes = (size_t)(w->kv->block_bytes * BLOCKS);
    for (int32_t s = 0; s < 2; s++) {
        int32_t count = s == 0 ? TOKENS : SHORT;
        for (int32_t i = 0; i < count; i++) {
            w->ids[s][i] = random_int(&w->t.state, 0, w->t.vocab - 1);
        }
        w->logits[s] = malloc(sizeof(float) * TOKENS * (size_t)w->t.vocab);
        long_step(w, program, one, s, count);
        memcpy(w->logits[s], edge_program_logits(program), sizeof(float) * (size_t)count * (size_t)w->t.vocab);
    }
    memset(w->kv->arena, 0, bytes);
    long_step(w, program, one, 0, START);
    long_step(w, program, one, 1, SHORT - 1);
    for (int32_t s = 2; s < SEQUENCES; s++) { /* the block that START is in was begun before the branches */
        int32_t from = w->tables[STRIDE - OWN], to = w->tables[s * STRIDE + STRIDE - OWN];
        CHECK(edge_kv_copy_block(w->kv, from, to) == EDGE_OK, "copy");
    }
    w->kept = malloc(bytes);
    memcpy(w->kept, w->kv->arena, bytes);
    edge_program_destroy(&program);
    edge_threads_destroy(&one);
}

static void close_world(world *w) {
    edge_kv_destroy(&w->kv);
    free(w->kept);
    for (int32_t s = 0; s < SEQUENCES; s++) {
        free(w->logits[s]);
    }
    tiny_free(&w->t);
}

static void restore(world *w) {
    memcpy(w->kv->arena, w->kept, (size_t)(w->kv->block_bytes * BLOCKS));
}

/* Positions START .. TOKENS - 1, `chunk` in a step, over the edge of a run. */
static void test_chunks(world *w, edge_program *program, edge_threads *threads) {
    static const int32_t chunks[] = {1, 2, 3, 8, 9, TOKENS - START};
    static const int32_t sequences[TOKENS] = {0};
    for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        restore(w);
        for (int32_t from = START; from < TOKENS; from += chunks[c]) {
            int32_t positions[TOKENS], count = TOKENS - from < chunks[c] ? TOKENS - from : chunks[c];
            for (int32_t i = 0; i < count; i++) {
                positions[i] = from + i;
            }
            step(w, program, threads, count, positions, sequences, 1, "chunks");
        }
    }
}

/* Sequences of one run and of three in one step; and tokens that do not come in the order of their positions. */
static void test_batches(world *w, edge_program *program, edge_threads *threads) {
    static const struct {
        int32_t count, positions[12], sequences[12];
    } steps[] = {
        {2, {START, SHORT - 1}, {0, 1}},
        {4, {SHORT - 1, START + 1, START, START + 2}, {1, 0, 0, 0}},
        {3, {START + 1, SHORT - 1, START}, {0, 1, 0}},
        {8, {7, 6, 5, 4, 3, 2, 1, 0}, {0}},
        {12, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, {0}},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int32_t positions[12];
        for (int32_t j = 0; j < 12; j++) { /* the last two over the edge of a run, backwards */
            positions[j] = steps[i].positions[j] + (i >= 3 ? START + (i == 3 ? 6 : 4) : 0);
        }
        restore(w);
        if (i >= 3) { /* what comes before them */
            int32_t before[12], zeros[12] = {0}, count = positions[steps[i].count - 1] - START;
            for (int32_t j = 0; j < count; j++) {
                before[j] = START + j;
            }
            step(w, program, threads, count, before, zeros, 1, "before");
        }
        step(w, program, threads, steps[i].count, positions, steps[i].sequences, 1, "batches");
    }
}

/* What each branch computes alone, token by token, by the scalar kernels. */
static void branches_alone(world *w) {
    edge_program *program = open_program(w, EDGE_ISA_SCALAR, 1);
    edge_threads *one = NULL;
    CHECK(edge_threads_create(&one, 1) == EDGE_OK, "threads");
    restore(w);
    for (int32_t s = 2; s < SEQUENCES && program && one; s++) {
        w->logits[s] = malloc(sizeof(float) * TOKENS * (size_t)w->t.vocab);
        for (int32_t at = START; at < TOKENS; at++) {
            w->ids[s][at] = random_int(&w->t.state, 0, w->t.vocab - 1);
            step(w, program, one, 1, &at, &s, 0, "alone");
            memcpy(w->logits[s] + (size_t)at * (size_t)w->t.vocab, edge_program_logits(program),
                   sizeof(float) * (size_t)w->t.vocab);
        }
    }
    edge_program_destroy(&program);
    edge_threads_destroy(&one);
}

/* Branches of sequence 0 in one step, over the edge of a run, also where they are not all at the same position, and
 * with another sequence between them. */
static void test_branches(world *w, edge_program *program, edge_threads *threads) {
    static const int32_t counts[] = {2, 4, 8, BRANCHES};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        restore(w);
        for (int32_t i = 0; i < TOKENS - START; i++) {
            int32_t positions[SEQUENCES], sequences[SEQUENCES], rows = 0;
            for (int32_t b = 0; b < counts[c]; b++) {
                if (i < b % 3) { /* begins later */
                    continue;
                }
                positions[rows] = START + i - b % 3;
                sequences[rows++] = 2 + b;
                if (b == counts[c] / 2 && i % 4 == 0) {
                    positions[rows] = SHORT - 1;
                    sequences[rows++] = 1;
                }
            }
            step(w, program, threads, rows, positions, sequences, 1, "branches");
        }
    }
}

int main(int argc, char **argv) {
    int32_t worlds = check_cases(argc, argv, 400) / 100;
    edge_isa best;
    CHECK(edge_isa_select(NULL, &best, NULL) == EDGE_OK, "select");
    for (int32_t seed = 0; seed < (worlds > 0 ? worlds : 1); seed++) {
        world w;
        open_world(&w, (uint64_t)seed + 100);
        branches_alone(&w);
        for (int32_t count = 1; count <= 4; count++) {
            edge_program *program = open_program(&w, count == 1 ? EDGE_ISA_SCALAR : best, count);
            edge_threads *threads = NULL;
            CHECK(edge_threads_create(&threads, count) == EDGE_OK, "threads");
            if (program && threads) {
                test_chunks(&w, program, threads);
                test_batches(&w, program, threads);
                test_branches(&w, program, threads);
            }
            edge_program_destroy(&program);
            edge_threads_destroy(&threads);
        }
        close_world(&w);
    }
    return check_result("attention");
}
