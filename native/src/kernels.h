/* The kernels of one instruction-set level, and the data they read.
 * The scalar kernels are the specification: every other level must return the same bits (any NaN equals any NaN).
 *
 * Names: edge_<op>_<dst>_<lhs>_<rhs>[_<MRxNR>]__<isa>; what an operation has no use for is left out. <lhs> is the
 * activation (f32, a8g32, a8g256), <rhs> the weight family in lower case, MR the most tokens of a call, NR the rows of
 * a tile. scripts/check_kernel_names.py holds files, symbols, declarations and tables to this. */
#ifndef EDGE_KERNELS_H
#define EDGE_KERNELS_H

#include <stdint.h>

#include "edge/cpu.h"
#include "edge/weights.h"

#define EDGE_TILE_ROWS    16  /* rows of a tile: one SIMD lane each */
#define EDGE_GROUP        32  /* k of a tile, and of an activation group for 32-wide formats */
#define EDGE_SUPER        256 /* k of a K-quant super-block, and of its activation group */
#define EDGE_CHUNK_TOKENS 64  /* most tokens one call of a chunk kernel takes */
#define EDGE_ATTEND_ROWS  64  /* query heads for which attention reads a KV block once */
#define EDGE_OVERREAD     64  /* bytes a kernel may read (never use) past a packed matrix or an activation row */

/* Weight families, one per packed layout (tile.h describes each): W planar codes, N codes of a table, E floating-point
 * codes, T trits, S trits with signs, D trits with offsets; then the bits, M with minima, G and the k of a scale. */
typedef enum edge_family {
    EDGE_FAMILY_F32,
    EDGE_FAMILY_F16,
    EDGE_FAMILY_BF16,
    EDGE_FAMILY_W8G32,   /* Q8_0 */
    EDGE_FAMILY_W4G32,   /* Q4_0 */
    EDGE_FAMILY_W4MG32,  /* Q4_1 */
    EDGE_FAMILY_W5G32,   /* Q5_0 */
    EDGE_FAMILY_W5MG32,  /* Q5_1 */
    EDGE_FAMILY_W1G128,  /* Q1_0 */
    EDGE_FAMILY_W2G64,   /* Q2_0 */
    EDGE_FAMILY_N4G32,   /* IQ4_NL */
    EDGE_FAMILY_E4G32,   /* MXFP4 */
    EDGE_FAMILY_E4G16,   /* NVFP4 */
    EDGE_FAMILY_W2MG256, /* Q2_K */
    EDGE_FAMILY_W3G256,  /* Q3_K */
    EDGE_FAMILY_W4MG256, /* Q4_K */
    EDGE_FAMILY_W5MG256, /* Q5_K */
    EDGE_FAMILY_W6G256,  /* Q6_K */
    EDGE_FAMILY_W2G256,  /* TQ2_0 */
    EDGE_FAMILY_T5G256,  /* TQ1_0 */
    EDGE_FAMILY_N4G256,  /* IQ4_XS */
    EDGE_FAMILY_N3G256,  /* IQ3_S */
    EDGE_FAMILY_N3XG256, /* IQ3_XXS */
    EDGE_FAMILY_S2G256,  /* IQ2_XXS, IQ2_XS, IQ2_S */
    EDGE_FAMILY_D1G256,  /* IQ1_S, IQ1_M */
    EDGE_NUM_FAMILIES
} edge_family;

