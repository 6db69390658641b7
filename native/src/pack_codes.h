/* Writing the codes of one row into a tile (layouts: tile.h). */
#ifndef EDGE_PACK_CODES_H
#define EDGE_PACK_CODES_H

#include <string.h>

#include "tile.h"

static inline void edge_put_half(uint8_t *halves, int32_t row, const uint8_t *source) {
    memcpy(halves + 2 * row, source, 2);
}

/* nibbles[i] = k i | k (i + 16) << 4, i < 16, which is GGUF's own order in 32-wide blocks. */
static inline void edge_put_nibbles(uint8_t *tile, int32_t row, const uint8_t nibbles[16]) {
    for (int32_t v = 0; v < 4; v++) {
        memcpy(tile + EDGE_VECTOR_BYTES * v + 4 * row, nibbles + 4 * v, 4);
    }
}

/* codes: 32 of 4 bits. */
static inline void edge_put_codes4(uint8_t *tile, int32_t row, const uint8_t codes[EDGE_GROUP]) {
    uint8_t nibbles[16];
    for (int32_t i = 0; i < 16; i++) {
        nibbles[i] = (uint8_t)(codes[i] | codes[i + 16] << 4);
    }
    edge_put_nibbles(tile, row, nibbles);
}

/* Two bits of each of 32 codes, four vectors to a byte. */
static inline void edge_put_pairs(uint8_t *plane, int32_t row, const uint8_t codes[EDGE_GROUP]) {
    for (int32_t h = 0; h < 2; h++) {
        for (int32_t j = 0; j < 4; j++) {
            const uint8_t *from = codes + 16 * h + j;
            plane[EDGE_VECTOR_BYTES * h + 4 * row + j] =
                (uint8_t)((from[0] & 3) | (from[4] & 3) << 2 | (from[8] & 3) << 4 | (from[12] & 3) << 6);
        }
    }
}

/* One bit of each of 32 codes, eight vectors to a byte. */
static inline void edge_put_bits(uint8_t *plane, int32_t row, uint32_t bits) {
    for (int32_t j = 0; j < 4; j++) {
        uint32_t byte = 0;
        for (int32_t v = 0; v < EDGE_TILE_VECTORS; v++) {
            byte |= (bits >> (4 * v + j) & 1u) << v;
        }
        plane[4 * row + j] = (uint8_t)byte;
    }
}

/* 256 trits, 0 .. 2. */
static inline void edge_put_trits(uint8_t *unit, int32_t row, const uint8_t trits[EDGE_SUPER]) {
    for (int32_t b = 0; b < EDGE_TRIT_VECTORS; b++) {
        for (int32_t j = 0; j < 4; j++) {
            uint32_t n = 0;
            for (int32_t i = 0; i < EDGE_TRITS_OF_BYTE; i++) {
                int32_t k = 4 * (EDGE_TRITS_OF_BYTE * b + i) + j;
                n = 3 * n + (k < EDGE_SUPER ? trits[k] : 0u);
            }
            unit[EDGE_VECTOR_BYTES * b + 4 * row + j] = (uint8_t)(((n * 256 + 242) / 243) ^ 128u);
        }
    }
}

static inline uint32_t edge_u32_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t edge_u16_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

#endif
