/* Speed of the matrix kernels over whole matrices, and what share that is of the two limits measured in the same
 * program: memory reads, and the integer dot product of the level. A matrix is evicted from the caches before every
 * repeat, as the rest of a model does it between two steps.
 * Usage: bench_matmul [rows] [cols] [threads] [repeats] [isa] [type]. Prints the minimum and the median over repeats.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts.h"
#include "bench.h"
#include "edge/measure.h"
#include "random.h"
#include "weights.h"

static const struct {
    const char *name;
    edge_type type;
} types[] = {
    {"F32", EDGE_TYPE_F32},       {"F16", EDGE_TYPE_F16},         {"BF16", EDGE_TYPE_BF16},
    {"Q8_0", EDGE_TYPE_Q8_0},     {"Q4_0", EDGE_TYPE_Q4_0},       {"Q4_1", EDGE_TYPE_Q4_1},
    {"Q5_0", EDGE_TYPE_Q5_0},     {"Q5_1", EDGE_TYPE_Q5_1},       {"Q1_0", EDGE_TYPE_Q1_0},
    {"Q2_0", EDGE_TYPE_Q2_0},     {"IQ4_NL", EDGE_TYPE_IQ4_NL},   {"MXFP4", EDGE_TYPE_MXFP4},
    {"NVFP4", EDGE_TYPE_NVFP4},   {"Q2_K", EDGE_TYPE_Q2_K},       {"Q3_K", EDGE_TYPE_Q3_K},
    {"Q4_K", EDGE_TYPE_Q4_K},     {"Q5_K", EDGE_TYPE_Q5_K},       {"Q6_K", EDGE_TYPE_Q6_K},
    {"TQ2_0", EDGE_TYPE_TQ2_0},   {"TQ1_0", EDGE_TYPE_TQ1_0},     {"IQ4_XS", EDGE_TYPE_IQ4_XS},
    {"IQ3_S", EDGE_TYPE_IQ3_S},   {"IQ3_XXS", EDGE_TYPE_IQ3_XXS}, {"IQ2_XXS", EDGE_TYPE_IQ2_XXS},
    {"IQ2_XS", EDGE_TYPE_IQ2_XS}, {"IQ2_S", EDGE_TYPE_IQ2_S},     {"IQ1_S", EDGE_TYPE_IQ1_S},
    {"IQ1_M", EDGE_TYPE_IQ1_M},
};
static const struct {
    const char *name;
    edge_shape shape;
    int32_t tile_rows; /* at once */
    int32_t tokens;
} runs[] = {{"1x16", EDGE_SHAPE_1X16, 1, 1},    {"8x16", EDGE_SHAPE_8X16, 1, 2},   {"8x16", EDGE_SHAPE_8X16, 1, 4},
            {"8x16", EDGE_SHAPE_8X16, 1, 8},    {"64x32", EDGE_SHAPE_64X16, 2, 8}, {"64x32", EDGE_SHAPE_64X16, 2, 16},
            {"64x16", EDGE_SHAPE_64X16, 1, 64}, {"64x32", EDGE_SHAPE_64X16, 2, 64}};

typedef struct job {
    const edge_weights *weights;
    edge_matmul_fn *matmul;
    edge_acts acts;
    float *out; /* per thread: 64 x 32 */
    int32_t tile_rows;
    int32_t tokens;
} job;

static void multiply(void *context, int32_t index, int32_t count) {
    const job *it = context;
    const edge_weights *weights = it->weights;
    const int64_t tile_rows = (weights->rows + EDGE_TILE_ROWS - 1) / EDGE_TILE_ROWS / it->tile_rows;
    float *out = it->out + (int64_t)index * 2 * EDGE_CHUNK_TOKENS * EDGE_TILE_ROWS;
    for (int64_t at = tile_rows * index / count; at < tile_rows * (index + 1) / count; at++) {
        const int64_t i = at * it->tile_rows;
        it->matmul(out, weights->data + (uint64_t)i * weights->tile_row_bytes, (int32_t)weights->cols, &it->acts,
                   it->tokens);
    }
}

/* Activations of both kinds for 64 tokens, so that every family finds what it reads. */
static edge_acts make_acts(const edge_kernels *kernels, const float *x, int32_t cols, edge_act_kind kind, int8_t *q,
                           float *d, int32_t *s) {
    const edge_acts_area area = {.q32 = q, .q256 = q, .d32 = d, .d256 = d, .s32 = s, .s256 = s};
    for (int32_t t = 0; t < EDGE_CHUNK_TOKENS; t++) {
        edge_acts_quantize(kernels, &area, EDGE_KIND(kind), x + (int64_t)t * cols, t, cols, 0, cols);
    }
    return edge_acts_rows(&area, kind, x, 0, cols);
}

static edge_weights *random_weights(edge_type type, int64_t rows, int64_t cols, edge_threads *threads) {
    uint64_t source_bytes, packed_bytes, state = 1;
    edge_weights *weights = NULL;
    if (edge_weights_sizes((int32_t)type, rows, cols, &source_bytes, &packed_bytes) != EDGE_OK) {
        return NULL;
    }
    uint8_t *source = edge_os_alloc(source_bytes);
    for (uint64_t i = 0; source && i < source_bytes; i++) { /* scales below 1; no Inf, NaN or float subnormal */
        source[i] = (uint8_t)(random_u64(&state) & 0x3b);
        if (type == EDGE_TYPE_F32 || type == EDGE_TYPE_BF16) {
            source[i] |= 0x20;
        }
    }
    if (source) {
        (void)edge_weights_create(&weights, (int32_t)type, rows, cols, source, source_bytes, threads);
    }
    edge_os_free(source, source_bytes);
    return weights;
}

