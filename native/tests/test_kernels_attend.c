/* Attention over a block and the merge of blocks: every level with any number of query heads against the scalar one
 * with one, equal bits; the scalar one against softmax in double. */
#define _DEFAULT_SOURCE
#include <stdlib.h>

#include "check.h"
#include "guard.h"
#include "half.h"
#include "kernels.h"
#include "kv.h"
#include "random.h"

#define CASES     12000 /* per cache type and level */
#define MAX_DIM   288
#define MAX_ROWS  (EDGE_ATTEND_ROWS + 5)
#define MAX_ERROR 1e-5 /* scalar against double, of the weighted sum, values in [-1, 1) */

typedef struct arena {
    guard q, d, k, v, o, max, sum;
} arena;

/* Outputs, maxima and sums of `rows` query heads. */
typedef struct result {
    float *o, *max, *sum;
} result;

/* One query head at a time: what many at once must agree with. */
static float want_o[2][MAX_ROWS * MAX_DIM], want_max[2][MAX_ROWS], want_sum[2][MAX_ROWS];

static void compare(const char *what, const edge_kernels *kernels, const result *want, const result *got, int32_t dim,
                    int32_t rows, int32_t first, int32_t valid) {
    int64_t at = check_first_difference(want->o, got->o, (int64_t)rows * dim);
    int64_t max = check_first_difference(want->max, got->max, rows);
    int64_t sum = check_first_difference(want->sum, got->sum, rows);
    CHECK(at < 0 && max < 0 && sum < 0, "%s %s, head_dim %d, %d rows, %d to %d: output %d, maximum %d, sum %d",
          edge_isa_name(kernels->isa), what, dim, rows, first, valid, (int)at, (int)max, (int)sum);
}

static void fill_f32(uint64_t *state, float *to, int32_t n, int32_t mode) {
    for (int32_t i = 0; i < n; i++) {
        to[i] = random_float(state, mode);
    }
}

static void fill_f16(uint64_t *state, uint16_t *to, int32_t n, int32_t mode) {
    for (int32_t i = 0; i < n; i++) {
        to[i] = edge_f32_to_f16(random_float(state, mode));
    }
}

/* Few rows more often than many: one head of a group, a group, a tile and more than a tile. */
static int32_t random_rows(uint64_t *state) {
    switch (random_int(state, 0, 15)) {
    case 0:
        return random_int(state, 1, MAX_ROWS);
    case 1:
    case 2:
        return random_int(state, 9, 20);
    default:
        return random_int(state, 1, 8);
    }
}

/* Any codes, and scales of any kind. */
static void fill_q8(uint64_t *state, uint8_t *to, int32_t codes, int32_t mode) {
    for (int32_t t = 0; t < EDGE_KV_BLOCK_SIZE; t++) {
        float scale = random_float(state, mode);
        memcpy(to + (size_t)t * sizeof scale, &scale, sizeof scale);
    }
    for (int32_t i = 0; i < codes; i++) {
        to[EDGE_KV_BLOCK_SIZE * sizeof(float) + (size_t)i] = (uint8_t)(int8_t)random_int(state, -127, 127);
    }
}

static void run_q8(arena *memory, uint64_t *state, const edge_kernels *kernels, int32_t dim, int32_t rows,
                   int32_t first, int32_t valid, int32_t mode, int at_end, float scale) {
    static float o[MAX_ROWS * MAX_DIM], max[MAX_ROWS], sum[MAX_ROWS];
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    const size_t scales = EDGE_KV_BLOCK_SIZE * sizeof(float);
    int32_t stride = edge_kv_q8_codes(dim), largest = random_int(state, 0, 3);
    int8_t *q = guard_place(&memory->q, (size_t)(rows * stride), at_end);
    float *d = guard_place(&memory->d, (size_t)rows * sizeof d[0], at_end);
    uint8_t *k = guard_place(&memory->k, scales + (size_t)(stride * EDGE_KV_BLOCK_SIZE), at_end);
    uint8_t *v = guard_place(&memory->v, scales + (size_t)(dim * EDGE_KV_BLOCK_SIZE), at_end);
    fill_q8(state, k, stride * EDGE_KV_BLOCK_SIZE, mode);
    fill_q8(state, v, dim * EDGE_KV_BLOCK_SIZE, mode);
    for (int32_t i = 0; i < rows * stride; i++) { /* the largest sums there are, now and then */
        q[i] = (int8_t)(i % stride >= dim ? 0 : largest ? random_int(state, -127, 127) : 127);
    }
    if (largest == 0) {
        memset(k + scales, random_int(state, 0, 1) ? 127 : 0x81, (size_t)(stride * EDGE_KV_BLOCK_SIZE));
    }
    fill_f32(state, d, rows, mode == 3 ? 0 : mode);
    const result want = {o, max, sum};
    const result got = {guard_place(&memory->o, (size_t)(rows * dim) * sizeof(float), at_end),
                        guard_place(&memory->max, (size_t)rows * sizeof(float), at_end),
                        guard_place(&memory->sum, (size_t)rows * sizeof(float), at_end)};
    for (int32_t r = 0; r < rows; r++) {
        scalar->attend_q8(o + r * dim, max + r, sum + r, q + r * stride, d + r, k, v, dim, 1, first, valid, scale);
    }
    kernels->attend_q8(got.o, got.max, got.sum, q, d, k, v, dim, rows, first, valid, scale);
    compare("attend_q8", kernels, &want, &got, dim, rows, first, valid);
}

