/* Norms, activations, rotations, quantisation and conversion of every level against the scalar ones: equal bits. */
#define _DEFAULT_SOURCE
#include <stdlib.h>

#include "check.h"
#include "guard.h"
#include "half.h"
#include "kernels.h"
#include "random.h"

#define CASES    12000 /* per operation and level */
#define MAX_SIZE 2048
#define SIZES    129 /* every size up to here */

enum { A, B, C, OUT, NUM_AREAS };

typedef struct arena {
    guard areas[NUM_AREAS];
    float a[MAX_SIZE], expected[MAX_SIZE];
} arena;

static float *place(const arena *memory, int area, int32_t n, int at_end) {
    return guard_place(&memory->areas[area], (size_t)n * sizeof(float), at_end);
}

static float *random_row(const arena *memory, int area, uint64_t *state, int32_t n, int at_end) {
    float *row = place(memory, area, n, at_end);
    int32_t mode = random_int(state, 0, RANDOM_FLOAT_MODES - 1);
    float scale = random_int(state, 0, 1) ? 1.0f : 30.0f; /* 30: exp far from 1 */
    for (int32_t i = 0; i < n; i++) {
        row[i] = random_float(state, mode) * scale;
    }
    return row;
}

static void compare(const char *what, const edge_kernels *kernels, const float *expected, const float *out, int32_t n) {
    int64_t at = check_first_difference(expected, out, n);
    CHECK(at < 0, "%s %s, n %d: value %d: %a, want %a", edge_isa_name(kernels->isa), what, n, (int)at,
          (double)out[at < 0 ? 0 : at], (double)expected[at < 0 ? 0 : at]);
}

/* Runs an operation of two inputs, into a third place and onto its first input. */
static void run_binary(arena *memory, uint64_t *state, const edge_kernels *kernels, const char *what,
                       edge_binary_fn *want, edge_binary_fn *fn, int32_t n) {
    int at_end = random_int(state, 0, 1);
    float *a = random_row(memory, A, state, n, at_end), *b = random_row(memory, B, state, n, at_end);
    float *out = place(memory, OUT, n, at_end);
    want(memory->expected, a, b, n);
    fn(out, a, b, n);
    compare(what, kernels, memory->expected, out, n);
    fn(a, a, b, n);
    compare(what, kernels, memory->expected, a, n);
}

static void run_unary(arena *memory, uint64_t *state, const edge_kernels *kernels, const char *what,
                      edge_unary_fn *want, edge_unary_fn *fn, int32_t n) {
    int at_end = random_int(state, 0, 1);
    float *x = random_row(memory, A, state, n, at_end), *out = place(memory, OUT, n, at_end);
    want(memory->expected, x, n);
    fn(out, x, n);
    compare(what, kernels, memory->expected, out, n);
}

static void run_norm(arena *memory, uint64_t *state, const edge_kernels *kernels, const edge_kernels *scalar,
                     int32_t n) {
    int at_end = random_int(state, 0, 1);
    float *x = random_row(memory, A, state, n, at_end), *gain = random_row(memory, B, state, n, at_end);
    float *out = place(memory, OUT, n, at_end);
    float eps = random_int(state, 0, 3) ? 1e-5f : 0.0f;
    scalar->rms_norm(memory->expected, x, gain, n, eps);
    kernels->rms_norm(out, x, gain, n, eps);
    compare("rms_norm", kernels, memory->expected, out, n);
    kernels->rms_norm(x, x, gain, n, eps);
    compare("rms_norm in place", kernels, memory->expected, x, n);
}

static void run_layer_norm(arena *memory, uint64_t *state, const edge_kernels *kernels, const edge_kernels *scalar,
                           int32_t n) {
    int at_end = random_int(state, 0, 1);
    float *x = random_row(memory, A, state, n, at_end), *gain = random_row(memory, B, state, n, at_end);
    float *bias = random_row(memory, C, state, n, at_end), *out = place(memory, OUT, n, at_end);
    float eps = random_int(state, 0, 3) ? 1e-12f : 0.0f;
    scalar->layer_norm(memory->expected, x, gain, bias, n, eps);
    kernels->layer_norm(out, x, gain, bias, n, eps);
    compare("layer_norm", kernels, memory->expected, out, n);
    kernels->layer_norm(x, x, gain, bias, n, eps);
    compare("layer_norm in place", kernels, memory->expected, x, n);
}

static void run_rope(arena *memory, uint64_t *state, const edge_kernels *kernels, const char *what, edge_rope_fn *want,
                     edge_rope_fn *fn, int32_t pairs) {
    int at_end = random_int(state, 0, 1);
    float *x = random_row(memory, A, state, 2 * pairs, at_end);
    float *cosine = random_row(memory, B, state, pairs, at_end), *sine = random_row(memory, C, state, pairs, at_end);
    for (int32_t i = 0; i < 2 * pairs; i++) {
        memory->expected[i] = x[i];
    }
    want(memory->expected, cosine, sine, 2 * pairs);
    fn(x, cosine, sine, 2 * pairs);
    compare(what, kernels, memory->expected, x, 2 * pairs);
}

