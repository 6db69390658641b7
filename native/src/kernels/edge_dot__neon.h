/* What all quantised formats share: the values of a quarter of a tile. Rows 4r .. 4r + 3 of a tile are its quarter r:
 * 16 bytes of every vector. */
#ifndef EDGE_DOT_NEON_H
#define EDGE_DOT_NEON_H

#include "codes.h"
#include "edge_simd__neon.h"
#include "edge_tokens__neon.h"
#include "tile.h"

#define EDGE_QUARTERS      (EDGE_TILE_ROWS / 4)
#define EDGE_QUARTER_BYTES 16

/* What planar codes have too much; a format with a minimum has none. */
EDGE_INLINE int edge_code_offset(int code, int has_min) {
    return has_min || code == 8 || code > 8 ? 0 : code <= 2 ? 1 : 1 << (code - 1);
}

/* Sixteen int8 values by 4-bit codes. */
EDGE_INLINE int8x16_t edge_look_up(const int8_t values[16], uint8x16_t codes) {
    return vqtbl1q_s8(vld1q_s8(values), codes);
}

EDGE_INLINE int8x16_t edge_values_of(int code, uint8x16_t codes) {
    static const int8_t nl[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    static const int8_t fp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    static const int8_t n3[16] = {1, 3, 5, 7, 9, 11, 13, 15, -1, -3, -5, -7, -9, -11, -13, -15};
    static const int8_t n3x[16] = {4, 12, 20, 28, 36, 44, 52, 62, -4, -12, -20, -28, -36, -44, -52, -62};
    return edge_look_up(code == EDGE_CODE_NL    ? nl
                        : code == EDGE_CODE_N3  ? n3
                        : code == EDGE_CODE_N3X ? n3x
                                                : fp4,
                        codes);
}

/* Unsigned planar codes of vector v; code and v are constants. */
EDGE_INLINE uint8x16_t edge_planar(const uint8_t *quarter, int code, int v) {
    if (code == 1) {
        return edge_bits(vld1q_u8(quarter), v, 1, 2); /* 0 or 2 */
    }
    if (code == 2 || code == 3) {
        const uint8x16_t pair = edge_bits(vld1q_u8(quarter + EDGE_VECTOR_BYTES * (v / 4)), 2 * (v % 4), 0, 3);
        return code == 2 ? pair : vorrq_u8(pair, edge_bits(vld1q_u8(quarter + EDGE_THIRD_BIT), v, 2, 4));
    }
    const uint8x16_t w = vld1q_u8(quarter + EDGE_VECTOR_BYTES * (v % 4));
    const uint8x16_t nibbles = v < 4 ? vandq_u8(w, vdupq_n_u8(0x0f)) : vshrq_n_u8(w, 4);
    if (code == 5) {
        return vorrq_u8(nibbles, edge_bits(vld1q_u8(quarter + EDGE_HIGH_BITS), v, 4, 0x10));
    }
    if (code == 6) {
        const uint8x16_t plane = vld1q_u8(quarter + EDGE_HIGH_BITS + EDGE_VECTOR_BYTES * (v / 4));
        return vorrq_u8(nibbles, edge_bits(plane, 2 * (v % 4), 4, 0x30));
    }
    return nibbles;
}

/* Signed values of quarter r of a tile (not of trits), byte [4 * row + j] of c[v] is k = 4v + j. */
EDGE_INLINE void edge_unpack_quarter(int8x16_t c[8], const uint8_t *tile, int r, int code, int has_min) {
    const uint8_t *quarter = tile + EDGE_QUARTER_BYTES * r;
    const int8x16_t offset = vdupq_n_s8((int8_t)edge_code_offset(code, has_min));
    for (int v = 0; v < EDGE_TILE_VECTORS; v++) {
        if (code == 8) {
            c[v] = vreinterpretq_s8_u8(vld1q_u8(quarter + EDGE_VECTOR_BYTES * v));
        } else if (code > 8) {
            c[v] = edge_values_of(code, edge_planar(quarter, 4, v));
        } else {
            c[v] = vsubq_s8(vreinterpretq_s8_u8(edge_planar(quarter, code, v)), offset);
        }
    }
}

#endif
