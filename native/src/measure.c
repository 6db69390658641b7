/* Measures the machine with the library's own threads and loads. Clocks are read around work of milliseconds. */
#include "edge/measure.h"

#include <stdatomic.h>
#include <string.h>

#include "kernels.h"
#include "measure.h"
#include "os.h"
#include "region.h"

#define PIECE_BYTES  ((uint64_t)1 << 16) /* handed out one by one, so that a slow core does not hold up a pass */
#define MIN_PASSES   3
#define PEAK_ROUNDS  64   /* between two looks at the clock: some 30 microseconds */
#define FLOAT_ROUNDS 2048 /* the same */

typedef struct read_job {
    uint8_t *memory;
    uint64_t num_pieces;
    edge_read_fn *read; /* NULL: write the pieces for the first time */
    _Atomic uint64_t next;
    _Atomic uint64_t found; /* what was read goes somewhere, or it would not be */
} read_job;

static void read_pieces(void *context, int32_t index, int32_t count) {
    read_job *job = context;
    uint64_t found = 0;
    (void)index;
    (void)count;
    for (;;) {
        uint64_t piece = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (piece >= job->num_pieces) {
            break;
        }
        uint8_t *from = job->memory + piece * PIECE_BYTES;
        if (job->read) {
            found ^= job->read(from, PIECE_BYTES);
        } else {
            memset(from, (int)(piece % 251 + 1), PIECE_BYTES); /* zeros may be one page for all */
        }
    }
    atomic_fetch_xor_explicit(&job->found, found, memory_order_relaxed);
}

/* Seconds of one pass over all pieces. */
static double pass(edge_threads *threads, read_job *job) {
    atomic_store_explicit(&job->next, 0, memory_order_relaxed);
    uint64_t start = edge_os_nanoseconds();
    edge_threads_run(threads, read_pieces, job);
    uint64_t taken = edge_os_nanoseconds() - start;
    return 1e-9 * (double)(taken > 0 ? taken : 1);
}

/* Bytes a second of the fastest pass. */
static double read_all(edge_threads *threads, read_job *job, double seconds) {
    (void)pass(threads, job);
    double best = pass(threads, job), total = best;
    for (int passes = 1; passes < MIN_PASSES || total < seconds; passes++) {
        double taken = pass(threads, job);
        best = taken < best ? taken : best;
        total += taken;
    }
    return (double)(job->num_pieces * PIECE_BYTES) / best;
}

edge_status edge_measure_read(edge_threads *threads, edge_isa isa, uint64_t bytes, int32_t huge_pages, double seconds,
                              double *bytes_per_second) {
    if (!threads || !bytes_per_second || !edge_measure_seconds_are_good(seconds) || bytes < PIECE_BYTES) {
        return EDGE_INVALID;
    }
    const edge_kernels *kernels = edge_kernels_get(isa);
    if (!kernels) {
        return EDGE_UNSUPPORTED;
    }
    read_job job = {.num_pieces = bytes / PIECE_BYTES};
    const uint64_t whole = job.num_pieces * PIECE_BYTES;
    job.memory = edge_os_alloc(whole);
    if (!job.memory) {
        return EDGE_NO_MEMORY;
    }
    if (!huge_pages) {
        edge_os_refuse_huge_pages(job.memory, whole);
    }
    (void)pass(threads, &job); /* every page is there from here on */
    job.read = kernels->read;
    *bytes_per_second = read_all(threads, &job, seconds);
    edge_os_free(job.memory, whole);
    return EDGE_OK;
}

edge_status edge_measure_region(edge_threads *threads, edge_isa isa, const edge_region *region, double seconds,
                                double *bytes_per_second) {
    if (!threads || !region || !bytes_per_second || !edge_measure_seconds_are_good(seconds) ||
        region->bytes < PIECE_BYTES) {
        return EDGE_INVALID;
    }
    const edge_kernels *kernels = edge_kernels_get(isa);
    if (!kernels) {
        return EDGE_UNSUPPORTED;
    }
    read_job job = {.num_pieces = region->bytes / PIECE_BYTES, .memory = region->data, .read = kernels->read};
    double figure = read_all(threads, &job, seconds);
    if (edge_region_readable(region) < region->bytes) {
        return EDGE_FILE_LOST;
    }
    *bytes_per_second = figure;
    return EDGE_OK;
}

