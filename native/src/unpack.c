/* A row out of the tiles, as floats: the embedding lookup. The order of operations is part of the numeric contract. */
#include <string.h>

#include "format.h"
#include "half.h"
#include "pack.h"
#include "tile.h"

/* One unit whose scales stand for themselves. */
static void unpack_g32(float *out, const edge_format *format, const uint8_t *unit, int32_t row) {
    for (int32_t k = 0; k < format->unit; k++) {
        float value = (float)edge_format_value(format, unit, k, row);
        value = value * edge_format_scale(format, unit, k / format->span, row);
        out[k] = format->min_at > 0 ? value + edge_format_min(format, unit, row) : value;
    }
}

/* One super-block with integer scales. */
static void unpack_g256(float *out, const edge_format *format, const uint8_t *unit, int32_t row) {
    float d = edge_format_scale(format, unit, 0, row);
    for (int32_t k = 0; k < EDGE_SUPER; k++) {
        int32_t span = k / format->span;
        float scale = d * (float)edge_format_sub_scale(format, unit, span, row);
        out[k] = scale * (float)edge_format_value(format, unit, k, row);
        if (format->min_at > 0) {
            out[k] = out[k] - edge_format_min(format, unit, row) * (float)edge_format_sub_min(format, unit, span, row);
        }
    }
}

static float float_at(const uint8_t *tiles, edge_family family, int64_t index) {
    float value;
    switch (family) {
    case EDGE_FAMILY_F16:
        return edge_f16_to_f32(edge_tile_half(tiles + 2 * index, 0));
    case EDGE_FAMILY_BF16:
        return edge_bf16_to_f32(edge_tile_half(tiles + 2 * index, 0));
    default:
        memcpy(&value, tiles + 4 * index, sizeof value);
        return value;
    }
}

void edge_unpack_row(float *out, edge_family family, const uint8_t *tiles, int32_t row, int64_t cols) {
    const edge_format *format = edge_format_of(family);
    if (!format) {
        for (int64_t k = 0; k < cols; k++) {
            out[k] = float_at(tiles, family, k * EDGE_TILE_ROWS + row);
        }
        return;
    }
    for (int64_t i = 0; i < cols / format->unit; i++) {
        (edge_family_acts(family) == EDGE_ACT_A8G32 ? unpack_g32 : unpack_g256)(out + i * format->unit, format,
                                                                                tiles + i * format->bytes, row);
    }
}
