/* Two tokens at a time: smmla multiplies 2 rows x 8 k with 2 tokens x 8 k. Sums are exact, so the order of k inside a
 * group is free. The guard is that of edge_tokens__neon.h, whose place this takes. */
#ifndef EDGE_TOKENS_H
#define EDGE_TOKENS_H

#include "edge_simd__neon.h"
#include "kernels.h"

#define EDGE_TOGETHER 2 /* tokens that a dot product takes */

/* Eight k of the first token of a pair, then the same of the second, then the next eight. */
typedef struct edge_tokens {
    int8_t pairs[EDGE_CHUNK_TOKENS / 2][2 * EDGE_SUPER];
} edge_tokens;

/* Takes `size` k of every token, from k on: what edge_tokens_dot reads until the next call. */
EDGE_INLINE void edge_tokens_take(edge_tokens *tokens, const edge_acts *acts, int64_t k, int32_t size,
                                  int32_t num_tokens) {
    for (int32_t t = 0; t < num_tokens; t += 2) {
        const int8_t *a = acts->q + t * acts->q_stride + k;
        const int8_t *b = t + 1 < num_tokens ? a + acts->q_stride : a; /* an odd last one is its own partner */
        for (int32_t i = 0; i < size; i += 8) {
            vst1q_s8(tokens->pairs[t / 2] + 2 * i, vcombine_s8(vld1_s8(a + i), vld1_s8(b + i)));
        }
    }
}

/* Eight k of rows 0 and 1 in c[2u], of rows 2 and 3 in c[2u + 1]. */
EDGE_INLINE void edge_tokens_arrange(int8x16_t c[8]) {
    for (int v = 0; v < 8; v += 2) {
        const int32x4_t first = vreinterpretq_s32_s8(c[v]), second = vreinterpretq_s32_s8(c[v + 1]);
        c[v] = vreinterpretq_s8_s32(vzip1q_s32(first, second));
        c[v + 1] = vreinterpretq_s8_s32(vzip2q_s32(first, second));
    }
}

/* isum[i] = four rows times token t + i over 4 * vectors k, from the at-th that was taken on. vectors is a constant. */
EDGE_INLINE void edge_tokens_dot(int32x4_t isum[EDGE_TOGETHER], const int8x16_t *c, const edge_tokens *tokens,
                                 int32_t t, int32_t at, int vectors, int code) {
    (void)code;
    const int8_t *q = tokens->pairs[t / 2] + 2 * at;
    int32x4_t low = vdupq_n_s32(0), high = low; /* (row 0, 1) x (token 0, 1); rows 2, 3 */
    for (int v = 0; v < vectors; v += 2) {
        const int8x16_t a = vld1q_s8(q + 8 * v);
        low = vmmlaq_s32(low, c[v], a);
        high = vmmlaq_s32(high, c[v + 1], a);
    }
    isum[0] = vuzp1q_s32(low, high);
    isum[1] = vuzp2q_s32(low, high);
}

#endif
