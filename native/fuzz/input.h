/* What fuzz targets share: values from input bytes, and the check that must hold. */
#ifndef EDGE_FUZZ_INPUT_H
#define EDGE_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's entry, called with every input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: libFuzzer keeps the input. */
#define FUZZ_REQUIRE(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

typedef struct input {
    const uint8_t *data;
    size_t left;
} input;

/* 0 when the input has ended. */
static inline uint8_t input_byte(input *in) {
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->data++;
}

/* Small numbers around 0 mostly; the largest bytes mean the numbers that break arithmetic. */
static inline int32_t input_int(input *in) {
    static const int32_t extremes[] = {INT32_MIN, INT32_MAX, -1, -2, 1 << 30, 65536, 1 << 20, 4096};
    uint8_t byte = input_byte(in);
    return byte < 248 ? (int32_t)byte : extremes[byte - 248];
}

static inline float input_float(input *in) {
    static const uint32_t bits[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
                                    0x7fc00000, 0x7f7fffff, 1,          0x00800000, 0x3727c5ac, 0x42c80000};
    uint8_t byte = input_byte(in);
    float value;
    if (byte < 128) {
        return (float)(byte - 64) * 0.0625f;
    }
    memcpy(&value, &bits[byte % 12], sizeof value);
    return value;
}

/* Whether two rows have the same bits (any NaN equals any NaN). */
static inline int input_same_floats(const float *a, const float *b, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof a[i]) != 0 && !(a[i] != a[i] && b[i] != b[i])) {
            return 0;
        }
    }
    return 1;
}

#endif
