/* What the AVX2 templates share: loads, broadcasts, codes of eight rows. A vector of a tile (64 bytes) is two halves:
 * half 0 holds rows 0 .. 7, half 1 rows 8 .. 15, four k of a row in each 32-bit lane. */
#ifndef EDGE_SIMD_AVX2_H
#define EDGE_SIMD_AVX2_H

#include <immintrin.h>
#include <string.h>

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

/* Eight halves as floats. */
EDGE_INLINE __m256 edge_load_f16(const void *from) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
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

/* The codes of one half of vector v: unsigned, or int8 for 8 bits. bits, v and half are constants. */
EDGE_INLINE __m256i edge_codes(const uint8_t *tile, int bits, int v, int half) {
    const uint8_t *from = tile + half * EDGE_HALF_BYTES;
    if (bits == 8) {
        return edge_load(from + v * EDGE_VECTOR_BYTES);
    }
    __m256i nibbles = edge_shift(edge_load(from + v % 4 * EDGE_VECTOR_BYTES), v < 4 ? 0 : -4);
    nibbles = _mm256_and_si256(nibbles, _mm256_set1_epi8(0x0f));
    if (bits == 5) {
        __m256i high = edge_shift(edge_load(from + EDGE_HIGH_BITS), 4 - v);
        return _mm256_or_si256(nibbles, _mm256_and_si256(high, _mm256_set1_epi8(0x10)));
    }
    if (bits == 6) {
        __m256i high = edge_load(from + EDGE_HIGH_BITS + v / 4 * EDGE_VECTOR_BYTES);
        high = edge_shift(high, 4 - 2 * (v % 4));
        return _mm256_or_si256(nibbles, _mm256_and_si256(high, _mm256_set1_epi8(0x30)));
    }
    return nibbles;
}

/* Bytes of 8 rows as pairs of int16: lane r holds (a[r], b[r]) for the eight rows of the half. */
EDGE_INLINE __m256i edge_pairs(const uint8_t *a, const uint8_t *b, int half, int is_signed) {
    __m128i first = _mm_loadu_si128((const __m128i *)a), second = _mm_loadu_si128((const __m128i *)b);
    __m128i bytes = half ? _mm_unpackhi_epi8(first, second) : _mm_unpacklo_epi8(first, second);
    return is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

#endif