int main(int argc, char **argv) {
    int32_t rows = argc > 1 ? atoi(argv[1]) : 5632, cols = argc > 2 ? atoi(argv[2]) : 2048;
    int32_t num_threads = argc > 3 ? atoi(argv[3]) : 1, repeats = argc > 4 ? atoi(argv[4]) : 20;
    const char *only = argc > 6 ? argv[6] : NULL;
    edge_isa isa;
    edge_error error = {""};
    edge_threads *threads = NULL;
    if (edge_isa_select(argc > 5 ? argv[5] : NULL, &isa, &error) != EDGE_OK || rows < 1 || cols < 256 ||
        cols % 256 != 0 || repeats < 1 || edge_threads_create(&threads, num_threads) != EDGE_OK) {
        fprintf(stderr, "bench_matmul [rows] [cols, of 256] [threads] [repeats] [isa] [type] %s\n", error.message);
        return 2;
    }
    const edge_kernels *kernels = edge_kernels_get(isa);
    const uint64_t cells = (uint64_t)EDGE_CHUNK_TOKENS * (uint64_t)edge_acts_stride(cols);
    float *x = edge_os_alloc(cells * 4), *d = edge_os_alloc(cells);
    int8_t *q = edge_os_alloc(cells + EDGE_OVERREAD);
    int32_t *s = edge_os_alloc(cells);
    float *out = edge_os_alloc((uint64_t)num_threads * 2 * EDGE_CHUNK_TOKENS * EDGE_TILE_ROWS * sizeof(float));
    uint64_t *times = edge_os_alloc((uint64_t)repeats * sizeof times[0]);
    eviction evicts = {.kernels = kernels, .memory = make_eviction()};
    if (!x || !d || !q || !s || !out || !times || !evicts.memory) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    uint64_t state = 2;
    for (uint64_t i = 0; i < cells; i++) {
        x[i] = random_unit(&state);
    }
    double reads, peak;
    if (edge_measure_read(threads, isa, EVICT_BYTES, 1, MEASURE_SECONDS, &reads) != EDGE_OK ||
        edge_measure_integer_peak(threads, isa, MEASURE_SECONDS, &peak) != EDGE_OK) {
        fprintf(stderr, "the limits cannot be measured\n");
        return 1;
    }
    printf("%d x %d, %s, %d threads, %d repeats; memory reads %.2f GB/s, integer peak %.1f G multiply-adds/s\n", rows,
           cols, edge_isa_name(isa), num_threads, repeats, reads / 1e9, peak / 1e9);
    printf("type    shape tokens   min ms median ms   GB/s of reads  G mul-add/s of peak   (of the medians)\n");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        edge_weights *weights =
            only && strcmp(only, types[i].name) != 0 ? NULL : random_weights(types[i].type, rows, cols, threads);
        for (size_t r = 0; weights && r < sizeof runs / sizeof runs[0]; r++) {
            job work = {.weights = weights,
                        .matmul = runs[r].tile_rows == 2 ? kernels->matmul_pair[weights->family]
                                                         : kernels->matmul[weights->family][runs[r].shape],
                        .acts = make_acts(kernels, x, cols, edge_family_acts(weights->family), q, d, s),
                        .out = out,
                        .tile_rows = runs[r].tile_rows,
                        .tokens = runs[r].tokens};
            if (!work.matmul) {
                continue;
            }
            for (int32_t n = -1; n < repeats; n++) { /* one to warm up */
                edge_threads_run(threads, evict, &evicts);
                uint64_t start = edge_os_nanoseconds();
                edge_threads_run(threads, multiply, &work);
                times[n < 0 ? 0 : n] = edge_os_nanoseconds() - start;
            }
            qsort(times, (size_t)repeats, sizeof times[0], compare_times);
            /* nanoseconds: bytes and multiply-adds in one are 10^9 of them a second */
            double median = (double)times[repeats / 2], macs = (double)rows * cols * runs[r].tokens / median;
            double bytes = (double)edge_weights_packed_bytes(weights) / median;
            printf("%-7s %-5s %6d %8.3f %9.3f %6.2f %6.0f %%  %11.1f ", types[i].name, runs[r].name, runs[r].tokens,
                   (double)times[0] / 1e6, median / 1e6, bytes, 1e11 * bytes / reads, macs);
            if (edge_family_acts(weights->family) == EDGE_ACT_F32) { /* no integers: not its limit */
                printf("%7s\n", "-");
            } else {
                printf("%5.0f %%\n", 1e11 * macs / peak);
            }
        }
        edge_weights_destroy(&weights);
    }
    edge_threads_destroy(&threads);
    edge_os_free(x, cells * 4);
    edge_os_free(d, cells);
    edge_os_free(q, cells + EDGE_OVERREAD);
    edge_os_free(s, cells);
    edge_os_free(out, (uint64_t)num_threads * 2 * EDGE_CHUNK_TOKENS * EDGE_TILE_ROWS * sizeof(float));
    edge_os_free(evicts.memory, EVICT_BYTES);
    edge_os_free(times, (uint64_t)repeats * sizeof times[0]);
    return 0;
}
