/* The code books of the IQ formats (constants of the formats; ggml-common.h defines them). An entry holds the level
 * numbers of consecutive values, the first in the lowest bits: eight of 2 bits, or four of 3 bits. */
#ifndef EDGE_CODE_BOOKS_H
#define EDGE_CODE_BOOKS_H

#include <stdint.h>

extern const uint16_t edge_grid_iq2xxs[256];
extern const uint16_t edge_grid_iq2xs[512];
extern const uint16_t edge_grid_iq2s[1024];
extern const uint16_t edge_grid_iq3xxs[256];
extern const uint16_t edge_grid_iq3s[512];
extern const uint16_t edge_grid_iq1s[2048];

#endif
