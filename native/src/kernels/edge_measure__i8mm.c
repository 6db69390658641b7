/* What the i8mm level measures with: smmla, two rows of eight codes by two tokens, in as many sums as its latency
 * takes; reads are NEON's. */
#if !defined(__ARM_FEATURE_MATMUL_INT8)
#error "this file needs -march=armv8.2-a+i8mm"
#endif

#include "measure.h"

#include "edge_kernels__i8mm.h"
#include "edge_simd__neon.h"

#define RUN   4 /* vectors a turn: with one, gcc 12 copies every sum */
#define PAIRS (EDGE_PEAK_TOKENS / 2)

uint32_t edge_peak_i32_a8_u8__i8mm(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    int32x4_t sum[2][PAIRS]; /* by even and odd vectors */
    int8x16_t a[PAIRS];
    uint32_t all = 0;
    for (int t = 0; t < PAIRS; t++) {
        sum[0][t] = sum[1][t] = vdupq_n_s32(0);
        const int8x16_t first = edge_broadcast_quad(acts + 8 * t), second = edge_broadcast_quad(acts + 8 * t + 4);
        a[t] = vcombine_s8(vget_low_s8(first), vget_low_s8(second));
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < EDGE_PEAK_CODES; i += 16 * RUN) {
            for (int v = 0; v < RUN; v++) {
                const int8x16_t w = vreinterpretq_s8_u8(vld1q_u8(codes + i + 16 * v));
                for (int t = 0; t < PAIRS; t++) {
                    sum[v % 2][t] = vmmlaq_s32(sum[v % 2][t], w, a[t]);
                }
            }
        }
        edge_forget_memory();
    }
    for (int t = 0; t < PAIRS; t++) {
        all += (uint32_t)vaddvq_s32(vaddq_s32(sum[0][t], sum[1][t]));
    }
    return all;
}
