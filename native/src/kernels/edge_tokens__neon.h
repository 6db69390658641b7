/* How the NEON templates meet activations: one token at a time, where they lie. A level that takes more at once
 * includes its own edge_tokens__LEVEL.h before a template; the guard is the same, so this one then stays out. */
#ifndef EDGE_TOKENS_H
#define EDGE_TOKENS_H

#include "edge_step__neon.h"
#include "kernels.h"

#define EDGE_TOGETHER 1 /* tokens that a dot product takes */

typedef struct edge_tokens {
    const int8_t *q;
    int64_t stride;
} edge_tokens;

/* Takes `size` k of every token, from k on: what edge_tokens_dot reads until the next call. */
EDGE_INLINE void edge_tokens_take(edge_tokens *tokens, const edge_acts *acts, int64_t k, int32_t size,
                                  int32_t num_tokens) {
    (void)size, (void)num_tokens;
    tokens->q = acts->q + k;
    tokens->stride = acts->q_stride;
}

/* Brings the eight vectors of a quarter into the order in which edge_tokens_dot reads them. */
EDGE_INLINE void edge_tokens_arrange(int8x16_t c[8]) {
    (void)c;
}

/* isum[i] = four rows times token t + i over 4 * vectors k, from the at-th that was taken on. vectors is a constant. */
EDGE_INLINE void edge_tokens_dot(int32x4_t isum[EDGE_TOGETHER], const int8x16_t *c, const edge_tokens *tokens,
                                 int32_t t, int32_t at, int vectors, int code) {
    isum[0] = edge_dot_quarter(c, tokens->q + t * tokens->stride + at, vectors, code);
}

#endif
