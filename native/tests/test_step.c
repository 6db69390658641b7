/* What a step does besides computing: barriers, cancelling, refusing numbers that are not finite, allocating nothing.
 */
#include "edge/sampling.h"
#include "os.h"
#include "program_bench.h"

static uint64_t barriers_of_step(int32_t type, int32_t layers, int32_t threads, int32_t tokens) {
    bench b;
    bench_open(&b, type, layers, threads);
    b.batch.num_tokens = tokens;
    uint64_t before = edge_threads_barrier_count(b.threads);
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    uint64_t count = edge_threads_barrier_count(b.threads) - before;
    bench_close(&b);
    return count;
}

/* DESIGN.md promises at most six per layer for one token and eight for a chunk. */
static void test_barriers(void) {
    static const struct {
        int32_t threads, tokens;
        uint64_t per_layer;
    } cases[] = {{1, 1, 5}, {2, 1, 5}, {3, 1, 5}, {2, 2, 6}, {2, 8, 6}, {2, 9, 8}, {2, 64, 8}, {3, 64, 8}};
    static const int32_t types[] = {EDGE_TYPE_Q8_0, EDGE_TYPE_Q4_K};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        int32_t type = types[i % 2], threads = cases[i / 2].threads, tokens = cases[i / 2].tokens;
        uint64_t one = barriers_of_step(type, 1, threads, tokens), three = barriers_of_step(type, 3, threads, tokens);
        CHECK(three - one == 2 * cases[i / 2].per_layer, "%d threads, %d tokens: %d barriers in two layers", threads,
              tokens, (int)(three - one));
    }
}

static void test_cancel(int32_t threads) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q8_0, 2, threads);
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    float before[40];
    memcpy(before, edge_program_logits(b.program), sizeof before);
    uint64_t all = edge_threads_barrier_count(b.threads), start = all;
    edge_program_cancel(b.program);
    CHECK(bench_step(&b) == EDGE_CANCELLED, "cancelled");
    CHECK(edge_threads_barrier_count(b.threads) - start < all, "it stops early");
    CHECK(bench_step(&b) == EDGE_OK, "the next step runs: %s", b.error.message);
    CHECK(check_first_difference(before, edge_program_logits(b.program), b.t.vocab) < 0, "and computes the same");
    bench_close(&b);
}

/* Cancels at random moments from another thread, while steps run. */
static void cancel_for_a_while(void *argument) {
    edge_program *program = argument;
    uint64_t start = edge_os_nanoseconds(), state = 5;
    while (edge_os_nanoseconds() - start < 50000000u) {
        for (int32_t i = random_int(&state, 0, 20000); i > 0; i--) {
            edge_os_pause();
        }
        edge_program_cancel(program);
    }
}

static void test_cancel_from_outside(void) {
    bench b;
    edge_os_thread other;
    int32_t cancelled = 0;
    bench_open(&b, EDGE_TYPE_Q8_0, 2, 2);
    b.batch.num_tokens = 4;
    CHECK(edge_os_thread_start(&other, cancel_for_a_while, b.program) == 0, "thread");
    for (int32_t i = 0; i < 200; i++) {
        edge_status status = bench_step(&b);
        CHECK(status == EDGE_OK || status == EDGE_CANCELLED, "status %d", status);
        cancelled += status == EDGE_CANCELLED;
    }
    edge_os_thread_join(&other);
    CHECK(cancelled > 0, "never cancelled");
    (void)bench_step(&b); /* takes a cancel that came late */
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    bench_close(&b);
}

