/* Streamed weights: the same bits as resident ones, whatever the ring, the threads and the reads; cancelled, cut and
 * failing streams end steps, not the process; programs that would use spans in another order are refused. */
#define _DEFAULT_SOURCE
#include "stream.h"

#include "files.h"
#include "os.h"
#include "program_bench.h"
#include "weights.h"

#define LAYERS       5
#define OPS_OF_LAYER 5   /* q k v, attention, o, gate up, down */
#define FIRST_OFFSET 448 /* of the file: a multiple of 64, and no boundary of a block */
#define MOST_LOGITS  (40 * 4)

/* A bench whose last layers are streamed from a file that holds all matrices. */
typedef struct streamed {
    bench b;
    int descriptor;
    uint64_t size;
    edge_region *region;
    edge_stream *stream;
    edge_span spans[LAYERS];
    int32_t num_spans;
    int32_t span_of[TINY_MAX_WEIGHTS]; /* -1: mapped */
    uint64_t offsets[TINY_MAX_WEIGHTS];
} streamed;

static int32_t layer_of(int32_t op) {
    return op == 0 || op > LAYERS * OPS_OF_LAYER ? -1 : (op - 1) / OPS_OF_LAYER;
}

/* Places the matrices one after the other, as operations use them; spans for the layers from `resident` on. */
static void place(streamed *s, int32_t resident) {
    uint64_t end = FIRST_OFFSET;
    for (int32_t op = 0; op < s->b.t.num_ops; op++) {
        int32_t span = layer_of(op) >= resident ? layer_of(op) - resident : -1;
        for (int32_t i = 0; i < 3; i++) {
            int32_t w = s->b.t.ops[op].weight[i];
            if (w < 0) {
                continue;
            }
            uint64_t bytes = edge_weights_packed_bytes(s->b.t.weights[w]);
            s->offsets[w] = end;
            s->span_of[w] = span;
            if (span >= s->num_spans) {
                s->spans[s->num_spans++] = (edge_span){end, 0};
            }
            if (span >= 0) {
                s->spans[span].bytes = end + bytes - s->spans[span].offset;
            }
            end += (bytes + 63) / 64 * 64;
        }
    }
    s->size = end + EDGE_OVERREAD;
}

static void write_file(streamed *s) {
    uint8_t *bytes = calloc(1, s->size);
    memset(bytes, 0x5a, s->size);
    for (int32_t i = 0; i < s->b.t.num_weights; i++) {
        edge_weights *it = s->b.t.weights[i];
        if (!it->is_vector) {
            memcpy(bytes + s->offsets[i], edge_weights_data(it), edge_weights_packed_bytes(it));
        }
    }
    s->descriptor = file_of(bytes, s->size);
    free(bytes);
    CHECK(edge_region_map(&s->region, s->descriptor, s->size) == EDGE_OK, "map");
}

static void move_weights(streamed *s) {
    for (int32_t i = 0; i < s->b.t.num_weights; i++) {
        edge_weights *it = s->b.t.weights[i], *moved = NULL;
        if (it->is_vector) {
            continue;
        }
        edge_status status =
            s->span_of[i] < 0
                ? edge_weights_map(&moved, it->type, it->rows, it->cols, s->region, s->offsets[i])
                : edge_weights_stream(&moved, it->type, it->rows, it->cols, s->stream, s->span_of[i], s->offsets[i]);
        CHECK(status == EDGE_OK, "weight %d: %d", (int)i, status);
        CHECK((edge_weights_data(moved) == NULL) == (s->span_of[i] >= 0), "data of weight %d", (int)i);
        edge_weights_destroy(&s->b.t.weights[i]);
        s->b.t.weights[i] = moved;
    }
}

