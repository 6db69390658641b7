/* Adapters: what they add to linear operations, for the rows of a step that use them.
 *
 * Neighbouring rows with one adapter are a run, cut where blocks of EDGE_CHUNK_TOKENS rows end, so that both halves of
 * a product see the same runs. A row's bits depend on nothing but the row: kernels give the same for any number of
 * rows. */
#include "lora.h"

#include <math.h>

#include "error.h"
#include "inline.h"
#include "plan.h"
#include "rules.h"

#define TILE       EDGE_TILE_ROWS
#define AHEAD      4    /* tile rows: with one token, as long as memory takes to answer */
#define MOST_ASKED 4096 /* bytes: the first-level cache has other things to hold */

static edge_status check_pair(const edge_checker *k, const edge_op_plan *plan, const edge_lora *lora, int32_t i) {
    const edge_op *op = edge_check_op(k);
    if (i >= plan->num_weights) {
        return edge_check_refuse(k, "an adapter adds to an output that is not there", i, plan->num_weights);
    }
    EDGE_TRY(edge_check_matrix(k, lora->down[i], edge_check_width(k, op->in[0])));
    const edge_weights *down = k->c->weights[lora->down[i]];
    EDGE_TRY(edge_check_matrix(k, lora->up[i], down->rows));
    const edge_weights *up = k->c->weights[lora->up[i]];
    if (up->rows != k->c->weights[op->weight[i]]->rows) {
        return edge_check_refuse(k, "an adapter adds the wrong number of rows", up->rows,
                                 k->c->weights[op->weight[i]]->rows);
    }
    if (edge_family_acts(down->family) != EDGE_ACT_F32 || edge_family_acts(up->family) != EDGE_ACT_F32 ||
        down->stream || up->stream) {
        return edge_check_refuse(k, "an adapter's matrices must be floats in memory", down->type, up->type);
    }
    return isfinite(lora->scale[i]) ? EDGE_OK : edge_check_refuse(k, "an adapter's scale must be finite", i, 0);
}

static edge_status check_one(edge_checker *k, edge_op_plan *plans, const edge_lora *lora) {
    if (lora->op < 0 || lora->op >= k->c->num_ops || k->c->ops[lora->op].kind != EDGE_OP_LINEAR) {
        return edge_fail(k->error, EDGE_INVALID, "an adapter adds to operation %d, which is no LINEAR", (int)lora->op);
    }
    k->op = lora->op;
    if (lora->adapter < 0 || lora->adapter >= k->c->num_adapters) {
        return edge_check_refuse(k, "no such adapter", lora->adapter, k->c->num_adapters);
    }
    edge_op_plan *plan = &plans[lora->op];
    for (int32_t i = 0; i < 3; i++) {
        if (lora->down[i] == -1 && lora->up[i] == -1) {
            continue;
        }
        EDGE_TRY(check_pair(k, plan, lora, i));
        int32_t rank = (int32_t)k->c->weights[lora->down[i]]->rows;
        plan->rank = rank > plan->rank ? rank : plan->rank;
    }
    return EDGE_OK;
}

edge_status edge_lora_check(const edge_program_config *config, edge_op_plan *plans, edge_error *error) {
    edge_checker k = {config, error, NULL, NULL, NULL, 0};
    for (int32_t i = 0; i < config->num_loras; i++) {
        EDGE_TRY(check_one(&k, plans, &config->loras[i]));
        if (i > 0 && (config->loras[i].op < config->loras[i - 1].op ||
                      (config->loras[i].op == config->loras[i - 1].op &&
                       config->loras[i].adapter <= config->loras[i - 1].adapter))) {
            return edge_check_refuse(&k, "what adapters add is not in ascending order", i, config->num_loras);
        }
    }
    return EDGE_OK;
}

int edge_lora_reserve(edge_program *program) {
    const edge_program_config *c = &program->config;
    for (int32_t i = 0; i < c->num_ops; i++) {
        program->low_width = program->plans[i].rank > program->low_width ? program->plans[i].rank : program->low_width;
    }
    /* Below 2^14 x 2^8 and 3 x 2^16 x 2^31 x 2^2: no overflow. */
    uint64_t places = (uint64_t)c->num_ops * (uint64_t)c->num_adapters;
    program->lora_of = edge_program_take(program, places * sizeof(int32_t));
    program->low =
        edge_program_take(program, 3 * (uint64_t)c->max_tokens * (uint64_t)program->low_width * sizeof(float));
    if (!program->lora_of || !program->low) {
        return 0;
    }
    for (uint64_t i = 0; i < places; i++) {
        program->lora_of[i] = -1;
    }
    for (int32_t i = 0; i < c->num_loras; i++) {
        program->lora_of[program->loras[i].op * c->num_adapters + program->loras[i].adapter] = i;
    }
    return 1;
}

static int32_t adapter_of(const edge_program *program, const edge_op_plan *plan, int64_t row) {
    const edge_batch *batch = program->batch;
    return batch->adapters[plan->row_kind == 0 ? row : batch->logit_rows[row]];
}

