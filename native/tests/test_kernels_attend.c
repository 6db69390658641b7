/* Attention over a block and the merge of blocks: every level against the scalar one, equal bits; the scalar one
 * against softmax in double. */
#define _DEFAULT_SOURCE
#include <stdlib.h>

#include "check.h"
#include "edge/kv.h"
#include "guard.h"
#include "half.h"
#include "kernels.h"
#include "random.h"

#define CASES     12000 /* per cache type and level */
#define MAX_DIM   288
#define MAX_ERROR 1e-5 /* scalar against double, of the weighted sum, values in [-1, 1) */

typedef struct arena {
    guard q, k, v, o, o2;
} arena;

typedef struct result {
    float o[MAX_DIM], max, sum;
} result;

static void compare(const char *what, const edge_kernels *kernels, const result *want, const float *o, float max,
                    float sum, int32_t dim, int32_t valid) {
    const float stats[2] = {max, sum}, want_stats[2] = {want->max, want->sum};
    int64_t at = check_first_difference(want->o, o, dim), stat = check_first_difference(want_stats, stats, 2);
    CHECK(at < 0 && stat < 0, "%s %s, head_dim %d, valid %d: output %d, max %a (want %a), sum %a (want %a)",
          edge_isa_name(kernels->isa), what, dim, valid, (int)at, (double)max, (double)want->max, (double)sum,
          (double)want->sum);
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

static void run_case(arena *memory, uint64_t *state, const edge_kernels *kernels, int32_t index) {
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    int32_t dim = index % 10 ? random_int(state, 1, 66) * 2 : random_int(state, 67, MAX_DIM / 2) * 2;
    int32_t valid = random_int(state, 1, EDGE_KV_BLOCK_SIZE), mode = random_int(state, 0, RANDOM_FLOAT_MODES - 1);
    int at_end = random_int(state, 0, 1);
    int32_t cells = dim * EDGE_KV_BLOCK_SIZE;
    float scale = random_int(state, 0, 2) ? 0.125f : 3.0f;
    float *q = guard_place(&memory->q, (size_t)dim * sizeof q[0], at_end);
    float *o = guard_place(&memory->o, (size_t)dim * sizeof o[0], at_end);
    float *o2 = guard_place(&memory->o2, (size_t)dim * sizeof o2[0], at_end);
    result want, running;
    float max, sum;
    /* Modes beyond 1 put NaN and Inf into lanes that count and lanes that do not. */
    fill_f32(state, q, dim, mode == 3 ? 0 : mode);

    uint16_t *k16 = guard_place(&memory->k, (size_t)cells * 2, at_end);
    uint16_t *v16 = guard_place(&memory->v, (size_t)cells * 2, at_end);
    fill_f16(state, k16, cells, mode);
    fill_f16(state, v16, cells, mode);
    scalar->attend_f16(want.o, &want.max, &want.sum, q, k16, v16, dim, valid, scale);
    kernels->attend_f16(o, &max, &sum, q, k16, v16, dim, valid, scale);
    compare("attend_f16", kernels, &want, o, max, sum, dim, valid);
    running = want;

    float *k32 = guard_place(&memory->k, (size_t)cells * 4, at_end);
    float *v32 = guard_place(&memory->v, (size_t)cells * 4, at_end);
    fill_f32(state, k32, cells, mode);
    fill_f32(state, v32, cells, mode);
    scalar->attend_f32(want.o, &want.max, &want.sum, q, k32, v32, dim, valid, scale);
    kernels->attend_f32(o2, &max, &sum, q, k32, v32, dim, valid, scale);
    compare("attend_f32", kernels, &want, o2, max, sum, dim, valid);

    /* The two blocks merged, starting from either of them or from nothing. */
    if (random_int(state, 0, 3) == 0) {
        running.max = -INFINITY;
        running.sum = 0.0f;
        memset(running.o, 0, sizeof running.o);
    }
    float running_max = running.max, running_sum = running.sum;
    memcpy(o, running.o, (size_t)dim * sizeof o[0]);
    scalar->attend_merge(running.o, &running.max, &running.sum, want.o, want.max, want.sum, dim);
    kernels->attend_merge(o, &running_max, &running_sum, o2, max, sum, dim);
    compare("attend_merge", kernels, &running, o, running_max, running_sum, dim, valid);
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
        result all, block;
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
            result *to = b == 0 ? &all : &block;
            scalar->attend_f32(to->o, &to->max, &to->sum, q, &k[b][0][0], &v[b][0][0], DIM, valid, 0.5f);
            if (b > 0) {
                scalar->attend_merge(all.o, &all.max, &all.sum, block.o, block.max, block.sum, DIM);
            }
        }
        for (int32_t d = 0; d < DIM; d++) {
            double want = 0.0;
            for (int32_t p = 0; p < POSITIONS; p++) {
                want += weights[p] * (double)v[p / 32][p % 32][d];
            }
            double got = (double)(all.o[d] * (1.0f / all.sum));
            CHECK(fabs(got - want / total) < MAX_ERROR, "dimension %d: %g, want %g", d, got, want / total);
        }
    }
}

int main(int argc, char **argv) {
    int32_t cases = check_cases(argc, argv, CASES);
    const size_t cells = (size_t)MAX_DIM * EDGE_KV_BLOCK_SIZE * sizeof(float), row = MAX_DIM * sizeof(float);
    arena memory = {guard_create(row), guard_create(cells), guard_create(cells), guard_create(row), guard_create(row)};
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
    guard_destroy(&memory.k);
    guard_destroy(&memory.v);
    guard_destroy(&memory.o);
    guard_destroy(&memory.o2);
    return check_result("attend");
}
