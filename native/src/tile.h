/* The packed layouts: tiles of 16 rows x 32 k, the same on every machine. Layout version 1.
 *
 * A vector is 64 bytes: byte 4 * row + j holds k = 4 * v + j of row `row`; a tile has vectors v = 0 .. 7.
 * codes of a tile, unsigned except for 8 bits:
 *   8 bits  8 vectors of int8
 *   4 bits  4 vectors: low nibble = vector v, high nibble = vector v + 4
 *   5 bits  the 4 bits, then 64 bytes whose bit v is the fifth bit of vector v
 *   6 bits  the 4 bits, then 2 vectors h: bits 2p, 2p + 1 are the upper bits of vector 4h + p
 * then what belongs to the 16 rows, row by row (f16 unless said otherwise):
 *   W8G32, W4G32, W5G32   codes, d[16]
 *   W4MG32                codes, d[16], m[16]
 *   W4MG256               codes of 8 tiles, uint8 sc[8][16], uint8 m[8][16], d[16], dmin[16]
 *   W6G256                codes of 8 tiles, int8 sc[16][16] (16 k each), d[16]
 * Floats are k-major: 16 values of one k, then the next k.
 * Tile rows (16 matrix rows, all of k) follow each other; rows are padded with zeros to a multiple of 16. */
#ifndef EDGE_TILE_H
#define EDGE_TILE_H

#include <stdint.h>

#include "kernels.h"

#define EDGE_VECTOR_BYTES 64
#define EDGE_TILE_VECTORS 8                    /* vectors of a tile */
#define EDGE_ROW_HALVES   (2 * EDGE_TILE_ROWS) /* bytes of one f16 per row */
#define EDGE_SUPER_TILES  (EDGE_SUPER / EDGE_GROUP)
#define EDGE_MAX_CODES    512 /* code bytes of the widest tile */

/* Code bytes of one tile. */
#define EDGE_CODES_W8 512
#define EDGE_CODES_W4 256
#define EDGE_CODES_W5 320
#define EDGE_CODES_W6 384

/* Offsets of the planes behind the nibbles. */
#define EDGE_HIGH_BITS 256

/* Bytes of one tile (32 k) or super-tile (256 k), and where its parts begin. */
#define EDGE_W8G32_D       EDGE_CODES_W8
#define EDGE_W8G32_BYTES   (EDGE_W8G32_D + EDGE_ROW_HALVES)

#define EDGE_W4G32_D       EDGE_CODES_W4
#define EDGE_W4G32_BYTES   (EDGE_W4G32_D + EDGE_ROW_HALVES)

#define EDGE_W4MG32_D      EDGE_CODES_W4
#define EDGE_W4MG32_M      (EDGE_W4MG32_D + EDGE_ROW_HALVES)
#define EDGE_W4MG32_BYTES  (EDGE_W4MG32_M + EDGE_ROW_HALVES)

#define EDGE_W5G32_D       EDGE_CODES_W5
#define EDGE_W5G32_BYTES   (EDGE_W5G32_D + EDGE_ROW_HALVES)

#define EDGE_W4MG256_SC    (EDGE_SUPER_TILES * EDGE_CODES_W4)
#define EDGE_W4MG256_M     (EDGE_W4MG256_SC + 8 * EDGE_TILE_ROWS)
#define EDGE_W4MG256_D     (EDGE_W4MG256_M + 8 * EDGE_TILE_ROWS)
#define EDGE_W4MG256_DMIN  (EDGE_W4MG256_D + EDGE_ROW_HALVES)
#define EDGE_W4MG256_BYTES (EDGE_W4MG256_DMIN + EDGE_ROW_HALVES)

#define EDGE_W6G256_SC     (EDGE_SUPER_TILES * EDGE_CODES_W6)
#define EDGE_W6G256_D      (EDGE_W6G256_SC + 16 * EDGE_TILE_ROWS)
#define EDGE_W6G256_BYTES  (EDGE_W6G256_D + EDGE_ROW_HALVES)

/* The unsigned code of (k, row) in a tile of 4, 5 or 6 bits, the int8 code of one of 8 bits. */
static inline int32_t edge_tile_code(const uint8_t *tile, int32_t bits, int32_t k, int32_t row) {
    int32_t v = k / 4, byte = 4 * row + k % 4;
    if (bits == 8) {
        int32_t code = tile[EDGE_VECTOR_BYTES * v + byte];
        return code < 128 ? code : code - 256;
    }
    int32_t code = tile[EDGE_VECTOR_BYTES * (v % 4) + byte] >> (v < 4 ? 0 : 4) & 15;
    if (bits == 5) {
        code |= (tile[EDGE_HIGH_BITS + byte] >> v & 1) << 4;
    } else if (bits == 6) {
        code |= (tile[EDGE_HIGH_BITS + EDGE_VECTOR_BYTES * (v / 4) + byte] >> 2 * (v % 4) & 3) << 4;
    }
    return code;
}

/* A little-endian f16 of row `row` at p (tiles are bytes: nothing is assumed about alignment). */
static inline uint16_t edge_tile_half(const uint8_t *p, int32_t row) {
    return (uint16_t)(p[2 * row] | p[2 * row + 1] << 8);
}

#endif
