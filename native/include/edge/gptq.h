/* Rounding with feedback: the inner loop of GPTQ (Frantar et al. 2022, arXiv:2210.17323). */
#ifndef EDGE_GPTQ_H
#define EDGE_GPTQ_H

#include <stdint.h>

#include "edge/status.h"

#define EDGE_GPTQ_MAX_COLS 1024 /* of a block: its factor should stay in a cache */

/* A block of columns of a matrix. Arrays are (rows, cols) unless said otherwise. A code q stands for
 * scale * q - minimum, and lies in 0 .. levels - 1. */
typedef struct edge_gptq_block {
    float *weights;      /* in: what is to be rounded; out: undefined */
    const float *scales; /* any sign; 0: the code is 0 */
    const float *minima;
    const float *factor; /* (cols, cols), upper triangular: the block of U, where U^T U is the inverse of X^T X */
    uint8_t *codes;      /* out */
    float *errors;       /* out: (weight - value of its code) / factor's diagonal, for the columns behind the block */
    int64_t rows;
    int32_t cols, levels;
} edge_gptq_block;

/* Row by row: every column is rounded to its nearest code, and what that adds to the output of the row is taken from
 * the columns behind it, as well as they can. EDGE_INVALID: a pointer is NULL, sizes are out of range, or the diagonal
 * of the factor is not positive and finite. */
EDGE_API edge_status edge_gptq_round(const edge_gptq_block *block, edge_error *error);

#endif
