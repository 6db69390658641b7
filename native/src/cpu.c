/* Which instruction sets this CPU and its operating system offer, and the kernel table of each. */
#include "edge/cpu.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static const char *const names[EDGE_ISA_COUNT] = {"scalar", "sse41",   "avx2", "avxvnni",   "avx512vnni",
                                                  "neon",   "dotprod", "i8mm", "avx512vbmi"};

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

#define LEAF_7_1_EAX_AVXVNNI (1u << 4) /* older compilers have no name for it */

static int has_sse41(void) {
    uint32_t a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && has_bits(c, bit_SSSE3 | bit_SSE4_1);
}

static int has_avx2(uint64_t *state, uint32_t leaf_7[4]) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has_bits(c, bit_OSXSAVE | bit_AVX | bit_F16C)) {
        return 0;
    }
    *state = xcr0();
    return (*state & XCR0_AVX) == XCR0_AVX && __get_cpuid_count(7, 0, &leaf_7[0], &leaf_7[1], &leaf_7[2], &leaf_7[3]) &&
           has_bits(leaf_7[1], bit_AVX2);
}

static int has_avxvnni(const uint32_t leaf_7[4]) {
#if defined(EDGE_SIMULATE_AVXVNNI)
    (void)leaf_7;
    return 1; /* the kernels are built without the instruction and need AVX2 only */
#else
    uint32_t a, b, c, d;
    return leaf_7[0] >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && has_bits(a, LEAF_7_1_EAX_AVXVNNI);
#endif
}

static int has_avx512vnni(uint64_t state, const uint32_t leaf_7[4]) {
#if defined(EDGE_SIMULATE_AVX512)
    (void)state, (void)leaf_7;
    return 1; /* the kernels are built over SIMDe and need AVX2 only */
#else
    return (state & XCR0_AVX512) == XCR0_AVX512 &&
           has_bits(leaf_7[1], bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ) &&
           has_bits(leaf_7[2], bit_AVX512VNNI);
#endif
}

static int has_avx512vbmi(uint64_t state, const uint32_t leaf_7[4]) {
#if defined(EDGE_SIMULATE_AVX512)
    return has_avx512vnni(state, leaf_7);
#else
    return has_avx512vnni(state, leaf_7) && has_bits(leaf_7[2], bit_AVX512VBMI);
#endif
}

static int cpu_has(edge_isa isa) {
    uint64_t state;
    uint32_t leaf_7[4]; /* eax (the last subleaf), ebx, ecx, edx */
    if (isa == EDGE_ISA_SSE41) {
        return has_sse41();
    }
    if (!has_avx2(&state, leaf_7)) {
        return 0;
    }
    return isa == EDGE_ISA_AVX2 || (isa == EDGE_ISA_AVXVNNI && has_avxvnni(leaf_7)) ||
           (isa == EDGE_ISA_AVX512VNNI && has_avx512vnni(state, leaf_7)) ||
           (isa == EDGE_ISA_AVX512VBMI && has_avx512vbmi(state, leaf_7));
}

#elif defined(__aarch64__)

#if defined(__linux__)

/* Bits of the kernel's interface; older C libraries have no names for them. */
#define HWCAP_BIT_ASIMDDP (1ul << 20)
#define HWCAP2_BIT_I8MM   (1ul << 13)

static int has_dotprod(void) {
    return (getauxval(AT_HWCAP) & HWCAP_BIT_ASIMDDP) != 0;
}

static int has_i8mm(void) {
    return (getauxval(AT_HWCAP2) & HWCAP2_BIT_I8MM) != 0;
}

#elif defined(__APPLE__)

static int has_feature(const char *name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}

static int has_dotprod(void) {
    return has_feature("hw.optional.arm.FEAT_DotProd");
}

static int has_i8mm(void) {
    return has_feature("hw.optional.arm.FEAT_I8MM");
}

#else /* other systems say it in ways of their own: NEON runs everywhere */

static int has_dotprod(void) {
    return 0;
}

static int has_i8mm(void) {
    return 0;
}

#endif

static int cpu_has(edge_isa isa) {
    return isa == EDGE_ISA_NEON /* every ARMv8-A core */ || (isa == EDGE_ISA_DOTPROD && has_dotprod()) ||
           (isa == EDGE_ISA_I8MM && has_dotprod() && has_i8mm());
}

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
#if defined(EDGE_HAVE_SSE41)
    {EDGE_ISA_SSE41, edge_kernels_fill_sse41},
#endif
#if defined(EDGE_HAVE_AVX2)
    {EDGE_ISA_AVX2, edge_kernels_fill_avx2},
#endif
#if defined(EDGE_HAVE_AVXVNNI)
    {EDGE_ISA_AVXVNNI, edge_kernels_fill_avxvnni},
#endif
#if defined(EDGE_HAVE_AVX512VNNI)
    {EDGE_ISA_AVX512VNNI, edge_kernels_fill_avx512vnni},
#endif
#if defined(EDGE_HAVE_AVX512VBMI)
    {EDGE_ISA_AVX512VBMI, edge_kernels_fill_avx512vbmi},
#endif
#if defined(EDGE_HAVE_NEON)
    {EDGE_ISA_NEON, edge_kernels_fill_neon},
#endif
#if defined(EDGE_HAVE_DOTPROD)
    {EDGE_ISA_DOTPROD, edge_kernels_fill_dotprod},
#endif
#if defined(EDGE_HAVE_I8MM)
    {EDGE_ISA_I8MM, edge_kernels_fill_i8mm},
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
        const size_t size = sizeof error->message;
        int length = snprintf(error->message, size, "no instruction set is called \"%.40s\": there are", name);
        for (int i = 0; i < EDGE_ISA_COUNT; i++) {
            length += snprintf(error->message + length, size - (size_t)length, " %s", names[i]);
        }
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
            if (edge_isa_supported(levels[i].isa)) { /* a CPU may skip a level below its best one */
                levels[i].fill(&tables[isa]);
            }
        }
        atomic_store_explicit(&states[isa], READY, memory_order_release);
    }
    while (atomic_load_explicit(&states[isa], memory_order_acquire) != READY) {
        /* another thread is filling it: a few stores away */
    }
    return &tables[isa];
}