static void run_case(arena *memory, uint64_t *state, const edge_kernels *kernels, int32_t index) {
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    int32_t dim = index % 10 ? random_int(state, 1, 66) * 2 : random_int(state, 67, MAX_DIM / 2) * 2;
    int32_t valid = random_int(state, 1, EDGE_KV_BLOCK_SIZE), mode = random_int(state, 0, RANDOM_FLOAT_MODES - 1);
    int32_t first = random_int(state, 0, 1) ? 0 : random_int(state, 0, valid - 1);
    int32_t rows = random_rows(state), at_end = random_int(state, 0, 1);
    int32_t cells = dim * EDGE_KV_BLOCK_SIZE, outputs = rows * dim;
    float scale = random_int(state, 0, 2) ? 0.125f : 3.0f;
    float *q = guard_place(&memory->q, (size_t)outputs * sizeof q[0], at_end);
    const result want[2] = {{want_o[0], want_max[0], want_sum[0]}, {want_o[1], want_max[1], want_sum[1]}};
    const result got = {guard_place(&memory->o, (size_t)outputs * sizeof(float), at_end),
                        guard_place(&memory->max, (size_t)rows * sizeof(float), at_end),
                        guard_place(&memory->sum, (size_t)rows * sizeof(float), at_end)};
    /* Modes beyond 1 put NaN and Inf into lanes that count and lanes that do not. */
    fill_f32(state, q, outputs, mode == 3 ? 0 : mode);

    uint16_t *k16 = guard_place(&memory->k, (size_t)cells * 2, at_end);
    uint16_t *v16 = guard_place(&memory->v, (size_t)cells * 2, at_end);
    fill_f16(state, k16, cells, mode);
    fill_f16(state, v16, cells, mode);
    for (int32_t r = 0; r < rows; r++) {
        scalar->attend_f16(want[0].o + r * dim, want[0].max + r, want[0].sum + r, q + r * dim, k16, v16, dim, 1, first,
                           valid, scale);
    }
    kernels->attend_f16(got.o, got.max, got.sum, q, k16, v16, dim, rows, first, valid, scale);
    compare("attend_f16", kernels, &want[0], &got, dim, rows, first, valid);

    float *k32 = guard_place(&memory->k, (size_t)cells * 4, at_end);
    float *v32 = guard_place(&memory->v, (size_t)cells * 4, at_end);
    fill_f32(state, k32, cells, mode);
    fill_f32(state, v32, cells, mode);
    for (int32_t r = 0; r < rows; r++) {
        scalar->attend_f32(want[1].o + r * dim, want[1].max + r, want[1].sum + r, q + r * dim, k32, v32, dim, 1, first,
                           valid, scale);
    }
    kernels->attend_f32(got.o, got.max, got.sum, q, k32, v32, dim, rows, first, valid, scale);
    compare("attend_f32", kernels, &want[1], &got, dim, rows, first, valid);

    run_q8(memory, state, kernels, dim, rows, first, valid, mode, at_end, scale);

    /* The second block merged into the first, or into nothing. */
    if (random_int(state, 0, 3) == 0) {
        memset(want_o[0], 0, sizeof want_o[0]);
        for (int32_t r = 0; r < rows; r++) {
            want_max[0][r] = -INFINITY;
            want_sum[0][r] = 0.0f;
        }
    }
    memcpy(got.o, want_o[0], (size_t)outputs * sizeof(float));
    memcpy(got.max, want_max[0], (size_t)rows * sizeof(float));
    memcpy(got.sum, want_sum[0], (size_t)rows * sizeof(float));
    for (int32_t r = 0; r < rows; r++) {
        scalar->attend_merge(want[0].o + r * dim, want[0].max + r, want[0].sum + r, want[1].o + r * dim,
                             want[1].max + r, want[1].sum + r, dim, 1);
    }
    kernels->attend_merge(got.o, got.max, got.sum, want[1].o, want[1].max, want[1].sum, dim, rows);
    compare("attend_merge", kernels, &want[0], &got, dim, rows, first, valid);
}

