/* What the neon level measures with: 128-bit loads; products summed in int16 and widened once per eight vectors (4-bit
 * codes). */
#if !defined(__ARM_NEON)
#error "this file needs an ARMv8-A target with NEON"
#endif

#include "measure.h"

#include "edge_kernels__neon.h"
#include "edge_simd__neon.h"
#include "peak_lanes.h"

#define STEP   128 /* bytes a turn */
#define RUN    8   /* 2 * 8 * 127 * 15 <= 32767 */
#define TOKENS 6   /* a block's sums and activations stay in registers */

uint64_t edge_read_u64__neon(const uint8_t *from, uint64_t bytes) {
    uint8x16_t sums[STEP / 16];
    uint64_t words[STEP / 8];
    for (int j = 0; j < STEP / 16; j++) {
        sums[j] = vdupq_n_u8(0);
    }
    for (uint64_t i = 0; i < bytes; i += STEP) {
        for (int j = 0; j < STEP / 16; j++) {
            sums[j] = veorq_u8(sums[j], vld1q_u8(from + i + 16 * j));
        }
    }
    for (int j = 0; j < STEP / 16; j++) {
        vst1q_u64(words + 2 * j, vreinterpretq_u64_u8(sums[j]));
    }
    return edge_fold(words, STEP / 8);
}

/* sum[t] += all codes times token t, for a block of tokens. */
EDGE_INLINE void multiply(int32x4_t sum[TOKENS], const uint8_t *codes, const int8_t *acts) {
    int8x16_t a[TOKENS];
    int16x8_t pairs[TOKENS];
    for (int t = 0; t < TOKENS; t++) {
        a[t] = edge_broadcast_quad(acts + 4 * t);
    }
    for (int i = 0; i < EDGE_PEAK_CODES; i += 16 * RUN) {
        for (int v = 0; v < RUN; v++) {
            const int8x16_t w = vreinterpretq_s8_u8(vld1q_u8(codes + i + 16 * v));
            for (int t = 0; t < TOKENS; t++) {
                pairs[t] = v == 0 ? vmull_s8(vget_low_s8(w), vget_low_s8(a[t]))
                                  : vmlal_s8(pairs[t], vget_low_s8(w), vget_low_s8(a[t]));
                pairs[t] = vmlal_high_s8(pairs[t], w, a[t]);
            }
        }
        for (int t = 0; t < TOKENS; t++) {
            sum[t] = vpadalq_s16(sum[t], pairs[t]);
        }
    }
}

uint32_t edge_peak_i32_a8_u8__neon(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    int32x4_t sum[TOKENS];
    uint32_t all = 0;
    for (int t = 0; t < TOKENS; t++) {
        sum[t] = vdupq_n_s32(0);
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int block = 0; block < EDGE_PEAK_TOKENS; block += TOKENS) {
            multiply(sum, codes, acts + 4 * block);
        }
        edge_forget_memory();
    }
    for (int t = 0; t < TOKENS; t++) {
        all += (uint32_t)vaddvq_s32(sum[t]);
    }
    return all;
}

uint32_t edge_peak_f32__neon(const float *starts, float factor, float addend, int32_t rounds) {
    return edge_peak_chains(starts, factor, addend, rounds, 2);
}
