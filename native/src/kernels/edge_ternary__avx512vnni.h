/* Ternary matrices with one token: codes -1, 0 and 1 without scales of sub-blocks, as 2 bits or as trits. */
#ifndef EDGE_TERNARY_AVX512VNNI_H
#define EDGE_TERNARY_AVX512VNNI_H

#include "edge_dot__avx512vnni.h"

/* Whether edge_g256_ternary_1x16 serves the family: trits only where bytes are looked up. */
EDGE_INLINE int edge_g256_is_ternary(int code, int has_min) {
#if defined(__AVX512VBMI__) || defined(EDGE_SIMULATE_AVX512VBMI)
    return !edge_g256_has_scales(code, has_min);
#else
    return !edge_g256_has_scales(code, has_min) && code == 2;
#endif
}

/* The dot product of four planes of 2 bits, each in sums of its own, which are exact multiples of 4, 16 and 64: one
 * shift of a sum at the end instead of one of every vector. */
typedef struct edge_plane_sums {
    __m512i plane[4];
} edge_plane_sums;

EDGE_INLINE void edge_dot_planes(edge_plane_sums *sums, __m512i w, const int8_t *q) {
    for (int p = 0; p < 4; p++)
        sums->plane[p] = _mm512_dpbusd_epi32(sums->plane[p], _mm512_and_si512(w, _mm512_set1_epi8((char)(3 << 2 * p))),
                                             edge_broadcast_quad(q + 4 * p));
}

EDGE_INLINE __m512i edge_join_planes(const edge_plane_sums *sums) {
    const __m512i low = _mm512_add_epi32(sums->plane[0], edge_shift_down(sums->plane[1], 2));
    return _mm512_add_epi32(low,
                            _mm512_add_epi32(edge_shift_down(sums->plane[2], 4), edge_shift_down(sums->plane[3], 6)));
}

/* The 16 sums of 16 activations, added up. */
EDGE_INLINE int32_t edge_sum_of_sums(const int32_t *s) {
    int32_t sum = 0;
    for (int i = 0; i < 16; i++)
        sum += s[i];
    return sum;
}

/* One token, codes -1, 0 and 1 without scales of sub-blocks: 2 bits or trits. */
EDGE_INLINE void edge_g256_ternary_1x16(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts,
                                        int code) {
    const size_t super_bytes = (size_t)edge_g256_bytes(code, 0);
#if defined(__AVX512VBMI__) || defined(EDGE_SIMULATE_AVX512VBMI)
    const edge_trit_tables tables = edge_load_trit_tables();
#endif
    __m512 acc = _mm512_setzero_ps();
    for (int32_t g = 0; g < cols / EDGE_SUPER; g++) {
        const uint8_t *super = tiles + (size_t)g * super_bytes;
        const int8_t *q = acts->q + EDGE_SUPER * g;
        const __m512i zero = _mm512_setzero_si512();
        edge_plane_sums sums = {{zero, zero, zero, zero}};
        __m512i isum = _mm512_set1_epi32(-edge_sum_of_sums(acts->s + 16 * g));
        edge_prefetch(super, EDGE_PREFETCH_SUPERS * super_bytes, super_bytes);
        if (code == 2) {
            for (int h = 0; h < EDGE_SUPER_VECTORS / 4; h++)
                edge_dot_planes(&sums, _mm512_loadu_si512(super + EDGE_VECTOR_BYTES * h), q + 16 * h);
        }
#if defined(__AVX512VBMI__) || defined(EDGE_SIMULATE_AVX512VBMI)
        for (int b = 0; code == EDGE_CODE_T5 && b < EDGE_TRIT_VECTORS; b++) {
            const __m512i bytes = _mm512_loadu_si512(super + EDGE_VECTOR_BYTES * b);
            const __mmask64 upper = _mm512_movepi8_mask(bytes);
            const int v = EDGE_TRITS_OF_BYTE * b;
            edge_dot_planes(&sums, edge_look_up_byte(tables.four, bytes, upper), q + 4 * v);
            if (v + 4 < EDGE_SUPER_VECTORS)
                isum = _mm512_dpbusd_epi32(isum, edge_look_up_byte(tables.fifth, bytes, upper),
                                           edge_broadcast_quad(q + 4 * (v + 4)));
        }
#endif
        isum = _mm512_add_epi32(isum, edge_join_planes(&sums));
        const __m512 scale = _mm512_mul_ps(edge_load_f16(super + edge_g256_d(code, 0)), _mm512_set1_ps(acts->d[g]));
        acc = _mm512_add_ps(acc, _mm512_mul_ps(edge_i32_to_f32(isum), scale));
    }
    _mm512_storeu_ps(out, acc);
}

#endif
