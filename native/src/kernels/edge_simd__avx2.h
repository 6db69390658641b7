/* What the AVX2 templates share: loads, broadcasts, codes of eight rows. A vector of a tile (64 bytes) is two halves:
 * half 0 holds rows 0 .. 7, half 1 rows 8 .. 15, four k of a row in each 32-bit lane. */
#ifndef EDGE_SIMD_AVX2_H
#define EDGE_SIMD_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "codes.h"
#include "edge_step__avx2.h"
#include "inline.h"
#include "tile.h"

#define EDGE_HALVES     2
#define EDGE_HALF_BYTES 32
#define EDGE_LANE_ROWS  8
/* How far ahead of the reads weights are asked for, in bytes: beyond what the hardware's own prefetch runs ahead. */
#define EDGE_PREFETCH_BYTES 4096

EDGE_INLINE __m256i edge_load(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

EDGE_INLINE void edge_store(void *to, __m256i value) {
    _mm256_storeu_si256((__m256i *)to, value);
}

/* Four bytes at `from` in every lane. */
EDGE_INLINE __m256i edge_broadcast(const void *from) {
    int32_t word;
    memcpy(&word, from, sizeof word);
    return _mm256_set1_epi32(word);
}

/* Lanes of floats, by the names that every level gives them. */
#define EDGE_FLOATS 8
typedef __m256 edge_floats;
typedef __m256i edge_ints;

EDGE_INLINE __m256 edge_load_floats(const float *from) {
    return _mm256_loadu_ps(from);
}

EDGE_INLINE void edge_store_floats(float *to, __m256 x) {
    _mm256_storeu_ps(to, x);
}

EDGE_INLINE void edge_store_ints(int32_t *to, __m256i x) {
    edge_store(to, x);
}

EDGE_INLINE __m256 edge_all_floats(float x) {
    return _mm256_set1_ps(x);
}

EDGE_INLINE __m256 edge_add_floats(__m256 a, __m256 b) {
    return _mm256_add_ps(a, b);
}

/* a > b ? a : b, so b where one is NaN. */
EDGE_INLINE __m256 edge_larger_floats(__m256 a, __m256 b) {
    return _mm256_max_ps(a, b);
}

/* sum + a * b, rounded twice. */
EDGE_INLINE __m256 edge_multiply_add(__m256 sum, __m256 a, __m256 b) {
    return _mm256_add_ps(sum, _mm256_mul_ps(a, b));
}

EDGE_INLINE __m256 edge_load_f16(const void *from) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
}

EDGE_INLINE __m256 edge_load_i8(const int8_t *from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from)));
}

EDGE_INLINE void edge_prefetch(const uint8_t *from, int32_t bytes) {
    for (int32_t i = 0; i < bytes; i += 64) {
        _mm_prefetch((const char *)(from + EDGE_PREFETCH_BYTES + i), _MM_HINT_T0);
    }
}

/* x << shift, to the right when negative; constant. Bits that cross bytes must be masked away. */
EDGE_INLINE __m256i edge_shift(__m256i x, int shift) {
    return shift > 0 ? _mm256_slli_epi16(x, shift) : shift < 0 ? _mm256_srli_epi16(x, -shift) : x;
}

/* Whether codes are int8, not unsigned with something added. */
EDGE_INLINE int edge_code_is_signed(int code) {
    return code == 8 || code == EDGE_CODE_NL || code == EDGE_CODE_FP4S || code == EDGE_CODE_S2;
}

/* What was added to the values to make them unsigned codes, where no minimum does that. */
EDGE_INLINE int edge_code_offset(int code) {
    return code == 1 || code == 2 || code == EDGE_CODE_T5 ? 1
           : code >= 3 && code <= 6                       ? 1 << (code - 1)
           : code == EDGE_CODE_FP4                        ? 12
           : code == EDGE_CODE_N3                         ? 15
           : code == EDGE_CODE_N3X                        ? 62
           : code == EDGE_CODE_D1                         ? 9
                                                          : 0;
}

/* x * offset; a shift for powers of two, which most offsets (constants) are. */
EDGE_INLINE __m256i edge_times_offset(__m256i x, int offset) {
    return offset == 1    ? x
           : offset == 4  ? _mm256_slli_epi32(x, 2)
           : offset == 8  ? _mm256_slli_epi32(x, 3)
           : offset == 16 ? _mm256_slli_epi32(x, 4)
           : offset == 32 ? _mm256_slli_epi32(x, 5)
                          : _mm256_mullo_epi32(x, _mm256_set1_epi32(offset));
}

/* Sixteen values, twice. */
EDGE_INLINE __m256i edge_look_up(__m128i values, __m256i codes) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), codes);
}

EDGE_INLINE __m256i edge_values_of(int code, __m256i nibbles) {
    switch (code) {
    case EDGE_CODE_NL:
        return edge_look_up(_mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113),
                            nibbles);
    case EDGE_CODE_FP4:
        return edge_look_up(_mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0), nibbles);
    case EDGE_CODE_FP4S:
        return edge_look_up(_mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12), nibbles);
    case EDGE_CODE_N3:
        return edge_look_up(_mm_setr_epi8(16, 18, 20, 22, 24, 26, 28, 30, 14, 12, 10, 8, 6, 4, 2, 0), nibbles);
    case EDGE_CODE_N3X:
        return edge_look_up(_mm_setr_epi8(66, 74, 82, 90, 98, 106, 114, 124, 58, 50, 42, 34, 26, 18, 10, 0), nibbles);
    default:
        return nibbles;
    }
}

