/* The measuring kernels return what the scalar ones do, so they read and multiply all of it; figures are positive and
 * finite, arguments checked, and nothing leaks. */
#include "edge/measure.h"

#include <math.h>

#include "check.h"
#include "half.h"
#include "kernels.h"
#include "os.h"
#include "random.h"

#define READ_BYTES 8192

static void test_kernels(const edge_kernels *kernels) {
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    static _Alignas(EDGE_ALIGNMENT) uint8_t memory[READ_BYTES];
    _Alignas(EDGE_ALIGNMENT) uint8_t codes[EDGE_PEAK_CODES];
    int8_t acts[4 * EDGE_PEAK_TOKENS];
    uint64_t state = 5;
    const char *name = edge_isa_name(kernels->isa);
    for (int i = 0; i < READ_BYTES; i++) {
        memory[i] = (uint8_t)random_int(&state, 0, 255);
    }
    for (uint64_t bytes = 0; bytes <= READ_BYTES; bytes += 512) {
        uint64_t want = 0, word;
        for (uint64_t i = 0; i < bytes; i += sizeof word) {
            memcpy(&word, memory + i, sizeof word);
            want ^= word;
        }
        CHECK(kernels->read(memory, bytes) == want, "%s, %d bytes", name, (int)bytes);
    }
    for (int extreme = 0; extreme < 2; extreme++) {
        for (int i = 0; i < EDGE_PEAK_CODES; i++) {
            codes[i] = (uint8_t)(extreme ? 15 : random_int(&state, 0, 15));
        }
        for (int i = 0; i < 4 * EDGE_PEAK_TOKENS; i++) {
            acts[i] = (int8_t)(extreme ? 127 : random_int(&state, -127, 127));
        }
        for (int32_t rounds = 0; rounds < 70; rounds += 23) { /* from the second on the sum wraps */
            uint32_t want = scalar->peak(codes, acts, rounds);
            CHECK(kernels->peak(codes, acts, rounds) == want, "%s, %d rounds", name, rounds);
        }
        uint32_t once = 0;
        for (int i = 0; i < EDGE_PEAK_CODES * EDGE_PEAK_TOKENS; i++) {
            const int code = i % EDGE_PEAK_CODES, t = i / EDGE_PEAK_CODES;
            once += (uint32_t)(codes[code] * acts[4 * t + code % 4]);
        }
        CHECK(kernels->peak(codes, acts, 3) == 3 * once, "%s, three rounds", name);
    }
    float starts[EDGE_PEAK_CHAINS];
    for (int i = 0; i < EDGE_PEAK_CHAINS; i++) {
        starts[i] = random_unit(&state);
    }
    for (int32_t rounds = 0; rounds < 30; rounds++) {
        uint32_t want = 0;
        for (int i = 0; i < EDGE_PEAK_CHAINS; i++) {
            float end = starts[i];
            for (int32_t round = 0; round < rounds; round++) {
                end = end * 0.75f + 0.3f;
            }
            want += edge_f32_bits(end);
        }
        CHECK(kernels->peak_f32(starts, 0.75f, 0.3f, rounds) == want, "%s, %d rounds of floats", name, rounds);
    }
}

/* Every kind of activation: F32, groups of 32, groups of 256. */
static void test_matrices(edge_threads *threads, edge_isa isa) {
    static const int32_t types[] = {EDGE_TYPE_F32, EDGE_TYPE_Q8_0, EDGE_TYPE_Q4_K};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        edge_weights *weights = NULL;
        uint64_t source, packed;
        CHECK(edge_weights_sizes(types[i], 40, 512, &source, &packed) == EDGE_OK, "sizes");
        void *zeros = edge_os_alloc(source);
        CHECK(edge_weights_create(&weights, types[i], 40, 512, zeros, source, NULL) == EDGE_OK, "type %d", types[i]);
        for (int32_t tokens = 1; tokens <= EDGE_CHUNK_TOKENS; tokens = tokens * 2 + 1) {
            double figure = 0.0;
            CHECK(edge_measure_matmul(threads, isa, weights, tokens, 1e-5, &figure) == EDGE_OK, "%d tokens", tokens);
            CHECK(figure > 0.0 && isfinite(figure), "%g multiply-adds a second", figure);
        }
        double figure = 0.0;
        CHECK(edge_measure_matmul(threads, isa, weights, 0, 1e-5, &figure) == EDGE_INVALID, "no token");
        CHECK(edge_measure_matmul(threads, isa, weights, 65, 1e-5, &figure) == EDGE_INVALID, "too many tokens");
        CHECK(edge_measure_matmul(threads, EDGE_ISA_COUNT, weights, 1, 1e-5, &figure) == EDGE_UNSUPPORTED, "level");
        edge_os_fail_after(0);
        CHECK(edge_measure_matmul(threads, isa, weights, 1, 1e-5, &figure) == EDGE_NO_MEMORY, "no memory");
        edge_os_fail_after(-1);
        edge_weights_destroy(&weights);
        edge_os_free(zeros, source);
    }
}

