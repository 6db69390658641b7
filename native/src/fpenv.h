/* The floating-point state that the numeric contract needs, set for a run and restored after it: round to nearest,
 * subnormals kept, no traps. A host may have set flush-to-zero. */
#ifndef EDGE_FPENV_H
#define EDGE_FPENV_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

static inline uint64_t edge_fpenv_enter(void) {
    uint64_t saved = _mm_getcsr();
    _mm_setcsr(0x1f80u);
    return saved;
}

static inline void edge_fpenv_leave(uint64_t saved) {
    _mm_setcsr((uint32_t)saved);
}

#elif defined(__aarch64__)

static inline uint64_t edge_fpenv_enter(void) {
    uint64_t saved, plain = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(plain));
    return saved;
}

static inline void edge_fpenv_leave(uint64_t saved) {
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}

#else
#include <fenv.h>

/* Standard C can only speak about rounding; nothing else is known to be switchable on such a machine. */
static inline uint64_t edge_fpenv_enter(void) {
    int saved = fegetround();
    fesetround(FE_TONEAREST);
    return (uint64_t)saved;
}

static inline void edge_fpenv_leave(uint64_t saved) {
    fesetround((int)saved);
}

#endif
#endif
