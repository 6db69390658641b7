/* What the scalar level measures with: plain C, which the compiler may vectorise as it may the kernels. */
#include "measure.h"

#include <string.h>

#include "edge_kernels__scalar.h"

#define CHAINS 48 /* side by side: what hides the latency of a multiplication and an addition */

uint64_t edge_read_u64__scalar(const uint8_t *from, uint64_t bytes) {
    uint64_t sums[8] = {0};
    for (uint64_t i = 0; i < bytes; i += sizeof sums) {
        uint64_t words[8];
        memcpy(words, from + i, sizeof words);
        for (int j = 0; j < 8; j++) {
            sums[j] ^= words[j];
        }
    }
    return edge_fold(sums, 8);
}

uint32_t edge_peak_i32_a8_u8__scalar(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    uint32_t sum = 0;
    for (int32_t round = 0; round < rounds; round++) {
        for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
            int32_t exact = 0;
            for (int i = 0; i < EDGE_PEAK_CODES; i++) {
                exact += codes[i] * acts[4 * t + i % 4];
            }
            sum += (uint32_t)exact;
        }
        edge_forget_memory();
    }
    return sum;
}

uint32_t edge_peak_f32__scalar(const float *starts, float factor, float addend, int32_t rounds) {
    float chains[EDGE_PEAK_CHAINS];
    memcpy(chains, starts, sizeof chains);
    for (int begin = 0; begin < EDGE_PEAK_CHAINS; begin += CHAINS) {
        for (int32_t round = 0; round < rounds; round++) {
            for (int i = 0; i < CHAINS; i++) {
                chains[begin + i] = addend + chains[begin + i] * factor;
            }
        }
    }
    return edge_sum_bits(chains, EDGE_PEAK_CHAINS);
}
