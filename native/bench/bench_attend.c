/* Speed of attention as a step of the engine runs it, over layers that hold nothing else, and what share that is of the
 * limits measured in the same program: one token must read the K and V of its sequence; a chunk of tokens multiplies
 * and adds, floats for F16, and for Q8 integers for the scores and floats for the values. K and V are evicted from the
 * caches before every repeat.
 * Usage: bench_attend [heads] [kv_heads] [head_dim] [threads] [repeats] [isa]; without isa all levels of this CPU.
 * Prints the minimum and the median over so many repeats as fit a second, three or more. */
#include <math.h>
#include <stdio.h>

#include "bench.h"
#include "edge/measure.h"
#include "kv.h"
#include "tiny.h"

#define NUM_LAYERS   8 /* that one token goes through; a chunk takes the first */
#define MAX_DEPTH    4096
#define MAX_TOKENS   256
#define MAX_BLOCKS   (MAX_DEPTH / EDGE_KV_BLOCK_SIZE)
#define CASE_SECONDS 1.0

static const struct {
    int32_t tokens, depth; /* the last token sees so many positions */
} runs[] = {{1, 512}, {1, MAX_DEPTH}, {64, 512}, {64, MAX_DEPTH}, {MAX_TOKENS, 512}, {MAX_TOKENS, MAX_DEPTH}};

static const struct {
    const char *name;
    int32_t type;
} kv_types[] = {{"F16", EDGE_KV_F16}, {"Q8", EDGE_KV_Q8}, {"Q4", EDGE_KV_Q4}};

typedef struct options {
    int32_t heads, kv_heads, head_dim, threads, repeats;
    const char *isa;
} options;

typedef struct limits {
    double reads, integers, floats; /* bytes and multiply-adds a second */
} limits;

typedef struct bench {
    tiny model;
    edge_threads *threads;
    edge_program *program;
    edge_kv *kv;
    eviction evicts;
    uint64_t *times;
    int32_t ids[MAX_TOKENS], positions[MAX_TOKENS], sequences[MAX_TOKENS], row, table[MAX_BLOCKS];
} bench;

/* q, k and v from tables, attention of `layers` layers over them, one row of logits. */
static void make_model(tiny *t, const options *o, int32_t kv_type, int32_t layers) {
    int32_t widths[3] = {o->heads * o->head_dim, o->kv_heads * o->head_dim, o->kv_heads * o->head_dim}, in[3];
    memset(t, 0, sizeof *t);
    t->state = 1;
    t->plain = 1;
    t->forced_type = EDGE_TYPE_F32;
    t->vocab = 16;
    t->num_heads = o->heads;
    t->num_kv_heads = o->kv_heads;
    t->head_dim = o->head_dim;
    t->num_layers = NUM_LAYERS;
    t->kv_type = kv_type;
    t->frequency_scale[0] = 1.0;
    t->rope = (edge_rope){.theta = 10000.0, .dims = 2, .magnitude = 1.0f, .frequency_scale = t->frequency_scale};
    for (int32_t i = 0; i < 3; i++) {
        edge_op *op = tiny_op(t, EDGE_OP_EMBED);
        op->weight[0] = tiny_matrix(t, t->vocab, widths[i]);
        op->out[0] = in[i] = tiny_buffer(t, widths[i], 0);
    }
    const int32_t out = tiny_buffer(t, widths[0], 0);
    for (int32_t layer = 0; layer < layers; layer++) {
        edge_op *op = tiny_op(t, EDGE_OP_ATTENTION);
        memcpy(op->in, in, sizeof in);
        op->out[0] = out;
        op->layer = op->kv_source_layer = layer;
        op->num_heads = o->heads;
        op->num_kv_heads = o->kv_heads;
        op->head_dim = o->head_dim;
        op->scale = 1.0f / sqrtf((float)o->head_dim);
    }
    edge_op *op = tiny_op(t, EDGE_OP_SELECT_ROWS);
    op->in[0] = out;
    op->out[0] = tiny_buffer(t, widths[0], 1);
    t->logits_buffer = tiny_linear(t, op->out[0], 0, t->vocab, -1, 1);
}

