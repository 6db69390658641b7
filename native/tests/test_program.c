/* The step: equal bits on every level, for every number of threads, split of the prompt and batch, whatever adapters
 * its rows use. */
#include "edge/program.h"

#include <stdlib.h>

#include "check.h"
#include "os.h"
#include "tiny.h"

#define TOKENS    100 /* of a sequence: more than three blocks, more than one chunk of 64 */
#define SEQUENCES 3
#define BLOCKS    16
#define STRIDE    4

/* Ids of the sequences, and logits of all positions of each, made by scalar kernels, one thread, one step. */
typedef struct expected {
    int32_t ids[SEQUENCES][TOKENS];
    float *logits; /* (SEQUENCES, TOKENS, vocab) */
} expected;

/* Sequences differ in it, and the last one turns it on and changes it on its way. */
static int32_t adapter_at(const tiny *t, int32_t sequence, int32_t position) {
    return (sequence < SEQUENCES - 1 ? sequence : position / 30) % (t->num_adapters + 1) - 1;
}

/* Blocks in random order: places in the arena must not matter. */
static void shuffle_blocks(uint64_t *state, int32_t tables[SEQUENCES * STRIDE]) {
    int32_t blocks[BLOCKS];
    for (int32_t i = 0; i < BLOCKS; i++) {
        int32_t j = random_int(state, 0, i);
        blocks[i] = blocks[j];
        blocks[j] = i;
    }
    memcpy(tables, blocks, SEQUENCES * STRIDE * sizeof(int32_t));
}

typedef struct run {
    edge_program *program;
    edge_threads *threads;
    edge_kv *kv;
    int32_t tables[SEQUENCES * STRIDE];
} run;

static void open_run(run *r, tiny *t, edge_isa isa, int32_t threads, int32_t max_tokens, uint64_t *state) {
    edge_program_config config = tiny_config(t, isa, max_tokens, max_tokens, SEQUENCES, threads);
    const edge_kv_config kv = {t->kv_type, t->num_layers, t->num_kv_heads, t->head_dim, BLOCKS};
    edge_error error = {""};
    memset(r, 0, sizeof *r);
    CHECK(edge_program_create(&r->program, &config, &error) == EDGE_OK, "%s", error.message);
    CHECK(edge_threads_create(&r->threads, threads) == EDGE_OK, "threads");
    CHECK(edge_kv_create(&r->kv, &kv) == EDGE_OK, "kv");
    shuffle_blocks(state, r->tables);
    if (!r->program || !r->threads || !r->kv) {
        exit(check_result("program"));
    }
}

static void close_run(run *r) {
    edge_program_destroy(&r->program);
    edge_threads_destroy(&r->threads);
    edge_kv_destroy(&r->kv);
}

/* Runs sequences first .. first + count - 1, `chunk` tokens of each in a step, and compares every row. */
static void compare(tiny *t, const expected *e, edge_isa isa, int32_t threads, int32_t chunk, int32_t first,
                    int32_t count, uint64_t *state) {
    run r;
    int32_t ids[SEQUENCES * TOKENS], positions[SEQUENCES * TOKENS], sequences[SEQUENCES * TOKENS],
        rows[SEQUENCES * TOKENS], adapters[SEQUENCES * TOKENS];
    open_run(&r, t, isa, threads, chunk * count, state);
    for (int32_t from = 0; from < TOKENS; from += chunk) {
        int32_t size = TOKENS - from < chunk ? TOKENS - from : chunk, n = 0;
        for (int32_t i = 0; i < size; i++) { /* tokens of the sequences take turns */
            for (int32_t s = 0; s < count; s++, n++) {
                ids[n] = e->ids[first + s][from + i];
                positions[n] = from + i;
                sequences[n] = s;
                rows[n] = n;
                adapters[n] = adapter_at(t, first + s, from + i);
            }
        }
        const edge_batch batch = {n, count, STRIDE, n, ids, positions, sequences, r.tables, rows, NULL, NULL, adapters};
        edge_error error = {""};
        edge_status status = edge_program_step(r.program, r.threads, r.kv, &batch, &error);
        CHECK(status == EDGE_OK, "%s", error.message);
        const float *logits = edge_program_logits(r.program);
        for (int32_t i = 0; i < n && status == EDGE_OK; i++) {
            const float *right = e->logits + ((int64_t)(first + sequences[i]) * TOKENS + positions[i]) * t->vocab;
            CHECK(check_first_difference(logits + (int64_t)i * t->vocab, right, t->vocab) < 0,
                  "%s, %d threads, chunk %d, batch %d: position %d", edge_isa_name(isa), threads, chunk, count,
                  positions[i]);
        }
    }
    close_run(&r);
}