static void test_regions(edge_threads *threads, edge_isa isa) {
    edge_region *region = NULL;
    double figure = 0.0;
    CHECK(edge_region_allocate(&region, 1 << 20) == EDGE_OK, "region");
    CHECK(edge_measure_region(threads, isa, region, 1e-4, &figure) == EDGE_OK, "region");
    CHECK(figure > 0.0 && isfinite(figure), "%g bytes a second", figure);
    edge_region_destroy(&region);
    CHECK(edge_measure_region(threads, isa, NULL, 1e-4, &figure) == EDGE_INVALID, "no region");
    CHECK(edge_region_allocate(&region, 4096) == EDGE_OK, "region");
    CHECK(edge_measure_region(threads, isa, region, 1e-4, &figure) == EDGE_INVALID, "too small");
    edge_region_destroy(&region);
}

static void test_figures(edge_isa isa, int32_t count) {
    edge_threads *threads = NULL;
    CHECK(edge_threads_create(&threads, count) == EDGE_OK, "%d threads", count);
    for (int32_t huge = 0; huge < 2; huge++) {
        double figure = 0.0;
        CHECK(edge_measure_read(threads, isa, (5u << 20) + 12345, huge, 1e-3, &figure) == EDGE_OK, "read");
        CHECK(figure > 0.0 && isfinite(figure), "%g bytes a second", figure);
    }
    double figure = 0.0;
    CHECK(edge_measure_integer_peak(threads, isa, 1e-3, &figure) == EDGE_OK, "peak");
    CHECK(figure > 0.0 && isfinite(figure), "%g multiply-adds a second", figure);
    CHECK(edge_measure_float_peak(threads, isa, 1e-3, &figure) == EDGE_OK, "float peak");
    CHECK(figure > 0.0 && isfinite(figure), "%g float multiply-adds a second", figure);
    test_matrices(threads, isa);
    test_regions(threads, isa);
    edge_threads_destroy(&threads);
}

static void test_refusals(void) {
    edge_threads *threads = NULL;
    double figure = -1.0;
    int64_t before = edge_os_live();
    CHECK(edge_threads_create(&threads, 1) == EDGE_OK, "threads");
    static const double seconds[] = {0.0, -1.0, 61.0, NAN, INFINITY};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        CHECK(edge_measure_read(threads, EDGE_ISA_SCALAR, 1 << 20, 1, seconds[i], &figure) == EDGE_INVALID, "seconds");
        CHECK(edge_measure_integer_peak(threads, EDGE_ISA_SCALAR, seconds[i], &figure) == EDGE_INVALID, "seconds");
        CHECK(edge_measure_float_peak(threads, EDGE_ISA_SCALAR, seconds[i], &figure) == EDGE_INVALID, "seconds");
    }
    CHECK(edge_measure_read(threads, EDGE_ISA_SCALAR, 65535, 1, 0.1, &figure) == EDGE_INVALID, "too little memory");
    CHECK(edge_measure_read(NULL, EDGE_ISA_SCALAR, 1 << 20, 1, 0.1, &figure) == EDGE_INVALID, "no threads");
    CHECK(edge_measure_read(threads, EDGE_ISA_SCALAR, 1 << 20, 1, 0.1, NULL) == EDGE_INVALID, "nowhere to write");
    CHECK(edge_measure_integer_peak(NULL, EDGE_ISA_SCALAR, 0.1, &figure) == EDGE_INVALID, "no threads");
    CHECK(edge_measure_integer_peak(threads, EDGE_ISA_SCALAR, 0.1, NULL) == EDGE_INVALID, "nowhere to write");
    CHECK(edge_measure_read(threads, EDGE_ISA_COUNT, 1 << 20, 1, 0.1, &figure) == EDGE_UNSUPPORTED, "no such level");
    CHECK(edge_measure_integer_peak(threads, EDGE_ISA_COUNT, 0.1, &figure) == EDGE_UNSUPPORTED, "no such level");
    CHECK(edge_measure_float_peak(threads, EDGE_ISA_COUNT, 0.1, &figure) == EDGE_UNSUPPORTED, "no such level");
    CHECK(edge_measure_read(threads, EDGE_ISA_SCALAR, UINT64_MAX / 2, 1, 0.1, &figure) == EDGE_NO_MEMORY, "all memory");
    edge_os_fail_after(0);
    CHECK(edge_measure_read(threads, EDGE_ISA_SCALAR, 1 << 20, 1, 0.1, &figure) == EDGE_NO_MEMORY, "no memory");
    edge_os_fail_after(-1);
    CHECK(figure < 0.0, "a refusal writes nothing");
    edge_threads_destroy(&threads);
    CHECK(edge_os_live() == before, "memory leaks");
}

int main(void) {
    int64_t before = edge_os_live();
    for (int isa = 0; isa < EDGE_ISA_COUNT; isa++) {
        if (edge_isa_supported((edge_isa)isa)) {
            test_kernels(edge_kernels_get((edge_isa)isa));
            test_figures((edge_isa)isa, isa % 3 + 1);
        }
    }
    test_refusals();
    CHECK(edge_os_live() == before, "memory leaks");
    return check_result("measure");
}
