/* The rules of each kind of operation. A program that passes cannot read or write outside its memory in any step. */
#include <math.h>

#include "error.h"
#include "rules.h"

static edge_status check_embed(edge_checker *k, edge_op_plan *plan) {
    const edge_op *op = edge_check_op(k);
    EDGE_TRY(edge_check_unused(k, 0, 1, 1, 0, 0));
    if (op->weight[0] < 0 || op->weight[0] >= k->c->num_weights || k->c->weights[op->weight[0]]->is_vector) {
        return edge_check_refuse(k, "no such weight matrix", op->weight[0], k->c->num_weights);
    }
    const edge_weights *w = k->c->weights[op->weight[0]];
    if (w->stream) {
        return edge_check_refuse(k, "rows are looked up in a matrix that is streamed", op->weight[0], 0);
    }
    if (!isfinite(op->scale)) {
        return edge_check_refuse(k, "scale must be finite", 0, 0);
    }
    if (op->mode == EDGE_EMBED_POSITION && w->rows < k->c->max_positions) {
        return edge_check_refuse(k, "there are more positions than rows", w->rows, k->c->max_positions);
    }
    if (op->mode == EDGE_EMBED_TOKEN && w->rows < *k->vocab_size) {
        *k->vocab_size = (int32_t)w->rows;
    }
    plan->row_kind = 0;
    EDGE_TRY(edge_check_output(k, op->out[0], 0, w->cols));
    return edge_check_write(k, op->out[0]);
}

/* RMS_NORM, LAYER_NORM, ADD, MUL, ACTIVATION, SELECT_ROWS. */
static edge_status check_rows(edge_checker *k, edge_op_plan *plan) {
    const edge_op *op = edge_check_op(k);
    int32_t inputs = op->kind == EDGE_OP_ADD || op->kind == EDGE_OP_MUL ? 2 : 1;
    int32_t norms = op->kind == EDGE_OP_LAYER_NORM ? 2 : op->kind == EDGE_OP_RMS_NORM;
    EDGE_TRY(edge_check_unused(k, inputs, 1, 0, 0, norms));
    if (op->in[0] < 0 || op->in[0] >= k->c->num_buffers) {
        return edge_check_refuse(k, "no such input buffer", op->in[0], k->c->num_buffers);
    }
    int32_t kind_in = k->c->buffers[op->in[0]].rows, width = edge_check_width(k, op->in[0]);
    plan->row_kind = op->kind == EDGE_OP_SELECT_ROWS ? 1 : kind_in;
    if (op->kind == EDGE_OP_SELECT_ROWS && kind_in != 0) {
        return edge_check_refuse(k, "SELECT_ROWS reads rows of tokens", op->in[0], 0);
    }
    for (int32_t i = 0; i < inputs; i++) {
        EDGE_TRY(edge_check_input(k, op->in[i], kind_in));
        if (edge_check_width(k, op->in[i]) != width) {
            return edge_check_refuse(k, "the inputs differ in width", edge_check_width(k, op->in[i]), width);
        }
    }
    if (op->kind == EDGE_OP_RMS_NORM) {
        if (op->norm[0] < 0 || op->norm[0] >= k->c->num_weights || !k->c->weights[op->norm[0]]->is_vector) {
            return edge_check_refuse(k, "no such weight vector", op->norm[0], k->c->num_weights);
        }
        if (width % k->c->weights[op->norm[0]]->cols != 0) {
            return edge_check_refuse(k, "the width is not a multiple of the norm", width,
                                     k->c->weights[op->norm[0]]->cols);
        }
        EDGE_TRY(edge_check_eps(k));
    }
    if (op->kind == EDGE_OP_LAYER_NORM) {
        EDGE_TRY(edge_check_vector(k, op->norm[0], width));
        EDGE_TRY(edge_check_vector(k, op->norm[1], width));
        EDGE_TRY(edge_check_eps(k));
    }
    if (op->kind == EDGE_OP_ACTIVATION && op->activation == EDGE_ACT_NONE) {
        return edge_check_refuse(k, "ACTIVATION needs one", op->activation, EDGE_NUM_ACTIVATIONS);
    }
    EDGE_TRY(edge_check_output(k, op->out[0], plan->row_kind, width));
    return edge_check_write(k, op->out[0]);
}

