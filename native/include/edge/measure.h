/* What this machine can do, measured: how fast memory is read, how fast codes are multiplied. Figures of a moment:
 * other work on the machine lowers them. */
#ifndef EDGE_MEASURE_H
#define EDGE_MEASURE_H

#include <stdint.h>

#include "edge/cpu.h"
#include "edge/region.h"
#include "edge/status.h"
#include "edge/threads.h"
#include "edge/weights.h"

#define EDGE_MEASURE_MAX_SECONDS 60.0

/* Bytes a second that the pool reads from `bytes` (at least 64 KiB) of memory of its own, with the loads of the level:
 * the fastest pass of those that fit `seconds`, of at least three, after one that does not count. huge_pages: 1 asks
 * for them (as weights do from 4 MiB on), 0 refuses them, where the system lets it. Memory that fits a cache measures
 * the cache. EDGE_INVALID: an argument out of range. EDGE_UNSUPPORTED: the CPU lacks the level. EDGE_NO_MEMORY. */
EDGE_API edge_status edge_measure_read(edge_threads *threads, edge_isa isa, uint64_t bytes, int32_t huge_pages,
                                       double seconds, double *bytes_per_second);

/* The same of a region, as weights that lie in it are read. EDGE_INVALID also: it is smaller than 64 KiB.
 * EDGE_FILE_LOST: the file that it maps became shorter. */
EDGE_API edge_status edge_measure_region(edge_threads *threads, edge_isa isa, const edge_region *region, double seconds,
                                         double *bytes_per_second);

/* Multiply-adds a second of a matrix with `tokens` (1 .. 64) rows of activations, by the kernel that a step takes for
 * so many: the fastest of the products that fit `seconds`, of at least two, after one that does not count. EDGE_INVALID
 * also: a vector. */
EDGE_API edge_status edge_measure_matmul(edge_threads *threads, edge_isa isa, const edge_weights *weights,
                                         int32_t tokens, double seconds, double *macs_per_second);

/* Multiply-adds a second of the level's integer dot product on codes in the first cache and activations in registers,
 * by all threads together, over `seconds`: what no kernel of the level exceeds. Errors as edge_measure_read. */
EDGE_API edge_status edge_measure_integer_peak(edge_threads *threads, edge_isa isa, double seconds,
                                               double *macs_per_second);

/* The same of floats in registers, multiplied and added without fusing: what attention does with f16 and f32 KV. */
EDGE_API edge_status edge_measure_float_peak(edge_threads *threads, edge_isa isa, double seconds,
                                             double *macs_per_second);

#endif
