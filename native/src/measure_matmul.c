/* Speed of a matrix kernel over a whole matrix, as a step runs it: tile rows from a counter. */
#include <stdatomic.h>
#include <stddef.h>

#include "acts.h"
#include "measure.h"
#include "os.h"
#include "weights.h"

#define MIN_PASSES 2

typedef struct matmul_job {
    const edge_weights *weights;
    edge_matmul_fn *matmul, *pair; /* pair: NULL, or of two tile rows */
    edge_acts acts;
    int32_t tokens;
    _Atomic int64_t next;
    _Atomic uint32_t found;
} matmul_job;

static void multiply(void *context, int32_t index, int32_t count) {
    matmul_job *job = context;
    const edge_weights *weights = job->weights;
    _Alignas(EDGE_ALIGNMENT) float out[2 * EDGE_CHUNK_TOKENS * EDGE_TILE_ROWS];
    const int64_t tile_rows = (weights->rows + EDGE_TILE_ROWS - 1) / EDGE_TILE_ROWS;
    uint32_t found = 0;
    (void)index;
    (void)count;
    for (;;) {
        const int64_t i = atomic_fetch_add_explicit(&job->next, job->pair ? 2 : 1, memory_order_relaxed);
        if (i >= tile_rows) {
            break;
        }
        edge_matmul_fn *matmul = job->pair && i + 1 < tile_rows ? job->pair : job->matmul;
        matmul(out, weights->data + (uint64_t)i * weights->tile_row_bytes, (int32_t)weights->cols, &job->acts,
               job->tokens);
        found += out[0] != 0.0f; /* nothing is thrown away unread */
    }
    atomic_fetch_add_explicit(&job->found, found, memory_order_relaxed);
}

static double pass(edge_threads *threads, matmul_job *job) {
    atomic_store_explicit(&job->next, 0, memory_order_relaxed);
    uint64_t start = edge_os_nanoseconds();
    edge_threads_run(threads, multiply, job);
    uint64_t taken = edge_os_nanoseconds() - start;
    return 1e-9 * (double)(taken > 0 ? taken : 1);
}

/* Rows of the kind that the family reads, in one allocation that the caller frees. */
static void *make_acts(edge_acts *acts, const edge_kernels *kernels, edge_act_kind kind, int32_t tokens, int64_t cols,
                       uint64_t *bytes) {
    const uint64_t values = (uint64_t)tokens * (uint64_t)edge_acts_stride(cols);
    /* Floats, codes, sums (at most one per 16), scales (at most one per 32), each with what kernels read behind it. */
    const uint64_t each = (values + EDGE_ALIGNMENT) / EDGE_ALIGNMENT * EDGE_ALIGNMENT + EDGE_OVERREAD;
    *bytes = 4 * each + each + each + each;
    uint8_t *memory = edge_os_alloc(*bytes);
    if (!memory) {
        return NULL;
    }
    edge_acts_area area = {.x = (float *)(void *)memory};
    area.q32 = area.q256 = (int8_t *)(memory + 4 * each);
    area.s32 = area.s256 = (int32_t *)(void *)(memory + 5 * each);
    area.d32 = area.d256 = (float *)(void *)(memory + 6 * each);
    for (uint64_t i = 0; i < values; i++) {
        area.x[i] = (float)((int32_t)(i * 37 % 255) - 127) / 127.0f;
    }
    for (int32_t t = 0; t < tokens; t++) {
        edge_acts_quantize(kernels, &area, EDGE_KIND(kind), area.x + t * cols, t, cols, 0, (int32_t)cols);
    }
    *acts = edge_acts_rows(&area, kind, area.x, 0, cols);
    return memory;
}

edge_status edge_measure_matmul(edge_threads *threads, edge_isa isa, const edge_weights *weights, int32_t tokens,
                                double seconds, double *macs_per_second) {
    if (!threads || !weights || !macs_per_second || !edge_measure_seconds_are_good(seconds) || weights->is_vector ||
        weights->stream || tokens < 1 || tokens > EDGE_CHUNK_TOKENS) {
        return EDGE_INVALID;
    }
    const edge_kernels *kernels = edge_kernels_get(isa);
    if (!kernels) {
        return EDGE_UNSUPPORTED;
    }
    const edge_shape shape = tokens == 1 ? EDGE_SHAPE_1X16 : tokens <= 8 ? EDGE_SHAPE_8X16 : EDGE_SHAPE_64X16;
    matmul_job job = {.weights = weights,
                      .matmul = kernels->matmul[weights->family][shape],
                      .pair = tokens > EDGE_FEW_TOKENS ? kernels->matmul_pair[weights->family] : NULL,
                      .tokens = tokens};
    uint64_t bytes;
    void *memory = make_acts(&job.acts, kernels, edge_family_acts(weights->family), tokens, weights->cols, &bytes);
    if (!memory) {
        return EDGE_NO_MEMORY;
    }
    (void)pass(threads, &job);
    double best = pass(threads, &job), total = best;
    for (int passes = 1; passes < MIN_PASSES || total < seconds; passes++) {
        double taken = pass(threads, &job);
        best = taken < best ? taken : best;
        total += taken;
    }
    edge_os_free(memory, bytes);
    *macs_per_second = (double)weights->rows * (double)weights->cols * tokens / best;
    return EDGE_OK;
}
