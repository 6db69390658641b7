/* What the avxvnni level measures with: dpbusd, in as many sums as its latency takes; reads are AVX2's. */
#if (!defined(__AVXVNNI__) && !defined(EDGE_SIMULATE_AVXVNNI)) || !defined(__AVX2__) || !defined(__F16C__)
#error "this file needs -mavxvnni -mavx2 -mf16c"
#endif

#include "edge_step__avxvnni.h"

#include "edge_kernels__avxvnni.h"
#include "edge_simd__avx2.h"
#include "measure.h"

#define RUN 4 /* vectors a turn: with one, gcc 12 copies every sum */

uint32_t edge_peak_i32_a8_u8__avxvnni(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    __m256i sum[EDGE_PEAK_TOKENS], a[EDGE_PEAK_TOKENS];
    uint32_t lanes[8 * EDGE_PEAK_TOKENS], all = 0;
    for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
        sum[t] = _mm256_setzero_si256();
        a[t] = edge_broadcast(acts + 4 * t);
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < EDGE_PEAK_CODES; i += 32 * RUN) {
            for (int v = 0; v < RUN; v++) {
                const __m256i w = edge_load(codes + i + 32 * v);
                for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
                    sum[t] = edge_dpbusd(sum[t], w, a[t]);
                }
            }
        }
        edge_forget_memory();
    }
    for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
        edge_store(lanes + 8 * t, sum[t]);
    }
    for (int i = 0; i < 8 * EDGE_PEAK_TOKENS; i++) {
        all += lanes[i];
    }
    return all;
}
