/* The rotary tables' own power, sine and cosine against libm in long double. */
#include "rope.h"

#include <math.h>

#include "check.h"
#include "random.h"

#define BOUND 1e-15 /* stated in rope.h */
#define CASES 200000

static double unit(uint64_t *state) {
    return (double)(random_u64(state) >> 11) * 0x1p-53;
}

static void test_sincos(void) {
    uint64_t state = 1;
    double worst = 0.0;
    for (int32_t i = 0; i < CASES; i++) {
        double sine, cosine, angle = unit(&state) * ldexp(1.0, random_int(&state, -20, 29));
        edge_sincos(angle, &sine, &cosine);
        worst = fmax(worst, (double)fabsl((long double)sine - sinl((long double)angle)));
        worst = fmax(worst, (double)fabsl((long double)cosine - cosl((long double)angle)));
    }
    CHECK(worst < BOUND, "worst error %g", worst);
    /* Whole positions, and angles next to multiples of pi / 2, where digits cancel. */
    for (int32_t i = 0; i < CASES; i++) {
        double sine, cosine, quarter = (double)random_int(&state, 0, 1 << 24) * 1.5707963267948966;
        double angle = i % 2 ? nextafter(quarter, i % 4 == 1 ? 0.0 : 1e18) : (double)random_int(&state, 0, 1 << 25);
        edge_sincos(angle, &sine, &cosine);
        worst = fmax(worst, (double)fabsl((long double)sine - sinl((long double)angle)));
        worst = fmax(worst, (double)fabsl((long double)cosine - cosl((long double)angle)));
    }
    CHECK(worst < BOUND, "worst error %g", worst);
    double sine, cosine;
    edge_sincos(0.0, &sine, &cosine);
    CHECK(sine == 0.0 && cosine == 1.0, "zero");
}

static void test_pow(void) {
    static const double bases[] = {1.0, 2.0, 10000.0, 500000.0, 1000000.0, 1.5, 1e18, 0x1p64};
    uint64_t state = 2;
    double worst = 0.0;
    for (int32_t i = 0; i < CASES; i++) {
        double base = i % 2 ? bases[random_int(&state, 0, 7)] : ldexp(1.0 + unit(&state), random_int(&state, 0, 40));
        double exponent = -unit(&state);
        long double expected = powl((long double)base, (long double)exponent);
        worst = fmax(worst, (double)fabsl(((long double)edge_pow(base, exponent) - expected) / expected));
    }
    CHECK(worst < BOUND, "worst relative error %g", worst);
    CHECK(edge_pow(10000.0, 0.0) == 1.0 && edge_pow(4.0, -0.5) == 0.5 && edge_pow(1.0, -0.3) == 1.0, "exact cases");
}

static void test_row(void) {
    const double frequencies[3] = {1.0, 0.1, 0.0};
    float cosines[3], sines[3];
    for (int32_t position = 0; position < 5000; position += 7) {
        edge_rope_row(cosines, sines, frequencies, 3, 1.5f, position);
        for (int32_t i = 0; i < 3; i++) {
            long double angle = (long double)((double)position * frequencies[i]);
            /* Half a unit in the last place of a float below 2. */
            CHECK(fabsl((long double)cosines[i] - 1.5L * cosl(angle)) < 0x1.0001p-24L, "position %d, pair %d", position,
                  i);
            CHECK(fabsl((long double)sines[i] - 1.5L * sinl(angle)) < 0x1.0001p-24L, "position %d, pair %d", position,
                  i);
        }
    }
}

int main(void) {
    test_sincos();
    test_pow();
    test_row();
    return check_result("rope");
}
