/* Rows of floats into GGUF blocks. */
#ifndef EDGE_QUANTISE_H
#define EDGE_QUANTISE_H

#include <stdint.h>

#include "edge/cpu.h"
#include "edge/status.h"
#include "edge/threads.h"

/* Encodes rows x cols floats as blocks of a ggml type, row by row, with the kernels of a supported level. The bytes
 * depend on neither level nor threads.
 *
 * importance: cols values >= 0, how much an error in each column counts, or NULL: the weights' own size says it.
 * out: what edge_weights_sizes calls source bytes. threads may be NULL.
 *
 * EDGE_UNSUPPORTED: the type has no encoder, or the level does not run here. EDGE_INVALID: rows or cols < 1, or cols is
 * not a whole number of blocks. EDGE_NONFINITE: *refused is the lowest index (row * cols + column) of a weight that is
 * not finite, or too large for the scale of its block; the contents of out are unspecified. */
EDGE_API edge_status edge_quantise(void *out, int32_t type, const float *x, int64_t rows, int64_t cols,
                                   const float *importance, edge_isa isa, edge_threads *threads, int64_t *refused);

#endif