static void make_expected(tiny *t, expected *e, uint64_t *state) {
    run r;
    int32_t positions[TOKENS], sequences[TOKENS] = {0}, rows[TOKENS], adapters[TOKENS];
    e->logits = malloc(sizeof(float) * SEQUENCES * TOKENS * (size_t)t->vocab);
    for (int32_t s = 0; s < SEQUENCES; s++) {
        open_run(&r, t, EDGE_ISA_SCALAR, 1, TOKENS, state);
        for (int32_t i = 0; i < TOKENS; i++) {
            e->ids[s][i] = random_int(&t->state, 0, t->vocab - 1);
            positions[i] = rows[i] = i;
            adapters[i] = adapter_at(t, s, i);
        }
        const edge_batch batch = {TOKENS,    1,        STRIDE, TOKENS, e->ids[s], positions,
                                  sequences, r.tables, rows,   NULL,   NULL,      adapters};
        edge_error error = {""};
        CHECK(edge_program_step(r.program, r.threads, r.kv, &batch, &error) == EDGE_OK, "%s", error.message);
        memcpy(e->logits + (int64_t)s * TOKENS * t->vocab, edge_program_logits(r.program),
               sizeof(float) * TOKENS * (size_t)t->vocab);
        close_run(&r);
    }
}

static void test_equal_bits(int32_t programs) {
    static const int32_t chunks[] = {1, 7, 64, TOKENS};
    uint64_t state = 11;
    for (int32_t seed = 0; seed < programs; seed++) {
        tiny t;
        expected e;
        tiny_make(&t, (uint64_t)seed, 2);
        tiny_adapters(&t, seed % 4); /* with none: nothing is added */
        make_expected(&t, &e, &state);
        for (int32_t isa = 0; isa < EDGE_ISA_COUNT; isa++) {
            for (int32_t threads = 1; threads <= 3 && edge_isa_supported((edge_isa)isa); threads++) {
                int32_t chunk = chunks[random_int(&state, 0, 3)];
                compare(&t, &e, (edge_isa)isa, threads, chunk, random_int(&state, 0, SEQUENCES - 1), 1, &state);
                compare(&t, &e, (edge_isa)isa, threads, chunks[random_int(&state, 0, 3)], 0, SEQUENCES, &state);
            }
        }
        /* The issue's own list, in full, on the best level. */
        edge_isa best;
        CHECK(edge_isa_select(NULL, &best, NULL) == EDGE_OK, "select");
        for (int32_t c = 0; c < 4 && seed % 4 == 0; c++) {
            compare(&t, &e, best, 1 + c % 2, chunks[c], 0, 1, &state);
            compare(&t, &e, best, 1 + c % 2, chunks[c], 0, SEQUENCES, &state);
        }
        free(e.logits);
        tiny_free(&t);
    }
}

int main(int argc, char **argv) {
    int64_t before = edge_os_live();
    int32_t programs = check_cases(argc, argv, 1600) / 100; /* a program costs as much as a hundred kernel cases */
    test_equal_bits(programs > 0 ? programs : 1);
    CHECK(edge_os_live() == before, "leak");
    return check_result("program");
}
