/* The kernels of one instruction-set level, and the data they read.
 * The scalar kernels are the specification: every other level must return the same bits (any NaN equals any NaN). */
#ifndef EDGE_KERNELS_H
#define EDGE_KERNELS_H

#include <stdint.h>

#include "edge/cpu.h"
#include "edge/weights.h"

#define EDGE_TILE_ROWS    16  /* rows of a tile: one SIMD lane each */
#define EDGE_GROUP        32  /* k of a tile, and of an activation group for 32-wide formats */
#define EDGE_SUPER        256 /* k of a K-quant super-block, and of its activation group */
#define EDGE_CHUNK_TOKENS 64  /* most tokens one call of a chunk kernel takes */
#define EDGE_OVERREAD 64 /* bytes a kernel may read (never use) past a packed matrix or a quantised activation row */

/* Weight families, one per packed layout (tile.h describes each). */
typedef enum edge_family {
    EDGE_FAMILY_F32,
    EDGE_FAMILY_F16,
    EDGE_FAMILY_BF16,
    EDGE_FAMILY_W8G32,   /* Q8_0 */
    EDGE_FAMILY_W4G32,   /* Q4_0 */
    EDGE_FAMILY_W4MG32,  /* Q4_1 */
    EDGE_FAMILY_W5G32,   /* Q5_0 */
    EDGE_FAMILY_W4MG256, /* Q4_K */
    EDGE_FAMILY_W6G256,  /* Q6_K */
    EDGE_NUM_FAMILIES
} edge_family;

typedef enum edge_shape {
    EDGE_SHAPE_1X16,  /* one token: bound by bandwidth */
    EDGE_SHAPE_8X16,  /* 1 .. 8 tokens: a tile is unpacked once */
    EDGE_SHAPE_64X16, /* 1 .. EDGE_CHUNK_TOKENS tokens: a panel of 256 k is unpacked once to int8, then an integer GEMM
                       */
    EDGE_NUM_SHAPES
} edge_shape;

/* Activation kinds a family reads. */
typedef enum edge_act_kind { EDGE_ACT_F32, EDGE_ACT_A8G32, EDGE_ACT_A8G256 } edge_act_kind;

/* Rows of activations, token t at pointer + t * stride (strides in elements of the pointer's type).
 * q: int8 codes (cols). d: float scale per group. s: int32 sum of q per 32 (A8G32) or per 16 (A8G256).
 * x: the float rows (F32 kind). Only the pointers of the kind are set. */
typedef struct edge_acts {
    const float *x;
    const int8_t *q;
    const float *d;
    const int32_t *s;
    int64_t x_stride, q_stride, d_stride, s_stride;
} edge_acts;

/* out[t * 16 + r] = dot(row r of the tile row, activation row t), t < num_tokens.
 * tiles: the packed bytes of these 16 rows, all of k (edge_tile_row_bytes). Never allocates, locks or fails. */
typedef void edge_matmul_fn(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t num_tokens);

typedef struct edge_kernels {
    edge_isa isa;
    edge_matmul_fn *matmul[EDGE_NUM_FAMILIES][EDGE_NUM_SHAPES];

    /* One row of n floats (n a multiple of the group) to int8 codes, scales and sums. */
    void (*quantize_a8g32)(int8_t *q, float *d, int32_t *s, const float *x, int32_t n);
    void (*quantize_a8g256)(int8_t *q, float *d, int32_t *s, const float *x, int32_t n);

    /* out = x / rms(x) * gain over n values; out may be x. */
    void (*rms_norm)(float *out, const float *x, const float *gain, int32_t n, float eps);
    void (*silu_mul)(float *out, const float *gate, const float *up, int32_t n); /* silu(gate) * up; out may alias */
    void (*silu)(float *out, const float *x, int32_t n);
    void (*add)(float *out, const float *a, const float *b, int32_t n);
    void (*mul)(float *out, const float *a, const float *b, int32_t n);

    /* x: one head. cos, sin: dims/2 values. */
    void (*rope_norm)(float *x, const float *cos, const float *sin, int32_t dims);
    void (*rope_neox)(float *x, const float *cos, const float *sin, int32_t dims);

    /* One query head against one KV block of `valid` (1 .. 32) positions. k: (head_dim, 32), v: (32, head_dim), in the
     * cache type. Writes the block's maximum, sum and unnormalised output o (head_dim). scale multiplies q.k. */
    void (*attend_f16)(float *o, float *max, float *sum, const float *q, const uint16_t *k, const uint16_t *v,
                       int32_t head_dim, int32_t valid, float scale);
    void (*attend_f32)(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                       int32_t head_dim, int32_t valid, float scale);
    /* Merges a block (o2, max2, sum2) into the running (o, max, sum), in position order. */
    void (*attend_merge)(float *o, float *max, float *sum, const float *o2, float max2, float sum2, int32_t head_dim);

    void (*f32_to_f16)(uint16_t *out, const float *x, int32_t n); /* round to nearest even */
} edge_kernels;

/* The table of a supported level: scalar first, then each level overwrites upward. NULL if not supported. */
const edge_kernels *edge_kernels_get(edge_isa isa);

edge_family edge_family_of(edge_type type);
edge_act_kind edge_family_acts(edge_family family);

/* Packed bytes of 16 rows x cols. */
uint64_t edge_tile_row_bytes(edge_family family, int64_t cols);

#endif
