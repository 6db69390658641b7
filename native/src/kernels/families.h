/* The quantised families, with the constants that templates take: X(FAMILY, name, kind of code, has a minimum). A level
 * writes its kernel of one family once, as a macro, and applies it to a list. */
#ifndef EDGE_FAMILIES_H
#define EDGE_FAMILIES_H

#include "codes.h"

#define EDGE_G32_FAMILIES(X)                                                                                           \
    X(W8G32, w8g32, 8, 0)                                                                                              \
    X(W4G32, w4g32, 4, 0)                                                                                              \
    X(W4MG32, w4mg32, 4, 1)                                                                                            \
    X(W5G32, w5g32, 5, 0)                                                                                              \
    X(W5MG32, w5mg32, 5, 1)                                                                                            \
    X(W1G128, w1g128, 1, 0)                                                                                            \
    X(W2G64, w2g64, 2, 0)                                                                                              \
    X(N4G32, n4g32, EDGE_CODE_NL, 0)                                                                                   \
    X(E4G32, e4g32, EDGE_CODE_FP4, 0)                                                                                  \
    X(E4G16, e4g16, EDGE_CODE_FP4S, 0)

#define EDGE_G256_FAMILIES(X)                                                                                          \
    X(W2MG256, w2mg256, 2, 1)                                                                                          \
    X(W3G256, w3g256, 3, 0)                                                                                            \
    X(W4MG256, w4mg256, 4, 1)                                                                                          \
    X(W5MG256, w5mg256, 5, 1)                                                                                          \
    X(W6G256, w6g256, 6, 0)                                                                                            \
    X(W2G256, w2g256, 2, 0)                                                                                            \
    X(T5G256, t5g256, EDGE_CODE_T5, 0)                                                                                 \
    X(N4G256, n4g256, EDGE_CODE_NL, 0)                                                                                 \
    X(N3G256, n3g256, EDGE_CODE_N3, 0)                                                                                 \
    X(N3XG256, n3xg256, EDGE_CODE_N3X, 0)                                                                              \
    X(S2G256, s2g256, EDGE_CODE_S2, 0)                                                                                 \
    X(D1G256, d1g256, EDGE_CODE_D1, 0)

#endif
