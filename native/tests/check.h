/* A test is a main() that returns check_result(). */
#ifndef EDGE_CHECK_H
#define EDGE_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t check_count, check_failures;

/* Says what went wrong (the first 20 times) and goes on. */
#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        check_count++;                                                                                                 \
        if (!(condition) && check_failures++ < 20) {                                                                   \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                     \
            printf(__VA_ARGS__);                                                                                       \
            printf("\n");                                                                                              \
        }                                                                                                              \
    } while (0)

/* A test that checked nothing has failed. */
static inline int check_result(const char *name) {
    printf("%s: %" PRId64 " checks, %" PRId64 " failures\n", name, check_count, check_failures);
    return check_failures > 0 || check_count == 0;
}

/* Cases of a randomised test: the first argument, or else EDGE_TEST_PERCENT per cent (emulated and sanitised runs are
 * slow) of the usual number, but at least one. */
static inline int32_t check_cases(int argc, char **argv, int32_t usual) {
    const char *percent = getenv("EDGE_TEST_PERCENT");
    if (argc > 1) {
        return (int32_t)strtol(argv[1], NULL, 10);
    }
    if (!percent || !percent[0]) {
        return usual;
    }
    int32_t cases = (int32_t)(usual * strtol(percent, NULL, 10) / 100);
    return cases > 0 ? cases : 1;
}

/* Index of the first float whose bits differ (any NaN equals any NaN), or -1. */
static inline int64_t check_first_difference(const float *a, const float *b, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof a[i]) != 0 && !(a[i] != a[i] && b[i] != b[i])) {
            return i;
        }
    }
    return -1;
}

#endif
