/* exp and the activations as a fixed sequence of float operations without branches, so that every lane of every ISA
 * computes the same bits. Relative error of edge_expf <= 8.1e-8 (measured over [-80, 80]). */
#ifndef EDGE_EXPF_H
#define EDGE_EXPF_H

#include "half.h"
#include "inline.h"

/* exp(x) = 2^n * exp(r), n = round(x / ln 2), |r| <= ln(2) / 2. */
#define EDGE_EXP_LIMIT  128.0f /* beyond +-128 exp has long been Inf or 0: n stays small */
#define EDGE_EXP_LOG2E  0x1.715476p+0f
#define EDGE_EXP_LN2_HI 0x1.63p-1f /* 355/512: n * LN2_HI is exact */
#define EDGE_EXP_LN2_LO (-0x1.bd0106p-13f)
#define EDGE_ROUND      0x1.8p+23f /* adding and subtracting it rounds to the nearest integer, ties to even */
/* (exp(r) - 1 - r) / r^2, minimax in the relative error of exp. */
#define EDGE_EXP_C4 0x1.6a23dp-10f
#define EDGE_EXP_C3 0x1.123a2p-7f
#define EDGE_EXP_C2 0x1.5558f2p-5f
#define EDGE_EXP_C1 0x1.555492p-3f
#define EDGE_EXP_C0 0x1.fffffcp-2f

/* NaN stays NaN, exp(-Inf) = 0, overflow gives Inf, subnormal results are rounded once. */
EDGE_INLINE float edge_expf(float x) {
    x = x > EDGE_EXP_LIMIT ? EDGE_EXP_LIMIT : x; /* false for NaN, which passes through */
    x = x < -EDGE_EXP_LIMIT ? -EDGE_EXP_LIMIT : x;
    float shifted = x * EDGE_EXP_LOG2E + EDGE_ROUND;
    float n = shifted - EDGE_ROUND;
    float r = (x - n * EDGE_EXP_LN2_HI) - n * EDGE_EXP_LN2_LO;
    float p = EDGE_EXP_C4;
    p = p * r + EDGE_EXP_C3;
    p = p * r + EDGE_EXP_C2;
    p = p * r + EDGE_EXP_C1;
    p = p * r + EDGE_EXP_C0;
    float y = (p * (r * r) + r) + 1.0f;
    /* n reaches +-185: 2^n is applied as two factors that are both normal. For a NaN the integers below are meaningless
     * (and wrap without harm), y is NaN. */
    uint32_t exponent = edge_f32_bits(shifted) - 0x4b400000u + 256u;
    uint32_t half = exponent >> 1;
    y = y * edge_bits_f32((half - 128u + 127u) << 23);
    return y * edge_bits_f32((exponent - half - 128u + 127u) << 23);
}

EDGE_INLINE float edge_silu(float x) {
    return x / (1.0f + edge_expf(-x));
}

#define EDGE_GELU_C1 (-0x1.988454p+0f) /* -2 sqrt(2 / pi) */
#define EDGE_GELU_C3 (-0x1.2444f2p-4f) /* the same x 0.044715 */

/* x / 2 (1 + tanh(u)) = x / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel, 2016). */
EDGE_INLINE float edge_gelu(float x) {
    return x / (1.0f + edge_expf(x * (EDGE_GELU_C3 * (x * x) + EDGE_GELU_C1)));
}

/* log(F(x) / F(-x)) = x P(x^2), F the normal distribution; here -P, fitted to the absolute error of x F(x), which is at
 * most 6.8e-8 beside rounding. Behind the fit's end at 5.6 the polynomial goes on falling. */
#define EDGE_GELU_ERF_C0 (-0x1.988448p+0f)
#define EDGE_GELU_ERF_C1 (-0x1.29a684p-4f)
#define EDGE_GELU_ERF_C2 0x1.15ea8p-14f
#define EDGE_GELU_ERF_C3 0x1.cf632ep-14f
#define EDGE_GELU_ERF_C4 (-0x1.0a5c94p-17f)
#define EDGE_GELU_ERF_C5 0x1.1e9282p-22f
#define EDGE_GELU_ERF_C6 (-0x1.f051bap-29f)

/* x / 2 (1 + erf(x / sqrt(2))) = x F(x) = x / (1 + exp(-x P(x^2))). */
EDGE_INLINE float edge_gelu_erf(float x) {
    float square = x * x, p = EDGE_GELU_ERF_C6;
    p = p * square + EDGE_GELU_ERF_C5;
    p = p * square + EDGE_GELU_ERF_C4;
    p = p * square + EDGE_GELU_ERF_C3;
    p = p * square + EDGE_GELU_ERF_C2;
    p = p * square + EDGE_GELU_ERF_C1;
    p = p * square + EDGE_GELU_ERF_C0;
    return x / (1.0f + edge_expf(x * p));
}

/* max(x, 0)^2; NaN stays NaN. */
EDGE_INLINE float edge_relu2(float x) {
    float positive = x < 0.0f ? 0.0f : x;
    return positive * positive;
}

#endif
