/* The packed layouts: tiles of 16 rows x 32 k, the same on every machine. Layout version 2.
 *
 * A vector is 64 bytes: byte 4 * row + j holds k = 4 * v + j of row `row`; a tile has vectors v = 0 .. 7.
 * codes of a tile, unsigned except for 8 bits:
 *   8 bits  8 vectors of int8
 *   4 bits  4 vectors: low nibble = vector v, high nibble = vector v + 4
 *   5 bits  the 4 bits, then 64 bytes whose bit v is the fifth bit of vector v
 *   6 bits  the 4 bits, then 2 vectors h: bits 2p, 2p + 1 are the upper bits of vector 4h + p
 *   2 bits  2 vectors h: bits 2p, 2p + 1 = vector 4h + p
 *   3 bits  the 2 bits, then 64 bytes whose bit v is the third bit of vector v
 *   1 bit   64 bytes whose bit v is vector v
 *   trits   of 256 k, whose vectors count 0 .. 63: 13 vectors of bytes that hold five trits t0 .. t4 each, of vectors
 *           5b .. 5b + 4: 128 ^ ceil((81 t0 + 27 t1 + 9 t2 + 3 t3 + t4) * 256 / 243); the last trit of all is 0
 * then what belongs to the 16 rows, row by row (f16 unless said otherwise). One scale per G values:
 *   W8G32, W4G32, W5G32, N4G32   codes, d[16]
 *   W4MG32, W5MG32               codes, d[16], m[16]
 *   W1G128, W2G64                codes of 4 or 2 tiles, d[16]
 *   E4G32                        codes, uint8 e[16]: powers of two
 *   E4G16                        codes, uint8 e[2][16]: UE4M3, one per 16 k
 * and with integer scales of sub-blocks:
 *   W4MG256, W5MG256             codes of 8 tiles, uint8 sc[8][16], uint8 m[8][16], d[16], dmin[16]
 *   W2MG256                      codes of 8 tiles, uint8 sc[16][16] (16 k each; low nibble scale, high nibble
 *                                minimum), d[16], dmin[16]
 *   W3G256, W6G256               codes of 8 tiles, int8 sc[16][16] (16 k each), d[16]
 *   N4G256, N3G256, N3XG256      codes of 8 tiles, int8 sc[8][16], d[16]
 *   W2G256, T5G256               codes of 8 tiles, d[16]
 *   S2G256                       trits, signs of 8 tiles (1 bit, set for minus), uint8 sc[8][16] (low nibble the first
 *                                16 k, high nibble the others; the scale is 2 * nibble + 1), d[16]
 *   D1G256                       trits, uint8 less[8][16] (bit v: vector v of the tile is an eighth less, not more),
 *                                uint8 sc[8][16] as in S2G256, d[16]
 * Floats are k-major: 16 values of one k, then the next k.
 * Tile rows (16 matrix rows, all of k) follow each other; rows are padded with zeros to a multiple of 16. */
#ifndef EDGE_TILE_H
#define EDGE_TILE_H

#include <stdint.h>

#include "kernels.h"

#define EDGE_VECTOR_BYTES  64
#define EDGE_TILE_VECTORS  8                    /* vectors of a tile */
#define EDGE_ROW_HALVES    (2 * EDGE_TILE_ROWS) /* bytes of one f16 per row */
#define EDGE_SUPER_TILES   (EDGE_SUPER / EDGE_GROUP)
#define EDGE_SUPER_VECTORS (EDGE_SUPER_TILES * EDGE_TILE_VECTORS)
#define EDGE_MAX_CODES     512 /* code bytes of the widest tile */

/* Code bytes of one tile. */
#define EDGE_CODES_W8 512
#define EDGE_CODES_W4 256
#define EDGE_CODES_W5 320
#define EDGE_CODES_W6 384
#define EDGE_CODES_W2 128
#define EDGE_CODES_W3 192
#define EDGE_CODES_W1 64
/* Of 256 k. */
#define EDGE_TRITS_OF_BYTE 5
#define EDGE_TRIT_VECTORS  13
#define EDGE_CODES_T5      (EDGE_TRIT_VECTORS * EDGE_VECTOR_BYTES)

/* Offsets of the planes behind the nibbles, and behind the 2 bits. */
#define EDGE_HIGH_BITS 256
#define EDGE_THIRD_BIT 128

/* Bytes of a unit (32, 64, 128 or 256 k), and where its parts begin. */
#define EDGE_W8G32_D       EDGE_CODES_W8
#define EDGE_W8G32_BYTES   (EDGE_W8G32_D + EDGE_ROW_HALVES)

#define EDGE_W4G32_D       EDGE_CODES_W4
#define EDGE_W4G32_BYTES   (EDGE_W4G32_D + EDGE_ROW_HALVES)

#define EDGE_W4MG32_D      EDGE_CODES_W4
#define EDGE_W4MG32_M      (EDGE_W4MG32_D + EDGE_ROW_HALVES)
#define EDGE_W4MG32_BYTES  (EDGE_W4MG32_M + EDGE_ROW_HALVES)

#define EDGE_W5G32_D       EDGE_CODES_W5
#define EDGE_W5G32_BYTES   (EDGE_W5G32_D + EDGE_ROW_HALVES)

