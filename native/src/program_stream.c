/* Programs whose weights are streamed: every step must use the spans in the order in which they are read. */
#include "error.h"
#include "program.h"

/* The span that an operation's matrices come from, -1: none. Finds the stream. */
static edge_status find_span(edge_program *program, int32_t index, int32_t *span, edge_error *error) {
    const edge_op *op = &program->ops[index];
    *span = -1;
    for (int32_t i = 0; i < program->plans[index].num_weights; i++) {
        const edge_weights *w = program->weights[op->weight[i]];
        if (!w->stream) {
            continue;
        }
        if (program->stream && w->stream != program->stream) {
            return edge_fail(error, EDGE_INVALID, "operation %d: the weights come from two streams", (int)index);
        }
        if (*span >= 0 && w->span != *span) {
            return edge_fail(error, EDGE_INVALID, "operation %d: matrices in spans %d and %d", (int)index, (int)*span,
                             (int)w->span);
        }
        program->stream = w->stream;
        *span = w->span;
    }
    /* A step without logits would skip it, and the ring would never get past its span. */
    if (*span >= 0 && program->plans[index].row_kind != 0) {
        return edge_fail(error, EDGE_INVALID, "operation %d: a streamed matrix for rows of logits", (int)index);
    }
    return EDGE_OK;
}

static edge_status link_ops(edge_program *program, edge_error *error) {
    int32_t last = -1, last_op = -1; /* the span that was used last, and by which operation */
    for (int32_t i = 0; i < program->config.num_ops; i++) {
        edge_op_plan *plan = &program->plans[i];
        int32_t span;
        plan->begins_span = plan->ends_span = -1;
        edge_status status = find_span(program, i, &span, error);
        if (status != EDGE_OK) {
            return status;
        }
        if (span < 0) {
            continue;
        }
        if (span == last + 1) {
            plan->begins_span = span;
        } else if (span == last) {
            program->plans[last_op].ends_span = -1;
        } else {
            return edge_fail(error, EDGE_INVALID, "operation %d: span %d follows on span %d", (int)i, (int)span,
                             (int)last);
        }
        plan->ends_span = last = span;
        last_op = i;
    }
    if (program->stream && last + 1 != program->stream->num_spans) {
        return edge_fail(error, EDGE_INVALID, "%d of %d spans of the stream are used", (int)(last + 1),
                         (int)program->stream->num_spans);
    }
    return EDGE_OK;
}

edge_status edge_program_link_stream(edge_program *program, edge_error *error) {
    edge_status status = link_ops(program, error);
    if (status == EDGE_OK && program->stream && !edge_stream_claim(program->stream)) {
        status = edge_fail(error, EDGE_INVALID, "the stream belongs to another program");
    }
    if (status != EDGE_OK) {
        program->stream = NULL; /* not ours */
    }
    return status;
}
