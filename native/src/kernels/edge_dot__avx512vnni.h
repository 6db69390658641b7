/* The integer part that all quantised formats share: codes times activations, exactly, in int32 lanes. */
#ifndef EDGE_DOT_AVX512VNNI_H
#define EDGE_DOT_AVX512VNNI_H

#include "edge_unpack__avx512vnni.h"

#define EDGE_PREFETCH_TILES  16 /* how far ahead of the one-token loop memory is asked for */
#define EDGE_PREFETCH_SUPERS 2  /* the same, of super-blocks */
#define EDGE_BLOCK_TOKENS    8  /* accumulators of a register block */
#define EDGE_PAIR_TOKENS     4  /* the same, of two tile rows */

/* start + the dot products of a tile of unsigned codes with 32 activations. */
EDGE_INLINE __m512i edge_dot_tile(__m512i start, const uint8_t *tile, const int8_t *q, int bits) {
    __m512i low = start, high = _mm512_setzero_si512();
    if (bits == 4) {
        /* High nibbles stay where they are, 16 times too large: one exact shift of the sum instead of four. */
        const __m512i mask = _mm512_set1_epi8(0x0f);
        for (int v = 0; v < 4; v++) {
            const __m512i w = _mm512_loadu_si512(tile + 64 * v);
            low = _mm512_dpbusd_epi32(low, _mm512_and_si512(w, mask), edge_broadcast_quad(q + 4 * v));
            high = _mm512_dpbusd_epi32(high, _mm512_andnot_si512(mask, w), edge_broadcast_quad(q + 16 + 4 * v));
        }
        return _mm512_add_epi32(low, edge_shift_down(high, 4));
    }
    __m512i u[8];
    edge_unpack(u, tile, bits);
    for (int v = 0; v < 4; v++) {
        low = _mm512_dpbusd_epi32(low, u[v], edge_broadcast_quad(q + 4 * v));
        high = _mm512_dpbusd_epi32(high, u[v + 4], edge_broadcast_quad(q + 16 + 4 * v));
    }
    return _mm512_add_epi32(low, high);
}

/* sums[t] += codes of `vectors` vectors times the activations of token t, for n tokens, n a constant. */
EDGE_INLINE void edge_dot_block(__m512i *sums, const __m512i *u, int vectors, const int8_t *q, int64_t q_stride,
                                int n) {
    for (int v = 0; v < vectors; v++)
        for (int t = 0; t < n; t++)
            sums[t] = _mm512_dpbusd_epi32(sums[t], u[v], edge_broadcast_quad(q + t * q_stride + 4 * v));
}

/* Of the `bytes` bytes of the next panel, those whose turn it is with tokens t0 .. t0 + n - 1: a few for every block,
 * since more than the core can wait for at a time would stop it. */
EDGE_INLINE void edge_prefetch_share(const uint8_t *next, size_t bytes, int32_t t0, int32_t n, int32_t num_tokens) {
    const size_t from = bytes * (size_t)t0 / (size_t)num_tokens, to = bytes * (size_t)(t0 + n) / (size_t)num_tokens;
    edge_prefetch(next, from, to - from);
}

#define EDGE_CASE(n, CALL)                                                                                             \
    case n: {                                                                                                          \
        CALL(t0, n);                                                                                                   \
        break;                                                                                                         \
    }

/* CALL(t0, n), n a constant, over `count` tokens in blocks of 8, and one of what is left: two would unpack twice. */
#define EDGE_IN_BLOCKS(count, CALL)                                                                                    \
    int32_t t0 = 0;                                                                                                    \
    for (; (count) - t0 >= 8; t0 += 8) {                                                                               \
        CALL(t0, 8);                                                                                                   \
    }                                                                                                                  \
    switch ((count) - t0) {                                                                                            \
        EDGE_CASE(1, CALL)                                                                                             \
        EDGE_CASE(2, CALL)                                                                                             \
        EDGE_CASE(3, CALL)                                                                                             \
        EDGE_CASE(4, CALL)                                                                                             \
        EDGE_CASE(5, CALL)                                                                                             \
        EDGE_CASE(6, CALL)                                                                                             \
        EDGE_CASE(7, CALL)                                                                                             \
    default:                                                                                                           \
        break;                                                                                                         \
    }

/* The same in blocks of 4. */
#define EDGE_IN_FOURS(count, CALL)                                                                                     \
    int32_t t0 = 0;                                                                                                    \
    for (; (count) - t0 >= 4; t0 += 4) {                                                                               \
        CALL(t0, 4);                                                                                                   \
    }                                                                                                                  \
    switch ((count) - t0) {                                                                                            \
        EDGE_CASE(1, CALL)                                                                                             \
        EDGE_CASE(2, CALL)                                                                                             \
        EDGE_CASE(3, CALL)                                                                                             \
    default:                                                                                                           \
        break;                                                                                                         \
    }

#endif