static void open_streamed(streamed *s, int32_t type, int32_t threads, int32_t resident, int32_t slots,
                          int32_t buffered) {
    memset(s, 0, sizeof *s);
    bench_open(&s->b, type, LAYERS, threads);
    place(s, resident);
    write_file(s);
    CHECK(edge_stream_create(&s->stream, s->region, s->descriptor, s->spans, s->num_spans, slots, buffered) == EDGE_OK,
          "stream");
    move_weights(s);
    edge_program_destroy(&s->b.program);
    CHECK(edge_program_create(&s->b.program, &s->b.config, &s->b.error) == EDGE_OK, "%s", s->b.error.message);
}

static void close_streamed(streamed *s) {
    bench_close(&s->b);
    edge_stream_destroy(&s->stream);
    edge_region_destroy(&s->region);
    (void)close(s->descriptor);
}

/* A prompt of nine tokens, four single tokens, a step without logits; the logits of all. */
static edge_status run_steps(bench *b, float *logits) {
    static const int32_t counts[] = {9, 1, 1, 1, 1, 2};
    memset(logits, 0, MOST_LOGITS * sizeof *logits);
    for (int32_t i = 0, at = 0; i < 6; i++) {
        b->batch.num_tokens = counts[i];
        b->batch.num_logits = i < 5;
        for (int32_t t = 0; t < counts[i]; t++) {
            b->positions[t] = i < 5 ? at + t : t;
        }
        b->rows[0] = counts[i] - 1;
        edge_status status = bench_step(b);
        if (status != EDGE_OK) {
            return status;
        }
        if (i > 0 && i < 5) {
            memcpy(logits + (i - 1) * 40, edge_program_logits(b->program), 40 * sizeof *logits);
        }
        at += counts[i];
    }
    return EDGE_OK;
}

static void expected_logits(int32_t type, float *logits) {
    bench b;
    bench_open(&b, type, LAYERS, 1);
    CHECK(run_steps(&b, logits) == EDGE_OK, "%s", b.error.message);
    bench_close(&b);
}

static void check_same(streamed *s, const float *expected, const char *what) {
    float logits[MOST_LOGITS];
    CHECK(run_steps(&s->b, logits) == EDGE_OK, "%s: %s", what, s->b.error.message);
    CHECK(check_first_difference(expected, logits, MOST_LOGITS) < 0, "%s: other logits", what);
}

static void test_equal(int32_t type, int32_t rounds) {
    float expected[MOST_LOGITS];
    expected_logits(type, expected);
    for (int32_t round = 0; round < rounds; round++) {
        streamed s;
        int32_t threads = 1 + round % 3, resident = round % LAYERS, slots = 2 + round / 2 % 3;
        open_streamed(&s, type, threads, resident, slots, round % 2);
        check_same(&s, expected, "once");
        check_same(&s, expected, "twice");
        CHECK(round % 2 == 0 || !edge_stream_is_direct(s.stream), "buffered as asked");
        close_streamed(&s);
    }
}

static void test_reads_that_are_short_or_refused(void) {
    float expected[MOST_LOGITS];
    edge_os_read_faults *faults = edge_os_faults();
    expected_logits(EDGE_TYPE_Q8_0, expected);
    for (int32_t i = 0; i < 4; i++) {
        streamed s;
        faults->most = i == 0 ? 3 * 4096 + 100 : 0;
        faults->refuse_direct = i == 1;
        atomic_store(&faults->refuse_reads, i == 2);
        open_streamed(&s, EDGE_TYPE_Q8_0, 2, 1, 2, 0);
        check_same(&s, expected, "disturbed reads");
        CHECK((i != 1 && i != 2) || !edge_stream_is_direct(s.stream), "refused, and said");
        close_streamed(&s);
    }
    faults->most = 0;
}

static void test_cancel_while_waiting(int32_t threads) {
    float expected[MOST_LOGITS];
    edge_os_read_faults *faults = edge_os_faults();
    streamed s;
    expected_logits(EDGE_TYPE_Q4_K, expected);
    atomic_store(&faults->hold, 1);
    open_streamed(&s, EDGE_TYPE_Q4_K, threads, 1, 2, 0);
    s.b.batch.num_tokens = 4;
    for (int32_t i = 0; i < 3; i++) { /* nothing can be read: each of them waits until it is cancelled */
        edge_program_cancel(s.b.program);
        CHECK(bench_step(&s.b) == EDGE_CANCELLED, "cancelled");
    }
    atomic_store(&faults->hold, 0);
    check_same(&s, expected, "after steps that were cancelled");
    close_streamed(&s);
}

