/* The pieces from which the rules of an op list are made. Each returns EDGE_OK or refuses with a message. */
#ifndef EDGE_RULES_H
#define EDGE_RULES_H

#include "program.h"

/* What the checks of one program share. */
typedef struct edge_checker {
    const edge_program_config *c;
    edge_error *error;
    uint8_t *defined;    /* per buffer: holds what an operation before wrote */
    uint8_t *stored;     /* per KV layer: an operation stores it */
    int32_t *vocab_size; /* the smallest embedding so far */
    int32_t op;          /* where we are */
} edge_checker;

#define EDGE_TRY(call)                                                                                                 \
    do {                                                                                                               \
        edge_status try_status = (call);                                                                               \
        if (try_status != EDGE_OK) {                                                                                   \
            return try_status;                                                                                         \
        }                                                                                                              \
    } while (0)

static inline const edge_op *edge_check_op(const edge_checker *k) {
    return &k->c->ops[k->op];
}
static inline int32_t edge_check_width(const edge_checker *k, int32_t buffer) {
    return k->c->buffers[buffer].width;
}

/* EDGE_INVALID with "op N: RULE: FOUND, LIMIT". */
edge_status edge_check_refuse(const edge_checker *k, const char *rule, int64_t found, int64_t limit);

/* References that a kind does not use must be -1: nothing that is asked for is ignored. The counts are how many of
 * in, out, weight, bias and norm it may use. */
edge_status edge_check_unused(const edge_checker *k, int32_t in, int32_t out, int32_t weight, int32_t bias,
                              int32_t norm);

/* A buffer that the operation reads: exists, was written, has rows of the wanted kind. */
edge_status edge_check_input(const edge_checker *k, int32_t buffer, int32_t row_kind);
edge_status edge_check_output(const edge_checker *k, int32_t buffer, int32_t row_kind, int64_t width);

/* The operation writes a buffer: it must not touch an input; whatever shares its place is lost. */
edge_status edge_check_write(edge_checker *k, int32_t buffer);

int edge_check_overlap(const edge_program_config *c, int32_t a, int32_t b);
edge_status edge_check_vector(const edge_checker *k, int32_t weight, int64_t size);
edge_status edge_check_matrix(const edge_checker *k, int32_t weight, int64_t cols);
edge_status edge_check_eps(const edge_checker *k);

#endif
