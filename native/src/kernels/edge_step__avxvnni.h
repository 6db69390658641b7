/* The integer step of the AVX2 templates with dpbusd, unsigned by signed: four products a lane, exact in int32. The
 * guard is that of edge_step__avx2.h, whose place this takes. */
#ifndef EDGE_STEP_H
#define EDGE_STEP_H

#include <immintrin.h>

#include "inline.h"
#include "tile.h"

/* Any number of vectors' products fit int32: as many as a tile has. */
EDGE_INLINE int edge_code_run(int code) {
    (void)code;
    return EDGE_TILE_VECTORS;
}

EDGE_INLINE int edge_step_tiles(int code) {
    (void)code;
    return EDGE_SUPER_TILES;
}

/* sums + the products of unsigned codes with activations. */
EDGE_INLINE __m256i edge_dpbusd(__m256i sums, __m256i codes, __m256i a) {
#if defined(EDGE_SIMULATE_AVXVNNI)
    /* Bytes 0 and 2 of a lane, then bytes 1 and 3, as pairs of int16. */
    const __m256i even = _mm256_madd_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(255)),
                                           _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(codes, 8), _mm256_srai_epi16(a, 8));
    return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
#else
    return _mm256_dpbusd_avx_epi32(sums, codes, a);
#endif
}

EDGE_INLINE __m256i edge_step_add(__m256i sums, __m256i codes, __m256i a, int is_first) {
    return edge_dpbusd(is_first ? _mm256_setzero_si256() : sums, codes, a);
}

EDGE_INLINE __m256i edge_step_widen(__m256i sums) {
    return sums;
}

EDGE_INLINE __m256i edge_step_scale(__m256i sums, __m256i scale) {
    return _mm256_mullo_epi32(sums, _mm256_srai_epi32(scale, 16));
}

#endif
