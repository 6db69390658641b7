/* A small fused program with a batch that fits it: op 0 EMBED, 1 LINEAR q k v, 2 ATTENTION, 3 LINEAR o, 4 LINEAR gate
 * up, 5 LINEAR down, ..., SELECT_ROWS, LINEAR head. Buffers in that order: 0 x, 1 2 3 q k v, 4, 5, 6, 7, selected,
 * logits. */
#ifndef EDGE_TEST_PROGRAM_BENCH_H
#define EDGE_TEST_PROGRAM_BENCH_H

#include "check.h"
#include "edge/program.h"
#include "tiny.h"

#define TOKENS 64
#define STRIDE 3
#define BLOCKS 8

typedef struct bench {
    tiny t;
    edge_program_config config;
    edge_program *program;
    edge_threads *threads;
    edge_kv *kv;
    int32_t ids[TOKENS], positions[TOKENS], sequences[TOKENS], rows[TOKENS], tables[2 * STRIDE];
    edge_batch batch;
    edge_error error;
} bench;

static inline void bench_open(bench *b, int32_t type, int32_t layers, int32_t threads) {
    memset(b, 0, sizeof *b);
    tiny_make_plain(&b->t, type, layers);
    b->config = tiny_config(&b->t, EDGE_ISA_SCALAR, TOKENS, TOKENS, 2, 3);
    const edge_kv_config kv = {b->t.kv_type, b->t.num_layers, b->t.num_kv_heads, b->t.head_dim, BLOCKS};
    CHECK(edge_program_create(&b->program, &b->config, &b->error) == EDGE_OK, "%s", b->error.message);
    CHECK(edge_threads_create(&b->threads, threads) == EDGE_OK, "threads");
    CHECK(edge_kv_create(&b->kv, &kv) == EDGE_OK, "kv");
    for (int32_t i = 0; i < TOKENS; i++) {
        b->ids[i] = i % b->t.vocab;
        b->positions[i] = i;
        b->rows[i] = i;
    }
    for (int32_t i = 0; i < 2 * STRIDE; i++) {
        b->tables[i] = i;
    }
    b->batch =
        (edge_batch){TOKENS, 2, STRIDE, 1, b->ids, b->positions, b->sequences, b->tables, b->rows, NULL, NULL, NULL};
}

static inline void bench_close(bench *b) {
    edge_program_destroy(&b->program);
    edge_threads_destroy(&b->threads);
    edge_kv_destroy(&b->kv);
    tiny_free(&b->t);
}

static inline edge_status bench_step(bench *b) {
    return edge_program_step(b->program, b->threads, b->kv, &b->batch, &b->error);
}

#endif