/* The codes of one half of vector v. code (not a kind that only panels hold), v and half are constants. A single bit
 * comes out as 0 or 2. */
EDGE_INLINE __m256i edge_codes(const uint8_t *tile, int code, int v, int half) {
    const uint8_t *from = tile + half * EDGE_HALF_BYTES;
    if (code == 8) {
        return edge_load(from + v * EDGE_VECTOR_BYTES);
    }
    if (code == 1) {
        return _mm256_and_si256(edge_shift(edge_load(from), 1 - v), _mm256_set1_epi8(2));
    }
    if (code == 2 || code == 3) {
        __m256i pair = edge_shift(edge_load(from + v / 4 * EDGE_VECTOR_BYTES), -2 * (v % 4));
        pair = _mm256_and_si256(pair, _mm256_set1_epi8(3));
        if (code == 2) {
            return pair;
        }
        __m256i third = edge_shift(edge_load(from + EDGE_THIRD_BIT), 2 - v);
        return _mm256_or_si256(pair, _mm256_and_si256(third, _mm256_set1_epi8(4)));
    }
    __m256i nibbles = edge_shift(edge_load(from + v % 4 * EDGE_VECTOR_BYTES), v < 4 ? 0 : -4);
    nibbles = _mm256_and_si256(nibbles, _mm256_set1_epi8(0x0f));
    if (code == 5) {
        __m256i high = edge_shift(edge_load(from + EDGE_HIGH_BITS), 4 - v);
        return _mm256_or_si256(nibbles, _mm256_and_si256(high, _mm256_set1_epi8(0x10)));
    }
    if (code == 6) {
        __m256i high = edge_load(from + EDGE_HIGH_BITS + v / 4 * EDGE_VECTOR_BYTES);
        high = edge_shift(high, 4 - 2 * (v % 4));
        return _mm256_or_si256(nibbles, _mm256_and_si256(high, _mm256_set1_epi8(0x30)));
    }
    return edge_values_of(code, nibbles);
}

#define EDGE_BLOCK_TOKENS 4 /* tokens x 2 halves of int16 sums stay in registers */

/* Adds the products of vector v of a tile and token t to pairs[t][half], or begins with them. */
EDGE_INLINE void edge_add_products(__m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile, int code,
                                   int unpacked, const int8_t *const q[EDGE_BLOCK_TOKENS], int64_t at, int tokens,
                                   int v, int is_first) {
    const uint8_t *vector = tile + v * EDGE_VECTOR_BYTES;
    const __m256i low = unpacked ? edge_load(vector) : edge_codes(tile, code, v, 0);
    const __m256i high = unpacked ? edge_load(vector + EDGE_HALF_BYTES) : edge_codes(tile, code, v, 1);
    for (int t = 0; t < tokens; t++) {
        const __m256i a = edge_broadcast(q[t] + at + 4 * v);
        if (edge_code_is_signed(code)) { /* the sign moves to the activation, which is never -128 */
            pairs[t][0] = edge_step_add(pairs[t][0], _mm256_abs_epi8(low), _mm256_sign_epi8(a, low), is_first);
            pairs[t][1] = edge_step_add(pairs[t][1], _mm256_abs_epi8(high), _mm256_sign_epi8(a, high), is_first);
        } else {
            pairs[t][0] = edge_step_add(pairs[t][0], low, a, is_first);
            pairs[t][1] = edge_step_add(pairs[t][1], high, a, is_first);
        }
    }
}

/* pairs[t][half] = the products of vectors begin .. begin + count - 1 of a tile with token t, whose codes for this tile
 * stand at q[t] + at. They fit int16 together: maddubs and the sums are exact. `unpacked`: the tile holds a panel's
 * vectors. All but the pointers are constants. */
EDGE_INLINE void edge_products(__m256i pairs[EDGE_BLOCK_TOKENS][EDGE_HALVES], const uint8_t *tile, int code,
                               int unpacked, const int8_t *const q[EDGE_BLOCK_TOKENS], int64_t at, int tokens,
                               int begin, int count) {
    edge_add_products(pairs, tile, code, unpacked, q, at, tokens, begin, 1);
    for (int v = begin + 1; v < begin + count; v++) {
        edge_add_products(pairs, tile, code, unpacked, q, at, tokens, v, 0);
    }
}

/* Bytes of 8 rows as pairs of int16: lane r holds (a[r], b[r]) for the eight rows of the half. */
EDGE_INLINE __m256i edge_pairs(const uint8_t *a, const uint8_t *b, int half, int is_signed) {
    __m128i first = _mm_loadu_si128((const __m128i *)a), second = _mm_loadu_si128((const __m128i *)b);
    __m128i bytes = half ? _mm_unpackhi_epi8(first, second) : _mm_unpacklo_epi8(first, second);
    return is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

#endif
