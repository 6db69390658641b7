/* Packed matrices in regions: equal to those that were packed in memory, safe on any bytes, refused out of bounds; and
 * a step over a file that became shorter says so. */
#define _DEFAULT_SOURCE

#include "files.h"
#include "os.h"
#include "program_bench.h"
#include "weights.h"

#define MAX_COLS 512

static const int32_t every_type[] = {
    EDGE_TYPE_F32,     EDGE_TYPE_F16,    EDGE_TYPE_BF16,   EDGE_TYPE_Q8_0,  EDGE_TYPE_Q4_0,   EDGE_TYPE_Q4_1,
    EDGE_TYPE_Q5_0,    EDGE_TYPE_Q5_1,   EDGE_TYPE_Q1_0,   EDGE_TYPE_Q2_0,  EDGE_TYPE_IQ4_NL, EDGE_TYPE_MXFP4,
    EDGE_TYPE_NVFP4,   EDGE_TYPE_Q2_K,   EDGE_TYPE_Q3_K,   EDGE_TYPE_Q4_K,  EDGE_TYPE_Q5_K,   EDGE_TYPE_Q6_K,
    EDGE_TYPE_TQ2_0,   EDGE_TYPE_TQ1_0,  EDGE_TYPE_IQ4_XS, EDGE_TYPE_IQ3_S, EDGE_TYPE_IQ2_S,  EDGE_TYPE_IQ3_XXS,
    EDGE_TYPE_IQ2_XXS, EDGE_TYPE_IQ2_XS, EDGE_TYPE_IQ1_S,  EDGE_TYPE_IQ1_M};

#define NUM_TYPES (int)(sizeof every_type / sizeof every_type[0])

/* Any bytes in a region that ends with the over-read: decoding its rows must not leave it (sanitizers look on). */
static void test_any_bytes(uint64_t *state, int32_t rounds) {
    for (int32_t i = 0; i < NUM_TYPES; i++) {
        for (int32_t round = 0; round < rounds; round++) {
            int64_t rows = random_int(state, 1, 40), cols = 256 * random_int(state, 1, 2);
            uint64_t source, packed;
            CHECK(edge_weights_sizes(every_type[i], rows, cols, &source, &packed) == EDGE_OK, "type %d", every_type[i]);
            edge_region *region = NULL;
            CHECK(edge_region_allocate(&region, packed + EDGE_OVERREAD) == EDGE_OK, "allocate");
            uint8_t *bytes = edge_region_data(region);
            for (uint64_t k = 0; k < packed; k++) {
                bytes[k] = round == 0 ? 0xff : (uint8_t)random_u64(state);
            }
            edge_weights *weights = NULL;
            CHECK(edge_weights_map(&weights, every_type[i], rows, cols, region, 0) == EDGE_OK, "type %d",
                  every_type[i]);
            float row[MAX_COLS];
            for (int64_t r = 0; r < rows; r++) {
                CHECK(edge_weights_row(weights, r, row) == EDGE_OK, "row %d", (int)r);
            }
            CHECK(edge_weights_data(weights) == bytes, "nothing is copied");
            edge_weights_destroy(&weights);
            edge_region_destroy(&region);
        }
    }
}

