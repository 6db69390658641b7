/* A row out of the tiles, as floats: the embedding lookup. The order of operations is part of the numeric contract. */
#include <string.h>

#include "half.h"
#include "pack.h"
#include "tile.h"

static float half_at(const uint8_t *halves, int32_t row) {
    return edge_f16_to_f32(edge_tile_half(halves, row));
}

/* offset: what makes the codes signed; m: where the minima are, 0 for none. */
static void unpack_g32(float *out, const uint8_t *tiles, int32_t row, int64_t cols, int32_t bits, int32_t offset,
                       int32_t tile_bytes, int32_t d, int32_t m) {
    for (int64_t g = 0; g < cols / EDGE_GROUP; g++) {
        const uint8_t *tile = tiles + g * tile_bytes;
        float scale = half_at(tile + d, row);
        for (int32_t k = 0; k < EDGE_GROUP; k++) {
            float value = (float)(edge_tile_code(tile, bits, k, row) - offset) * scale;
            out[g * EDGE_GROUP + k] = m > 0 ? value + half_at(tile + m, row) : value;
        }
    }
}

static void unpack_w4mg256(float *out, const uint8_t *tile, int32_t row) {
    float d = half_at(tile + EDGE_W4MG256_D, row), dmin = half_at(tile + EDGE_W4MG256_DMIN, row);
    for (int32_t j = 0; j < 8; j++) {
        float scale = d * (float)tile[EDGE_W4MG256_SC + j * EDGE_TILE_ROWS + row];
        float min = dmin * (float)tile[EDGE_W4MG256_M + j * EDGE_TILE_ROWS + row];
        for (int32_t k = 0; k < EDGE_GROUP; k++) {
            out[j * EDGE_GROUP + k] = scale * (float)edge_tile_code(tile + j * EDGE_CODES_W4, 4, k, row) - min;
        }
    }
}

static void unpack_w6g256(float *out, const uint8_t *tile, int32_t row) {
    const int8_t *sc = (const int8_t *)(tile + EDGE_W6G256_SC);
    float d = half_at(tile + EDGE_W6G256_D, row);
    for (int32_t j = 0; j < 16; j++) {
        float scale = d * (float)sc[j * EDGE_TILE_ROWS + row];
        const uint8_t *codes = tile + j / 2 * EDGE_CODES_W6;
        for (int32_t k = 0; k < 16; k++) {
            out[j * 16 + k] = scale * (float)(edge_tile_code(codes, 6, j % 2 * 16 + k, row) - 32);
        }
    }
}

void edge_unpack_row(float *out, edge_family family, const uint8_t *tiles, int32_t row, int64_t cols) {
    switch (family) {
    case EDGE_FAMILY_F32:
        for (int64_t k = 0; k < cols; k++) {
            memcpy(out + k, tiles + 4 * (k * EDGE_TILE_ROWS + row), sizeof out[k]);
        }
        break;
    case EDGE_FAMILY_F16:
        for (int64_t k = 0; k < cols; k++) {
            out[k] = half_at(tiles + 2 * k * EDGE_TILE_ROWS, row);
        }
        break;
    case EDGE_FAMILY_BF16:
        for (int64_t k = 0; k < cols; k++) {
            out[k] = edge_bf16_to_f32(edge_tile_half(tiles + 2 * k * EDGE_TILE_ROWS, row));
        }
        break;
    case EDGE_FAMILY_W8G32:
        unpack_g32(out, tiles, row, cols, 8, 0, EDGE_W8G32_BYTES, EDGE_W8G32_D, 0);
        break;
    case EDGE_FAMILY_W4G32:
        unpack_g32(out, tiles, row, cols, 4, 8, EDGE_W4G32_BYTES, EDGE_W4G32_D, 0);
        break;
    case EDGE_FAMILY_W4MG32:
        unpack_g32(out, tiles, row, cols, 4, 0, EDGE_W4MG32_BYTES, EDGE_W4MG32_D, EDGE_W4MG32_M);
        break;
    case EDGE_FAMILY_W5G32:
        unpack_g32(out, tiles, row, cols, 5, 16, EDGE_W5G32_BYTES, EDGE_W5G32_D, 0);
        break;
    case EDGE_FAMILY_W4MG256:
        for (int64_t g = 0; g < cols / EDGE_SUPER; g++) {
            unpack_w4mg256(out + g * EDGE_SUPER, tiles + g * EDGE_W4MG256_BYTES, row);
        }
        break;
    case EDGE_FAMILY_W6G256:
        for (int64_t g = 0; g < cols / EDGE_SUPER; g++) {
            unpack_w6g256(out + g * EDGE_SUPER, tiles + g * EDGE_W6G256_BYTES, row);
        }
        break;
    case EDGE_NUM_FAMILIES:
        break;
    }
}
