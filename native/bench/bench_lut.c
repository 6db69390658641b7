/* Why AVX2 multiplies bit planes instead of looking them up: both inner loops over the same codes, in the first cache,
 * by one thread. Look-up (T-MAC; Wei et al., 2024, https://arxiv.org/abs/2407.00088) takes four codes of a plane at
 * once from a table of the 16 sums that four activations can have. Sums of int8 need more than a byte, and results are
 * exact here, so a table is two byte planes and every look-up two shuffles. Making the tables is not counted. Usage:
 * bench_lut [repeats]. Prints the fastest of all repeats, the two taking turns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <time.h>

#define AVX2      __attribute__((target("avx2")))
#define ROWS      32
#define COLUMNS   2048
#define BLOCK     256 /* columns whose sums fit int16 */
#define MAX_PLANE 2
#define CALLS     64 /* between two looks at the clock */

static int8_t acts[COLUMNS];
static uint8_t codes[ROWS][COLUMNS];
/* [vector of 8 rows][16 / 32 columns]: four consecutive columns of a row in 32 bits, in 4 or 8 places of a byte */
static _Alignas(64) uint8_t planar[ROWS * COLUMNS / 4];
/* [four columns or, with one plane, eight][row]: a nibble for each plane or for each four columns */
static _Alignas(64) uint8_t indices[ROWS * COLUMNS / 4];
static _Alignas(64) uint8_t tables[COLUMNS / 4][2][16]; /* low and high bytes of the sums */
static int32_t wanted[ROWS];
static _Alignas(64) int32_t sums[ROWS];

static void make(int bits) {
    memset(planar, 0, sizeof(planar));
    memset(indices, 0, sizeof(indices));
    memset(wanted, 0, sizeof(wanted));
    const int places = 8 / bits, span = 4 * places;
    uint64_t random = 7;
    for (int k = 0; k < COLUMNS; k++) {
        acts[k] = (int8_t)random_int(&random, -127, 127);
    }
    for (int r = 0; r < ROWS; r++) {
        for (int k = 0; k < COLUMNS; k++) {
            const uint8_t code = (uint8_t)random_int(&random, 0, (1 << bits) - 1);
            codes[r][k] = code;
            wanted[r] += code * acts[k];
            const int vector = (r / 8) * (COLUMNS / span) + k / span, place = k % span / 4;
            planar[vector * 32 + (r % 8) * 4 + k % 4] |= (uint8_t)(code << (place * bits));
            if (bits == 2) {
                indices[k / 4 * ROWS + r] |= (uint8_t)((code & 1) << (k % 4) | (code >> 1) << (4 + k % 4));
            } else {
                indices[k / 8 * ROWS + r] |= (uint8_t)(code << (k % 8));
            }
        }
    }
    for (int g = 0; g < COLUMNS / 4; g++) {
        for (int i = 0; i < 16; i++) {
            int sum = 0;
            for (int j = 0; j < 4; j++) {
                sum += i >> j & 1 ? acts[g * 4 + j] : 0;
            }
            tables[g][0][i] = (uint8_t)(sum & 255);
            tables[g][1][i] = (uint8_t)(sum >> 8 & 255);
        }
    }
}

/* As the kernels do it: codes of a place by shift and mask, bytes times bytes, eight products a sum of int16. */
AVX2 static inline void multiply(int bits) {
    const int places = 8 / bits, vectors = COLUMNS / (4 * places);
    const __m256i mask = _mm256_set1_epi8((char)((1 << bits) - 1)), one = _mm256_set1_epi16(1);
    for (int r = 0; r < ROWS / 8; r += 2) {
        __m256i low = _mm256_setzero_si256(), high = low;
        for (int v = 0; v < vectors; v++) {
            const __m256i a = _mm256_load_si256((const void *)(planar + (r * vectors + v) * 32));
            const __m256i b = _mm256_load_si256((const void *)(planar + ((r + 1) * vectors + v) * 32));
            __m256i low16 = _mm256_setzero_si256(), high16 = low16;
            for (int p = 0; p < places; p++) {
                int32_t four;
                memcpy(&four, acts + (v * places + p) * 4, 4);
                const __m256i x = _mm256_set1_epi32(four);
                low16 = _mm256_add_epi16(
                    low16, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(a, p * bits), mask), x));
                high16 = _mm256_add_epi16(
                    high16, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(b, p * bits), mask), x));
            }
            low = _mm256_add_epi32(low, _mm256_madd_epi16(low16, one));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(high16, one));
        }
        _mm256_store_si256((void *)(sums + r * 8), low);
        _mm256_store_si256((void *)(sums + r * 8 + 8), high);
    }
}

