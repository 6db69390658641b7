/* exp, halves and the scalar norms against libm and exhaustive truth. */
#include "check.h"
#include "expf.h"
#include "kernels.h"
#include "random.h"

#define EXP_RELATIVE_ERROR  1e-7
#define NORM_RELATIVE_ERROR 1e-6
#define LAYER_NORM_ERROR    1e-5 /* the mean's rounding, beside a small deviation */

static void check_exp(void) {
    uint64_t state = 5;
    for (int32_t i = 0; i < 1000000; i++) {
        float x = random_unit(&state) * 87.0f;
        double want = exp((double)x), got = (double)edge_expf(x);
        CHECK(fabs(got - want) <= EXP_RELATIVE_ERROR * want, "exp(%a) = %a, want %a", (double)x, got, want);
    }
    for (float x = -87.3f; x > -110.0f; x -= 0.01f) { /* subnormal results: half a step, and the error above */
        double want = exp((double)x), got = (double)edge_expf(x);
        CHECK(fabs(got - want) <= 0x1.01p-150 + EXP_RELATIVE_ERROR * want, "exp(%a) = %a, want %a", (double)x, got,
              want);
    }
    CHECK(edge_expf(0.0f) == 1.0f && edge_expf(-0.0f) == 1.0f, "exp(0) is 1");
    CHECK(edge_expf(-INFINITY) == 0.0f && edge_expf(-3e38f) == 0.0f, "exp(-Inf) is 0");
    CHECK(edge_expf(INFINITY) == INFINITY && edge_expf(89.0f) == INFINITY, "exp overflows to Inf");
    CHECK(isfinite(edge_expf(88.72f)), "exp(88.72) is finite");
    CHECK(isnan(edge_expf(NAN)) && isnan(edge_expf(-NAN)), "exp(NaN) is NaN");
    for (float x = -12.0f; x < 12.0f; x += 0.001f) {
        double u = sqrt(2.0 / acos(-1.0)) * ((double)x + 0.044715 * pow((double)x, 3.0));
        double want = 0.5 * (double)x * (1.0 + tanh(u)), got = (double)edge_gelu(x);
        CHECK(fabs(got - want) <= 4e-7 * fmax(fabs(want), 0.05), "gelu(%a) = %a, want %a", (double)x, got, want);
    }
    CHECK(isnan(edge_gelu(NAN)) && edge_gelu(0.0f) == 0.0f && edge_gelu(100.0f) == 100.0f, "gelu");
    CHECK(edge_gelu(-100.0f) == 0.0f && edge_gelu(-3e38f) == 0.0f && edge_gelu(3e38f) == 3e38f, "gelu far out");
    for (float x = -12.0f; x < 12.0f; x += 0.001f) {
        double want = 0.5 * (double)x * erfc(-(double)x / sqrt(2.0)), got = (double)edge_gelu_erf(x);
        CHECK(fabs(got - want) <= 2e-7 * fmax(fabs(want), 1.0), "gelu_erf(%a) = %a, want %a", (double)x, got, want);
    }
    CHECK(isnan(edge_gelu_erf(NAN)) && edge_gelu_erf(0.0f) == 0.0f && edge_gelu_erf(100.0f) == 100.0f, "gelu_erf");
    CHECK(edge_gelu_erf(-100.0f) == 0.0f && edge_gelu_erf(-3e38f) == 0.0f && edge_gelu_erf(3e38f) == 3e38f,
          "gelu_erf far out");
    CHECK(isnan(edge_relu2(NAN)) && edge_relu2(-2.0f) == 0.0f && edge_relu2(3.0f) == 9.0f, "relu2");
    CHECK(isnan(edge_silu(NAN)) && edge_silu(0.0f) == 0.0f && edge_silu(100.0f) == 100.0f, "silu");
}

/* The value of a half from its fields. */
static double half_value(uint32_t half) {
    int32_t exponent = (int32_t)(half >> 10 & 31), mantissa = (int32_t)(half & 1023);
    double magnitude = exponent == 31  ? (mantissa ? (double)NAN : (double)INFINITY)
                       : exponent == 0 ? ldexp(mantissa, -24)
                                       : ldexp(1024 + mantissa, exponent - 25);
    return half & 0x8000 ? -magnitude : magnitude;
}

