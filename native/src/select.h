/* The most probable tokens of a vocabulary, without sorting it. */
#ifndef EDGE_SELECT_H
#define EDGE_SELECT_H

#include <stdint.h>

/* Puts the `count` tokens with the largest logits among 0 .. size-1 into ids, in no particular order; ties go to the
 * lower id. 1 <= count <= size. */
void edge_select_largest(int32_t *ids, int32_t count, const float *logits, int32_t size);

/* Makes ids[0 .. count-1] a heap whose root is the largest logit (ties: the lowest id). */
void edge_select_heapify(int32_t *ids, int32_t count, const float *logits);

/* Removes the root of such a heap to ids[count - 1], where the removed ones gather. */
void edge_select_pop(int32_t *ids, int32_t count, const float *logits);

void edge_select_sort_ids(int32_t *ids, int32_t count); /* ascending */

#endif
