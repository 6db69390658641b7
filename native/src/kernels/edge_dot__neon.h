/* The integer part that all quantised formats share. Rows 4r .. 4r + 3 of a tile are its quarter r: 16 bytes of every
 * vector. Baseline ARMv8-A has no dot product: int8 products are summed in int16, in pairs or for a whole group. */
#ifndef EDGE_DOT_NEON_H
#define EDGE_DOT_NEON_H

#include "edge_simd__neon.h"
#include "tile.h"

#define EDGE_QUARTERS (EDGE_TILE_ROWS / 4)

/* Signed codes of quarter r, byte [4 * row + j] of c[v] is k = 4v + j; bits and offset are constants. */
EDGE_INLINE void edge_unpack_quarter(int8x16_t c[8], const uint8_t *tile, int r, int bits, int offset) {
    const uint8_t *quarter = tile + 16 * r;
    if (bits == 8) {
        for (int v = 0; v < 8; v++) {
            c[v] = vreinterpretq_s8_u8(vld1q_u8(quarter + EDGE_VECTOR_BYTES * v));
        }
        return;
    }
    uint8x16_t u[8];
    for (int v = 0; v < 4; v++) {
        const uint8x16_t w = vld1q_u8(quarter + EDGE_VECTOR_BYTES * v);
        u[v] = vandq_u8(w, vdupq_n_u8(0x0f));
        u[v + 4] = vshrq_n_u8(w, 4);
    }
    if (bits == 5) {
        const uint8x16_t high = vld1q_u8(quarter + EDGE_HIGH_BITS);
        for (int v = 0; v < 8; v++) { /* bit v to bit 4 */
            const uint8x16_t moved = vshlq_u8(high, vdupq_n_s8((int8_t)(4 - v)));
            u[v] = vorrq_u8(u[v], vandq_u8(moved, vdupq_n_u8(0x10)));
        }
    }
    if (bits == 6) {
        for (int v = 0; v < 8; v++) { /* bits 2p, 2p + 1 of plane v / 4 to bits 4, 5 */
            const uint8x16_t plane = vld1q_u8(quarter + EDGE_HIGH_BITS + EDGE_VECTOR_BYTES * (v / 4));
            const uint8x16_t moved = vshlq_u8(plane, vdupq_n_s8((int8_t)(4 - 2 * (v % 4))));
            u[v] = vorrq_u8(u[v], vandq_u8(moved, vdupq_n_u8(0x30)));
        }
    }
    for (int v = 0; v < 8; v++) {
        c[v] = vsubq_s8(vreinterpretq_s8_u8(u[v]), vdupq_n_s8((int8_t)offset));
    }
}

/* Dot products of four rows with 4 * vectors activations. int16 holds 32767: eight products of 5-bit codes (16 * 127 *
 * 8), four of 6-bit codes (32 * 127 * 4), two of 8-bit codes (128 * 127 * 2). bits and vectors are constants. */
EDGE_INLINE int32x4_t edge_dot_quarter(const int8x16_t *c, const int8_t *q, int vectors, int bits) {
    const int together = bits == 8 ? 2 : bits == 6 ? 4 : 8;
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

#endif