static void cancel_after_a_moment(void *argument) {
    uint64_t start = edge_os_nanoseconds();
    while (edge_os_nanoseconds() - start < 5000000u) {
        edge_os_pause();
    }
    edge_program_cancel(argument);
}

static void test_cancel_from_outside(int32_t threads) {
    edge_os_read_faults *faults = edge_os_faults();
    float expected[MOST_LOGITS];
    edge_os_thread other;
    streamed s;
    expected_logits(EDGE_TYPE_Q8_0, expected);
    atomic_store(&faults->hold, 1);
    open_streamed(&s, EDGE_TYPE_Q8_0, threads, 2, 2, 0);
    s.b.batch.num_tokens = 1;
    CHECK(edge_os_thread_start(&other, cancel_after_a_moment, s.b.program) == 0, "thread");
    CHECK(bench_step(&s.b) == EDGE_CANCELLED, "it waited, and was woken");
    edge_os_thread_join(&other);
    atomic_store(&faults->hold, 0);
    check_same(&s, expected, "after it was woken");
    close_streamed(&s);
}

static void cancel_for_a_while(void *argument) {
    uint64_t start = edge_os_nanoseconds(), state = 5;
    while (edge_os_nanoseconds() - start < 50000000u) {
        for (int32_t i = random_int(&state, 0, 20000); i > 0; i--) {
            edge_os_pause();
        }
        edge_program_cancel(argument);
    }
}

static void test_cancel_at_any_moment(int32_t rounds) {
    float expected[MOST_LOGITS], logits[MOST_LOGITS];
    edge_os_thread other;
    streamed s;
    expected_logits(EDGE_TYPE_Q8_0, expected);
    open_streamed(&s, EDGE_TYPE_Q8_0, 2, 1, 2, 0);
    for (int32_t round = 0; round < rounds; round++) {
        int32_t cancelled = 0;
        CHECK(edge_os_thread_start(&other, cancel_for_a_while, s.b.program) == 0, "thread");
        for (int32_t i = 0; i < 10; i++) {
            edge_status status = run_steps(&s.b, logits);
            CHECK(status == EDGE_OK || status == EDGE_CANCELLED, "status %d: %s", status, s.b.error.message);
            cancelled += status == EDGE_CANCELLED;
        }
        edge_os_thread_join(&other);
        CHECK(cancelled > 0, "never cancelled");
        (void)run_steps(&s.b, logits); /* takes a cancel that came late */
        check_same(&s, expected, "after many cancelled steps");
    }
    close_streamed(&s);
}

static void test_cut(int32_t threads) {
    const double kept[] = {0, 0.3, 0.6, 0.95};
    for (int32_t i = 0; i < 4; i++) {
        float logits[MOST_LOGITS];
        streamed s;
        open_streamed(&s, EDGE_TYPE_Q8_0, threads, 1, 2, i % 2);
        CHECK(run_steps(&s.b, logits) == EDGE_OK, "%s", s.b.error.message);
        file_cut(s.descriptor, (size_t)((double)s.size * kept[i]));
        for (int32_t again = 0; again < 3; again++) {
            CHECK(run_steps(&s.b, logits) == EDGE_FILE_LOST, "cut to %g", kept[i]);
            CHECK(s.b.error.message[0] != 0, "and says so");
        }
        close_streamed(&s);
    }
}

