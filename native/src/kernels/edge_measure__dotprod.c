/* What the dotprod level measures with: sdot, in as many sums as its latency takes; reads are NEON's. */
#if !defined(__ARM_FEATURE_DOTPROD)
#error "this file needs -march=armv8.2-a+dotprod"
#endif

#include "measure.h"

#include "edge_kernels__dotprod.h"
#include "edge_simd__neon.h"

#define RUN 4 /* vectors a turn: with one, gcc 12 copies every sum */

uint32_t edge_peak_i32_a8_u8__dotprod(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    int32x4_t sum[EDGE_PEAK_TOKENS];
    int8x16_t a[EDGE_PEAK_TOKENS];
    uint32_t all = 0;
    for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
        sum[t] = vdupq_n_s32(0);
        a[t] = edge_broadcast_quad(acts + 4 * t);
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < EDGE_PEAK_CODES; i += 16 * RUN) {
            for (int v = 0; v < RUN; v++) {
                const int8x16_t w = vreinterpretq_s8_u8(vld1q_u8(codes + i + 16 * v));
                for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
                    sum[t] = vdotq_s32(sum[t], w, a[t]);
                }
            }
        }
        edge_forget_memory();
    }
    for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
        all += (uint32_t)vaddvq_s32(sum[t]);
    }
    return all;
}