/* How many rows from `row` on, before `end`, use the same adapter, and what it adds: NULL, nothing. */
static int32_t run_of(const edge_program *program, const edge_op *op, const edge_op_plan *plan, int64_t row,
                      int64_t end, const edge_lora **lora) {
    int32_t adapter = adapter_of(program, plan, row), count = 1;
    while (row + count < end && adapter_of(program, plan, row + count) == adapter) {
        count++;
    }
    int32_t at = adapter < 0 ? -1 : program->lora_of[(op - program->ops) * program->config.num_adapters + adapter];
    *lora = at < 0 ? NULL : &program->loras[at];
    return count;
}

/* Where the rows of a run begin; they follow each other as densely as the adapter's rank lets them. */
static float *low_rows(const edge_program *program, int32_t which, int64_t row) {
    return program->low + (which * (int64_t)program->config.max_tokens + row) * program->low_width;
}

static void multiply(const edge_program *program, int32_t weight, int64_t tile_row, const float *x, int32_t count,
                     float *y) {
    const edge_weights *w = program->weights[weight];
    edge_acts acts = {.x = x, .x_stride = w->cols};
    program->kernels->matmul[w->family][edge_shape_of(count)](
        y, edge_weights_tiles(w) + (uint64_t)tile_row * w->tile_row_bytes, (int32_t)w->cols, &acts, count);
}

static int32_t rows_of_tile(const edge_weights *w, int64_t tile_row) {
    int64_t left = w->rows - tile_row * TILE;
    return left < TILE ? (int32_t)left : TILE;
}

static void run_down(const edge_program *program, const edge_lora *lora, int32_t which, int64_t tile_row,
                     const float *x, int64_t row, int32_t count) {
    _Alignas(EDGE_ALIGNMENT) float y[EDGE_CHUNK_TOKENS * TILE];
    const edge_weights *down = program->weights[lora->down[which]];
    int32_t rows = rows_of_tile(down, tile_row);
    if (rows <= 0) {
        return; /* another adapter has a larger rank */
    }
    multiply(program, lora->down[which], tile_row, x + row * down->cols, count, y);
    float *out = low_rows(program, which, row) + tile_row * TILE;
    for (int32_t t = 0; t < count; t++) {
        for (int32_t r = 0; r < rows; r++) {
            out[t * down->rows + r] = lora->scale[which] * y[t * TILE + r];
        }
    }
}

void edge_lora_run_down(edge_worker *worker, const edge_op *op, const edge_op_plan *plan, const float *x,
                        int32_t rows) {
    const edge_program *program = worker->program;
    int64_t tile_rows = (plan->rank + TILE - 1) / TILE, begin, end;
    int64_t blocks = (rows + EDGE_CHUNK_TOKENS - 1) / EDGE_CHUNK_TOKENS;
    while (edge_worker_next(worker, plan->num_weights * tile_rows * blocks, 1, &begin, &end)) {
        for (int64_t i = begin; i < end; i++) {
            int32_t which = (int32_t)(i / (tile_rows * blocks));
            int64_t tile_row = i / blocks % tile_rows, row = i % blocks * EDGE_CHUNK_TOKENS;
            int64_t last = rows - row < EDGE_CHUNK_TOKENS ? rows : row + EDGE_CHUNK_TOKENS;
            while (row < last) {
                const edge_lora *lora;
                int32_t count = run_of(program, op, plan, row, last, &lora);
                if (lora && lora->down[which] >= 0) {
                    run_down(program, lora, which, tile_row, x, row, count);
                }
                row += count;
            }
        }
    }
}

void edge_lora_ask(const edge_program *program, const edge_op *op, const edge_op_plan *plan, int32_t which,
                   int64_t tile_row, int64_t row) {
    const edge_lora *lora;
    (void)run_of(program, op, plan, row, row + 1, &lora);
    const edge_weights *up = lora && lora->up[which] >= 0 ? program->weights[lora->up[which]] : NULL;
    if (!up || (tile_row + AHEAD) * TILE >= up->rows) {
        return;
    }
    const uint8_t *tiles = edge_weights_tiles(up) + (uint64_t)(tile_row + AHEAD) * up->tile_row_bytes;
    for (uint64_t i = 0; i < up->tile_row_bytes && i < MOST_ASKED; i += EDGE_ALIGNMENT) {
        EDGE_ASK(tiles + i);
    }
}

void edge_lora_add(const edge_program *program, const edge_op *op, const edge_op_plan *plan, int32_t which,
                   int64_t tile_row, int64_t row, int32_t count, float *y) {
    for (int64_t at = row, end = row + count; at < end;) {
        const edge_lora *lora;
        int32_t run = run_of(program, op, plan, at, end, &lora);
        if (lora && lora->up[which] >= 0) {
            _Alignas(EDGE_ALIGNMENT) float added[EDGE_CHUNK_TOKENS * TILE];
            multiply(program, lora->up[which], tile_row, low_rows(program, which, at), run, added);
            program->kernels->add(y + (at - row) * TILE, y + (at - row) * TILE, added, run * TILE);
        }
        at += run;
    }
}
