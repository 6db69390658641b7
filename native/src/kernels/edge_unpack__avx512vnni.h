/* Codes of one 16 x 32 tile as eight vectors of unsigned bytes: byte [4 * row + j] of u[v] is k = 4v + j.
 * Every format's code is unsigned here; edge_code_offset says what to subtract (times the sum of the activations). */
#ifndef EDGE_UNPACK_AVX512VNNI_H
#define EDGE_UNPACK_AVX512VNNI_H

#include "edge_simd__avx512vnni.h"
#include "tile.h"

EDGE_INLINE void edge_unpack_w8(__m512i u[8], const uint8_t *tile) {
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (int v = 0; v < 8; v++)
        u[v] = _mm512_xor_si512(_mm512_loadu_si512(tile + EDGE_VECTOR_BYTES * v), flip);
}

EDGE_INLINE void edge_unpack_w4(__m512i u[8], const uint8_t *tile) {
    const __m512i mask = _mm512_set1_epi8(0x0f);
    for (int v = 0; v < 4; v++) {
        const __m512i w = _mm512_loadu_si512(tile + EDGE_VECTOR_BYTES * v);
        u[v] = _mm512_and_si512(w, mask);
        u[v + 4] = _mm512_and_si512(_mm512_srli_epi16(w, 4), mask);
    }
}

/* Bit v of the 64 bytes behind the nibbles is bit 4 of the codes of vector v. */
EDGE_INLINE void edge_unpack_w5(__m512i u[8], const uint8_t *tile) {
    const __m512i high = _mm512_loadu_si512(tile + EDGE_HIGH_BITS);
    const __m512i bit = _mm512_set1_epi8(0x10);
    edge_unpack_w4(u, tile);
    u[0] = _mm512_or_si512(u[0], _mm512_and_si512(_mm512_slli_epi16(high, 4), bit));
    u[1] = _mm512_or_si512(u[1], _mm512_and_si512(_mm512_slli_epi16(high, 3), bit));
    u[2] = _mm512_or_si512(u[2], _mm512_and_si512(_mm512_slli_epi16(high, 2), bit));
    u[3] = _mm512_or_si512(u[3], _mm512_and_si512(_mm512_slli_epi16(high, 1), bit));
    u[4] = _mm512_or_si512(u[4], _mm512_and_si512(high, bit));
    u[5] = _mm512_or_si512(u[5], _mm512_and_si512(_mm512_srli_epi16(high, 1), bit));
    u[6] = _mm512_or_si512(u[6], _mm512_and_si512(_mm512_srli_epi16(high, 2), bit));
    u[7] = _mm512_or_si512(u[7], _mm512_and_si512(_mm512_srli_epi16(high, 3), bit));
}

/* Two planes of 64 bytes: bits 2p, 2p+1 of plane h are bits 4, 5 of the codes of vector 4h + p. */
EDGE_INLINE void edge_unpack_w6(__m512i u[8], const uint8_t *tile) {
    const __m512i bits = _mm512_set1_epi8(0x30);
    edge_unpack_w4(u, tile);
    for (int h = 0; h < 2; h++) {
        const __m512i plane = _mm512_loadu_si512(tile + EDGE_HIGH_BITS + EDGE_VECTOR_BYTES * h);
        __m512i *half = u + 4 * h;
        half[0] = _mm512_or_si512(half[0], _mm512_and_si512(_mm512_slli_epi16(plane, 4), bits));
        half[1] = _mm512_or_si512(half[1], _mm512_and_si512(_mm512_slli_epi16(plane, 2), bits));
        half[2] = _mm512_or_si512(half[2], _mm512_and_si512(plane, bits));
        half[3] = _mm512_or_si512(half[3], _mm512_and_si512(_mm512_srli_epi16(plane, 2), bits));
    }
}

EDGE_INLINE void edge_unpack(__m512i u[8], const uint8_t *tile, int bits) {
    if (bits == 8)
        edge_unpack_w8(u, tile);
    else if (bits == 6)
        edge_unpack_w6(u, tile);
    else if (bits == 5)
        edge_unpack_w5(u, tile);
    else
        edge_unpack_w4(u, tile);
}

/* What one unsigned code has too much: 8 bit are stored signed and were flipped, a format with a minimum has none. */
EDGE_INLINE int32_t edge_code_offset(int bits, int has_min) {
    return has_min ? 0 : 1 << (bits - 1);
}

/* Bytes of the codes of one tile, without scales. */
EDGE_INLINE size_t edge_code_bytes(int bits) {
    return (size_t)(EDGE_VECTOR_BYTES * bits);
}

#endif