typedef enum edge_shape {
    EDGE_SHAPE_1X16,  /* one token: bound by bandwidth */
    EDGE_SHAPE_8X16,  /* 1 .. 8 tokens: a tile is unpacked once */
    EDGE_SHAPE_64X16, /* 1 .. EDGE_CHUNK_TOKENS tokens: a panel of 256 k is unpacked once to int8, then an
                         integer GEMM */
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

/* 64x32: the same for two tile rows, one behind the other: out[(i * num_tokens + t) * 16 + r] of tile row i. A value of
 * the activations is loaded once for both, which is quicker where loads are what bounds the products. */
#define EDGE_FEW_TOKENS 16 /* up to so many go eight by eight, one tile row at a time: a panel costs them more */

/* One row of n floats (n a multiple of the group) to int8 codes, scales and sums. A group that holds NaN or Inf becomes
 * q = 0, d = NaN, s = 0; a group whose largest magnitude is below 2^-100 becomes all zero. */
typedef void edge_quantize_fn(int8_t *q, float *d, int32_t *s, const float *x, int32_t n);

/* out = (x * (1 / sqrt(sum(x * x) / n + eps))) * gain over n values; out may be x. */
typedef void edge_rms_norm_fn(float *out, const float *x, const float *gain, int32_t n, float eps);

/* out = ((x - mean) * (1 / sqrt(sum((x - mean)^2) / n + eps))) * gain + bias over n values; out may be x. */
typedef void edge_layer_norm_fn(float *out, const float *x, const float *gain, const float *bias, int32_t n, float eps);

/* n values each; out may be an input. */
typedef void edge_unary_fn(float *out, const float *x, int32_t n);
typedef void edge_binary_fn(float *out, const float *a, const float *b, int32_t n);

/* Rotates the first dims values of the head x in place. cos, sin: dims/2 values. */
typedef void edge_rope_fn(float *x, const float *cos, const float *sin, int32_t dims);

/* `rows` query heads against the positions first .. valid - 1 (0 <= first < valid <= 32) of one KV block, each as if it
 * were alone. q, o: (rows, head_dim), max, sum: (rows,). k: (head_dim, 32), v: (32, head_dim), in the cache type; lanes
 * and rows of other positions may hold anything. Writes the block's maxima, sums and unnormalised outputs. scale
 * multiplies q.k. */
typedef void edge_attend_f16_fn(float *o, float *max, float *sum, const float *q, const uint16_t *k, const uint16_t *v,
                                int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale);
typedef void edge_attend_f32_fn(float *o, float *max, float *sum, const float *q, const float *k, const float *v,
                                int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale);

/* The same with Q8 queries and a Q8 block (kv.h). q: (rows, head_dim rounded up to a multiple of 4, zeros behind), d:
 * their scales (rows,). Codes are -127 .. 127; q.k is summed as an integer. */
typedef void edge_attend_q8_fn(float *o, float *max, float *sum, const int8_t *q, const float *d, const uint8_t *k,
                               const uint8_t *v, int32_t head_dim, int32_t rows, int32_t first, int32_t valid,
                               float scale);

/* Merges what comes later (o2, max2, sum2) into the running (o, max, sum), for `rows` query heads. */
typedef void edge_attend_merge_fn(float *o, float *max, float *sum, const float *o2, const float *max2,
                                  const float *sum2, int32_t head_dim, int32_t rows);

/* Round to nearest even. */
typedef void edge_f32_to_f16_fn(uint16_t *out, const float *x, int32_t n);

/* For quantising: the scales of EDGE_SEARCH_LANES blocks of `size` (16 or 32) weights x, element k of block l at
 * k * EDGE_SEARCH_LANES + l, w beside it says how much an error there counts (>= 0). All finite. scale, min: one for
 * each block. A block of zeros gets the scale 0.
 * affine: x ~ scale * code + min, codes 0 .. most, -min >= 0 is what is written; num_steps + 1 candidates
 * (begin + i * step + most) / range. symmetric: x ~ scale * code, codes -most .. most - 1, 19 candidates. descent: the
 * same for 16 weights, from one candidate on. table: x ~ scale * values[code], values ascending. */
#define EDGE_SEARCH_LANES 16
typedef struct edge_affine {
    int32_t size;
    int32_t absolute; /* errors count by their magnitude, not their square; only for size 16 */
    int32_t num_steps;
    float begin, step;
    float most;
} edge_affine;
typedef void edge_search_affine_fn(float *scale, float *min, const float *x, const float *w, const edge_affine *how);
typedef void edge_search_scale_fn(float *scale, const float *x, const float *w, int32_t size, float most);
typedef void edge_search_table_fn(float *scale, const float *x, const float *w, int32_t size, const int8_t values[16]);

/* For measuring, beside the kernels that are measured. The exclusive or of `bytes` (a multiple of 512) at `from`
 * (64-byte aligned), as 64-bit words. */
typedef uint64_t edge_read_fn(const uint8_t *from, uint64_t bytes);

/* For measuring: rounds x the sum of codes[i] * acts[4 * t + i % 4] over all codes (0 .. 15, 64-byte aligned) and t,
 * modulo 2^32, with the instructions of the level's integer dot products and none around them. */
#define EDGE_PEAK_CODES  4096
#define EDGE_PEAK_TOKENS 12
typedef uint32_t edge_peak_fn(const uint8_t *codes, const int8_t *acts, int32_t rounds);

/* For measuring: chains that begin with starts (EDGE_PEAK_CHAINS of them), `rounds` times multiplied by factor and
 * added to addend, as attention multiplies and adds: unfused, nothing around it. The sum of their bits, modulo 2^32. */
#define EDGE_PEAK_CHAINS 384
typedef uint32_t edge_peak_f32_fn(const float *starts, float factor, float addend, int32_t rounds);

typedef struct edge_kernels {
    edge_isa isa;
    edge_matmul_fn *matmul[EDGE_NUM_FAMILIES][EDGE_NUM_SHAPES];
    edge_quantize_fn *quantize_a8g32;
    edge_quantize_fn *quantize_a8g256;
    edge_rms_norm_fn *rms_norm;
    edge_layer_norm_fn *layer_norm;
    edge_unary_fn *silu;
    edge_binary_fn *silu_mul; /* silu(gate) * up */
    edge_unary_fn *gelu;
    edge_binary_fn *gelu_mul;
    edge_unary_fn *gelu_erf;
    edge_binary_fn *gelu_erf_mul;
    edge_unary_fn *relu2;
    edge_binary_fn *relu2_mul;
    edge_binary_fn *add;
    edge_binary_fn *mul;
    edge_rope_fn *rope_norm; /* pairs (2i, 2i + 1) */
    edge_rope_fn *rope_neox; /* pairs (i, i + dims/2) */
    edge_attend_f16_fn *attend_f16;
    edge_attend_f32_fn *attend_f32;
    edge_attend_q8_fn *attend_q8;
    edge_attend_merge_fn *attend_merge;
    edge_f32_to_f16_fn *f32_to_f16;
    edge_search_affine_fn *search_affine;
    edge_search_scale_fn *search_symmetric;
    edge_search_scale_fn *search_descent;
    edge_search_table_fn *search_table;
    edge_read_fn *read;
    edge_peak_fn *peak;
    edge_peak_f32_fn *peak_f32;
    edge_matmul_fn *matmul_pair[EDGE_NUM_FAMILIES]; /* 64x32; NULL: two of 64x16 are as fast */
} edge_kernels;

/* Each level overwrites the entries that it has its own kernel for (kernels/edge_table__LEVEL.c). */
void edge_kernels_fill_scalar(edge_kernels *kernels);
void edge_kernels_fill_sse41(edge_kernels *kernels);
void edge_kernels_fill_avx2(edge_kernels *kernels);
void edge_kernels_fill_avxvnni(edge_kernels *kernels);
void edge_kernels_fill_avx512vnni(edge_kernels *kernels);
void edge_kernels_fill_avx512vbmi(edge_kernels *kernels);
void edge_kernels_fill_neon(edge_kernels *kernels);
void edge_kernels_fill_dotprod(edge_kernels *kernels);
void edge_kernels_fill_i8mm(edge_kernels *kernels);

/* The table of a supported level: scalar first, then each level overwrites upward. NULL if not supported. */
const edge_kernels *edge_kernels_get(edge_isa isa);

edge_family edge_family_of(edge_type type);
edge_act_kind edge_family_acts(edge_family family);

/* Packed bytes of 16 rows x cols. */
uint64_t edge_tile_row_bytes(edge_family family, int64_t cols);

#endif