/* Three blocks, the last one partly valid, against softmax over all positions in double. */
static void check_against_double(void) {
    enum { DIM = 64, BLOCKS = 3, POSITIONS = 2 * EDGE_KV_BLOCK_SIZE + 5 };
    static float q[DIM], k[BLOCKS][DIM][EDGE_KV_BLOCK_SIZE], v[BLOCKS][EDGE_KV_BLOCK_SIZE][DIM];
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    uint64_t state = 7;
    for (int32_t round = 0; round < 50; round++) {
        fill_f32(&state, q, DIM, 0);
        fill_f32(&state, &k[0][0][0], BLOCKS * DIM * EDGE_KV_BLOCK_SIZE, 0);
        fill_f32(&state, &v[0][0][0], BLOCKS * DIM * EDGE_KV_BLOCK_SIZE, 0);
        float o[2][DIM], max[2], sum[2]; /* of all blocks so far, and of one */
        double weights[POSITIONS], total = 0.0;
        for (int32_t p = 0; p < POSITIONS; p++) {
            double score = 0.0;
            for (int32_t d = 0; d < DIM; d++) {
                score += (double)q[d] * (double)k[p / 32][d][p % 32];
            }
            total += weights[p] = exp(score * 0.5);
        }
        for (int32_t b = 0; b < BLOCKS; b++) {
            int32_t valid = b < BLOCKS - 1 ? EDGE_KV_BLOCK_SIZE : POSITIONS % EDGE_KV_BLOCK_SIZE;
            int32_t to = b > 0;
            scalar->attend_f32(o[to], &max[to], &sum[to], q, &k[b][0][0], &v[b][0][0], DIM, 1, 0, valid, 0.5f);
            if (b > 0) {
                scalar->attend_merge(o[0], &max[0], &sum[0], o[1], &max[1], &sum[1], DIM, 1);
            }
        }
        for (int32_t d = 0; d < DIM; d++) {
            double want = 0.0;
            for (int32_t p = 0; p < POSITIONS; p++) {
                want += weights[p] * (double)v[p / 32][p % 32][d];
            }
            double got = (double)(o[0][d] * (1.0f / sum[0]));
            CHECK(fabs(got - want / total) < MAX_ERROR, "dimension %d: %g, want %g", d, got, want / total);
        }
    }
}

int main(int argc, char **argv) {
    int32_t cases = check_cases(argc, argv, CASES);
    const size_t cells = (size_t)MAX_DIM * EDGE_KV_BLOCK_SIZE * sizeof(float), rows = MAX_ROWS * sizeof(float);
    arena memory = {guard_create(rows * MAX_DIM), guard_create(rows), guard_create(cells), guard_create(cells),
                    guard_create(rows * MAX_DIM), guard_create(rows), guard_create(rows)};
    check_against_double();
    for (int32_t isa = EDGE_ISA_SCALAR; isa < EDGE_ISA_COUNT; isa++) {
        const edge_kernels *kernels = edge_kernels_get((edge_isa)isa);
        uint64_t state = 3;
        for (int32_t i = 0; kernels && i < (isa == EDGE_ISA_SCALAR ? cases / 10 : cases); i++) {
            run_case(&memory, &state, kernels, i);
        }
        printf("%s: %s\n", edge_isa_name((edge_isa)isa), kernels ? "compared" : "not here");
    }
    guard_destroy(&memory.q);
    guard_destroy(&memory.d);
    guard_destroy(&memory.k);
    guard_destroy(&memory.v);
    guard_destroy(&memory.o);
    guard_destroy(&memory.max);
    guard_destroy(&memory.sum);
    return check_result("attend");
}
