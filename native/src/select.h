/* The most probable tokens of a vocabulary, without sorting it. */
#ifndef EDGE_SELECT_H
#define EDGE_SELECT_H

#include <stdint.h>

int edge_select_all_finite(const float *logits, int32_t size); /* no NaN, no infinity */

/* The token with the largest logit, the lower id on ties; -1 when all are -inf. */
int32_t edge_select_first_largest(const float *logits, int32_t size);

/* Puts the `count` tokens with the largest logits among 0 .. size-1 into ids, in no particular order; ties go to the
 * lower id. 1 <= count <= size. */
void edge_select_largest(int32_t *ids, int32_t count, const float *logits, int32_t size);

void edge_select_sort_ids(int32_t *ids, int32_t count); /* ascending */

#define EDGE_SELECT_BUCKETS 65536

/* Keeps the fewest candidates with the largest logits (ties: lower ids) whose weights reach `wanted` together; returns
 * how many. ids ascend, before and after. weights: by id. buckets: scratch of EDGE_SELECT_BUCKETS. */
int32_t edge_select_share(int32_t *ids, int32_t count, const float *logits, const uint64_t *weights, double wanted,
                          uint64_t *buckets);

#endif
