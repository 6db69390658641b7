/* The integer step of the AVX2 templates: products of bytes as pairs of int16. A level with a better instruction
 * includes its own edge_step__LEVEL.h before a template; the guard is the same, so this one then stays out. */
#ifndef EDGE_STEP_H
#define EDGE_STEP_H

#include <immintrin.h>

#include "codes.h"
#include "inline.h"

/* How many vectors of products fit int16 together: count * 2 * 127 * largest code <= 32767. Largest: 1 bit 2, 2 bits 3,
 * 3 bits 7, 4 bits 15, D1 18; 5 bits 31, FP4 24, N3 30, FP4S 12; 6 bits 63, S2 43; N3X 124, NL 127, 8 bits
 * 128. */
EDGE_INLINE int edge_code_run(int code) {
    return code <= 4                                                                              ? 8
           : code == 5 || code == EDGE_CODE_FP4 || code == EDGE_CODE_N3 || code == EDGE_CODE_FP4S ? 4
           : code == EDGE_CODE_D1                                                                 ? 4
           : code == 6 || code == EDGE_CODE_S2                                                    ? 2
                                                                                                  : 1;
}

/* Over how many tiles of a super-block without scales products fit int16: 43 vectors of 2 bits, all 64 of trits. */
EDGE_INLINE int edge_step_tiles(int code) {
    return code == EDGE_CODE_T5 ? 8 : 4;
}

/* The products of unsigned codes with activations, added to those in `sums` or the first of them (a constant). */
EDGE_INLINE __m256i edge_step_add(__m256i sums, __m256i codes, __m256i a, int is_first) {
    const __m256i products = _mm256_maddubs_epi16(codes, a);
    return is_first ? products : _mm256_add_epi16(sums, products);
}

/* One int32 per row. */
EDGE_INLINE __m256i edge_step_widen(__m256i sums) {
    return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

/* One int32 per row, times its row's scale, which `scale` holds twice as int16. */
EDGE_INLINE __m256i edge_step_scale(__m256i sums, __m256i scale) {
    return _mm256_madd_epi16(sums, scale);
}

#endif
