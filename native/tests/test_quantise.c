/* Encoders: the same bytes at every level, for every number of threads and between guard pages, on values that break
 * arithmetic; a refused value is the first one; bad arguments are refused. What the bytes mean is tested in Python. */
#define _DEFAULT_SOURCE
#include "edge/quantise.h"

#include "check.h"
#include "edge/weights.h"
#include "guard.h"
#include "random.h"

#define MAX_VALUES (40 * 512)
#define CASES      60 /* per type */

static const struct {
    int32_t type, values;
} types[] = {
    {EDGE_TYPE_Q8_0, 32},   {EDGE_TYPE_Q4_0, 32},    {EDGE_TYPE_Q4_1, 32},   {EDGE_TYPE_Q5_0, 32},
    {EDGE_TYPE_Q5_1, 32},   {EDGE_TYPE_IQ4_NL, 32},  {EDGE_TYPE_MXFP4, 32},  {EDGE_TYPE_Q2_K, 256},
    {EDGE_TYPE_Q3_K, 256},  {EDGE_TYPE_Q4_K, 256},   {EDGE_TYPE_Q5_K, 256},  {EDGE_TYPE_Q6_K, 256},
    {EDGE_TYPE_TQ1_0, 256}, {EDGE_TYPE_IQ4_XS, 256}, {EDGE_TYPE_TQ2_0, 256},
};

#define NUM_TYPES (int)(sizeof types / sizeof types[0])

typedef struct places {
    guard x, importance, out, other;
} places;

/* One matrix at every level, with a pool and without; the answers must be those of the scalar level. */
static void check_matrix(const places *p, int32_t type, const float *x, int64_t rows, int64_t cols,
                         const float *importance, edge_threads *threads) {
    uint64_t bytes, packed;
    int64_t refused = -1, other_refused = -1;
    CHECK(edge_weights_sizes(type, rows, cols, &bytes, &packed) == EDGE_OK, "type %d", type);
    uint8_t *out = guard_place(&p->out, bytes, 1), *other = guard_place(&p->other, bytes, 0);
    const edge_status status = edge_quantise(out, type, x, rows, cols, importance, EDGE_ISA_SCALAR, NULL, &refused);
    CHECK(status == EDGE_OK || status == EDGE_NONFINITE, "type %d: status %d", type, (int)status);
    for (int32_t isa = 0; isa < EDGE_ISA_COUNT; isa++) {
        if (!edge_isa_supported((edge_isa)isa)) {
            continue;
        }
        memset(other, 0xa5, bytes);
        const edge_status same =
            edge_quantise(other, type, x, rows, cols, importance, (edge_isa)isa, threads, &other_refused);
        CHECK(same == status && (status == EDGE_OK || other_refused == refused),
              "type %d, %s: status %d, value %" PRId64, type, edge_isa_name((edge_isa)isa), (int)same, other_refused);
        CHECK(status != EDGE_OK || memcmp(out, other, bytes) == 0, "type %d, %s: other bytes", type,
              edge_isa_name((edge_isa)isa));
    }
    if (status == EDGE_NONFINITE) {
        int64_t first = 0;
        while (first < rows * cols && isfinite(x[first])) {
            first++;
        }
        CHECK(refused <= first && refused < rows * cols, "type %d: refused %" PRId64 ", not finite %" PRId64, type,
              refused, first);
    }
}

static void check_types(int32_t cases, edge_threads *threads) {
    uint64_t state = 77;
    const places p = {guard_create(4 * MAX_VALUES), guard_create(4 * MAX_VALUES), guard_create(4 * MAX_VALUES),
                      guard_create(4 * MAX_VALUES)};
    for (int32_t i = 0; i < cases * NUM_TYPES; i++) {
        const int32_t type = types[i % NUM_TYPES].type, size = types[i % NUM_TYPES].values;
        const int64_t cols = (int64_t)size * random_int(&state, 1, 4096 / size / (i % 3 + 1));
        const int64_t rows = random_int(&state, 1, (int32_t)(MAX_VALUES / cols));
        const int32_t mode = i % (2 * RANDOM_FLOAT_MODES);
        float *x = guard_place(&p.x, (size_t)(4 * rows * cols), 1);
        float *importance = guard_place(&p.importance, (size_t)(4 * cols), i & 1);
        for (int64_t k = 0; k < rows * cols; k++) {
            x[k] = mode < RANDOM_FLOAT_MODES ? random_float(&state, mode) : ldexpf(random_unit(&state), mode - 8);
        }
        for (int64_t k = 0; k < cols; k++) {
            importance[k] = k % 7 ? 1.0f + random_unit(&state) : 0.0f;
        }
        check_matrix(&p, type, x, rows, cols, i % 2 ? importance : NULL, i % 4 < 2 ? threads : NULL);
    }
}

static void check_refusals(void) {
    static float x[512];
    uint8_t out[2048];
    int64_t refused;
    CHECK(edge_quantise(out, 99, x, 1, 256, NULL, EDGE_ISA_SCALAR, NULL, &refused) == EDGE_UNSUPPORTED, "type 99");
    CHECK(edge_quantise(out, EDGE_TYPE_IQ2_XS, x, 1, 256, NULL, EDGE_ISA_SCALAR, NULL, &refused) == EDGE_UNSUPPORTED,
          "a type without an encoder");
    CHECK(edge_quantise(out, EDGE_TYPE_Q4_K, x, 1, 128, NULL, EDGE_ISA_SCALAR, NULL, &refused) == EDGE_INVALID,
          "half a block");
    CHECK(edge_quantise(out, EDGE_TYPE_Q4_K, x, 0, 256, NULL, EDGE_ISA_SCALAR, NULL, &refused) == EDGE_INVALID,
          "no rows");
    CHECK(edge_quantise(out, EDGE_TYPE_Q4_K, x, 1, 256, NULL, (edge_isa)77, NULL, &refused) == EDGE_UNSUPPORTED,
          "a level that does not exist");
    x[300] = NAN;
    x[301] = INFINITY;
    CHECK(edge_quantise(out, EDGE_TYPE_Q4_K, x, 2, 256, NULL, EDGE_ISA_SCALAR, NULL, &refused) == EDGE_NONFINITE &&
              refused == 300,
          "refused %" PRId64, refused);
}

int main(int argc, char **argv) {
    edge_threads *threads;
    CHECK(edge_threads_create(&threads, 3) == EDGE_OK, "threads");
    check_types(check_cases(argc, argv, CASES), threads);
    check_refusals();
    edge_threads_destroy(&threads);
    return check_result("quantise");
}