/* A row of the embedding that is not a number: its logits are refused, others are not touched. */
static void test_nonfinite(int32_t threads) {
    bench b;
    bench_open(&b, EDGE_TYPE_F32, 1, threads);
    tiny *t = &b.t;
    float *rows = calloc((size_t)t->vocab * (size_t)t->hidden, sizeof(float));
    edge_weights *kept = t->weights[t->ops[0].weight[0]], *poisoned = NULL;
    for (int32_t i = 0; i < t->vocab; i++) {
        (void)edge_weights_row(kept, i, rows + (int64_t)i * t->hidden);
    }
    rows[7 * t->hidden + 3] = NAN;
    CHECK(edge_weights_create(&poisoned, EDGE_TYPE_F32, t->vocab, t->hidden, rows,
                              (uint64_t)t->vocab * (uint64_t)t->hidden * sizeof(float), NULL) == EDGE_OK,
          "weights");
    edge_program_destroy(&b.program);
    t->weights[t->ops[0].weight[0]] = poisoned;
    CHECK(edge_program_create(&b.program, &b.config, &b.error) == EDGE_OK, "%s", b.error.message);
    b.batch.num_tokens = 8;
    b.rows[0] = 6; /* does not see token 7 */
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    b.rows[0] = 7;
    CHECK(bench_step(&b) == EDGE_NONFINITE && b.error.message[0], "token 7");
    b.rows[0] = 6;
    CHECK(bench_step(&b) == EDGE_OK, "the next step runs: %s", b.error.message);
    edge_program_destroy(&b.program);
    t->weights[t->ops[0].weight[0]] = kept;
    edge_weights_destroy(&poisoned);
    free(rows);
    bench_close(&b);
}

/* Every allocation of create fails in turn; none leaks; a step allocates nothing. */
static void test_allocations(void) {
    bench b;
    bench_open(&b, EDGE_TYPE_Q4_0, 2, 2);
    int64_t before = edge_os_live();
    int32_t fail = 0;
    for (;; fail++) {
        edge_program *program = NULL;
        edge_os_fail_after(fail);
        edge_status status = edge_program_create(&program, &b.config, &b.error);
        edge_os_fail_after(-1);
        if (status == EDGE_OK) {
            edge_program_destroy(&program);
            break;
        }
        CHECK(status == EDGE_NO_MEMORY && !program && fail < 100, "failure %d: %d", fail, status);
        CHECK(edge_os_live() == before, "failure %d leaks", fail);
    }
    CHECK(fail > 10, "only %d allocations", fail);
    CHECK(edge_os_live() == before, "leak");
    CHECK(edge_program_bytes(b.program) > b.config.arena_bytes, "bytes");
    edge_os_fail_after(0);
    CHECK(bench_step(&b) == EDGE_OK, "a step allocates: %s", b.error.message);
    CHECK(edge_os_alloc(1) == NULL, "nothing was allocated meanwhile");
    bench_close(&b);
}

/* The sizes that edge/native/structs.py states too: Python packs these structs. */
static void test_struct_sizes(void) {
    CHECK(sizeof(edge_op) == 27 * 4, "edge_op");
    CHECK(sizeof(edge_buffer) == 16, "edge_buffer");
    CHECK(sizeof(edge_lora) == 11 * 4, "edge_lora");
    CHECK(sizeof(edge_error) == 256, "edge_error");
    CHECK(sizeof(edge_kv_config) == 5 * 4, "edge_kv_config");
    CHECK(sizeof(edge_rope) == 24 + sizeof(void *), "edge_rope");
    CHECK(sizeof(edge_program_config) == 5 * sizeof(void *) + 8 * 4 + 8 + 8 * 4 + 2 * 4, "edge_program_config");
    CHECK(sizeof(edge_batch) == 4 * 4 + 8 * sizeof(void *), "edge_batch");
    CHECK(sizeof(edge_sampling) == 6 * 4 + 3 * 8, "edge_sampling");
}

int main(void) {
    int64_t before = edge_os_live();
    test_struct_sizes();
    test_barriers();
    for (int32_t threads = 1; threads <= 3; threads++) {
        test_cancel(threads);
        test_nonfinite(threads);
    }
    test_cancel_from_outside();
    test_allocations();
    CHECK(edge_os_live() == before, "leak");
    return check_result("step");
}
