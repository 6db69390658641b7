/* What the templates of every level know about the kinds of codes, and where the parts of a unit lie (tile.h). */
#ifndef EDGE_CODES_H
#define EDGE_CODES_H

#include "inline.h"
#include "tile.h"

/* Kinds of codes: planar ones by their bits, then those of tables and trits. */
enum {
    EDGE_CODE_NL = 16, /* values of IQ4_NL */
    EDGE_CODE_FP4,     /* E2M1, doubled; a power of two per 32 k */
    EDGE_CODE_FP4S,    /* the same, UE4M3 per 16 k */
    EDGE_CODE_N3,      /* values of IQ3_S */
    EDGE_CODE_N3X,     /* values of IQ3_XXS */
    EDGE_CODE_T5,      /* trits; these and the two below are unpacked 256 k at a time */
    EDGE_CODE_S2,      /* IQ2's values */
    EDGE_CODE_D1       /* IQ1's values */
};

/* Code bytes of a tile, not of trits. */
EDGE_INLINE int edge_code_bytes(int code) {
    return EDGE_VECTOR_BYTES * (code <= 8 ? code : 4);
}

EDGE_INLINE int edge_code_is_trits(int code) {
    return code == EDGE_CODE_T5 || code == EDGE_CODE_S2 || code == EDGE_CODE_D1;
}

/* Tiles that share a scale. */
EDGE_INLINE int edge_g32_tiles(int code) {
    return code == 1 ? 4 : code == 2 ? 2 : 1;
}

/* Scales of a tile. */
EDGE_INLINE int edge_g32_spans(int code) {
    return code == EDGE_CODE_FP4S ? 2 : 1;
}

/* Bytes of the tiles that share a scale: codes, d and, with a minimum, m. */
EDGE_INLINE int edge_g32_bytes(int code, int min) {
    int scales = code == EDGE_CODE_FP4    ? EDGE_TILE_ROWS
                 : code == EDGE_CODE_FP4S ? 2 * EDGE_TILE_ROWS
                                          : (min ? 2 : 1) * EDGE_ROW_HALVES;
    return edge_g32_tiles(code) * edge_code_bytes(code) + scales;
}

/* Bytes of 256 k. */
EDGE_INLINE int edge_g256_bytes(int code, int min) {
    return min                    ? (code == 2   ? EDGE_W2MG256_BYTES
                                     : code == 4 ? EDGE_W4MG256_BYTES
                                                 : EDGE_W5MG256_BYTES)
           : code == 2            ? EDGE_W2G256_BYTES
           : code == 3            ? EDGE_W3G256_BYTES
           : code == 6            ? EDGE_W6G256_BYTES
           : code == EDGE_CODE_T5 ? EDGE_T5G256_BYTES
           : code == EDGE_CODE_S2 ? EDGE_S2G256_BYTES
           : code == EDGE_CODE_D1 ? EDGE_D1G256_BYTES
                                  : EDGE_N4G256_BYTES;
}

/* Where d begins; dmin follows it. */
EDGE_INLINE int edge_g256_d(int code, int min) {
    return edge_g256_bytes(code, min) - (min ? 2 : 1) * EDGE_ROW_HALVES;
}

/* Whether sub-blocks have scales at all. */
EDGE_INLINE int edge_g256_has_scales(int code, int min) {
    return min || (code != 2 && code != EDGE_CODE_T5);
}

/* Whether a sub-block is half a tile. */
EDGE_INLINE int edge_g256_is_split(int code) {
    return code == 2 || code == 3 || code == 6 || code == EDGE_CODE_S2 || code == EDGE_CODE_D1;
}

/* The power of two that multiplies d. */
EDGE_INLINE float edge_g256_unit(int code) {
    return code == EDGE_CODE_N3X ? 0.25f : code == EDGE_CODE_S2 || code == EDGE_CODE_D1 ? 0.125f : 1.0f;
}

#endif
