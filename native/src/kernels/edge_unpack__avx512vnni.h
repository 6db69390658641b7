/* Codes of one 16 x 32 tile as eight vectors of unsigned bytes: byte [4 * row + j] of u[v] is k = 4v + j.
 * Every format's code is unsigned here; edge_code_offset says what to subtract (times the sum of the activations). */
#ifndef EDGE_UNPACK_AVX512VNNI_H
#define EDGE_UNPACK_AVX512VNNI_H

#include "codes.h"
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

EDGE_INLINE void edge_unpack_w2(__m512i u[8], const uint8_t *tile) {
    const __m512i mask = _mm512_set1_epi8(3);
    for (int h = 0; h < 2; h++) {
        const __m512i w = _mm512_loadu_si512(tile + EDGE_VECTOR_BYTES * h);
        u[4 * h] = _mm512_and_si512(w, mask);
        u[4 * h + 1] = _mm512_and_si512(_mm512_srli_epi16(w, 2), mask);
        u[4 * h + 2] = _mm512_and_si512(_mm512_srli_epi16(w, 4), mask);
        u[4 * h + 3] = _mm512_and_si512(_mm512_srli_epi16(w, 6), mask);
    }
}

/* Bit v of the 64 bytes behind the 2 bits is bit 2 of the codes of vector v. */
EDGE_INLINE void edge_unpack_w3(__m512i u[8], const uint8_t *tile) {
    const __m512i third = _mm512_loadu_si512(tile + EDGE_THIRD_BIT), bit = _mm512_set1_epi8(4);
    edge_unpack_w2(u, tile);
    u[0] = _mm512_or_si512(u[0], _mm512_and_si512(_mm512_slli_epi16(third, 2), bit));
    u[1] = _mm512_or_si512(u[1], _mm512_and_si512(_mm512_slli_epi16(third, 1), bit));
    u[2] = _mm512_or_si512(u[2], _mm512_and_si512(third, bit));
    u[3] = _mm512_or_si512(u[3], _mm512_and_si512(_mm512_srli_epi16(third, 1), bit));
    u[4] = _mm512_or_si512(u[4], _mm512_and_si512(_mm512_srli_epi16(third, 2), bit));
    u[5] = _mm512_or_si512(u[5], _mm512_and_si512(_mm512_srli_epi16(third, 3), bit));
    u[6] = _mm512_or_si512(u[6], _mm512_and_si512(_mm512_srli_epi16(third, 4), bit));
    u[7] = _mm512_or_si512(u[7], _mm512_and_si512(_mm512_srli_epi16(third, 5), bit));
}

/* 0 or 2: less 1, they are the values. */
EDGE_INLINE void edge_unpack_w1(__m512i u[8], const uint8_t *tile) {
    const __m512i w = _mm512_loadu_si512(tile), bit = _mm512_set1_epi8(2);
    u[0] = _mm512_and_si512(_mm512_slli_epi16(w, 1), bit);
    u[1] = _mm512_and_si512(w, bit);
    u[2] = _mm512_and_si512(_mm512_srli_epi16(w, 1), bit);
    u[3] = _mm512_and_si512(_mm512_srli_epi16(w, 2), bit);
    u[4] = _mm512_and_si512(_mm512_srli_epi16(w, 3), bit);
    u[5] = _mm512_and_si512(_mm512_srli_epi16(w, 4), bit);
    u[6] = _mm512_and_si512(_mm512_srli_epi16(w, 5), bit);
    u[7] = _mm512_and_si512(_mm512_srli_epi16(w, 6), bit);
}

/* Sixteen values by nibbles. */
EDGE_INLINE __m512i edge_look_up(__m128i values, __m512i nibbles) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), nibbles);
}

/* What 4-bit codes stand for, edge_code_offset added. */
EDGE_INLINE __m128i edge_values_of(int code) {
    switch (code) {
    case EDGE_CODE_NL:
        return _mm_setr_epi8(1, 24, 45, 63, 79, 93, 106, 118, (char)129, (char)141, (char)153, (char)166, (char)181,
                             (char)197, (char)217, (char)241);
    case EDGE_CODE_N3:
        return _mm_setr_epi8(16, 18, 20, 22, 24, 26, 28, 30, 14, 12, 10, 8, 6, 4, 2, 0);
    case EDGE_CODE_N3X:
        return _mm_setr_epi8(66, 74, 82, 90, 98, 106, 114, 124, 58, 50, 42, 34, 26, 18, 10, 0);
    default:
        return _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
    }
}

