/* What a batch may not be: one wrong field at a time. */
#include "program_bench.h"

static void refuse_batch(bench *b, const char *what, int32_t *place, int32_t value) {
    int32_t kept = *place;
    *place = value;
    b->error.message[0] = 0;
    edge_status status = bench_step(b);
    CHECK(status == EDGE_INVALID && b->error.message[0], "%s: status %d", what, status);
    *place = kept;
}

#define REFUSE_BATCH(b, place, value) refuse_batch(&(b), #place " = " #value, &(b).place, value)

static void test_batches(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    b.sequences[63] = 1;
    b.positions[63] = 0;
    b.batch.num_logits = 2;
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    REFUSE_BATCH(b, batch.num_tokens, 0);
    REFUSE_BATCH(b, batch.num_tokens, TOKENS + 1);
    REFUSE_BATCH(b, batch.num_sequences, 0);
    REFUSE_BATCH(b, batch.num_sequences, 3);
    REFUSE_BATCH(b, batch.num_logits, -1);
    REFUSE_BATCH(b, batch.num_logits, TOKENS + 1);
    REFUSE_BATCH(b, batch.table_stride, 0);
    REFUSE_BATCH(b, batch.table_stride, 1);
    REFUSE_BATCH(b, ids[5], -1);
    REFUSE_BATCH(b, ids[5], b.t.vocab);
    REFUSE_BATCH(b, positions[5], -1);
    REFUSE_BATCH(b, positions[5], 96);
    REFUSE_BATCH(b, positions[5], INT32_MAX);
    REFUSE_BATCH(b, positions[5], 6); /* written twice */
    REFUSE_BATCH(b, sequences[5], -1);
    REFUSE_BATCH(b, sequences[5], 2);
    REFUSE_BATCH(b, tables[0], -1);
    REFUSE_BATCH(b, tables[1], BLOCKS);
    REFUSE_BATCH(b, tables[1], 0); /* two positions in one place */
    REFUSE_BATCH(b, tables[3], -1);
    REFUSE_BATCH(b, rows[1], 0);
    REFUSE_BATCH(b, rows[1], TOKENS);
    REFUSE_BATCH(b, rows[0], -1);
    int32_t adapters[TOKENS];
    memset(adapters, 0xff, sizeof adapters);
    b.batch.adapters = adapters; /* a program without adapters */
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    for (int32_t value = -3; value <= 1; value++) {
        adapters[TOKENS - 1] = value;
        CHECK((bench_step(&b) == EDGE_OK) == (value == -1), "adapter %d", value);
    }
    b.batch.adapters = NULL;
    b.batch.num_tokens = 1;
    b.batch.num_logits = 0;
    b.positions[0] = 2 * EDGE_KV_BLOCK_SIZE;
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    REFUSE_BATCH(b, tables[2], 0); /* the block that is written holds earlier positions too */
    b.positions[0] = 0;
    b.batch.num_tokens = TOKENS;
    b.batch.num_logits = 2;
    b.tables[2] = b.tables[4] = -1; /* not needed */
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    b.batch.positions = NULL;
    CHECK(bench_step(&b) == EDGE_INVALID, "NULL");
    b.batch.positions = b.positions;
    b.batch.logit_rows = NULL;
    CHECK(bench_step(&b) == EDGE_INVALID, "NULL");
    b.batch.num_logits = 0;
    CHECK(bench_step(&b) == EDGE_OK, "no logits wanted: %s", b.error.message);
    edge_threads *many = NULL;
    CHECK(edge_threads_create(&many, 4) == EDGE_OK, "threads");
    CHECK(edge_program_step(b.program, many, b.kv, &b.batch, NULL) == EDGE_INVALID, "too many threads");
    edge_threads_destroy(&many);
    const edge_kv_config other = {b.t.kv_type, b.t.num_layers + 1, b.t.num_kv_heads, b.t.head_dim, BLOCKS};
    edge_kv *kv = NULL;
    CHECK(edge_kv_create(&kv, &other) == EDGE_OK, "kv");
    CHECK(edge_program_step(b.program, b.threads, kv, &b.batch, NULL) == EDGE_INVALID, "another KV arena");
    edge_kv_destroy(&kv);
    CHECK(edge_program_step(NULL, b.threads, b.kv, &b.batch, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_program_step(b.program, NULL, b.kv, &b.batch, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_program_step(b.program, b.threads, NULL, &b.batch, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_program_step(b.program, b.threads, b.kv, NULL, NULL) == EDGE_INVALID, "NULL");
    CHECK(!edge_program_buffer(b.program, -1) && !edge_program_buffer(b.program, 10), "buffers that do not exist");
    bench_close(&b);
}

/* One layer, whose K and V are in an arena of windows. */
static void test_windows(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 1, 1);
    edge_program_destroy(&b.program);
    b.config.num_layers = 0;
    CHECK(edge_program_create(&b.program, &b.config, &b.error) == EDGE_INVALID, "no layers");
    b.config.num_window_layers = -1;
    CHECK(edge_program_create(&b.program, &b.config, &b.error) == EDGE_INVALID, "-1 layers");
    b.config.num_window_layers = 1;
    b.t.ops[2].window = 0;
    CHECK(edge_program_create(&b.program, &b.config, &b.error) == EDGE_INVALID, "a layer without its window");
    b.t.ops[2].window = 40;
    CHECK(edge_program_create(&b.program, &b.config, &b.error) == EDGE_OK, "%s", b.error.message);
    edge_kv *kv = b.kv;
    b.kv = NULL; /* no layer sees everything */
    b.batch.window_kv = kv;
    CHECK(bench_step(&b) == EDGE_INVALID, "no tables");
    b.batch.window_tables = b.tables;
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    b.batch.window_kv = NULL;
    CHECK(bench_step(&b) == EDGE_INVALID, "no arena");
    b.batch.window_kv = kv;
    REFUSE_BATCH(b, tables[0], -1);
    REFUSE_BATCH(b, tables[1], BLOCKS);
    REFUSE_BATCH(b, tables[1], 0); /* two positions in one place */
    b.batch.num_tokens = 1;
    b.positions[0] = 71; /* sees 32 .. 71 */
    b.tables[0] = -1;
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    b.positions[0] = 70;
    CHECK(bench_step(&b) == EDGE_INVALID, "a window that begins in a block that is not there");
    b.positions[0] = 71;
    REFUSE_BATCH(b, tables[1], -1);
    REFUSE_BATCH(b, tables[1], 2); /* the block that is written holds earlier positions too */
    edge_kv_destroy(&kv);
    bench_close(&b);
}

int main(void) {
    test_batches();
    test_windows();
    return check_result("batch");
}
