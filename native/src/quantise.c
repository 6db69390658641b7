/* Rows into blocks, handed out to threads; what cannot be encoded is refused by its index. */
#include "quantise.h"

#include <stdatomic.h>
#include <stddef.h>

#include "fpenv.h"
#include "pack.h"

#define VALUES_PER_SHARE 65536 /* of a thread at a time: enough to be worth the counter */
#define LARGEST          1e9f  /* beyond what any half times any codes reaches: sums of squares stay finite below */

typedef struct encoder {
    int32_t type;
    int32_t num_halves; /* scales that may overflow, one after the other, the first at byte half_at of a block */
    int32_t half_at;
    edge_encode_fn *encode;
} encoder;

static const encoder encoders[] = {
    {EDGE_TYPE_Q8_0, 1, 0, edge_encode_q8_0},     {EDGE_TYPE_Q4_0, 1, 0, edge_encode_q4_0},
    {EDGE_TYPE_Q4_1, 2, 0, edge_encode_q4_1},     {EDGE_TYPE_Q5_0, 1, 0, edge_encode_q5_0},
    {EDGE_TYPE_Q5_1, 2, 0, edge_encode_q5_1},     {EDGE_TYPE_Q2_K, 2, 80, edge_encode_q2_k},
    {EDGE_TYPE_Q3_K, 1, 108, edge_encode_q3_k},   {EDGE_TYPE_Q4_K, 2, 0, edge_encode_q4_k},
    {EDGE_TYPE_Q5_K, 2, 0, edge_encode_q5_k},     {EDGE_TYPE_Q6_K, 1, 208, edge_encode_q6_k},
    {EDGE_TYPE_IQ4_NL, 1, 0, edge_encode_iq4_nl}, {EDGE_TYPE_IQ4_XS, 1, 0, edge_encode_iq4_xs},
    {EDGE_TYPE_TQ1_0, 1, 52, edge_encode_tq1_0},  {EDGE_TYPE_TQ2_0, 1, 64, edge_encode_tq2_0},
    {EDGE_TYPE_MXFP4, 0, 0, edge_encode_mxfp4},
};

static const encoder *encoder_of(int32_t type) {
    for (size_t i = 0; i < sizeof encoders / sizeof encoders[0]; i++) {
        if (encoders[i].type == type) {
            return &encoders[i];
        }
    }
    return NULL;
}

typedef struct job {
    const encoder *encoder;
    const edge_layout *layout;
    const edge_kernels *kernels;
    uint8_t *out;
    const float *x;
    const float *importance;
    int64_t rows, cols, row_bytes, share;
    _Atomic int64_t next;    /* row */
    _Atomic int64_t refused; /* the lowest index so far, INT64_MAX when none */
} job;

/* The first value that is not finite or larger than a scale can reach; count when there is none. */
static int64_t first_unusable(const float *x, int64_t count, int has_half) {
    const uint32_t limit = has_half ? edge_f32_bits(LARGEST) : 0x7f7fffffu;
    uint32_t largest = 0; /* magnitudes compare as integers, NaN above Inf above every number */
    for (int64_t i = 0; i < count; i++) {
        const uint32_t magnitude = edge_f32_bits(x[i]) & 0x7fffffffu;
        largest = magnitude > largest ? magnitude : largest;
    }
    if (largest <= limit) {
        return count;
    }
    for (int64_t i = 0;; i++) {
        if ((edge_f32_bits(x[i]) & 0x7fffffffu) > limit) {
            return i;
        }
    }
}

static int64_t largest_at(const float *x, int64_t count) {
    int64_t at = 0;
    for (int64_t i = 1; i < count; i++) {
        at = (edge_f32_bits(x[i]) & 0x7fffffffu) > (edge_f32_bits(x[at]) & 0x7fffffffu) ? i : at;
    }
    return at;
}

/* The largest value of the first block whose scale came out infinite; cols when there is none. */
static int64_t first_overflow(const job *j, const uint8_t *blocks, const float *x) {
    for (int64_t block = 0; block < j->cols / j->layout->block_values; block++) {
        const uint8_t *half = blocks + block * j->layout->block_bytes + j->encoder->half_at;
        for (int32_t i = 0; i < j->encoder->num_halves; i++) {
            if ((half[2 * i + 1] & 0x7c) == 0x7c) {
                const int64_t first = block * j->layout->block_values;
                return first + largest_at(x + first, j->layout->block_values);
            }
        }
    }
    return j->cols;
}

static void encode_row(job *j, int64_t row) {
    const edge_encode_row encoding = {j->kernels, j->x + row * j->cols, j->importance, j->cols};
    uint8_t *out = j->out + row * j->row_bytes;
    int64_t at = first_unusable(encoding.x, j->cols, j->encoder->num_halves > 0);
    if (at == j->cols) {
        j->encoder->encode(out, &encoding);
        at = first_overflow(j, out, encoding.x);
    }
    if (at < j->cols) {
        const int64_t index = row * j->cols + at;
        int64_t lowest = atomic_load_explicit(&j->refused, memory_order_relaxed);
        while (index < lowest && !atomic_compare_exchange_weak_explicit(&j->refused, &lowest, index,
                                                                        memory_order_relaxed, memory_order_relaxed)) {
        }
    }
}

static void encode_rows(void *context, int32_t index, int32_t count) {
    job *j = context;
    const uint64_t saved = edge_fpenv_enter();
    (void)index, (void)count;
    for (;;) {
        const int64_t first = atomic_fetch_add_explicit(&j->next, j->share, memory_order_relaxed);
        if (first >= j->rows) {
            break;
        }
        for (int64_t row = first; row < first + j->share && row < j->rows; row++) {
            encode_row(j, row);
        }
    }
    edge_fpenv_leave(saved);
}

edge_status edge_quantise(void *out, int32_t type, const float *x, int64_t rows, int64_t cols, const float *importance,
                          edge_isa isa, edge_threads *threads, int64_t *refused) {
    uint64_t source_bytes, packed_bytes;
    job j = {.encoder = encoder_of(type), .layout = edge_layout_of(type), .kernels = edge_kernels_get(isa)};
    if (!j.encoder || !j.layout || !j.kernels) {
        return EDGE_UNSUPPORTED;
    }
    const edge_status status = edge_weights_sizes(type, rows, cols, &source_bytes, &packed_bytes);
    if (status != EDGE_OK) {
        return status;
    }
    j.out = out, j.x = x, j.importance = importance, j.rows = rows, j.cols = cols;
    j.row_bytes = cols / j.layout->block_values * j.layout->block_bytes;
    j.share = VALUES_PER_SHARE / cols > 0 ? VALUES_PER_SHARE / cols : 1;
    atomic_init(&j.next, 0);
    atomic_init(&j.refused, INT64_MAX);
    if (threads) {
        edge_threads_run(threads, encode_rows, &j);
    } else {
        encode_rows(&j, 0, 1);
    }
    *refused = atomic_load_explicit(&j.refused, memory_order_relaxed);
    return *refused == INT64_MAX ? EDGE_OK : EDGE_NONFINITE;
}
