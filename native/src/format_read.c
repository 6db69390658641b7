/* Reading one code, scale or minimum of a unit as its record says. */
#include "format.h"
#include "half.h"
#include "tile.h"

static int32_t bits_of_tile(const uint8_t *tile, edge_coding coding, int32_t v, int32_t byte) {
    switch (coding) {
    case EDGE_CODING_W1:
        return tile[byte] >> v & 1;
    case EDGE_CODING_W2:
    case EDGE_CODING_W3: {
        int32_t code = tile[EDGE_VECTOR_BYTES * (v / 4) + byte] >> 2 * (v % 4) & 3;
        return coding == EDGE_CODING_W2 ? code : code | (tile[EDGE_THIRD_BIT + byte] >> v & 1) << 2;
    }
    case EDGE_CODING_W8: {
        int32_t code = tile[EDGE_VECTOR_BYTES * v + byte];
        return code < 128 ? code : code - 256;
    }
    default:
        break;
    }
    int32_t code = tile[EDGE_VECTOR_BYTES * (v % 4) + byte] >> (v < 4 ? 0 : 4) & 15;
    if (coding == EDGE_CODING_W5) {
        code |= (tile[EDGE_HIGH_BITS + byte] >> v & 1) << 4;
    } else if (coding == EDGE_CODING_W6) {
        code |= (tile[EDGE_HIGH_BITS + EDGE_VECTOR_BYTES * (v / 4) + byte] >> 2 * (v % 4) & 3) << 4;
    }
    return code;
}

static int32_t trit_of(const uint8_t *super, int32_t v, int32_t byte) {
    uint32_t x = super[EDGE_VECTOR_BYTES * (v / EDGE_TRITS_OF_BYTE) + byte] ^ 128u;
    for (int32_t i = 0; i < v % EDGE_TRITS_OF_BYTE; i++) {
        x = x * 3 & 255;
    }
    return (int32_t)(x * 3 >> 8);
}

static int32_t tile_bytes(edge_coding coding) {
    static const int32_t bytes[] = {[EDGE_CODING_W1] = EDGE_CODES_W1, [EDGE_CODING_W2] = EDGE_CODES_W2,
                                    [EDGE_CODING_W3] = EDGE_CODES_W3, [EDGE_CODING_W4] = EDGE_CODES_W4,
                                    [EDGE_CODING_W5] = EDGE_CODES_W5, [EDGE_CODING_W6] = EDGE_CODES_W6,
                                    [EDGE_CODING_W8] = EDGE_CODES_W8};
    return bytes[coding];
}

int32_t edge_format_value(const edge_format *format, const uint8_t *unit, int32_t k, int32_t row) {
    int32_t tile = k / EDGE_GROUP, v = k % EDGE_GROUP / 4, byte = 4 * row + k % 4;
    int32_t code = format->coding == EDGE_CODING_T5
                       ? trit_of(unit, k / 4, byte)
                       : bits_of_tile(unit + tile * tile_bytes(format->coding), format->coding, v, byte);
    int32_t value = format->values ? format->values[code] : code - format->offset;
    const uint8_t *extra = unit + format->extra_at;
    switch (format->extra) {
    case EDGE_EXTRA_NONE:
        return value;
    case EDGE_EXTRA_SIGNS:
        return extra[tile * EDGE_CODES_W1 + byte] >> v & 1 ? -value : value;
    case EDGE_EXTRA_LESS:
        return 8 * value + (extra[tile * EDGE_TILE_ROWS + row] >> v & 1 ? -1 : 1);
    }
    return 0;
}

static float e8m0(uint8_t e) {
    return edge_bits_f32(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23);
}

/* As a float whose exponent starts at 0, scaled up: subnormals come out right too. */
static float ue4m3(uint8_t e) {
    return e == 0x7f ? 0.0f : edge_bits_f32((uint32_t)(e & 0x7f) << 20) * 0x1p119f;
}

float edge_format_scale(const edge_format *format, const uint8_t *unit, int32_t span, int32_t row) {
    const uint8_t *scales = unit + format->scale_at;
    switch (format->scale) {
    case EDGE_SCALE_E8M0:
        return e8m0(scales[span * EDGE_TILE_ROWS + row]);
    case EDGE_SCALE_UE4M3:
        return ue4m3(scales[span * EDGE_TILE_ROWS + row]);
    case EDGE_SCALE_F16:
        break;
    }
    return edge_f16_to_f32(edge_tile_half(scales + span * EDGE_ROW_HALVES, row)) * format->factor;
}

float edge_format_min(const edge_format *format, const uint8_t *unit, int32_t row) {
    return edge_f16_to_f32(edge_tile_half(unit + format->min_at, row));
}

int32_t edge_format_sub_scale(const edge_format *format, const uint8_t *unit, int32_t span, int32_t row) {
    const uint8_t *sub = unit + format->sub_at;
    switch (format->sub) {
    case EDGE_SUB_NONE:
        return 1;
    case EDGE_SUB_U8:
        return sub[span * EDGE_TILE_ROWS + row];
    case EDGE_SUB_NIBBLES:
        return sub[span * EDGE_TILE_ROWS + row] & 15;
    case EDGE_SUB_I8: {
        int32_t scale = sub[span * EDGE_TILE_ROWS + row];
        return scale < 128 ? scale : scale - 256;
    }
    case EDGE_SUB_ODD:
        return 2 * (sub[span / 2 * EDGE_TILE_ROWS + row] >> span % 2 * 4 & 15) + 1;
    }
    return 0;
}

int32_t edge_format_sub_min(const edge_format *format, const uint8_t *unit, int32_t span, int32_t row) {
    const uint8_t *sub = unit + format->sub_at;
    if (format->sub == EDGE_SUB_NIBBLES) {
        return sub[span * EDGE_TILE_ROWS + row] >> 4;
    }
    return sub[(EDGE_SUPER / format->span + span) * EDGE_TILE_ROWS + row];
}