/* Sums of looked up values: low bytes as two vectors of int16 (even and odd rows), high bytes as they are. */
typedef struct looked_up {
    __m256i even, odd, high;
} looked_up;

AVX2 static inline void look_up(looked_up *to, __m256i index, uint8_t (*table)[16]) {
    const __m256i low_table = _mm256_broadcastsi128_si256(_mm_load_si128((const void *)table[0]));
    const __m256i high_table = _mm256_broadcastsi128_si256(_mm_load_si128((const void *)table[1]));
    const __m256i low = _mm256_shuffle_epi8(low_table, index);
    to->even = _mm256_add_epi16(to->even, _mm256_and_si256(low, _mm256_set1_epi16(255)));
    to->odd = _mm256_add_epi16(to->odd, _mm256_srli_epi16(low, 8));
    to->high = _mm256_add_epi8(to->high, _mm256_shuffle_epi8(high_table, index));
}

/* Adds `factor` times what was looked up over a block of columns. */
AVX2 static void settle(const looked_up *from, int factor) {
    _Alignas(32) int16_t even[16], odd[16];
    _Alignas(32) int8_t high[32];
    _mm256_store_si256((void *)even, from->even);
    _mm256_store_si256((void *)odd, from->odd);
    _mm256_store_si256((void *)high, from->high);
    for (int r = 0; r < ROWS; r++) {
        sums[r] += factor * ((r % 2 ? odd[r / 2] : even[r / 2]) + 256 * high[r]);
    }
}

AVX2 static inline void look_all_up(int bits) {
    const __m256i nibble = _mm256_set1_epi8(15);
    memset(sums, 0, sizeof(sums));
    const int step = bits == 2 ? 4 : 8; /* columns of an index byte */
    for (int begin = 0; begin < COLUMNS; begin += BLOCK) {
        looked_up all[MAX_PLANE];
        memset(all, 0, sizeof(all));
        for (int k = begin; k < begin + BLOCK; k += step) {
            const __m256i index = _mm256_load_si256((const void *)(indices + k / step * ROWS));
            const __m256i first = _mm256_and_si256(index, nibble);
            const __m256i second = _mm256_and_si256(_mm256_srli_epi16(index, 4), nibble);
            look_up(&all[0], first, tables[k / 4]);
            look_up(&all[bits - 1], second, tables[k / 4 + (bits == 2 ? 0 : 1)]);
        }
        settle(&all[0], 1);
        if (bits == 2) {
            settle(&all[1], 2);
        }
    }
}

AVX2 __attribute__((noinline)) static void multiply_1(void) {
    multiply(1);
}
AVX2 __attribute__((noinline)) static void multiply_2(void) {
    multiply(2);
}
AVX2 __attribute__((noinline)) static void look_up_1(void) {
    look_all_up(1);
}
AVX2 __attribute__((noinline)) static void look_up_2(void) {
    look_all_up(2);
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds of a call, or `before` when that is less. Ends the program when the sums are wrong. */
static double fastest(void (*run)(void), double before) {
    const double start = seconds();
    for (int i = 0; i < CALLS; i++) {
        run();
    }
    const double took = (seconds() - start) / CALLS;
    if (memcmp(sums, wanted, sizeof(sums)) != 0) {
        printf("the sums are wrong\n");
        exit(1);
    }
    return before == 0.0 || took < before ? took : before;
}

int main(int argc, char **argv) {
    const int repeats = argc > 1 ? atoi(argv[1]) : 1000;
    if (!__builtin_cpu_supports("avx2")) {
        printf("this CPU has no AVX2\n");
        return 0;
    }
    void (*const loops[2][2])(void) = {{multiply_1, look_up_1}, {multiply_2, look_up_2}};
    printf("bits | multiply, G weights/s | look up, G weights/s\n");
    for (int bits = 1; bits <= 2; bits++) {
        double best[2] = {0.0, 0.0};
        make(bits);
        for (int i = 0; i < repeats; i++) {
            best[0] = fastest(loops[bits - 1][0], best[0]);
            best[1] = fastest(loops[bits - 1][1], best[1]);
        }
        const double weights = 1e-9 * ROWS * COLUMNS;
        printf("%4d | %21.1f | %20.1f\n", bits, weights / best[0], weights / best[1]);
    }
    return 0;
}
#else
int main(void) {
    printf("for x86-64 only\n");
    return 0;
}
#endif