/* Too short when the reader came by, whole again when the step looks: what was missed stays missed. */
static void test_ended(int32_t threads) {
    edge_os_read_faults *faults = edge_os_faults();
    float logits[MOST_LOGITS];
    uint8_t tail[EDGE_OVERREAD];
    uint64_t at = 0;
    streamed s;
    atomic_store(&faults->hold, 1);
    open_streamed(&s, EDGE_TYPE_Q8_0, threads, 1, 2, 0);
    memset(tail, 0x5a, sizeof tail);
    file_cut(s.descriptor, s.spans[1].offset + 5000);
    atomic_store(&faults->hold, 0);
    while (edge_stream_failure(s.stream, &at) == 0) {
        edge_os_pause();
    }
    file_cut(s.descriptor, s.size);
    CHECK(pwrite(s.descriptor, tail, sizeof tail, (off_t)(s.size - sizeof tail)) == (ssize_t)sizeof tail, "pwrite");
    CHECK(edge_region_readable(s.region) == s.size, "the region cannot tell");
    for (int32_t again = 0; again < 2; again++) {
        CHECK(run_steps(&s.b, logits) == EDGE_FILE_LOST, "ended");
        CHECK(strstr(s.b.error.message, "ends at byte") != NULL, "%s", s.b.error.message);
    }
    CHECK(edge_stream_failure(s.stream, &at) == EDGE_READ_ENDED, "ended");
    CHECK(at >= s.spans[1].offset / 4096 * 4096 && at <= s.spans[1].offset + 5000, "at byte %d", (int)at);
    close_streamed(&s);
}

/* What the disk cannot give, at reads of the first pass and of later ones. */
static void test_read_errors(int32_t threads) {
    for (int64_t fail = 0; fail < 3 * (LAYERS - 1); fail += 1 + fail / 2) {
        edge_os_read_faults *faults = edge_os_faults();
        float logits[MOST_LOGITS];
        streamed s;
        uint64_t at;
        atomic_store(&faults->until_failure, fail);
        open_streamed(&s, EDGE_TYPE_Q8_0, threads, 1, 2, 0);
        for (int32_t again = 0; again < 2; again++) {
            CHECK(run_steps(&s.b, logits) == EDGE_FILE_LOST, "read %d failed", (int)fail);
            CHECK(strstr(s.b.error.message, "cannot be read: error") != NULL, "%s", s.b.error.message);
        }
        CHECK(edge_stream_failure(s.stream, &at) > 0 && at < s.size, "place %d", (int)at);
        atomic_store(&faults->until_failure, -1);
        close_streamed(&s);
    }
}

static void test_sizes(void) {
    const edge_span good[] = {{448, 10000}, {10496, 64}};
    const edge_span bad[][1] = {
        {{64, 0}}, {{UINT64_MAX, 10}}, {{10, UINT64_MAX}}, {{(uint64_t)1 << 61, (uint64_t)1 << 61}}};
    uint64_t bytes = 0;
    CHECK(edge_stream_sizes(good, 2, 3, &bytes) == EDGE_OK, "sizes");
    CHECK(bytes == 3 * 12288 + 4096, "%d bytes", (int)bytes);
    CHECK(edge_stream_sizes(good, 0, 2, &bytes) == EDGE_INVALID, "no span");
    CHECK(edge_stream_sizes(NULL, 2, 2, &bytes) == EDGE_INVALID, "no spans");
    CHECK(edge_stream_sizes(good, 2, 1, &bytes) == EDGE_INVALID, "one slot");
    CHECK(edge_stream_sizes(good, 2, EDGE_MAX_SLOTS + 1, &bytes) == EDGE_INVALID, "too many slots");
    CHECK(edge_stream_sizes(good, EDGE_MAX_SPANS + 1, 2, &bytes) == EDGE_INVALID, "too many spans");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(edge_stream_sizes(bad[i], 1, 2, &bytes) == EDGE_INVALID, "case %d", (int)i);
    }
}