/* Keys and values of every position: halves below 1 that are not subnormal, or any codes with one scale. */
static void fill_kv(edge_kv *kv) {
    const uint64_t bytes = kv->block_bytes * (uint64_t)kv->config.num_blocks;
    const float scale = 0.01f;
    uint64_t state = 2;
    for (uint64_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t word = random_u64(&state);
        word = kv->config.type == EDGE_KV_F16 ? (word & 0x9bff9bff9bff9bffu) | 0x2000200020002000u
                                              : word & 0xbfbfbfbfbfbfbfbfu; /* no code is -128 */
        memcpy(kv->arena + i, &word, sizeof word);
    }
    for (uint64_t head = 0; edge_kv_has_codes(kv->config.type) && head < bytes; head += kv->head_bytes) {
        for (uint64_t t = 0; t < EDGE_KV_BLOCK_SIZE; t++) {
            memcpy(kv->arena + head + t * sizeof scale, &scale, sizeof scale);
        }
    }
}

static edge_status open_bench(bench *b, const options *o, edge_isa isa, int32_t kv_type, int32_t layers) {
    edge_error error = {""};
    make_model(&b->model, o, kv_type, layers);
    edge_program_config config = tiny_config(&b->model, isa, MAX_TOKENS, 1, 1, o->threads);
    config.max_positions = MAX_DEPTH;
    const edge_kv_config kv = {kv_type, NUM_LAYERS, o->kv_heads, o->head_dim, MAX_BLOCKS};
    edge_status status = edge_program_create(&b->program, &config, &error);
    if (status == EDGE_OK) {
        status = edge_kv_create(&b->kv, &kv);
    }
    if (status == EDGE_OK) {
        fill_kv(b->kv);
    } else {
        fprintf(stderr, "attention cannot be set up (%d) %s\n", (int)status, error.message);
    }
    return status;
}

static void close_bench(bench *b) {
    edge_program_destroy(&b->program);
    edge_kv_destroy(&b->kv);
    tiny_free(&b->model);
}

/* One case, `repeats` times or as often as fits CASE_SECONDS, into b->times; returns how often, 0 when a step failed.
 */
static int32_t time_case(bench *b, int32_t tokens, int32_t depth, int32_t repeats) {
    edge_error error = {""};
    double seconds = 0.0;
    int32_t n = -1; /* one to warm up */
    for (int32_t i = 0; i < tokens; i++) {
        b->ids[i] = i % b->model.vocab;
        b->positions[i] = depth - tokens + i;
        b->sequences[i] = 0;
    }
    b->row = tokens - 1;
    const edge_batch batch = {tokens,       1,        MAX_BLOCKS, 1,    b->ids, b->positions,
                              b->sequences, b->table, &b->row,    NULL, NULL,   NULL};
    for (; n < repeats && (n < 3 || seconds < CASE_SECONDS); n++) {
        edge_threads_run(b->threads, evict, &b->evicts);
        const uint64_t start = edge_os_nanoseconds();
        const edge_status status = edge_program_step(b->program, b->threads, b->kv, &batch, &error);
        const uint64_t taken = edge_os_nanoseconds() - start;
        if (status != EDGE_OK) {
            fprintf(stderr, "a step failed (%d) %s\n", (int)status, error.message);
            return 0;
        }
        b->times[n < 0 ? 0 : n] = taken;
        seconds += 1e-9 * (double)taken;
    }
    qsort(b->times, (size_t)n, sizeof b->times[0], compare_times);
    return n;
}

/* One line of the table; 0 when the case could not be run. */
static int run_case(bench *b, const options *o, const limits *at_most, const char *isa, size_t type, size_t run) {
    const int32_t tokens = runs[run].tokens, depth = runs[run].depth, layers = tokens == 1 ? NUM_LAYERS : 1;
    const int32_t n = time_case(b, tokens, depth, o->repeats);
    if (n == 0) {
        return 0;
    }
    const double median = (double)b->times[n / 2]; /* nanoseconds: bytes and multiply-adds in one are 10^9 a second */
    const double bytes = (double)layers * depth / EDGE_KV_BLOCK_SIZE * 2.0 * o->kv_heads * (double)b->kv->head_bytes;
    const double seen = (double)tokens * depth - 0.5 * tokens * (tokens - 1.0); /* positions, of all tokens together */
    const double macs = 2.0 * layers * seen * o->heads * o->head_dim;           /* scores, and values */
    const double scores = edge_kv_has_codes(kv_types[type].type) ? at_most->integers : at_most->floats;
    const double limit = 0.5e9 * macs / scores + 0.5e9 * macs / at_most->floats; /* nanoseconds */
    printf("%-10s %-4s %6d %6d %8.3f %9.3f %6d %7.2f %6.0f %%  %11.2f %5.0f %%\n", isa, kv_types[type].name, tokens,
           depth, (double)b->times[0] / 1e6, median / 1e6, n, bytes / median, 1e11 * bytes / median / at_most->reads,
           macs / median, 100.0 * limit / median);
    return 1;
}