static void run_quantize(arena *memory, uint64_t *state, const edge_kernels *kernels, const char *what,
                         edge_quantize_fn *want, edge_quantize_fn *fn, int32_t groups, int32_t group, int32_t span) {
    static int8_t expected_q[MAX_SIZE];
    static float expected_d[MAX_SIZE / 32];
    static int32_t expected_s[MAX_SIZE / 16];
    int at_end = random_int(state, 0, 1);
    int32_t n = groups * group, sums = n / span;
    float *x = random_row(memory, A, state, n, at_end);
    if (n > 0 && random_int(state, 0, 2) == 0) { /* exact halves after scaling: ties */
        for (int32_t i = 0; i < n; i++) {
            x[i] = (float)random_int(state, -254, 254) * 0.5f;
        }
        x[random_int(state, 0, n - 1)] = 127.0f;
    }
    int8_t *q = guard_place(&memory->areas[OUT], (size_t)n, at_end);
    float *d = place(memory, B, groups, at_end);
    int32_t *s = guard_place(&memory->areas[C], (size_t)sums * sizeof s[0], at_end);
    want(expected_q, expected_d, expected_s, x, n);
    fn(q, d, s, x, n);
    compare(what, kernels, expected_d, d, groups);
    CHECK(memcmp(expected_q, q, (size_t)n) == 0, "%s %s codes, n %d", edge_isa_name(kernels->isa), what, n);
    CHECK(memcmp(expected_s, s, (size_t)sums * sizeof s[0]) == 0, "%s %s sums, n %d", edge_isa_name(kernels->isa), what,
          n);
}

static void run_convert(arena *memory, uint64_t *state, const edge_kernels *kernels, int32_t n) {
    int at_end = random_int(state, 0, 1);
    float *x = random_row(memory, A, state, n, at_end);
    if (random_int(state, 0, 1)) { /* any bits at all, or halves and their midpoints */
        for (int32_t i = 0; i < n; i++) {
            uint32_t bits = (uint32_t)random_u64(state);
            x[i] = random_int(state, 0, 1) ? edge_bits_f32(bits)
                                           : edge_bits_f32(edge_f32_bits(edge_f16_to_f32((uint16_t)bits)) ^
                                                           (bits >> 16 & 0x1000u) ^ (bits >> 31));
        }
    }
    uint16_t *out = guard_place(&memory->areas[OUT], (size_t)n * sizeof out[0], at_end);
    kernels->f32_to_f16(out, x, n);
    for (int32_t i = 0; i < n; i++) {
        uint16_t want = edge_f32_to_f16(x[i]);
        int both_nan = (want & 0x7fff) > 0x7c00 && (out[i] & 0x7fff) > 0x7c00;
        CHECK(out[i] == want || both_nan, "%s f32_to_f16 of %a: %04x, want %04x", edge_isa_name(kernels->isa),
              (double)x[i], out[i], want);
    }
}

static void run_level(arena *memory, const edge_kernels *kernels, int32_t cases) {
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    uint64_t state = 1;
    for (int32_t i = 0; i < cases; i++) {
        int32_t n = i % (SIZES + 1);
        run_binary(memory, &state, kernels, "add", scalar->add, kernels->add, n);
        run_binary(memory, &state, kernels, "mul", scalar->mul, kernels->mul, n);
        run_binary(memory, &state, kernels, "silu_mul", scalar->silu_mul, kernels->silu_mul, n);
        run_binary(memory, &state, kernels, "gelu_mul", scalar->gelu_mul, kernels->gelu_mul, n);
        run_binary(memory, &state, kernels, "gelu_erf_mul", scalar->gelu_erf_mul, kernels->gelu_erf_mul, n);
        run_binary(memory, &state, kernels, "relu2_mul", scalar->relu2_mul, kernels->relu2_mul, n);
        run_unary(memory, &state, kernels, "silu", scalar->silu, kernels->silu, n);
        run_unary(memory, &state, kernels, "gelu", scalar->gelu, kernels->gelu, n);
        run_unary(memory, &state, kernels, "gelu_erf", scalar->gelu_erf, kernels->gelu_erf, n);
        run_unary(memory, &state, kernels, "relu2", scalar->relu2, kernels->relu2, n);
        run_norm(memory, &state, kernels, scalar, n);
        run_layer_norm(memory, &state, kernels, scalar, n);
        run_rope(memory, &state, kernels, "rope_norm", scalar->rope_norm, kernels->rope_norm, n);
        run_rope(memory, &state, kernels, "rope_neox", scalar->rope_neox, kernels->rope_neox, n);
        run_quantize(memory, &state, kernels, "quantize_a8g32", scalar->quantize_a8g32, kernels->quantize_a8g32, i % 9,
                     EDGE_GROUP, 32);
        run_quantize(memory, &state, kernels, "quantize_a8g256", scalar->quantize_a8g256, kernels->quantize_a8g256,
                     i % 4, EDGE_SUPER, 16);
        run_convert(memory, &state, kernels, n);
    }
}

int main(int argc, char **argv) {
    int32_t cases = check_cases(argc, argv, CASES);
    static arena memory;
    for (int i = 0; i < NUM_AREAS; i++) {
        memory.areas[i] = guard_create(MAX_SIZE * sizeof(float));
    }
    for (int32_t isa = EDGE_ISA_SCALAR; isa < EDGE_ISA_COUNT; isa++) {
        const edge_kernels *kernels = edge_kernels_get((edge_isa)isa);
        if (kernels) {
            run_level(&memory, kernels, isa == EDGE_ISA_SCALAR ? cases / 10 : cases);
        }
        printf("%s: %s\n", edge_isa_name((edge_isa)isa), kernels ? "compared" : "not here");
    }
    for (int i = 0; i < NUM_AREAS; i++) {
        guard_destroy(&memory.areas[i]);
    }
    return check_result("elementwise");
}
