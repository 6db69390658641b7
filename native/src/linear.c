/* Linear operations: norm and quantisation of the input, the matrix products, bias, activation and residual.
 *
 * Small steps (EDGE_PRIVATE_ROWS): every thread quantises the input for itself, so no barrier stands before the
 * product. Large steps quantise into a shared area, in a phase of their own unless the operation before did it. */
#include <string.h>

#include "lora.h"
#include "os.h"
#include "program.h"

#define TILE      EDGE_TILE_ROWS
#define REGISTERS 8 /* tokens whose shape unpacks a tile into registers */

/* A piece of the product: a tile row of a matrix, or two, against up to EDGE_CHUNK_TOKENS rows. */
typedef struct product {
    const edge_program *program;
    const edge_op *op;
    const edge_op_plan *plan;
    const edge_acts_area *area;
    const float *x; /* what float weights read */
    int64_t cols;
    int64_t row;   /* first activation row */
    int32_t count; /* activation rows */
} product;

/* How many rows of a tile row are real: the last one is padded. */
static int32_t real_rows(const product *p, int32_t which, int64_t tile_row) {
    int64_t left = p->program->weights[p->op->weight[which]]->rows - tile_row * TILE;
    return left < TILE ? (int32_t)left : TILE;
}

/* Adds the bias of a tile row, and what adapters add. */
static void finish(const product *p, int32_t which, int64_t tile_row, float *y) {
    const float *bias = edge_vector(p->program, p->op->bias[which]);
    if (bias) {
        float row[TILE] = {0};
        memcpy(row, bias + tile_row * TILE, (size_t)real_rows(p, which, tile_row) * sizeof row[0]);
        for (int32_t t = 0; t < p->count; t++) {
            for (int32_t r = 0; r < TILE; r++) {
                y[t * TILE + r] = y[t * TILE + r] + row[r];
            }
        }
    }
    if (edge_lora_runs(p->program, p->plan)) {
        edge_lora_add(p->program, p->op, p->plan, which, tile_row, p->row, p->count, y);
    }
}

/* y[(i * count + t) * 16 + r] = weight[which] x + bias[which] for the rows of `num` (1 or 2) tile rows, and what
 * adapters add. */
static void multiply(const product *p, int32_t which, int64_t tile_row, int32_t num, float *y) {
    const edge_kernels *kernels = p->program->kernels;
    const edge_weights *w = p->program->weights[p->op->weight[which]];
    const uint8_t *tiles = edge_weights_tiles(w) + (uint64_t)tile_row * w->tile_row_bytes;
    const int32_t most = p->count <= EDGE_FEW_TOKENS ? REGISTERS : p->count;
    for (int32_t i = 0; i < num && edge_lora_runs(p->program, p->plan); i++) {
        edge_lora_ask(p->program, p->op, p->plan, which, tile_row + i, p->row);
    }
    for (int32_t t = 0; t < p->count; t += most) {
        const int32_t count = p->count - t < most ? p->count - t : most;
        edge_acts acts = edge_acts_rows(p->area, edge_family_acts(w->family), p->x, p->row + t, p->cols);
        (num == 2 ? kernels->matmul_pair[w->family] : kernels->matmul[w->family][edge_shape_of(count)])(
            y + t * TILE, tiles, (int32_t)p->cols, &acts, count);
    }
    for (int32_t i = 0; i < num; i++) {
        finish(p, which, tile_row + i, y + i * p->count * TILE);
    }
}

/* `rows` values; to may be residual. Sixteen are copied as one: the compiler need not ask what overlaps. */
static void put(float *to, const float *from, const float *residual, int32_t rows) {
    float row[TILE];
    if (rows == TILE && residual) {
        memcpy(row, residual, sizeof row);
        for (int32_t r = 0; r < TILE; r++) {
            row[r] = row[r] + from[r];
        }
        memcpy(to, row, sizeof row);
    } else if (rows == TILE) {
        memcpy(to, from, sizeof row);
    } else {
        for (int32_t r = 0; r < rows; r++) {
            to[r] = residual ? residual[r] + from[r] : from[r];
        }
    }
}