static void check_halves(void) {
    for (uint32_t half = 0; half < 65536; half++) {
        float value = edge_f16_to_f32((uint16_t)half);
        double want = half_value(half);
        int is_nan = want != want;
        CHECK(is_nan ? value != value : (double)value == want && !signbit(value) == !signbit(want), "half %04x", half);
        uint16_t back = edge_f32_to_f16(value);
        CHECK(is_nan ? (back & 0x7fff) > 0x7c00 : back == half, "half %04x comes back as %04x", half, back);
        if ((half & 0x7fff) < 0x7c00) { /* the midpoint to the next larger magnitude goes to the even one */
            double next = (half & 0x7fff) == 0x7bff ? (half & 0x8000 ? -65536.0 : 65536.0) : half_value(half + 1);
            float middle = (float)((want + next) / 2), above = nextafterf(middle, (float)next);
            uint16_t even = (uint16_t)(half & 1 ? half + 1 : half);
            CHECK(edge_f32_to_f16(middle) == even, "middle above half %04x: %04x", half, edge_f32_to_f16(middle));
            CHECK(edge_f32_to_f16(above) == (uint16_t)(half + 1), "above the middle of half %04x", half);
        }
    }
    CHECK(edge_bf16_to_f32(0x3f80) == 1.0f && edge_bf16_to_f32(0xc000) == -2.0f, "bfloat16");
}

static void check_norm_and_quantise(void) {
    const edge_kernels *scalar = edge_kernels_get(EDGE_ISA_SCALAR);
    enum { SIZE = 512 };
    float x[SIZE], gain[SIZE], out[SIZE], d[SIZE / EDGE_GROUP];
    int8_t q[SIZE];
    int32_t s[SIZE / EDGE_GROUP];
    uint64_t state = 9;
    for (int32_t n = 1; n <= SIZE; n++) {
        double squares = 0.0;
        for (int32_t i = 0; i < n; i++) {
            x[i] = random_unit(&state);
            gain[i] = random_unit(&state);
            squares += (double)x[i] * (double)x[i];
        }
        scalar->rms_norm(out, x, gain, n, 1e-5f);
        for (int32_t i = 0; i < n; i++) {
            double want = (double)x[i] / sqrt(squares / n + (double)1e-5f) * (double)gain[i];
            CHECK(fabs((double)out[i] - want) <= NORM_RELATIVE_ERROR * fabs(want), "rms_norm of %d: %g, want %g", n,
                  (double)out[i], want);
        }
    }
    for (int32_t n = 1; n <= SIZE; n++) {
        double sum = 0.0, squares = 0.0;
        for (int32_t i = 0; i < n; i++) {
            x[i] = 3.0f + random_unit(&state); /* the mean is not small beside the deviation */
            sum += (double)x[i];
        }
        for (int32_t i = 0; i < n; i++) {
            squares += ((double)x[i] - sum / n) * ((double)x[i] - sum / n);
        }
        scalar->layer_norm(out, x, gain, gain, n, 1e-5f);
        for (int32_t i = 0; i < n; i++) {
            double bias = (double)gain[i],
                   want = ((double)x[i] - sum / n) / sqrt(squares / n + (double)1e-5f) * bias + bias;
            CHECK(fabs((double)out[i] - want) <= LAYER_NORM_ERROR * fmax(1.0, fabs(want)),
                  "layer_norm of %d: %g, want %g", n, (double)out[i], want);
        }
    }
    scalar->quantize_a8g32(q, d, s, x, SIZE);
    for (int32_t i = 0; i < SIZE; i++) { /* half a step, and the rounding of the scaling */
        double error = fabs((double)x[i] - (double)q[i] * (double)d[i / EDGE_GROUP]);
        CHECK(error <= 0.5001 * (double)d[i / EDGE_GROUP], "code %d is off by %g steps", i,
              error / (double)d[i / EDGE_GROUP]);
    }
    x[3] = NAN;
    scalar->quantize_a8g32(q, d, s, x, EDGE_GROUP);
    CHECK(d[0] != d[0] && q[0] == 0 && s[0] == 0, "a group with NaN: codes 0, scale NaN");
}

int main(void) {
    check_exp();
    check_halves();
    check_norm_and_quantise();
    return check_result("math");
}
