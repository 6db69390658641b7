/* Which instruction sets this CPU and its operating system offer, and the kernel table of each. */
#include "edge/cpu.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[EDGE_ISA_COUNT] = {"scalar", "avx2", "avx512vnni", "neon"};

const char *edge_isa_name(edge_isa isa) {
    return (int)isa >= 0 && isa < EDGE_ISA_COUNT ? names[isa] : NULL;
}

#if defined(__x86_64__)

/* State components that the operating system saves (XCR0). */
#define XCR0_AVX    0x06u /* XMM, YMM */
#define XCR0_AVX512 0xe6u /* those, opmask, ZMM */

static uint64_t xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int has_bits(uint32_t word, uint32_t bits) {
    return (word & bits) == bits;
}

static int cpu_has(edge_isa isa) {
    uint32_t a, b, c, d, b7 = 0, c7 = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has_bits(c, bit_OSXSAVE | bit_AVX | bit_F16C)) {
        return 0;
    }
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d) || !has_bits(b7, bit_AVX2)) {
        return 0;
    }
    uint64_t state = xcr0();
    if ((state & XCR0_AVX) != XCR0_AVX) {
        return 0;
    }
    if (isa == EDGE_ISA_AVX2) {
        return 1;
    }
#if defined(EDGE_SIMULATE_AVX512)
    return 1; /* the kernels are built over SIMDe and need AVX2 only */
#else
    return (state & XCR0_AVX512) == XCR0_AVX512 &&
           has_bits(b7, bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ) && has_bits(c7, bit_AVX512VNNI);
#endif
}

#elif defined(__aarch64__)

static int cpu_has(edge_isa isa) {
    return isa == EDGE_ISA_NEON;
} /* every ARMv8-A core */

#else

static int cpu_has(edge_isa isa) {
    (void)isa;
    return 0;
}

#endif

typedef void fill_fn(edge_kernels *kernels);

/* The levels of this build, upward: a level starts from the tables of those below it. */
static const struct {
    edge_isa isa;
    fill_fn *fill;
} levels[] = {
    {EDGE_ISA_SCALAR, edge_kernels_fill_scalar},
#if defined(EDGE_HAVE_AVX2)
    {EDGE_ISA_AVX2, edge_kernels_fill_avx2},
#endif
#if defined(EDGE_HAVE_AVX512VNNI)
    {EDGE_ISA_AVX512VNNI, edge_kernels_fill_avx512vnni},
#endif
#if defined(EDGE_HAVE_NEON)
    {EDGE_ISA_NEON, edge_kernels_fill_neon},
#endif
};

#define NUM_LEVELS (int)(sizeof levels / sizeof levels[0])

int edge_isa_supported(edge_isa isa) {
    for (int i = 0; i < NUM_LEVELS; i++) {
        if (levels[i].isa == isa) {
            return isa == EDGE_ISA_SCALAR || cpu_has(isa);
        }
    }
    return 0;
}

static edge_isa best(void) {
    for (int i = NUM_LEVELS - 1; i > 0; i--) {
        if (cpu_has(levels[i].isa)) {
            return levels[i].isa;
        }
    }
    return EDGE_ISA_SCALAR;
}

edge_status edge_isa_select(const char *name, edge_isa *out, edge_error *error) {
    if (!name || !name[0]) {
        *out = best();
        return EDGE_OK;
    }
    for (int i = 0; i < EDGE_ISA_COUNT; i++) {
        if (strcmp(name, names[i]) != 0) {
            continue;
        }
        if (edge_isa_supported((edge_isa)i)) {
            *out = (edge_isa)i;
            return EDGE_OK;
        }
        if (error) {
            snprintf(error->message, sizeof error->message,
                     "this CPU or this build lacks the instruction set %s; the "
                     "best it has is %s",
                     names[i], names[best()]);
        }
        return EDGE_UNSUPPORTED;
    }
    if (error) {
        snprintf(error->message, sizeof error->message,
                 "no instruction set is called \"%.40s\": use scalar, avx2, avx512vnni or neon", name);
    }
    return EDGE_INVALID;
}

const edge_kernels *edge_kernels_get(edge_isa isa) {
    enum { EMPTY, FILLING, READY };
    static edge_kernels tables[EDGE_ISA_COUNT];
    static _Atomic int states[EDGE_ISA_COUNT];
    if (!edge_isa_supported(isa)) {
        return NULL;
    }
    int expected = EMPTY;
    if (atomic_compare_exchange_strong(&states[isa], &expected, FILLING)) {
        for (int i = 0; i < NUM_LEVELS && levels[i].isa <= isa; i++) {
            levels[i].fill(&tables[isa]);
        }
        atomic_store_explicit(&states[isa], READY, memory_order_release);
    }
    while (atomic_load_explicit(&states[isa], memory_order_acquire) != READY) {
        /* another thread is filling it: a few stores away */
    }
    return &tables[isa];
}