EDGE_INLINE void edge_unpack(__m512i u[8], const uint8_t *tile, int code) {
    if (code == 8) {
        edge_unpack_w8(u, tile);
    } else if (code == 6) {
        edge_unpack_w6(u, tile);
    } else if (code == 5) {
        edge_unpack_w5(u, tile);
    } else if (code == 3) {
        edge_unpack_w3(u, tile);
    } else if (code == 2) {
        edge_unpack_w2(u, tile);
    } else if (code == 1) {
        edge_unpack_w1(u, tile);
    } else {
        edge_unpack_w4(u, tile);
        for (int v = 0; code != 4 && v < EDGE_TILE_VECTORS; v++)
            u[v] = edge_look_up(edge_values_of(code), u[v]);
    }
}

/* What one unsigned code has too much: 8 bit are stored signed and were flipped, a format with a minimum has none. */
EDGE_INLINE int32_t edge_code_offset(int code, int has_min) {
    return has_min                                          ? 0
           : code == 1 || code == 2 || code == EDGE_CODE_T5 ? 1
           : code <= 8                                      ? 1 << (code - 1)
           : code == EDGE_CODE_NL                           ? 128
           : code == EDGE_CODE_N3                           ? 15
           : code == EDGE_CODE_N3X                          ? 62
           : code == EDGE_CODE_S2                           ? 43
           : code == EDGE_CODE_D1                           ? 9
                                                            : 12;
}

/* The next trit of every byte, 0 .. 2. Bytes are stored less 128, which tripling keeps: 3 (x - 128) = 3x - 128 mod 256.
 * A byte of 86 or more begins with 1, of 171 or more with 2. */
EDGE_INLINE __m512i edge_next_trit(__m512i *bytes) {
    const __m512i one = _mm512_set1_epi8(1);
    const __mmask64 first = _mm512_cmpgt_epi8_mask(*bytes, _mm512_set1_epi8(85 - 128));
    const __mmask64 second = _mm512_cmpgt_epi8_mask(*bytes, _mm512_set1_epi8(170 - 128));
    *bytes = _mm512_add_epi8(_mm512_add_epi8(*bytes, *bytes), *bytes);
    const __m512i trit = _mm512_maskz_mov_epi8(first, one);
    return _mm512_mask_add_epi8(trit, second, trit, one);
}

/* What the trit of vector v (of 64) stands for, edge_code_offset added. */
EDGE_INLINE __m512i edge_trit_code(__m512i trit, const uint8_t *super, int code, int v) {
    const int tile = v / EDGE_TILE_VECTORS, bit = 1 << v % EDGE_TILE_VECTORS;
    if (code == EDGE_CODE_S2) {
        const __m512i plane = _mm512_loadu_si512(super + EDGE_S2G256_SIGNS + EDGE_CODES_W1 * tile);
        const __mmask64 minus = _mm512_test_epi8_mask(plane, _mm512_set1_epi8((char)bit));
        const __m512i plus = edge_look_up(_mm_setr_epi8(51, 68, 86, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), trit);
        return _mm512_mask_sub_epi8(plus, minus, _mm512_set1_epi8(86), plus);
    }
    if (code == EDGE_CODE_D1) {
        const __m512i rows = edge_load_u8_as_i32(super + EDGE_D1G256_LESS + EDGE_TILE_ROWS * tile);
        const __mmask16 less = _mm512_test_epi32_mask(rows, _mm512_set1_epi32(bit));
        const __m512i up = _mm512_mask_mov_epi32(_mm512_set1_epi8(2), less, _mm512_setzero_si512());
        return _mm512_add_epi8(_mm512_slli_epi16(trit, 3), up);
    }
    return trit;
}

#if defined(__AVX512VBMI__) || defined(EDGE_SIMULATE_AVX512VBMI)

/* What edge_next_trit finds, for every byte, the stored one xor 128 being y: the first four trits in 2 bits each, and
 * the fifth. */
