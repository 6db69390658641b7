/* Adapters: what they add to linear operations, for the rows of a step that use them. */
#ifndef EDGE_LORA_H
#define EDGE_LORA_H

#include "program.h"

/* Every rule of edge_lora, after those of the operations. Fills plans' rank. */
edge_status edge_lora_check(const edge_program_config *config, edge_op_plan *plans, edge_error *error);

/* Reserves what a step needs for them; 0: no memory. */
int edge_lora_reserve(edge_program *program);

/* Whether rows of this step may get something added by this operation. */
static inline int edge_lora_runs(const edge_program *program, const edge_op_plan *plan) {
    return program->adapted && plan->rank > 0;
}

/* A phase: scale * (down x) of `rows` rows of floats, for `edge_lora_add` behind the next barrier. */
void edge_lora_run_down(edge_worker *worker, const edge_op *op, const edge_op_plan *plan, const float *x, int32_t rows);

/* Asks for what `edge_lora_add` will read a few tile rows on. */
void edge_lora_ask(const edge_program *program, const edge_op *op, const edge_op_plan *plan, int32_t which,
                   int64_t tile_row, int64_t row);

/* Adds up[which] of it to y[t * 16 + r], t < count rows from `row` on: one piece of a product. */
void edge_lora_add(const edge_program *program, const edge_op *op, const edge_op_plan *plan, int32_t which,
                   int64_t tile_row, int64_t row, int32_t count, float *y);

#endif