static edge_status check_linear_outputs(edge_checker *k, edge_op_plan *plan) {
    const edge_op *op = edge_check_op(k);
    int32_t outputs = op->activation == EDGE_ACT_NONE ? plan->num_weights : 1;
    for (int32_t i = 0; i < plan->num_weights; i++) {
        const edge_weights *w = k->c->weights[op->weight[i]];
        plan->kinds |= EDGE_KIND(edge_family_acts(w->family));
        if (w->rows != k->c->weights[op->weight[0]]->rows && outputs == 1) {
            return edge_check_refuse(k, "gate and up differ in rows", w->rows, k->c->weights[op->weight[0]]->rows);
        }
        if (op->bias[i] >= 0) {
            EDGE_TRY(edge_check_vector(k, op->bias[i], w->rows));
        }
    }
    for (int32_t i = 0; i < outputs; i++) {
        EDGE_TRY(edge_check_output(k, op->out[i], plan->row_kind, k->c->weights[op->weight[i]]->rows));
    }
    if (op->residual >= 0) {
        if (outputs != 1) {
            return edge_check_refuse(k, "a residual needs one output", outputs, 1);
        }
        EDGE_TRY(edge_check_input(k, op->residual, plan->row_kind));
        if (edge_check_width(k, op->residual) != edge_check_width(k, op->out[0])) {
            return edge_check_refuse(k, "the residual differs in width", edge_check_width(k, op->residual),
                                     edge_check_width(k, op->out[0]));
        }
        /* In place is fine: a piece of work reads what it is about to write. A shifted place is not. */
        if (edge_check_overlap(k->c, op->residual, op->out[0]) &&
            k->c->buffers[op->residual].offset != k->c->buffers[op->out[0]].offset) {
            return edge_check_refuse(k, "the residual overlaps the output", op->residual, op->out[0]);
        }
    }
    for (int32_t i = 0; i < outputs; i++) {
        EDGE_TRY(edge_check_write(k, op->out[i]));
    }
    return EDGE_OK;
}

static edge_status check_linear(edge_checker *k, edge_op_plan *plan) {
    const edge_op *op = edge_check_op(k);
    while (plan->num_weights < 3 && op->weight[plan->num_weights] != -1) {
        plan->num_weights++;
    }
    if (plan->num_weights == 0 || (op->activation != EDGE_ACT_NONE && plan->num_weights > 2)) {
        return edge_check_refuse(k, "wrong number of matrices", plan->num_weights, 0);
    }
    EDGE_TRY(edge_check_unused(k, 1, op->activation != EDGE_ACT_NONE ? 1 : plan->num_weights, plan->num_weights,
                               plan->num_weights, 1));
    if (op->residual < -1) {
        return edge_check_refuse(k, "no such residual", op->residual, -1);
    }
    if (op->in[0] < 0 || op->in[0] >= k->c->num_buffers) {
        return edge_check_refuse(k, "no such input buffer", op->in[0], k->c->num_buffers);
    }
    plan->row_kind = k->c->buffers[op->in[0]].rows;
    EDGE_TRY(edge_check_input(k, op->in[0], plan->row_kind));
    if (op->norm[0] >= 0) {
        EDGE_TRY(edge_check_vector(k, op->norm[0], edge_check_width(k, op->in[0])));
        EDGE_TRY(edge_check_eps(k));
    }
    for (int32_t i = 0; i < plan->num_weights; i++) {
        EDGE_TRY(edge_check_matrix(k, op->weight[i], edge_check_width(k, op->in[0])));
    }
    return check_linear_outputs(k, plan);
}