#define EDGE_TRIT(y)       ((((y) & 255) >= 86) + (((y) & 255) >= 171))
#define EDGE_FOUR_TRITS(y) (EDGE_TRIT(y) | EDGE_TRIT(3 * (y)) << 2 | EDGE_TRIT(9 * (y)) << 4 | EDGE_TRIT(27 * (y)) << 6)
#define EDGE_FIFTH_TRIT(y) EDGE_TRIT(81 * (y))
#define EDGE_OF_4(F, y)    F(y), F((y) + 1), F((y) + 2), F((y) + 3)
#define EDGE_OF_16(F, y)   EDGE_OF_4(F, y), EDGE_OF_4(F, (y) + 4), EDGE_OF_4(F, (y) + 8), EDGE_OF_4(F, (y) + 12)
#define EDGE_OF_64(F, y)   EDGE_OF_16(F, y), EDGE_OF_16(F, (y) + 16), EDGE_OF_16(F, (y) + 32), EDGE_OF_16(F, (y) + 48)
#define EDGE_OF_256(F)     EDGE_OF_64(F, 128), EDGE_OF_64(F, 192), EDGE_OF_64(F, 0), EDGE_OF_64(F, 64)

typedef struct edge_trit_tables {
    __m512i four[4], fifth[4];
} edge_trit_tables;

EDGE_INLINE edge_trit_tables edge_load_trit_tables(void) {
    static const uint8_t four[256] = {EDGE_OF_256(EDGE_FOUR_TRITS)}, fifth[256] = {EDGE_OF_256(EDGE_FIFTH_TRIT)};
    edge_trit_tables tables;
    for (int i = 0; i < 4; i++) {
        tables.four[i] = _mm512_loadu_si512(four + EDGE_VECTOR_BYTES * i);
        tables.fifth[i] = _mm512_loadu_si512(fifth + EDGE_VECTOR_BYTES * i);
    }
    return tables;
}

/* table[x] for every byte x; upper: where it is 128 or more. */
EDGE_INLINE __m512i edge_look_up_byte(const __m512i table[4], __m512i x, __mmask64 upper) {
    const __m512i low = _mm512_permutex2var_epi8(table[0], x, table[1]);
    return _mm512_mask_mov_epi8(low, upper, _mm512_permutex2var_epi8(table[2], x, table[3]));
}

EDGE_INLINE void edge_unpack_trits(__m512i u[EDGE_SUPER_VECTORS], const uint8_t *super, int code) {
    const edge_trit_tables tables = edge_load_trit_tables();
    const __m512i three = _mm512_set1_epi8(3);
    for (int b = 0; b < EDGE_TRIT_VECTORS; b++) {
        const __m512i bytes = _mm512_loadu_si512(super + EDGE_VECTOR_BYTES * b);
        const __mmask64 upper = _mm512_movepi8_mask(bytes);
        const __m512i four = edge_look_up_byte(tables.four, bytes, upper);
        const int v = EDGE_TRITS_OF_BYTE * b;
        u[v] = edge_trit_code(_mm512_and_si512(four, three), super, code, v);
        u[v + 1] = edge_trit_code(_mm512_and_si512(_mm512_srli_epi16(four, 2), three), super, code, v + 1);
        u[v + 2] = edge_trit_code(_mm512_and_si512(_mm512_srli_epi16(four, 4), three), super, code, v + 2);
        u[v + 3] = edge_trit_code(_mm512_and_si512(_mm512_srli_epi16(four, 6), three), super, code, v + 3);
        if (v + 4 < EDGE_SUPER_VECTORS)
            u[v + 4] = edge_trit_code(edge_look_up_byte(tables.fifth, bytes, upper), super, code, v + 4);
    }
}

#else

EDGE_INLINE void edge_unpack_trits(__m512i u[EDGE_SUPER_VECTORS], const uint8_t *super, int code) {
    for (int b = 0; b < EDGE_TRIT_VECTORS; b++) {
        __m512i bytes = _mm512_loadu_si512(super + EDGE_VECTOR_BYTES * b);
        for (int v = EDGE_TRITS_OF_BYTE * b; v < EDGE_TRITS_OF_BYTE * (b + 1) && v < EDGE_SUPER_VECTORS; v++) {
            const __m512i trit = edge_next_trit(&bytes);
            u[v] = edge_trit_code(trit, super, code, v);
        }
    }
}

#endif

#endif