static void test_bounds(void) {
    edge_region *region = NULL;
    edge_weights *weights = NULL;
    const uint64_t packed = 544, size = 64 + 544 + EDGE_OVERREAD; /* Q8_0, 16 x 32, behind 64 bytes */
    CHECK(edge_region_allocate(&region, size) == EDGE_OK, "allocate");
    static const struct {
        int32_t type;
        int64_t rows, cols;
        uint64_t offset;
        edge_status status;
    } cases[] = {{EDGE_TYPE_Q8_0, 16, 32, 0, EDGE_OK},
                 {EDGE_TYPE_Q8_0, 16, 32, 64, EDGE_OK},
                 {EDGE_TYPE_Q8_0, 16, 32, 32, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, 16, 32, 65, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, 16, 32, 128, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, 16, 32, UINT64_MAX - 63, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, 16, 32, 1u << 20, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, 17, 32, 0, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, 16, 33, 0, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, INT64_MAX, 32, 0, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, INT32_MAX, 1 << 30, 0, EDGE_INVALID},
                 {EDGE_TYPE_Q8_0, -1, 32, 0, EDGE_INVALID},
                 {99, 16, 32, 0, EDGE_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        edge_status status =
            edge_weights_map(&weights, cases[i].type, cases[i].rows, cases[i].cols, region, cases[i].offset);
        CHECK(status == cases[i].status && (status == EDGE_OK) == (weights != NULL), "case %d: %d", (int)i, status);
        CHECK(status != EDGE_OK || edge_weights_packed_bytes(weights) == packed, "case %d", (int)i);
        edge_weights_destroy(&weights);
    }
    edge_region_destroy(&region);
    CHECK(edge_weights_layout_version() == EDGE_LAYOUT_VERSION, "layout version");
}

/* Puts the matrices of a program into one file, each on a multiple of 64, and maps them from there. */
static edge_region *move_to_file(bench *b, int *descriptor) {
    uint64_t offsets[TINY_MAX_WEIGHTS], end = 0;
    for (int32_t i = 0; i < b->t.num_weights; i++) {
        offsets[i] = end;
        end += (edge_weights_packed_bytes(b->t.weights[i]) + 63) / 64 * 64;
    }
    uint64_t size = end + EDGE_OVERREAD;
    uint8_t *bytes = calloc(1, size);
    for (int32_t i = 0; i < b->t.num_weights; i++) {
        memcpy(bytes + offsets[i], edge_weights_data(b->t.weights[i]), edge_weights_packed_bytes(b->t.weights[i]));
    }
    memset(bytes + end, 0x5a, EDGE_OVERREAD);
    *descriptor = file_of(bytes, size);
    free(bytes);
    edge_region *region = NULL;
    CHECK(edge_region_map(&region, *descriptor, size) == EDGE_OK, "map");
    for (int32_t i = 0; i < b->t.num_weights; i++) {
        edge_weights *it = b->t.weights[i];
        if (!it->is_vector) {
            edge_weights *mapped = NULL;
            CHECK(edge_weights_map(&mapped, it->type, it->rows, it->cols, region, offsets[i]) == EDGE_OK, "%d", (int)i);
            edge_weights_destroy(&b->t.weights[i]);
            b->t.weights[i] = mapped;
        }
    }
    edge_program_destroy(&b->program);
    CHECK(edge_program_create(&b->program, &b->config, &b->error) == EDGE_OK, "%s", b->error.message);
    return region;
}

static void open_small(bench *b, int32_t type, int32_t threads) {
    bench_open(b, type, 2, threads);
    b->batch.num_tokens = 4;
}

static void test_step(int32_t type, int32_t threads, int cut_to_half) {
    bench b;
    int descriptor;
    open_small(&b, type, threads);
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    float before[40];
    memcpy(before, edge_program_logits(b.program), sizeof before);
    edge_region *region = move_to_file(&b, &descriptor);
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    CHECK(check_first_difference(before, edge_program_logits(b.program), b.t.vocab) < 0, "type %d: equal bits", type);
    size_t size = (size_t)lseek(descriptor, 0, SEEK_END);
    file_cut(descriptor, cut_to_half ? size / 2 : size - 1);
    for (int32_t i = 0; i < 2; i++) {
        CHECK(bench_step(&b) == EDGE_FILE_LOST, "a file that became shorter");
        CHECK(strstr(b.error.message, "can be read") != NULL, "%s", b.error.message);
    }
    bench_close(&b);
    edge_region_destroy(&region);
    (void)close(descriptor);
    open_small(&b, type, threads); /* others run on */
    CHECK(bench_step(&b) == EDGE_OK, "%s", b.error.message);
    CHECK(check_first_difference(before, edge_program_logits(b.program), b.t.vocab) < 0, "and compute the same");
    bench_close(&b);
}

/* Cuts the file while steps run over it, again and again. */
static void cut_soon(void *argument) {
    uint64_t start = edge_os_nanoseconds();
    while (edge_os_nanoseconds() - start < 3000000u) {
        edge_os_pause();
    }
    file_cut(*(int *)argument, 0);
}

static void test_cut_while_running(int32_t rounds) {
    for (int32_t round = 0; round < rounds; round++) {
        bench b;
        int descriptor;
        edge_os_thread other;
        open_small(&b, EDGE_TYPE_Q8_0, 3);
        edge_region *region = move_to_file(&b, &descriptor);
        CHECK(edge_os_thread_start(&other, cut_soon, &descriptor) == 0, "thread");
        edge_status status = EDGE_OK;
        for (int32_t i = 0; i < 100000 && status == EDGE_OK; i++) {
            status = bench_step(&b);
        }
        edge_os_thread_join(&other);
        CHECK(status == EDGE_FILE_LOST, "status %d", status);
        bench_close(&b);
        edge_region_destroy(&region);
        (void)close(descriptor);
    }
}

int main(int argc, char **argv) {
    int32_t rounds = check_cases(argc, argv, 20);
    uint64_t state = 4;
    int64_t before = edge_os_live();
    test_any_bytes(&state, rounds);
    test_bounds();
    static const int32_t types[] = {EDGE_TYPE_Q8_0, EDGE_TYPE_Q4_K, EDGE_TYPE_F32, EDGE_TYPE_TQ1_0};
    for (int32_t i = 0; i < 4; i++) {
        for (int32_t threads = 1; threads <= 3; threads += 2) {
            test_step(types[i], threads, 0);
            test_step(types[i], threads, 1);
        }
    }
    test_cut_while_running(rounds);
    CHECK(edge_os_live() == before, "leak");
    return check_result("mapped weights");
}