/* Every allocation, thread and descriptor of create fails in turn. */
static void test_allocations(void) {
    streamed s;
    open_streamed(&s, EDGE_TYPE_Q4_0, 1, 1, 2, 0);
    const edge_span outside = {s.size - 10, 11};
    edge_stream *other = NULL;
    CHECK(edge_stream_create(&other, s.region, s.descriptor, &outside, 1, 2, 0) == EDGE_INVALID, "outside");
    CHECK(edge_stream_create(&other, NULL, s.descriptor, s.spans, s.num_spans, 2, 0) == EDGE_INVALID, "no file");
    int64_t before = edge_os_live();
    int32_t fail = 0;
    for (edge_status status = EDGE_NO_MEMORY; status != EDGE_OK; fail++) {
        edge_os_fail_after(fail);
        status = edge_stream_create(&other, s.region, s.descriptor, s.spans, s.num_spans, 2, 0);
        edge_os_fail_after(-1);
        CHECK(status == EDGE_OK || (status == EDGE_NO_MEMORY && !other), "failure %d: %d", fail, status);
        CHECK(status == EDGE_OK || edge_os_live() == before, "failure %d leaks", fail);
    }
    CHECK(fail > 5, "only %d allocations", fail);
    edge_stream_destroy(&other); /* at once, while it reads */
    CHECK(edge_os_live() == before, "leak");
    close_streamed(&s);
}

