/* What the bytes of each quantised family mean, one record per family: the specification that scalar kernels and row
 * decoding follow. Other levels write the same out for speed. */
#ifndef EDGE_FORMAT_H
#define EDGE_FORMAT_H

#include "kernels.h"

/* How codes lie in a tile (tile.h). */
typedef enum edge_coding {
    EDGE_CODING_W1,
    EDGE_CODING_W2,
    EDGE_CODING_W3,
    EDGE_CODING_W4,
    EDGE_CODING_W5,
    EDGE_CODING_W6,
    EDGE_CODING_W8,
    EDGE_CODING_T5
} edge_coding;

/* What belongs to a code beside its own bits. */
typedef enum edge_extra {
    EDGE_EXTRA_NONE,
    EDGE_EXTRA_SIGNS, /* one bit each: minus */
    EDGE_EXTRA_LESS   /* one bit per four k: value = 8 * code - 1, otherwise + 1 */
} edge_extra;

typedef enum edge_scale {
    EDGE_SCALE_F16,
    EDGE_SCALE_E8M0, /* 2^(e - 128) */
    EDGE_SCALE_UE4M3 /* four bits of exponent, three of mantissa, halved; 0x7f is 0 */
} edge_scale;

/* The integer scales of sub-blocks (A8G256 families). */
typedef enum edge_sub {
    EDGE_SUB_NONE,    /* 1 */
    EDGE_SUB_U8,      /* a byte each, then as many bytes of minima */
    EDGE_SUB_NIBBLES, /* low nibble scale, high nibble minimum */
    EDGE_SUB_I8,
    EDGE_SUB_ODD /* a nibble each, low first: 2 * nibble + 1 */
} edge_sub;

typedef struct edge_format {
    int32_t unit;  /* k of a unit; a multiple of EDGE_GROUP */
    int32_t bytes; /* of a unit */
    edge_coding coding;
    int32_t offset;       /* subtracted from codes ... */
    const int8_t *values; /* ... unless they are looked up here */
    edge_extra extra;
    int32_t extra_at;
    edge_scale scale;
    int32_t scale_at; /* of the unit's scales: 16 values per span (A8G32), or one set of 16 (A8G256) */
    int32_t min_at;   /* of the f16 minima or dmin; 0 for none */
    float factor;     /* of the scale, a power of two */
    int32_t span;     /* k that share a scale (A8G32) or an integer scale (A8G256) */
    edge_sub sub;
    int32_t sub_at;
} edge_format;

/* What the 4-bit codes of the N and E families stand for. */
extern const int8_t edge_values_nl[16];  /* IQ4_NL, IQ4_XS */
extern const int8_t edge_values_fp4[16]; /* E2M1, doubled */
extern const int8_t edge_values_n3[16];  /* IQ3_S: level, then sign bit */
extern const int8_t edge_values_n3x[16]; /* IQ3_XXS */
extern const int8_t edge_values_s2[3];   /* IQ2_*: magnitudes */

/* NULL for the float families. */
const edge_format *edge_format_of(edge_family family);

/* The integer that stands at (k, row) of a unit. */
int32_t edge_format_value(const edge_format *format, const uint8_t *unit, int32_t k, int32_t row);

/* The float scale of span `span` of a unit (A8G32), or of all of it (A8G256, span 0), times the factor. */
float edge_format_scale(const edge_format *format, const uint8_t *unit, int32_t span, int32_t row);

/* The f16 minimum. Only where min_at > 0. */
float edge_format_min(const edge_format *format, const uint8_t *unit, int32_t row);

/* The integer scale and minimum of sub-block `span`. */
int32_t edge_format_sub_scale(const edge_format *format, const uint8_t *unit, int32_t span, int32_t row);
int32_t edge_format_sub_min(const edge_format *format, const uint8_t *unit, int32_t span, int32_t row);

#endif
