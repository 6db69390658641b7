/* Every matrix kernel of every supported level against the scalar one: equal bits, no access out of bounds. */
#define _DEFAULT_SOURCE
#include <stdlib.h>

#include "check.h"
#include "format.h"
#include "guard.h"
#include "half.h"
#include "kernels.h"
#include "random.h"
#include "tile.h"

#define CASES        12000 /* per family and level, over the three shapes */
#define MAX_COLS     1024
#define FLOAT_COLS   129 /* float families: every size up to here */
#define STRIDE_EXTRA 3   /* groups between the rows of strided activations */

static const char *const family_names[EDGE_NUM_FAMILIES] = {
    "F32",    "F16",    "BF16",   "W8G32",  "W4G32",   "W4MG32", "W5G32",   "W5MG32",  "W1G128",
    "W2G64",  "N4G32",  "E4G32",  "E4G16",  "W2MG256", "W3G256", "W4MG256", "W5MG256", "W6G256",
    "W2G256", "T5G256", "N4G256", "N3G256", "N3XG256", "S2G256", "D1G256",
};
static const int32_t shape_tokens[EDGE_NUM_SHAPES] = {1, 8, EDGE_CHUNK_TOKENS};

typedef struct arena {
    guard tiles, x, q, d, s, out;
    float expected[EDGE_CHUNK_TOKENS * EDGE_TILE_ROWS];
} arena;

static uint16_t random_scale(uint64_t *state, int32_t mode) {
    static const uint16_t special[] = {0x7c00, 0xfc00, 0x7e00, 0x0000, 0x8000, 0x0001, 0x83ff, 0x7bff, 0xfbff, 0x0400};
    if (mode == 3 || (mode == 2 && random_int(state, 0, 15) == 0)) {
        return special[random_u64(state) % (sizeof special / sizeof special[0])];
    }
    return edge_f32_to_f16(random_unit(state) * 0.1f);
}

static void put_scales(uint64_t *state, uint8_t *halves, int32_t mode) {
    for (int32_t row = 0; row < EDGE_TILE_ROWS; row++) {
        uint16_t half = random_scale(state, mode);
        memcpy(halves + 2 * row, &half, sizeof half);
    }
}

static void fill_tiles(uint64_t *state, uint8_t *tiles, uint64_t size, edge_family family) {
    static const uint8_t extremes[] = {0xff, 0x80, 0x00, 0x7f, 0x0f, 0xf0};
    int32_t extreme = random_int(state, 0, 2);
    for (uint64_t i = 0; i < size; i++) {
        tiles[i] = extreme ? (uint8_t)random_u64(state) : extremes[0];
    }
    if (!extreme) {
        memset(tiles, extremes[random_u64(state) % sizeof extremes], size);
    }
    int32_t mode = random_int(state, 0, 3);
    if (edge_family_acts(family) == EDGE_ACT_F32) {
        for (uint64_t i = 0; mode != 1 && i + 4 <= size; i += 4) { /* mode 1: raw bytes, NaN among them */
            float value = random_float(state, mode);
            uint16_t halves[2] = {edge_f32_to_f16(value), edge_f32_to_f16(random_float(state, mode))};
            memcpy(tiles + i, family == EDGE_FAMILY_F16 ? (void *)halves : (void *)&value, 4);
        }
        return;
    }
    const edge_format *format = edge_format_of(family);
    for (uint8_t *unit = tiles; unit < tiles + size && format->scale == EDGE_SCALE_F16; unit += format->bytes) {
        put_scales(state, unit + format->scale_at, mode);
        if (format->min_at > 0) {
            put_scales(state, unit + format->min_at, mode);
        }
    }
}