typedef struct peak_job {
    const edge_kernels *kernels;
    uint64_t nanoseconds;
    double macs_per_second[EDGE_MAX_THREADS];
    _Atomic uint32_t found;
} peak_job;

static void run_integer_peak(void *context, int32_t index, int32_t count) {
    peak_job *job = context;
    _Alignas(EDGE_ALIGNMENT) uint8_t codes[EDGE_PEAK_CODES];
    int8_t acts[4 * EDGE_PEAK_TOKENS];
    uint32_t found = 0;
    uint64_t rounds = 0, taken;
    (void)count;
    for (int i = 0; i < EDGE_PEAK_CODES; i++) {
        codes[i] = (uint8_t)(i * 7 % 16);
    }
    for (int i = 0; i < 4 * EDGE_PEAK_TOKENS; i++) {
        acts[i] = (int8_t)(i * 37 % 255 - 127);
    }
    const uint64_t start = edge_os_nanoseconds();
    do {
        found += job->kernels->peak(codes, acts, PEAK_ROUNDS);
        rounds += PEAK_ROUNDS;
        taken = edge_os_nanoseconds() - start;
    } while (taken < job->nanoseconds);
    job->macs_per_second[index] = (double)rounds * EDGE_PEAK_CODES * EDGE_PEAK_TOKENS / (1e-9 * (double)taken);
    atomic_fetch_xor_explicit(&job->found, found, memory_order_relaxed);
}

static void run_float_peak(void *context, int32_t index, int32_t count) {
    peak_job *job = context;
    float starts[EDGE_PEAK_CHAINS];
    uint32_t found = 0;
    uint64_t rounds = 0, taken;
    (void)count;
    for (int i = 0; i < EDGE_PEAK_CHAINS; i++) {
        starts[i] = (float)(i + 1);
    }
    const uint64_t start = edge_os_nanoseconds();
    do {
        found += job->kernels->peak_f32(starts, 0.5f, 1.0f, FLOAT_ROUNDS); /* towards 2: never subnormal */
        rounds += FLOAT_ROUNDS;
        taken = edge_os_nanoseconds() - start;
    } while (taken < job->nanoseconds);
    job->macs_per_second[index] = (double)rounds * EDGE_PEAK_CHAINS / (1e-9 * (double)taken);
    atomic_fetch_xor_explicit(&job->found, found, memory_order_relaxed);
}

/* Multiply-adds a second that all threads together make in `run`. */
static edge_status measure_peak(edge_threads *threads, edge_isa isa, double seconds, edge_thread_fn *run,
                                double *macs_per_second) {
    if (!threads || !macs_per_second || !edge_measure_seconds_are_good(seconds)) {
        return EDGE_INVALID;
    }
    const edge_kernels *kernels = edge_kernels_get(isa);
    if (!kernels) {
        return EDGE_UNSUPPORTED;
    }
    peak_job job = {.kernels = kernels};
    job.nanoseconds = (uint64_t)(1e8 * seconds) + 1; /* a tenth to raise the clock */
    edge_threads_run(threads, run, &job);
    job.nanoseconds = (uint64_t)(1e9 * seconds) + 1;
    edge_threads_run(threads, run, &job);
    double sum = 0.0;
    for (int32_t i = 0; i < edge_threads_count(threads); i++) {
        sum += job.macs_per_second[i];
    }
    *macs_per_second = sum;
    return EDGE_OK;
}

edge_status edge_measure_integer_peak(edge_threads *threads, edge_isa isa, double seconds, double *macs_per_second) {
    return measure_peak(threads, isa, seconds, run_integer_peak, macs_per_second);
}

edge_status edge_measure_float_peak(edge_threads *threads, edge_isa isa, double seconds, double *macs_per_second) {
    return measure_peak(threads, isa, seconds, run_float_peak, macs_per_second);
}
