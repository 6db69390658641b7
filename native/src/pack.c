/* GGUF blocks into tiles. Nothing is lost: every code and scale keeps its bits (block layouts: ggml's). */
#include <string.h>

#include "pack.h"
#include "tile.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files and tiles are little-endian; big-endian machines are not supported"
#endif

static void put_half(uint8_t *halves, int32_t row, const uint8_t *source) {
    memcpy(halves + 2 * row, source, 2);
}

/* The nibbles of one row: nibbles[i] = k i | k (i + 16) << 4, i < 16, which is GGUF's own order in 32-wide blocks. */
static void put_nibbles(uint8_t *tile, int32_t row, const uint8_t nibbles[16]) {
    for (int32_t v = 0; v < 4; v++) {
        memcpy(tile + EDGE_VECTOR_BYTES * v + 4 * row, nibbles + 4 * v, 4);
    }
}

static void pack_w8g32(uint8_t *tile, const uint8_t *block, int32_t row) {
    for (int32_t v = 0; v < EDGE_TILE_VECTORS; v++) {
        memcpy(tile + EDGE_VECTOR_BYTES * v + 4 * row, block + 2 + 4 * v, 4);
    }
    put_half(tile + EDGE_W8G32_D, row, block);
}

static void pack_w4g32(uint8_t *tile, const uint8_t *block, int32_t row) {
    put_nibbles(tile, row, block + 2);
    put_half(tile + EDGE_W4G32_D, row, block);
}

static void pack_w4mg32(uint8_t *tile, const uint8_t *block, int32_t row) {
    put_nibbles(tile, row, block + 4);
    put_half(tile + EDGE_W4MG32_D, row, block);
    put_half(tile + EDGE_W4MG32_M, row, block + 2);
}

static void pack_w5g32(uint8_t *tile, const uint8_t *block, int32_t row) {
    put_nibbles(tile, row, block + 6);
    for (int32_t k = 0; k < EDGE_GROUP; k++) {
        int32_t bit = block[2 + k / 8] >> k % 8 & 1;
        tile[EDGE_HIGH_BITS + 4 * row + k % 4] |= (uint8_t)(bit << k / 4);
    }
    put_half(tile + EDGE_W5G32_D, row, block);
}

static void pack_w4mg256(uint8_t *tile, const uint8_t *block, int32_t row) {
    const uint8_t *scales = block + 4, *codes = block + 16;
    for (int32_t j = 0; j < 8; j++) {
        /* j even: the low nibbles of 32 bytes, j odd: their high nibbles. */
        const uint8_t *bytes = codes + j / 2 * 32;
        int32_t shift = j % 2 * 4;
        uint8_t nibbles[16];
        for (int32_t i = 0; i < 16; i++) {
            nibbles[i] = (uint8_t)((bytes[i] >> shift & 15) | (bytes[i + 16] >> shift & 15) << 4);
        }
        put_nibbles(tile + j * EDGE_CODES_W4, row, nibbles);
        int32_t sc = j < 4 ? scales[j] & 63 : (scales[j + 4] & 15) | scales[j - 4] >> 6 << 4;
        int32_t m = j < 4 ? scales[j + 4] & 63 : scales[j + 4] >> 4 | scales[j] >> 6 << 4;
        tile[EDGE_W4MG256_SC + j * EDGE_TILE_ROWS + row] = (uint8_t)sc;
        tile[EDGE_W4MG256_M + j * EDGE_TILE_ROWS + row] = (uint8_t)m;
    }
    put_half(tile + EDGE_W4MG256_D, row, block);
    put_half(tile + EDGE_W4MG256_DMIN, row, block + 2);
}

static void pack_w6g256(uint8_t *tile, const uint8_t *block, int32_t row) {
    const uint8_t *low = block, *high = block + 128, *scales = block + 192;
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        /* 128 values share 64 bytes of low nibbles and 32 of high bits; j = which 32 of the four. */
        int32_t h = i / 4, j = i % 4;
        const uint8_t *nibble = low + h * 64 + j % 2 * 32, *pair = high + h * 32;
        uint8_t *codes = tile + i * EDGE_CODES_W6;
        uint8_t nibbles[16];
        for (int32_t l = 0; l < 16; l++) {
            nibbles[l] = (uint8_t)((nibble[l] >> j / 2 * 4 & 15) | (nibble[l + 16] >> j / 2 * 4 & 15) << 4);
        }
        put_nibbles(codes, row, nibbles);
        for (int32_t l = 0; l < EDGE_GROUP; l++) {
            int32_t v = l / 4, bits = pair[l] >> 2 * j & 3;
            codes[EDGE_HIGH_BITS + EDGE_VECTOR_BYTES * (v / 4) + 4 * row + l % 4] |= (uint8_t)(bits << v % 4 * 2);
        }
    }
    for (int32_t j = 0; j < 16; j++) {
        tile[EDGE_W6G256_SC + j * EDGE_TILE_ROWS + row] = scales[j];
    }
    put_half(tile + EDGE_W6G256_D, row, block + 208);
}

typedef void pack_fn(uint8_t *tile, const uint8_t *block, int32_t row);

static pack_fn *const packers[EDGE_NUM_FAMILIES] = {
    [EDGE_FAMILY_W8G32] = pack_w8g32, [EDGE_FAMILY_W4G32] = pack_w4g32,     [EDGE_FAMILY_W4MG32] = pack_w4mg32,
    [EDGE_FAMILY_W5G32] = pack_w5g32, [EDGE_FAMILY_W4MG256] = pack_w4mg256, [EDGE_FAMILY_W6G256] = pack_w6g256,
};

/* Floats: 16 values of one k, then the next k. size: bytes of a value. */
static void pack_floats(uint8_t *tiles, int32_t size, const uint8_t *source, int32_t row, int64_t cols) {
    for (int64_t k = 0; k < cols; k++) {
        memcpy(tiles + (k * EDGE_TILE_ROWS + row) * size, source + k * size, (size_t)size);
    }
}

void edge_pack_tile_row(uint8_t *tiles, const edge_layout *layout, const uint8_t *source, uint64_t row_bytes,
                        int32_t rows, int64_t cols) {
    pack_fn *pack = packers[layout->family];
    for (int32_t row = 0; row < rows; row++) {
        const uint8_t *from = source + (uint64_t)row * row_bytes;
        if (!pack) {
            pack_floats(tiles, layout->block_bytes, from, row, cols);
            continue;
        }
        for (int64_t block = 0; block < cols / layout->block_values; block++) {
            pack(tiles + block * layout->tile_bytes, from + block * layout->block_bytes, row);
        }
    }
}