static void store(const product *p, int32_t which, int64_t tile_row, const float *y) {
    const edge_program *program = p->program;
    int64_t width = program->buffers[p->op->out[which]].width;
    int64_t at = p->row * width + tile_row * TILE;
    float *out = edge_buffer_rows(program, p->op->out[which]) + at;
    const float *residual = p->op->residual < 0 ? NULL : edge_buffer_rows(program, p->op->residual) + at;
    const int32_t rows = real_rows(p, which, tile_row);
    for (int32_t t = 0; t < p->count; t++) {
        put(out + t * width, y + t * TILE, residual ? residual + t * width : NULL, rows);
    }
}

static int has_gate(const edge_op *op) {
    return op->activation != EDGE_ACT_NONE && op->weight[1] >= 0;
}

/* Which matrix a tile row stands in, counted over those of the operation one after the other (with a gate, over one of
 * the two); *tile_row becomes its number in there. */
static int32_t find_matrix(const product *p, int64_t *tile_row) {
    int32_t which = 0;
    for (; !has_gate(p->op); which++) {
        int64_t tile_rows = (p->program->weights[p->op->weight[which]]->rows + TILE - 1) / TILE;
        if (*tile_row < tile_rows) {
            break;
        }
        *tile_row -= tile_rows;
    }
    return which;
}

/* Whether a kernel takes this tile row together with the next. */
static int is_pair(const product *p, int64_t tile_row) {
    int32_t which = find_matrix(p, &tile_row);
    const edge_program *program = p->program;
    const edge_weights *w = program->weights[p->op->weight[which]];
    return p->count > EDGE_FEW_TOKENS && program->kernels->matmul_pair[w->family] && (tile_row + 1) * TILE < w->rows &&
           (!has_gate(p->op) || program->weights[p->op->weight[1]]->family == w->family);
}

/* `num` tile rows, 1 or a pair. */
static void run_tile_rows(const product *p, int64_t tile_row, int32_t num) {
    const edge_kernels *kernels = p->program->kernels;
    const int32_t which = find_matrix(p, &tile_row), size = num * p->count * TILE;
    _Alignas(EDGE_ALIGNMENT) float y[2 * EDGE_CHUNK_TOKENS * TILE];
    multiply(p, which, tile_row, num, y);
    if (has_gate(p->op)) {
        _Alignas(EDGE_ALIGNMENT) float up[2 * EDGE_CHUNK_TOKENS * TILE];
        multiply(p, 1, tile_row, num, up);
        edge_gate_of(kernels, p->op->activation)(y, y, up, size);
    } else if (p->op->activation != EDGE_ACT_NONE) {
        edge_activation_of(kernels, p->op->activation)(y, y, size);
    }
    for (int32_t i = 0; i < num; i++) {
        store(p, which, tile_row + i, y + i * p->count * TILE);
    }
}

static int64_t count_tile_rows(const edge_program *program, const edge_op *op, const edge_op_plan *plan) {
    int64_t total = 0;
    int32_t matrices = op->activation != EDGE_ACT_NONE ? 1 : plan->num_weights;
    for (int32_t i = 0; i < matrices; i++) {
        total += (program->weights[op->weight[i]]->rows + TILE - 1) / TILE;
    }
    return total;
}

/* Quantises what a large step computed for the next operation: `unit` tile rows from tile row `first` on, whole groups.
 */
static void quantize_unit(const product *p, const edge_op_plan *plan, int64_t first) {
    const edge_program *program = p->program;
    int64_t width = program->buffers[p->op->out[0]].width, column = first * TILE;
    for (int64_t row = p->row; row < p->row + p->count; row++) {
        const float *out = edge_buffer_rows(program, p->op->out[0]) + row * width + column;
        edge_acts_quantize(program->kernels, &program->shared[!plan->slot], plan->quantize_out, out, row, width, column,
                           (int32_t)(plan->unit * TILE));
    }
}

