/* What the avx512vnni level measures with: 512-bit loads; dpbusd, in as many sums as its latency takes. */
#if !defined(__AVX512VNNI__) && !defined(EDGE_SIMULATE_AVX512)
#error "this file needs -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni"
#endif

#include "measure.h"

#include "edge_kernels__avx512vnni.h"
#include "edge_simd__avx512vnni.h"
#include "peak_lanes.h"

#define STEP           512  /* bytes a turn */
#define PREFETCH_BYTES 4096 /* as far ahead as the kernels ask for weights */
#define RUN            4    /* vectors a turn: with one, gcc 12 copies every sum */

uint64_t edge_read_u64__avx512vnni(const uint8_t *from, uint64_t bytes) {
    __m512i sums[STEP / 64];
    uint64_t words[STEP / 8];
    for (int j = 0; j < STEP / 64; j++) {
        sums[j] = _mm512_setzero_si512();
    }
    for (uint64_t i = 0; i < bytes; i += STEP) {
        for (int j = 0; j < STEP / 64; j++) {
            _mm_prefetch((const char *)(from + i + PREFETCH_BYTES + 64 * j), _MM_HINT_T0);
            sums[j] = _mm512_xor_si512(sums[j], _mm512_loadu_si512(from + i + 64 * j));
        }
    }
    for (int j = 0; j < STEP / 64; j++) {
        _mm512_storeu_si512(words + 8 * j, sums[j]);
    }
    return edge_fold(words, STEP / 8);
}

uint32_t edge_peak_i32_a8_u8__avx512vnni(const uint8_t *codes, const int8_t *acts, int32_t rounds) {
    __m512i sum[EDGE_PEAK_TOKENS], a[EDGE_PEAK_TOKENS];
    uint32_t lanes[16 * EDGE_PEAK_TOKENS], all = 0;
    for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
        sum[t] = _mm512_setzero_si512();
        a[t] = edge_broadcast_quad(acts + 4 * t);
    }
    for (int32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < EDGE_PEAK_CODES; i += 64 * RUN) {
            for (int v = 0; v < RUN; v++) {
                const __m512i w = _mm512_loadu_si512(codes + i + 64 * v);
                for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
                    sum[t] = _mm512_dpbusd_epi32(sum[t], w, a[t]);
                }
            }
        }
        edge_forget_memory();
    }
    for (int t = 0; t < EDGE_PEAK_TOKENS; t++) {
        _mm512_storeu_si512(lanes + 16 * t, sum[t]);
    }
    for (int i = 0; i < 16 * EDGE_PEAK_TOKENS; i++) {
        all += lanes[i];
    }
    return all;
}

uint32_t edge_peak_f32__avx512vnni(const float *starts, float factor, float addend, int32_t rounds) {
    return edge_peak_chains(starts, factor, addend, rounds, 2);
}
