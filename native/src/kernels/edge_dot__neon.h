/* The integer part that all quantised formats share. Rows 4r .. 4r + 3 of a tile are its quarter r: 16 bytes of every
 * vector. Baseline ARMv8-A has no dot product: int8 products are summed in int16, in pairs or for a whole group. */
#ifndef EDGE_DOT_NEON_H
#define EDGE_DOT_NEON_H

#include "codes.h"
#include "edge_simd__neon.h"
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

/* Bits `from` .. of every byte moved to bit `to`, masked. */
EDGE_INLINE uint8x16_t edge_bits(uint8x16_t x, int from, int to, uint8_t mask) {
    return vandq_u8(vshlq_u8(x, vdupq_n_s8((int8_t)(to - from))), vdupq_n_u8(mask));
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

/* How many vectors of products fit int16: count * 127 * largest magnitude <= 32767. 8 bits and NL 128, IQ3_XXS 62,
 * S2 43, all others 32 and less (63 with 6 bits and no offset does not occur). */
EDGE_INLINE int edge_code_run(int code) {
    return code == 8 || code == EDGE_CODE_NL ? 2 : code == EDGE_CODE_N3X || code == EDGE_CODE_S2 ? 4 : 8;
}

/* Dot products of four rows with 4 * vectors activations. code and vectors are constants. */
EDGE_INLINE int32x4_t edge_dot_quarter(const int8x16_t *c, const int8_t *q, int vectors, int code) {
    const int together = edge_code_run(code) < vectors ? edge_code_run(code) : vectors;
    int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0);
    for (int begin = 0; begin < vectors; begin += together) {
        int16x8_t low16 = vdupq_n_s16(0), high16 = vdupq_n_s16(0);
        for (int v = begin; v < begin + together; v++) {
            const int8x16_t a = edge_broadcast_quad(q + 4 * v);
            low16 = vmlal_s8(low16, vget_low_s8(c[v]), vget_low_s8(a));
            high16 = vmlal_high_s8(high16, c[v], a);
        }
        low = vpadalq_s16(low, low16);
        high = vpadalq_s16(high, high16);
    }
    return vpaddq_s32(low, high);
}

/* Four bytes as int32 lanes. */
EDGE_INLINE int32x4_t edge_load_u8_as_i32(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide)));
}

EDGE_INLINE int32x4_t edge_load_i8_as_i32(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)))));
}

#endif