/* Activations as quantising makes them, or the worst codes there can be. */
static void fill_acts(uint64_t *state, const arena *memory, edge_acts *acts, edge_act_kind kind, int32_t cols,
                      int32_t tokens, int at_end) {
    int32_t mode = random_int(state, 0, RANDOM_FLOAT_MODES - 1), codes = random_int(state, 0, 3);
    memset(acts, 0, sizeof *acts);
    if (kind == EDGE_ACT_F32) {
        acts->x_stride = cols + random_int(state, 0, STRIDE_EXTRA);
        size_t count = (size_t)((tokens - 1) * acts->x_stride + cols);
        float *x = guard_place(&memory->x, count * sizeof x[0], at_end);
        for (size_t i = 0; i < count; i++) {
            x[i] = random_float(state, mode);
        }
        acts->x = x;
        return;
    }
    int32_t group = kind == EDGE_ACT_A8G32 ? EDGE_GROUP : EDGE_SUPER, span = kind == EDGE_ACT_A8G32 ? 32 : 16;
    int32_t groups = cols / group, stride = groups + random_int(state, 0, STRIDE_EXTRA);
    acts->d_stride = stride;
    acts->q_stride = (int64_t)stride * group;
    acts->s_stride = (int64_t)stride * (group / span);
    size_t last = (size_t)(tokens - 1);
    size_t num_q = last * (size_t)acts->q_stride + (size_t)cols;
    size_t num_d = last * (size_t)acts->d_stride + (size_t)groups;
    size_t num_s = last * (size_t)acts->s_stride + (size_t)(cols / span);
    int8_t *q = guard_place(&memory->q, num_q + EDGE_OVERREAD, at_end);
    float *d = guard_place(&memory->d, num_d * sizeof d[0], at_end);
    int32_t *s = guard_place(&memory->s, num_s * sizeof s[0], at_end);
    memset(q, 0, num_q);
    memset(s, 0, num_s * sizeof s[0]);
    for (size_t i = 0; i < num_d; i++) {
        d[i] = mode == 0 ? fabsf(random_unit(state)) * 0.05f : fabsf(random_float(state, mode));
    }
    for (int32_t t = 0; t < tokens; t++) {
        for (int32_t k = 0; k < cols; k++) {
            int32_t code = codes == 0   ? 127
                           : codes == 1 ? -127
                           : codes == 2 ? (random_u64(state) & 1 ? 127 : -127)
                                        : random_int(state, -127, 127);
            q[t * acts->q_stride + k] = (int8_t)code;
            s[t * acts->s_stride + k / span] += code;
        }
    }
    acts->q = q;
    acts->d = d;
    acts->s = s;
}

static int32_t random_cols(uint64_t *state, edge_family family, int32_t index) {
    switch (edge_family_acts(family)) {
    case EDGE_ACT_F32:
        return index % (FLOAT_COLS + 1);
    case EDGE_ACT_A8G32: {
        int32_t unit = edge_format_of(family)->unit;
        return unit * random_int(state, 0, index % 50 == 0 ? MAX_COLS / unit : 10 * EDGE_GROUP / unit);
    }
    default:
        return EDGE_SUPER * random_int(state, 0, index % 20 == 0 ? MAX_COLS / EDGE_SUPER : 1);
    }
}

static void run_case(arena *memory, uint64_t *state, const edge_kernels *kernels, edge_family family, int32_t index) {
    edge_shape shape = (edge_shape)(index % EDGE_NUM_SHAPES);
    int at_end = random_int(state, 0, 3) > 0;
    int32_t cols = random_cols(state, family, index / EDGE_NUM_SHAPES);
    int32_t tokens = random_int(state, 1, shape_tokens[shape]);
    uint64_t size = edge_tile_row_bytes(family, cols);
    uint8_t *tiles = guard_place(&memory->tiles, size + EDGE_OVERREAD, at_end);
    fill_tiles(state, tiles, size, family);
    edge_acts acts;
    fill_acts(state, memory, &acts, edge_family_acts(family), cols, tokens, at_end);
    size_t count = (size_t)(tokens * EDGE_TILE_ROWS);
    float *out = guard_place(&memory->out, count * sizeof out[0], at_end);
    memset(out, 0xaa, count * sizeof out[0]);

    edge_kernels_get(EDGE_ISA_SCALAR)->matmul[family][shape](memory->expected, tiles, cols, &acts, tokens);
    kernels->matmul[family][shape](out, tiles, cols, &acts, tokens);
    int64_t at = check_first_difference(memory->expected, out, (int64_t)count);
    CHECK(at < 0, "%s %s shape %d, case %d, cols %d, tokens %d: token %d row %d: %a, want %a",
          edge_isa_name(kernels->isa), family_names[family], (int)shape, index, cols, tokens, (int)at / EDGE_TILE_ROWS,
          (int)at % EDGE_TILE_ROWS, (double)out[at < 0 ? 0 : at], (double)memory->expected[at < 0 ? 0 : at]);
}

