/* Instruction-set levels: what the CPU offers, and which one the kernels use. */
#ifndef EDGE_CPU_H
#define EDGE_CPU_H

#include "edge/status.h"

/* Ordered within an architecture: a higher level is preferred. Values are part of the interface. */
typedef enum edge_isa {
    EDGE_ISA_SCALAR = 0,
    EDGE_ISA_SSE41 = 1,
    EDGE_ISA_AVX2 = 2,
    EDGE_ISA_AVXVNNI = 3,
    EDGE_ISA_AVX512VNNI = 4,
    EDGE_ISA_NEON = 5,
    EDGE_ISA_DOTPROD = 6,
    EDGE_ISA_I8MM = 7,
    EDGE_ISA_AVX512VBMI = 8, /* above EDGE_ISA_AVX512VNNI */
    EDGE_ISA_COUNT = 9
} edge_isa;

/* "scalar", "sse41", "avx2", "avxvnni", "avx512vnni", "neon", "dotprod", "i8mm", "avx512vbmi"; NULL for a value out
 * of range. */
EDGE_API const char *edge_isa_name(edge_isa isa);

/* 1 when this build has kernels for the level and this CPU (and its kernel) can run them. */
EDGE_API int edge_isa_supported(edge_isa isa);

/* The level to use: the best supported one, or the one that name forces.
 * name: NULL or "" for the best. EDGE_INVALID: no such level. EDGE_UNSUPPORTED: the CPU or the build lacks it. */
EDGE_API edge_status edge_isa_select(const char *name, edge_isa *out, edge_error *error);

#endif