static edge_status check_attention(edge_checker *k, edge_op_plan *plan) {
    const edge_op *op = edge_check_op(k);
    EDGE_TRY(edge_check_unused(k, 3, 1, 0, 0, 2));
    const edge_program_config *c = k->c;
    if (op->num_kv_heads != c->num_kv_heads || op->head_dim != c->head_dim) {
        return edge_check_refuse(k, "KV heads or head_dim differ from the KV arena", op->num_kv_heads, op->head_dim);
    }
    if (op->num_heads < 1 || op->num_heads > EDGE_MAX_ROWS || op->num_heads % op->num_kv_heads != 0) {
        return edge_check_refuse(k, "num_heads is not a multiple of num_kv_heads", op->num_heads, op->num_kv_heads);
    }
    int64_t width = (int64_t)op->num_heads * op->head_dim, kv_width = (int64_t)op->num_kv_heads * op->head_dim;
    int32_t layers = c->num_layers + c->num_window_layers;
    int stores = op->in[1] >= 0;
    if (stores != (op->in[2] >= 0) || (!stores && op->norm[1] >= 0)) {
        return edge_check_refuse(k, "k and v (and the norm of k) come together or not at all", op->in[1], op->in[2]);
    }
    for (int32_t i = 0; i < (stores ? 3 : 1); i++) {
        EDGE_TRY(edge_check_input(k, op->in[i], 0));
        if (edge_check_width(k, op->in[i]) != (i == 0 ? width : kv_width)) {
            return edge_check_refuse(k, "an input has the wrong width for its heads", edge_check_width(k, op->in[i]),
                                     i == 0 ? width : kv_width);
        }
    }
    for (int32_t i = 0; i < 2; i++) {
        if (op->norm[i] >= 0) {
            EDGE_TRY(edge_check_vector(k, op->norm[i], op->head_dim));
            EDGE_TRY(edge_check_eps(k));
        }
    }
    if (op->rope < -1 || op->rope >= c->num_ropes) {
        return edge_check_refuse(k, "no such rope", op->rope, c->num_ropes);
    }
    if (op->rope >= 0 && c->ropes[op->rope].dims > op->head_dim) {
        return edge_check_refuse(k, "the rope has more dimensions than a head", c->ropes[op->rope].dims, op->head_dim);
    }
    if (!isfinite(op->scale)) {
        return edge_check_refuse(k, "scale must be finite", 0, 0);
    }
    if (op->mode == EDGE_ATTENTION_WHOLE && op->window != 0) {
        return edge_check_refuse(k, "who sees the whole sequence has no window", op->window, 0);
    }
    if (stores) {
        if (op->layer < 0 || op->layer >= layers) {
            return edge_check_refuse(k, "no such KV layer", op->layer, layers);
        }
        k->stored[op->layer] = 1;
    }
    if (op->kv_source_layer < 0 || op->kv_source_layer >= layers || !k->stored[op->kv_source_layer]) {
        return edge_check_refuse(k, "no operation up to here stores the KV source layer", op->kv_source_layer, layers);
    }
    if (op->kv_source_layer >= c->num_layers && op->window == 0) {
        return edge_check_refuse(k, "a layer whose arena holds windows needs one", op->kv_source_layer, c->num_layers);
    }
    plan->row_kind = 0;
    EDGE_TRY(edge_check_output(k, op->out[0], 0, width));
    return edge_check_write(k, op->out[0]);
}

static edge_status check_one(edge_checker *k, edge_op_plan *plan) {
    switch (edge_check_op(k)->kind) {
    case EDGE_OP_EMBED:
        return check_embed(k, plan);
    case EDGE_OP_LINEAR:
        return check_linear(k, plan);
    case EDGE_OP_ATTENTION:
        return check_attention(k, plan);
    case EDGE_OP_RMS_NORM:
    case EDGE_OP_LAYER_NORM:
    case EDGE_OP_ADD:
    case EDGE_OP_MUL:
    case EDGE_OP_ACTIVATION:
    case EDGE_OP_SELECT_ROWS:
        return check_rows(k, plan);
    default:
        return edge_check_refuse(k, "no such kind of operation", edge_check_op(k)->kind, EDGE_OP_LAYER_NORM);
    }
}

edge_status edge_program_check(const edge_program_config *config, edge_op_plan *plans, int32_t *vocab_size,
                               uint8_t *defined, uint8_t *stored, edge_error *error) {
    edge_checker k = {config, error, defined, stored, vocab_size, 0};
    *vocab_size = INT32_MAX;
    for (; k.op < config->num_ops; k.op++) {
        EDGE_TRY(check_one(&k, &plans[k.op]));
    }
    if (!defined[config->logits_buffer]) {
        return edge_fail(error, EDGE_INVALID, "nothing writes the logits buffer %d", (int)config->logits_buffer);
    }
    return EDGE_OK;
}