/* Two tile rows at once against each on its own. */
static void run_pair(arena *memory, uint64_t *state, const edge_kernels *kernels, edge_family family, int32_t index) {
    int at_end = random_int(state, 0, 3) > 0;
    int32_t cols = random_cols(state, family, index), tokens = random_int(state, 1, EDGE_CHUNK_TOKENS);
    uint64_t size = edge_tile_row_bytes(family, cols);
    uint8_t *tiles = guard_place(&memory->tiles, 2 * size + EDGE_OVERREAD, at_end);
    fill_tiles(state, tiles, 2 * size, family);
    edge_acts acts;
    fill_acts(state, memory, &acts, edge_family_acts(family), cols, tokens, at_end);
    int64_t count = tokens * EDGE_TILE_ROWS;
    float *out = guard_place(&memory->out, 2 * (size_t)count * sizeof out[0], at_end);
    memset(out, 0xaa, 2 * (size_t)count * sizeof out[0]);

    kernels->matmul_pair[family](out, tiles, cols, &acts, tokens);
    for (int32_t i = 0; i < 2; i++) {
        edge_kernels_get(EDGE_ISA_SCALAR)
            ->matmul[family][EDGE_SHAPE_64X16](memory->expected, tiles + (uint64_t)i * size, cols, &acts, tokens);
        int64_t at = check_first_difference(memory->expected, out + i * count, count);
        CHECK(at < 0, "%s %s pair, case %d, cols %d, tokens %d: tile row %d, token %d row %d",
              edge_isa_name(kernels->isa), family_names[family], index, cols, tokens, i, (int)at / EDGE_TILE_ROWS,
              (int)at % EDGE_TILE_ROWS);
    }
}

int main(int argc, char **argv) {
    int32_t cases = check_cases(argc, argv, CASES);
    size_t rows = EDGE_CHUNK_TOKENS, cols = MAX_COLS + STRIDE_EXTRA * EDGE_SUPER;
    static arena memory;
    memory.tiles = guard_create(MAX_COLS * EDGE_TILE_ROWS * 5);
    memory.x = guard_create(rows * cols * sizeof(float));
    memory.q = guard_create(rows * cols);
    memory.d = guard_create(rows * cols);
    memory.s = guard_create(rows * cols);
    memory.out = guard_create(2 * sizeof memory.expected);
    /* The scalar level runs against itself too: that is the run for its own bounds. */
    for (int32_t isa = EDGE_ISA_SCALAR; isa < EDGE_ISA_COUNT; isa++) {
        const edge_kernels *kernels = edge_kernels_get((edge_isa)isa);
        for (int32_t family = 0; kernels && family < EDGE_NUM_FAMILIES; family++) {
            uint64_t state = (uint64_t)family;
            int32_t count = isa == EDGE_ISA_SCALAR ? cases / 10 : cases;
            for (int32_t index = 0; index < count; index++) {
                run_case(&memory, &state, kernels, (edge_family)family, index);
                if (index % EDGE_NUM_SHAPES == 0 && kernels->matmul_pair[family]) {
                    run_pair(&memory, &state, kernels, (edge_family)family, index / EDGE_NUM_SHAPES);
                }
            }
        }
        printf("%s: %s\n", edge_isa_name((edge_isa)isa), kernels ? "compared" : "not here");
    }
    guard_destroy(&memory.tiles);
    guard_destroy(&memory.x);
    guard_destroy(&memory.q);
    guard_destroy(&memory.d);
    guard_destroy(&memory.s);
    guard_destroy(&memory.out);
    return check_result("matmul");
}
