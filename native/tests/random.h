/* Reproducible random numbers and the values that break arithmetic. */
#ifndef EDGE_TEST_RANDOM_H
#define EDGE_TEST_RANDOM_H

#include <math.h>
#include <stdint.h>

/* SplitMix64 (Steele et al. 2014). */
static inline uint64_t random_u64(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* low .. high, both included. */
static inline int32_t random_int(uint64_t *state, int32_t low, int32_t high) {
    return low + (int32_t)(random_u64(state) % (uint64_t)(high - low + 1));
}

/* Uniform in [-1, 1). */
static inline float random_unit(uint64_t *state) {
    return (float)(int32_t)(random_u64(state) >> 40) * 0x1p-23f - 1.0f;
}

static inline float random_special(uint64_t *state) {
    static const float values[] = {NAN,   INFINITY, -INFINITY, 0.0f,     -0.0f,    1e-45f, -1e-45f,           0x1p-126f,
                                   3e38f, -3e38f,   0x1p-100f, 65504.0f, 65520.0f, 1.0f,   -0x1.fffffep-101f, 1e-20f};
    return values[random_u64(state) % (sizeof values / sizeof values[0])];
}

/* mode 0: [-1, 1); 1: wide exponents; 2: one special among ordinary values now and then; 3: specials only;
 * 4: about 2^-100, where quantising gives up; 5: zeros. */
static inline float random_float(uint64_t *state, int32_t mode) {
    switch (mode) {
    case 0:
        return random_unit(state);
    case 1:
        return ldexpf(random_unit(state), random_int(state, -60, 60));
    case 2:
        return random_int(state, 0, 63) == 0 ? random_special(state) : random_unit(state);
    case 3:
        return random_special(state);
    case 4:
        return random_int(state, 0, 31) == 0 ? 0x1p-100f : ldexpf(random_unit(state), -100);
    default:
        return 0.0f;
    }
}

#define RANDOM_FLOAT_MODES 6

#endif