/* The product in pieces of a tile row x a block of tokens. Where a large step also quantises its output, whoever
 * computes the last tile row of a unit does that. */
static void run_products(edge_worker *worker, const edge_op *op, const edge_op_plan *plan, product p, int32_t rows,
                         int large) {
    edge_program *program = worker->program;
    int64_t tile_rows = count_tile_rows(program, op, plan), begin, end;
    int64_t blocks = (rows + EDGE_CHUNK_TOKENS - 1) / EDGE_CHUNK_TOKENS;
    while (edge_worker_next(worker, tile_rows * blocks, 1, &begin, &end)) {
        for (int64_t i = begin, num; i < end; i += num) {
            int64_t tile_row = i % tile_rows, block = i / tile_rows;
            p.row = block * EDGE_CHUNK_TOKENS;
            p.count = rows - p.row < EDGE_CHUNK_TOKENS ? (int32_t)(rows - p.row) : EDGE_CHUNK_TOKENS;
            num = i + 1 < end && tile_row + 1 < tile_rows && is_pair(&p, tile_row) ? 2 : 1;
            run_tile_rows(&p, tile_row, (int32_t)num);
            for (int64_t done = tile_row; large && plan->quantize_out && done < tile_row + num; done++) {
                int64_t unit = done / plan->unit;
                if (edge_is_last(&program->arrived[unit * blocks + block], plan->unit)) {
                    quantize_unit(&p, plan, unit * plan->unit);
                }
            }
        }
    }
}

/* Normalises (where the operation has a norm) and quantises one input row into an area. */
static void prepare_row(const edge_worker *worker, const edge_op *op, int32_t kinds, const edge_acts_area *area,
                        int64_t row) {
    const edge_program *program = worker->program;
    int64_t cols = program->buffers[op->in[0]].width;
    const float *x = edge_buffer_rows(program, op->in[0]) + row * cols;
    if (op->norm[0] >= 0) {
        float *normed = kinds & EDGE_KIND(EDGE_ACT_F32) ? area->x + row * cols : worker->own->row;
        program->kernels->rms_norm(normed, x, edge_vector(program, op->norm[0]), (int32_t)cols, op->eps);
        x = normed;
    }
    edge_acts_quantize(program->kernels, area, kinds, x, row, cols, 0, (int32_t)cols);
}

void edge_run_linear(edge_worker *worker, const edge_op *op, const edge_op_plan *plan) {
    edge_program *program = worker->program;
    int32_t rows = edge_row_count(program, plan->row_kind);
    int large = rows > EDGE_PRIVATE_ROWS;
    edge_acts_area *area = large ? &program->shared[plan->slot] : &worker->own->acts;
    int ready = large && plan->linked, adapted = edge_lora_runs(program, plan);
    int32_t kinds = plan->kinds | (adapted ? EDGE_KIND(EDGE_ACT_F32) : 0);
    int prepare = !ready && (op->norm[0] >= 0 || (plan->kinds & EDGE_KINDS_QUANTIZED));
    if (prepare && large) {
        int64_t begin, end;
        while (edge_worker_next(worker, rows, 1, &begin, &end)) {
            for (int64_t row = begin; row < end; row++) {
                prepare_row(worker, op, kinds, area, row);
            }
        }
        edge_worker_barrier(worker);
    } else if (prepare) {
        for (int64_t row = 0; row < rows; row++) {
            prepare_row(worker, op, kinds, area, row);
        }
    }
    const float *x = op->norm[0] >= 0 ? area->x : edge_buffer_rows(program, op->in[0]);
    if (adapted) {
        edge_lora_run_down(worker, op, plan, x, rows);
        edge_worker_barrier(worker);
    }
    product p = {program, op, plan, area, x, program->buffers[op->in[0]].width, 0, 0};
    run_products(worker, op, plan, p, rows, large);
}