#define EDGE_W5MG32_D      EDGE_CODES_W5
#define EDGE_W5MG32_M      (EDGE_W5MG32_D + EDGE_ROW_HALVES)
#define EDGE_W5MG32_BYTES  (EDGE_W5MG32_M + EDGE_ROW_HALVES)

#define EDGE_W1G128_D      (4 * EDGE_CODES_W1)
#define EDGE_W1G128_BYTES  (EDGE_W1G128_D + EDGE_ROW_HALVES)

#define EDGE_W2G64_D       (2 * EDGE_CODES_W2)
#define EDGE_W2G64_BYTES   (EDGE_W2G64_D + EDGE_ROW_HALVES)

#define EDGE_N4G32_D       EDGE_CODES_W4
#define EDGE_N4G32_BYTES   (EDGE_N4G32_D + EDGE_ROW_HALVES)

#define EDGE_E4G32_E       EDGE_CODES_W4
#define EDGE_E4G32_BYTES   (EDGE_E4G32_E + EDGE_TILE_ROWS)

#define EDGE_E4G16_E       EDGE_CODES_W4
#define EDGE_E4G16_BYTES   (EDGE_E4G16_E + 2 * EDGE_TILE_ROWS)

#define EDGE_W4MG256_SC    (EDGE_SUPER_TILES * EDGE_CODES_W4)
#define EDGE_W4MG256_M     (EDGE_W4MG256_SC + 8 * EDGE_TILE_ROWS)
#define EDGE_W4MG256_D     (EDGE_W4MG256_M + 8 * EDGE_TILE_ROWS)
#define EDGE_W4MG256_DMIN  (EDGE_W4MG256_D + EDGE_ROW_HALVES)
#define EDGE_W4MG256_BYTES (EDGE_W4MG256_DMIN + EDGE_ROW_HALVES)

#define EDGE_W5MG256_SC    (EDGE_SUPER_TILES * EDGE_CODES_W5)
#define EDGE_W5MG256_M     (EDGE_W5MG256_SC + 8 * EDGE_TILE_ROWS)
#define EDGE_W5MG256_D     (EDGE_W5MG256_M + 8 * EDGE_TILE_ROWS)
#define EDGE_W5MG256_DMIN  (EDGE_W5MG256_D + EDGE_ROW_HALVES)
#define EDGE_W5MG256_BYTES (EDGE_W5MG256_DMIN + EDGE_ROW_HALVES)

#define EDGE_W2MG256_SC    (EDGE_SUPER_TILES * EDGE_CODES_W2)
#define EDGE_W2MG256_D     (EDGE_W2MG256_SC + 16 * EDGE_TILE_ROWS)
#define EDGE_W2MG256_DMIN  (EDGE_W2MG256_D + EDGE_ROW_HALVES)
#define EDGE_W2MG256_BYTES (EDGE_W2MG256_DMIN + EDGE_ROW_HALVES)

#define EDGE_W3G256_SC     (EDGE_SUPER_TILES * EDGE_CODES_W3)
#define EDGE_W3G256_D      (EDGE_W3G256_SC + 16 * EDGE_TILE_ROWS)
#define EDGE_W3G256_BYTES  (EDGE_W3G256_D + EDGE_ROW_HALVES)

#define EDGE_W6G256_SC     (EDGE_SUPER_TILES * EDGE_CODES_W6)
#define EDGE_W6G256_D      (EDGE_W6G256_SC + 16 * EDGE_TILE_ROWS)
#define EDGE_W6G256_BYTES  (EDGE_W6G256_D + EDGE_ROW_HALVES)

#define EDGE_W2G256_D      (EDGE_SUPER_TILES * EDGE_CODES_W2)
#define EDGE_W2G256_BYTES  (EDGE_W2G256_D + EDGE_ROW_HALVES)

#define EDGE_T5G256_D      EDGE_CODES_T5
#define EDGE_T5G256_BYTES  (EDGE_T5G256_D + EDGE_ROW_HALVES)

/* Of N4G256, N3G256 and N3XG256. */
#define EDGE_N4G256_SC    (EDGE_SUPER_TILES * EDGE_CODES_W4)
#define EDGE_N4G256_D     (EDGE_N4G256_SC + 8 * EDGE_TILE_ROWS)
#define EDGE_N4G256_BYTES (EDGE_N4G256_D + EDGE_ROW_HALVES)

#define EDGE_S2G256_SIGNS EDGE_CODES_T5
#define EDGE_S2G256_SC    (EDGE_S2G256_SIGNS + EDGE_SUPER_TILES * EDGE_CODES_W1)
#define EDGE_S2G256_D     (EDGE_S2G256_SC + 8 * EDGE_TILE_ROWS)
#define EDGE_S2G256_BYTES (EDGE_S2G256_D + EDGE_ROW_HALVES)

#define EDGE_D1G256_LESS  EDGE_CODES_T5
#define EDGE_D1G256_SC    (EDGE_D1G256_LESS + 8 * EDGE_TILE_ROWS)
#define EDGE_D1G256_D     (EDGE_D1G256_SC + 8 * EDGE_TILE_ROWS)
#define EDGE_D1G256_BYTES (EDGE_D1G256_D + EDGE_ROW_HALVES)

/* A little-endian f16 of row `row` at p (tiles are bytes: nothing is assumed about alignment). */
static inline uint16_t edge_tile_half(const uint8_t *p, int32_t row) {
    return (uint16_t)(p[2 * row] | p[2 * row + 1] << 8);
}

#endif
