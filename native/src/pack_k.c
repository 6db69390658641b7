/* Super-blocks of 256 with planar codes: K-quants, the ternary types, IQ4_XS. */
#include "pack.h"
#include "pack_codes.h"

/* 32 codes of 2 bits: tile i of 64 bytes that hold 256, four quarters of 32 bytes to a half. */
static void quarter(uint8_t codes[EDGE_GROUP], const uint8_t *bytes, int32_t i) {
    for (int32_t k = 0; k < EDGE_GROUP; k++) {
        codes[k] = bytes[i / 4 * 32 + k] >> i % 4 * 2 & 3;
    }
}

/* The scales and minima of Q4_K and Q5_K: eight of 6 bits each in 12 bytes. */
static void scales_and_minima(uint8_t *sc, uint8_t *m, const uint8_t *s, int32_t row) {
    for (int32_t j = 0; j < 8; j++) {
        int32_t scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
        int32_t min = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | s[j] >> 6 << 4;
        sc[j * EDGE_TILE_ROWS + row] = (uint8_t)scale;
        m[j * EDGE_TILE_ROWS + row] = (uint8_t)min;
    }
}

/* The nibbles of tile j: low ones of 32 bytes for even j, high ones for odd j. */
static void nibbles_of(uint8_t nibbles[16], const uint8_t *codes, int32_t j) {
    const uint8_t *bytes = codes + j / 2 * 32;
    int32_t shift = j % 2 * 4;
    for (int32_t i = 0; i < 16; i++) {
        nibbles[i] = (uint8_t)((bytes[i] >> shift & 15) | (bytes[i + 16] >> shift & 15) << 4);
    }
}

void edge_pack_q2_k(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        uint8_t codes[EDGE_GROUP];
        quarter(codes, block + 16, i);
        edge_put_pairs(unit + i * EDGE_CODES_W2, row, codes);
    }
    for (int32_t j = 0; j < 16; j++) {
        unit[EDGE_W2MG256_SC + j * EDGE_TILE_ROWS + row] = block[j];
    }
    edge_put_half(unit + EDGE_W2MG256_D, row, block + 80);
    edge_put_half(unit + EDGE_W2MG256_DMIN, row, block + 82);
}

void edge_pack_q3_k(uint8_t *unit, const uint8_t *block, int32_t row) {
    const uint8_t *high = block, *s = block + 96;
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        uint8_t codes[EDGE_GROUP], *tile = unit + i * EDGE_CODES_W3;
        uint32_t bits = 0;
        quarter(codes, block + 32, i);
        edge_put_pairs(tile, row, codes);
        for (int32_t k = 0; k < EDGE_GROUP; k++) {
            bits |= (uint32_t)(high[k] >> i & 1) << k;
        }
        edge_put_bits(tile + EDGE_THIRD_BIT, row, bits);
    }
    for (int32_t j = 0; j < 16; j++) {
        int32_t low = j < 8 ? s[j] & 15 : s[j - 8] >> 4, two = s[8 + j % 4] >> j / 4 * 2 & 3;
        unit[EDGE_W3G256_SC + j * EDGE_TILE_ROWS + row] = (uint8_t)((low | two << 4) - 32);
    }
    edge_put_half(unit + EDGE_W3G256_D, row, block + 108);
}

void edge_pack_q4_k(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t j = 0; j < EDGE_SUPER_TILES; j++) {
        uint8_t nibbles[16];
        nibbles_of(nibbles, block + 16, j);
        edge_put_nibbles(unit + j * EDGE_CODES_W4, row, nibbles);
    }
    scales_and_minima(unit + EDGE_W4MG256_SC, unit + EDGE_W4MG256_M, block + 4, row);
    edge_put_half(unit + EDGE_W4MG256_D, row, block);
    edge_put_half(unit + EDGE_W4MG256_DMIN, row, block + 2);
}