static void test_weights(void) {
    streamed s;
    open_streamed(&s, EDGE_TYPE_Q8_0, 1, 1, 2, 0);
    const edge_weights *it = s.b.t.weights[s.b.t.ops[1 + OPS_OF_LAYER].weight[0]];
    edge_weights *other = NULL;
    float row[256];
    uint64_t at = s.spans[0].offset, end = at + s.spans[0].bytes;
    const struct {
        int32_t type;
        int64_t rows;
        int32_t span;
        uint64_t offset;
        edge_status status;
    } cases[] = {{it->type, 16, 0, at, EDGE_OK},
                 {it->type, it->rows, 0, at, EDGE_OK},
                 {it->type, 16, -1, at, EDGE_INVALID},
                 {it->type, 16, s.num_spans, at, EDGE_INVALID},
                 {it->type, 16, 0, at + 1, EDGE_INVALID},
                 {it->type, 16, 0, at - 64, EDGE_INVALID},
                 {it->type, 16, 0, end / 64 * 64, EDGE_INVALID},
                 {it->type, 16, 0, end / 64 * 64 + 640, EDGE_INVALID},
                 {it->type, 16, 1, at, EDGE_INVALID},
                 {it->type, 1 << 20, 0, at, EDGE_INVALID},
                 {it->type, 0, 0, at, EDGE_INVALID},
                 {99, 16, 0, at, EDGE_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        edge_status status = edge_weights_stream(&other, cases[i].type, cases[i].rows, it->cols, s.stream,
                                                 cases[i].span, cases[i].offset);
        CHECK(status == cases[i].status && (status == EDGE_OK) == (other != NULL), "case %d: %d", (int)i, status);
        edge_weights_destroy(&other);
    }
    CHECK(edge_weights_row(it, 0, row) == EDGE_INVALID, "a row of a streamed matrix");
    close_streamed(&s);
}

static void check_refused(streamed *s, const char *says) {
    edge_program *program = NULL;
    edge_status status = edge_program_create(&program, &s->b.config, &s->b.error);
    CHECK(status == EDGE_INVALID && !program, "%s: status %d", says, status);
    CHECK(strstr(s->b.error.message, says) != NULL, "%s: %s", says, s->b.error.message);
}

static void test_rules(void) {
    streamed s;
    open_streamed(&s, EDGE_TYPE_Q8_0, 1, 1, 2, 0);
    check_refused(&s, "belongs to another program");
    edge_program_destroy(&s.b.program);
    edge_op *ops = s.b.t.ops, *second = &ops[1 + OPS_OF_LAYER], *third = second + OPS_OF_LAYER;
    int32_t head = s.b.t.num_ops - 1;

    const edge_op kept = *second, kept_third = *third;
    memcpy(second->weight, kept_third.weight, sizeof kept.weight); /* span 1 before span 0 */
    check_refused(&s, "span 1 follows on span -1");
    second->weight[0] = kept.weight[0];
    check_refused(&s, "matrices in spans 0 and 1");
    *second = kept;
    memcpy(third->weight, kept.weight, sizeof kept.weight); /* fine so far: span 0 again, and then span 1 */
    edge_program *program = NULL;
    CHECK(edge_program_create(&program, &s.b.config, &s.b.error) == EDGE_OK, "%s", s.b.error.message);
    edge_program_destroy(&program);
    *third = kept_third;

    edge_op *last = &ops[LAYERS * OPS_OF_LAYER - OPS_OF_LAYER + 1], *before = last - OPS_OF_LAYER;
    edge_op layer[OPS_OF_LAYER];
    memcpy(layer, last, sizeof layer);
    for (int32_t i = 0; i < OPS_OF_LAYER; i++) {
        memcpy(last[i].weight, before[i].weight, sizeof last[i].weight);
    }
    check_refused(&s, "3 of 4 spans");
    memcpy(last, layer, sizeof layer);

    /* The embedding and the head in a stream of their own: neither may be. */
    edge_stream *other = NULL;
    const edge_span whole = {0, s.size};
    CHECK(edge_stream_create(&other, s.region, s.descriptor, &whole, 1, 2, 0) == EDGE_OK, "stream");
    for (int32_t i = 0; i < 2; i++) {
        int32_t w = ops[i == 0 ? 0 : head].weight[0];
        edge_weights *resident = s.b.t.weights[w], *moved = NULL;
        CHECK(edge_weights_stream(&moved, resident->type, resident->rows, resident->cols, other, 0, s.offsets[w]) ==
                  EDGE_OK,
              "weights");
        s.b.t.weights[w] = moved;
        check_refused(&s, i == 0 ? "looked up in a matrix that is streamed" : "two streams");
        s.b.t.weights[w] = resident;
        edge_weights_destroy(&moved);
    }
    edge_stream_destroy(&other);
    close_streamed(&s);

    /* The head alone is streamed. */
    open_streamed(&s, EDGE_TYPE_Q8_0, 1, LAYERS - 1, 2, 0);
    edge_program_destroy(&s.b.program);
    int32_t w = ops[head].weight[0];
    for (int32_t i = 0; i < s.b.t.num_weights; i++) {
        edge_weights *it = s.b.t.weights[i];
        if (it->stream) {
            CHECK(edge_weights_map(&s.b.t.weights[i], it->type, it->rows, it->cols, s.region, s.offsets[i]) == EDGE_OK,
                  "weight %d", (int)i);
            edge_weights_destroy(&it);
        }
    }
    const edge_span only = {s.offsets[w], s.size - s.offsets[w]};
    CHECK(edge_stream_create(&other, s.region, s.descriptor, &only, 1, 2, 0) == EDGE_OK, "stream");
    edge_weights *resident = s.b.t.weights[w];
    CHECK(edge_weights_stream(&s.b.t.weights[w], resident->type, resident->rows, resident->cols, other, 0,
                              s.offsets[w]) == EDGE_OK,
          "weights");
    check_refused(&s, "rows of logits");
    edge_weights_destroy(&s.b.t.weights[w]);
    s.b.t.weights[w] = resident;
    edge_stream_destroy(&other);
    close_streamed(&s);
}

int main(int argc, char **argv) {
    int32_t rounds = check_cases(argc, argv, 10);
    int64_t before = edge_os_live();
    test_sizes();
    static const int32_t types[] = {EDGE_TYPE_Q8_0, EDGE_TYPE_Q4_K, EDGE_TYPE_F32};
    for (int32_t i = 0; i < 3; i++) {
        test_equal(types[i], rounds);
    }
    test_reads_that_are_short_or_refused();
    test_allocations();
    test_weights();
    test_rules();
    for (int32_t threads = 1; threads <= 2; threads++) {
        test_cancel_while_waiting(threads);
        test_cancel_from_outside(threads);
        test_cut(threads);
        test_ended(threads);
        test_read_errors(threads);
    }
    test_cancel_at_any_moment(rounds / 10 + 1);
    CHECK(edge_os_live() == before, "leak");
    return check_result("stream");
}
