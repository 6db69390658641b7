/* What the avx2 level measures with: 256-bit loads; maddubs, summed in int16 and widened once per eight (4-bit codes).
 */
#if !defined(__AVX2__)
#error "this file needs -mavx2"
#endif

#include "measure.h"

#include "edge_kernels__avx2.h"
#include "edge_simd__avx2.h"
#include "peak_lanes.h"

#define STEP   256 /* bytes a turn */
#define RUN    8   /* 8 * 2 * 127 * 15 <= 32767 */
#define TOKENS 4   /* a block's sums and activations stay in sixteen registers */

uint64_t edge_read_u64__avx2(const uint8_t *from, uint64_t bytes) {
    __m256i sums[STEP / 32];
    uint64_t words[STEP / 8];
    for (int j = 0; j < STEP / 32; j++) {
        sums[j] = _mm256_setzero_si256();
    }
    for (uint64_t i = 0; i < bytes; i += STEP) {
        edge_prefetch(from + i, STEP);
        for (int j = 0; j < STEP / 32; j++) {
            sums[j] = _mm256_xor_si256(sums[j], edge_load(from + i + 32 * j));
        }
    }
    for (int j = 0; j < STEP / 32; j++) {
        edge_store(words + 4 * j, sums[j]);
    }
    return edge_fold(words, STEP / 8);
}

/* sum[t] += all codes times token t, for a block of tokens. */
EDGE_INLINE void multiply(__m256i sum[TOKENS], const uint8_t *codes, const int8_t *acts) {
    __m256i a[TOKENS], pairs[TOKENS];
    for (int t = 0; t < TOKENS; t++) {
        a[t] = edge_broadcast(acts + 4 * t);
    }
    for (int i = 0; i < EDGE_PEAK_CODES; i += 32 * RUN) {
        for (int v = 0; v < RUN; v++) {
            const __m256i w = edge_load(codes + i + 32 * v);
            for (int t = 0; t < TOKENS; t++) {
                const __m256i products = _mm256_maddubs_epi16(w, a[t]);
                pairs[t] = v == 0 ? products : _mm256_add_epi16(pairs[t], products);
            }
        }
        for (int t = 0; t < TOKENS; t++) {
            sum[t] = _mm256_add_epi32(sum[t], _mm256_madd_epi16(pairs[t], _mm256_set1_epi16(1)));
        }
    }
}

uint32_t edge_peak_i32_a8_u8__avx2(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    __m256i sum[TOKENS];
    uint32_t lanes[8 * TOKENS], all = 0;
    for (int t = 0; t < TOKENS; t++) {
        sum[t] = _mm256_setzero_si256();
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int block = 0; block < EDGE_PEAK_TOKENS; block += TOKENS) {
            multiply(sum, codes, acts + 4 * block);
        }
        edge_forget_memory();
    }
    for (int t = 0; t < TOKENS; t++) {
        edge_store(lanes + 8 * t, sum[t]);
    }
    for (int i = 0; i < 8 * TOKENS; i++) {
        all += lanes[i];
    }
    return all;
}

uint32_t edge_peak_f32__avx2(const float *starts, float factor, float addend, int32_t rounds) {
    return edge_peak_chains(starts, factor, addend, rounds, 1);
}