void edge_pack_q5_k(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t j = 0; j < EDGE_SUPER_TILES; j++) {
        uint8_t nibbles[16], *tile = unit + j * EDGE_CODES_W5;
        uint32_t bits = 0;
        nibbles_of(nibbles, block + 48, j);
        edge_put_nibbles(tile, row, nibbles);
        for (int32_t k = 0; k < EDGE_GROUP; k++) {
            bits |= (uint32_t)(block[16 + k] >> j & 1) << k;
        }
        edge_put_bits(tile + EDGE_HIGH_BITS, row, bits);
    }
    scales_and_minima(unit + EDGE_W5MG256_SC, unit + EDGE_W5MG256_M, block + 4, row);
    edge_put_half(unit + EDGE_W5MG256_D, row, block);
    edge_put_half(unit + EDGE_W5MG256_DMIN, row, block + 2);
}

void edge_pack_q6_k(uint8_t *unit, const uint8_t *block, int32_t row) {
    const uint8_t *low = block, *high = block + 128, *scales = block + 192;
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        /* 128 values share 64 bytes of low nibbles and 32 of high bits; j = which 32 of the four. */
        int32_t h = i / 4, j = i % 4;
        const uint8_t *nibble = low + h * 64 + j % 2 * 32, *pair = high + h * 32;
        uint8_t nibbles[16], pairs[EDGE_GROUP], *tile = unit + i * EDGE_CODES_W6;
        for (int32_t l = 0; l < 16; l++) {
            nibbles[l] = (uint8_t)((nibble[l] >> j / 2 * 4 & 15) | (nibble[l + 16] >> j / 2 * 4 & 15) << 4);
        }
        edge_put_nibbles(tile, row, nibbles);
        for (int32_t l = 0; l < EDGE_GROUP; l++) {
            pairs[l] = pair[l] >> 2 * j & 3;
        }
        edge_put_pairs(tile + EDGE_HIGH_BITS, row, pairs);
    }
    for (int32_t j = 0; j < 16; j++) {
        unit[EDGE_W6G256_SC + j * EDGE_TILE_ROWS + row] = scales[j];
    }
    edge_put_half(unit + EDGE_W6G256_D, row, block + 208);
}

void edge_pack_iq4_xs(uint8_t *unit, const uint8_t *block, int32_t row) {
    uint32_t high = edge_u16_at(block + 2);
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        edge_put_nibbles(unit + i * EDGE_CODES_W4, row, block + 8 + 16 * i);
        int32_t scale = (block[4 + i / 2] >> i % 2 * 4 & 15) | (int32_t)(high >> 2 * i & 3u) << 4;
        unit[EDGE_N4G256_SC + i * EDGE_TILE_ROWS + row] = (uint8_t)(scale - 32);
    }
    edge_put_half(unit + EDGE_N4G256_D, row, block);
}

void edge_pack_tq2_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        uint8_t codes[EDGE_GROUP];
        quarter(codes, block, i);
        edge_put_pairs(unit + i * EDGE_CODES_W2, row, codes);
    }
    edge_put_half(unit + EDGE_W2G256_D, row, block + 64);
}

void edge_pack_tq1_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    static const uint8_t powers[EDGE_TRITS_OF_BYTE] = {1, 3, 9, 27, 81};
    uint8_t trits[EDGE_SUPER];
    for (int32_t k = 0; k < EDGE_SUPER; k++) {
        /* 32 bytes of five trits, 16 of five, 4 of four. */
        int32_t byte = k < 160 ? k % 32 : k < 240 ? 32 + (k - 160) % 16 : 48 + (k - 240) % 4;
        int32_t which = k < 160 ? k / 32 : k < 240 ? (k - 160) / 16 : (k - 240) / 4;
        trits[k] = (uint8_t)((block[byte] * powers[which] & 255) * 3 >> 8);
    }
    edge_put_trits(unit, row, trits);
    edge_put_half(unit + EDGE_T5G256_D, row, block + 52);
}
