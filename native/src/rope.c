/* Power, sine and cosine from series, evaluated in one fixed order; errors are stated in rope.h and tested. */
#include "rope.h"

#include <string.h>

/* Horner's rule, highest coefficient first. */
static double polynomial(double x, const double *coefficients, int32_t count) {
    double sum = coefficients[0];
    for (int32_t i = 1; i < count; i++) {
        sum = sum * x + coefficients[i];
    }
    return sum;
}

/* value = mantissa * 2^exponent with mantissa in [sqrt(1/2), sqrt(2)). */
static double split(double value, int32_t *exponent) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int32_t e = (int32_t)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    double mantissa;
    memcpy(&mantissa, &bits, sizeof(mantissa));
    if (mantissa >= 0x1.6a09e667f3bcdp+0) {
        mantissa *= 0.5;
        e += 1;
    }
    *exponent = e;
    return mantissa;
}

static double power_of_two(int32_t exponent) {
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* To the nearest integer, for |x| < 2^51: adding 1.5 * 2^52 leaves no room for a fraction. */
static double nearest(double x) {
    return (x + 0x1.8p52) - 0x1.8p52;
}

/* log2 of a mantissa in [sqrt(1/2), sqrt(2)): 2 / ln 2 * atanh(s), s = (m - 1) / (m + 1), |s| < 0.172. */
static double log2_mantissa(double mantissa) {
    static const double odd[] = {1.0 / 25, 1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                 1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
    double s = (mantissa - 1.0) / (mantissa + 1.0);
    return 0x1.71547652b82fep+1 * (s * polynomial(s * s, odd, 13));
}

/* 2^f for |f| <= 0.5: the series of e^(f ln 2) up to the 14th power. */
static double exp2_fraction(double f) {
    static const double inverse_factorials[] = {1.0 / 87178291200.0,
                                                1.0 / 6227020800.0,
                                                1.0 / 479001600.0,
                                                1.0 / 39916800.0,
                                                1.0 / 3628800.0,
                                                1.0 / 362880.0,
                                                1.0 / 40320.0,
                                                1.0 / 5040.0,
                                                1.0 / 720.0,
                                                1.0 / 120.0,
                                                1.0 / 24.0,
                                                1.0 / 6.0,
                                                0.5,
                                                1.0,
                                                1.0};
    return polynomial(f * 0x1.62e42fefa39efp-1, inverse_factorials, 15);
}

double edge_pow(double base, double exponent) {
    int32_t e;
    double t = log2_mantissa(split(base, &e));
    /* exponent = high + low, high with 26 bits: high * e is exact, and so is what remains after taking n away. */
    double shifted = exponent * 134217729.0; /* 2^27 + 1, Veltkamp's splitting */
    double high = shifted - (shifted - exponent);
    double low = exponent - high;
    double n = nearest(exponent * ((double)e + t));
    double f = ((high * (double)e - n) + low * (double)e) + exponent * t;
    return exp2_fraction(f) * power_of_two((int32_t)n);
}

/* sin and cos for |x| <= pi / 4 (a little more does not hurt), x2 = x * x. */
static double sine_series(double x, double x2) {
    static const double c[] = {1.0 / 355687428096000.0, -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0,
                               1.0 / 362880.0,          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
    return x + x * (x2 * polynomial(x2, c, 8));
}

static double cosine_series(double x2) {
    static const double c[] = {-1.0 / 6402373705728000.0,
                               1.0 / 20922789888000.0,
                               -1.0 / 87178291200.0,
                               1.0 / 479001600.0,
                               -1.0 / 3628800.0,
                               1.0 / 40320.0,
                               -1.0 / 720.0,
                               1.0 / 24.0,
                               -0.5};
    return 1.0 + x2 * polynomial(x2, c, 9);
}

void edge_sincos(double angle, double *sine, double *cosine) {
    /* pi / 2 in four parts of 24 bits: n has at most 29 bits, so every product is exact. */
    double n = nearest(angle * 0x1.45f306dc9c883p-1);
    double x = angle - n * 0x1.921fb4p+0;
    x = x - n * 0x1.4442dp-24;
    x = x - n * 0x1.846988p-48;
    x = x - n * 0x1.8cc516p-72;
    double x2 = x * x;
    double s = sine_series(x, x2), c = cosine_series(x2);
    uint32_t quarter = (uint32_t)(int64_t)n & 3u;
    double a = quarter & 1u ? c : s, b = quarter & 1u ? s : c;
    *sine = quarter & 2u ? -a : a;
    *cosine = quarter == 1 || quarter == 2 ? -b : b;
}

void edge_rope_row(float *cosines, float *sines, const double *frequencies, int32_t num_pairs, float magnitude,
                   int32_t position) {
    for (int32_t i = 0; i < num_pairs; i++) {
        double sine, cosine;
        edge_sincos((double)position * frequencies[i], &sine, &cosine);
        cosines[i] = (float)(cosine * (double)magnitude);
        sines[i] = (float)(sine * (double)magnitude);
    }
}
