/* Rules about references: buffers, weights and places. */
#include "rules.h"

#include <math.h>

#include "error.h"

edge_status edge_check_refuse(const edge_checker *k, const char *rule, int64_t found, int64_t limit) {
    return edge_fail(k->error, EDGE_INVALID, "op %d: %s: %lld, %lld", (int)k->op, rule, (long long)found,
                     (long long)limit);
}

static uint64_t buffer_bytes(const edge_program_config *c, int32_t buffer) {
    const edge_buffer *b = &c->buffers[buffer];
    return (uint64_t)(b->rows == 0 ? c->max_tokens : c->max_logits) * (uint64_t)b->width * sizeof(float);
}

int edge_check_overlap(const edge_program_config *c, int32_t a, int32_t b) {
    uint64_t from_a = c->buffers[a].offset, from_b = c->buffers[b].offset;
    return from_a < from_b + buffer_bytes(c, b) && from_b < from_a + buffer_bytes(c, a);
}

edge_status edge_check_input(const edge_checker *k, int32_t buffer, int32_t row_kind) {
    if (buffer < 0 || buffer >= k->c->num_buffers) {
        return edge_check_refuse(k, "no such input buffer", buffer, k->c->num_buffers);
    }
    if (!k->defined[buffer]) {
        return edge_check_refuse(k, "the input buffer holds nothing here", buffer, 0);
    }
    if (k->c->buffers[buffer].rows != row_kind) {
        return edge_check_refuse(k, "the input buffer has the wrong kind of rows", buffer, row_kind);
    }
    return EDGE_OK;
}

edge_status edge_check_write(edge_checker *k, int32_t buffer) {
    const edge_op *op = edge_check_op(k);
    for (int32_t i = 0; i < 3; i++) {
        if (op->in[i] >= 0 && edge_check_overlap(k->c, buffer, op->in[i])) {
            return edge_check_refuse(k, "an output buffer overlaps an input", buffer, op->in[i]);
        }
        if (op->out[i] >= 0 && op->out[i] != buffer && op->out[i] < k->c->num_buffers &&
            edge_check_overlap(k->c, buffer, op->out[i])) {
            return edge_check_refuse(k, "two output buffers overlap", buffer, op->out[i]);
        }
    }
    for (int32_t b = 0; b < k->c->num_buffers; b++) {
        if (edge_check_overlap(k->c, buffer, b)) {
            k->defined[b] = 0;
        }
    }
    k->defined[buffer] = 1;
    return EDGE_OK;
}

edge_status edge_check_output(const edge_checker *k, int32_t buffer, int32_t row_kind, int64_t width) {
    if (buffer < 0 || buffer >= k->c->num_buffers) {
        return edge_check_refuse(k, "no such output buffer", buffer, k->c->num_buffers);
    }
    if (k->c->buffers[buffer].rows != row_kind) {
        return edge_check_refuse(k, "the output buffer has the wrong kind of rows", buffer, row_kind);
    }
    if (edge_check_width(k, buffer) != width) {
        return edge_check_refuse(k, "the output buffer has the wrong width", edge_check_width(k, buffer), width);
    }
    return EDGE_OK;
}

edge_status edge_check_vector(const edge_checker *k, int32_t weight, int64_t size) {
    if (weight < 0 || weight >= k->c->num_weights || !k->c->weights[weight]->is_vector) {
        return edge_check_refuse(k, "no such weight vector", weight, k->c->num_weights);
    }
    if (k->c->weights[weight]->cols != size) {
        return edge_check_refuse(k, "the weight vector has the wrong size", k->c->weights[weight]->cols, size);
    }
    return EDGE_OK;
}

edge_status edge_check_matrix(const edge_checker *k, int32_t weight, int64_t cols) {
    if (weight < 0 || weight >= k->c->num_weights || k->c->weights[weight]->is_vector) {
        return edge_check_refuse(k, "no such weight matrix", weight, k->c->num_weights);
    }
    if (k->c->weights[weight]->cols != cols) {
        return edge_check_refuse(k, "the weight matrix has the wrong number of columns", k->c->weights[weight]->cols,
                                 cols);
    }
    return EDGE_OK;
}

edge_status edge_check_eps(const edge_checker *k) {
    float eps = edge_check_op(k)->eps;
    return eps > 0.0f && isfinite(eps) ? EDGE_OK : edge_check_refuse(k, "eps must be positive and finite", 0, 0);
}

edge_status edge_check_unused(const edge_checker *k, int32_t in, int32_t out, int32_t weight, int32_t bias,
                              int32_t norm) {
    const edge_op *op = edge_check_op(k);
    const struct {
        const int32_t *values;
        int32_t used, size;
    } lists[] = {{op->in, in, 3}, {op->out, out, 3}, {op->weight, weight, 3}, {op->bias, bias, 3}, {op->norm, norm, 2}};
    for (int32_t i = 0; i < 5; i++) {
        for (int32_t j = 0; j < lists[i].size; j++) {
            if (lists[i].values[j] < -1 || (j >= lists[i].used && lists[i].values[j] != -1)) {
                return edge_check_refuse(k, "a reference that this kind of operation does not use is not -1",
                                         lists[i].values[j], -1);
            }
        }
    }
    if (op->kind != EDGE_OP_LINEAR && op->residual != -1) {
        return edge_check_refuse(k, "residual belongs to LINEAR", op->residual, -1);
    }
    if (op->kind != EDGE_OP_ATTENTION && op->rope != -1) {
        return edge_check_refuse(k, "rope belongs to ATTENTION", op->rope, -1);
    }
    if (op->kind != EDGE_OP_LINEAR && op->kind != EDGE_OP_ACTIVATION && op->activation != EDGE_ACT_NONE) {
        return edge_check_refuse(k, "activation belongs to LINEAR and ACTIVATION", op->activation, EDGE_ACT_NONE);
    }
    if (op->activation < EDGE_ACT_NONE || op->activation >= EDGE_NUM_ACTIVATIONS) {
        return edge_check_refuse(k, "no such activation", op->activation, EDGE_NUM_ACTIVATIONS);
    }
    if (op->window < 0 || (op->kind != EDGE_OP_ATTENTION && op->window != 0)) {
        return edge_check_refuse(k, "a window belongs to ATTENTION and is not negative", op->window, 0);
    }
    int32_t modes = op->kind == EDGE_OP_EMBED       ? EDGE_EMBED_FIRST + 1
                    : op->kind == EDGE_OP_ATTENTION ? EDGE_ATTENTION_WHOLE + 1
                                                    : 1;
    return op->mode >= 0 && op->mode < modes ? EDGE_OK : edge_check_refuse(k, "no such mode", op->mode, modes);
}
