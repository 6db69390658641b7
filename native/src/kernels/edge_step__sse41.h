/* The integer step of the templates of 16-byte vectors with maddubs: the sign of the weights moves to the activations,
 * which are never -128. The guard is that of edge_step__neon.h, whose place this takes. */
#ifndef EDGE_STEP_H
#define EDGE_STEP_H

#include "codes.h"
#include "edge_simd__sse41.h"

/* How many vectors of products fit int16 together: count * 2 * 127 * largest magnitude <= 32767. 8 bits 128, NL 127;
 * IQ3_XXS 62, S2 43; 6 bits 32, 5 bits 31 where there is a minimum; all others 16 and less. */
EDGE_INLINE int edge_code_run(int code) {
    return code == 8 || code == EDGE_CODE_NL               ? 1
           : code == EDGE_CODE_N3X || code == EDGE_CODE_S2 ? 2
           : code == 5 || code == 6                        ? 4
                                                           : 8;
}

/* Dot products of four rows with 4 * vectors activations. code and vectors are constants. */
EDGE_INLINE __m128i edge_dot_quarter(const __m128i *c, const int8_t *q, int vectors, int code) {
    const int run = edge_code_run(code) < vectors ? edge_code_run(code) : vectors;
    __m128i sum = _mm_setzero_si128();
    for (int begin = 0; begin < vectors; begin += run) {
        __m128i pairs = _mm_setzero_si128();
        for (int v = begin; v < begin + run; v++) {
            int32_t four;
            memcpy(&four, q + 4 * v, sizeof four);
            const __m128i a = _mm_sign_epi8(_mm_set1_epi32(four), c[v]);
            pairs = _mm_add_epi16(pairs, _mm_maddubs_epi16(_mm_abs_epi8(c[v]), a));
        }
        sum = _mm_add_epi32(sum, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
    }
    return sum;
}

#endif
