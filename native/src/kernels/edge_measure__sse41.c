/* What the sse41 level measures with: maddubs, summed in int16 and widened once per eight (4-bit codes); reads are the
 * scalar level's, which compilers turn into SSE2. */
#if !defined(__SSE4_1__)
#error "this file needs -msse4.1"
#endif

#include "measure.h"

#include "edge_kernels__sse41.h"
#include "edge_simd__sse41.h"
#include "peak_lanes.h"

#define RUN    8 /* 8 * 2 * 127 * 15 <= 32767 */
#define TOKENS 4 /* a block's sums and activations stay in sixteen registers */

/* sum[t] += all codes times token t, for a block of tokens. */
EDGE_INLINE void multiply(__m128i sum[TOKENS], const uint8_t *codes, const int8_t *acts) {
    __m128i a[TOKENS], pairs[TOKENS];
    for (int t = 0; t < TOKENS; t++) {
        int32_t quad;
        memcpy(&quad, acts + 4 * t, sizeof quad);
        a[t] = _mm_set1_epi32(quad);
    }
    for (int i = 0; i < EDGE_PEAK_CODES; i += 16 * RUN) {
        for (int v = 0; v < RUN; v++) {
            const __m128i w = _mm_loadu_si128((const __m128i *)(codes + i + 16 * v));
            for (int t = 0; t < TOKENS; t++) {
                const __m128i products = _mm_maddubs_epi16(w, a[t]);
                pairs[t] = v == 0 ? products : _mm_add_epi16(pairs[t], products);
            }
        }
        for (int t = 0; t < TOKENS; t++) {
            sum[t] = _mm_add_epi32(sum[t], _mm_madd_epi16(pairs[t], _mm_set1_epi16(1)));
        }
    }
}

uint32_t edge_peak_i32_a8_u8__sse41(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    __m128i sum[TOKENS];
    uint32_t lanes[4 * TOKENS], all = 0;
    for (int t = 0; t < TOKENS; t++) {
        sum[t] = _mm_setzero_si128();
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int block = 0; block < EDGE_PEAK_TOKENS; block += TOKENS) {
            multiply(sum, codes, acts + 4 * block);
        }
        edge_forget_memory();
    }
    for (int t = 0; t < TOKENS; t++) {
        _mm_storeu_si128((__m128i *)(lanes + 4 * t), sum[t]);
    }
    for (int i = 0; i < 4 * TOKENS; i++) {
        all += lanes[i];
    }
    return all;
}

uint32_t edge_peak_f32__sse41(const float *starts, float factor, float addend, int32_t rounds) {
    return edge_peak_chains(starts, factor, addend, rounds, 1);
}