/* All cases of a level; 0 when one could not be run. */
static int run_level(bench *b, const options *o, edge_isa isa) {
    limits at_most;
    if (edge_measure_read(b->threads, isa, EVICT_BYTES, 1, MEASURE_SECONDS, &at_most.reads) != EDGE_OK ||
        edge_measure_integer_peak(b->threads, isa, MEASURE_SECONDS, &at_most.integers) != EDGE_OK ||
        edge_measure_float_peak(b->threads, isa, MEASURE_SECONDS, &at_most.floats) != EDGE_OK) {
        fprintf(stderr, "the limits cannot be measured\n");
        return 0;
    }
    printf("%s: memory reads %.2f GB/s, integer peak %.1f, float peak %.1f G multiply-adds/s\n", edge_isa_name(isa),
           at_most.reads / 1e9, at_most.integers / 1e9, at_most.floats / 1e9);
    int is_good = 1;
    b->evicts.kernels = edge_kernels_get(isa);
    for (size_t type = 0; is_good && type < sizeof kv_types / sizeof kv_types[0]; type++) {
        for (size_t run = 0; is_good && run < sizeof runs / sizeof runs[0]; run++) {
            const int32_t layers = runs[run].tokens == 1 ? NUM_LAYERS : 1;
            is_good = open_bench(b, o, isa, kv_types[type].type, layers) == EDGE_OK &&
                      run_case(b, o, &at_most, edge_isa_name(isa), type, run);
            close_bench(b);
        }
    }
    return is_good;
}

int main(int argc, char **argv) {
    const options o = {.heads = argc > 1 ? atoi(argv[1]) : 32,
                       .kv_heads = argc > 2 ? atoi(argv[2]) : 4,
                       .head_dim = argc > 3 ? atoi(argv[3]) : 64,
                       .threads = argc > 4 ? atoi(argv[4]) : 1,
                       .repeats = argc > 5 ? atoi(argv[5]) : 20,
                       .isa = argc > 6 ? argv[6] : NULL};
    static bench b;
    edge_isa only = EDGE_ISA_COUNT;
    edge_error error = {""};
    if ((o.isa && edge_isa_select(o.isa, &only, &error) != EDGE_OK) || o.heads < 1 || o.kv_heads < 1 ||
        o.head_dim < 1 || o.repeats < 1 || edge_threads_create(&b.threads, o.threads) != EDGE_OK) {
        fprintf(stderr, "bench_attend [heads] [kv_heads] [head_dim] [threads] [repeats] [isa] %s\n", error.message);
        return 2;
    }
    b.times = edge_os_alloc((uint64_t)o.repeats * sizeof b.times[0]);
    b.evicts.memory = make_eviction();
    if (!b.times || !b.evicts.memory) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    for (int32_t i = 0; i < MAX_BLOCKS; i++) {
        b.table[i] = i;
    }
    printf("%d heads of %d over %d of K and V, %d threads, %d layers for one token, 1 for a chunk\n", o.heads,
           o.head_dim, o.kv_heads, o.threads, NUM_LAYERS);
    printf("isa        KV   tokens  depth   min ms median ms repeats GB/s of reads   G mul-add/s of peak   (of the "
           "medians)\n");
    int is_good = 1;
    for (int32_t isa = EDGE_ISA_SCALAR; is_good && isa < EDGE_ISA_COUNT; isa++) {
        if (edge_isa_supported((edge_isa)isa) && (!o.isa || isa == (int32_t)only)) {
            is_good = run_level(&b, &o, (edge_isa)isa);
        }
    }
    edge_threads_destroy(&b.threads);
    edge_os_free(b.evicts.memory, EVICT_BYTES);
    edge_os_free(b.times, (uint64_t)o.repeats * sizeof b.times[0]);
    return is_good ? 0 : 1;
}
