/* Super-blocks of code books: a grid's entry gives eight (IQ1, IQ2) or four (IQ3) values at once. */
#include "code_books.h"
#include "pack.h"
#include "pack_codes.h"

/* The sign bits that seven of them stand for: the eighth makes the number of minus signs even. */
static uint32_t even_signs(uint32_t seven) {
    uint32_t parity = seven ^ seven >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return seven | (parity & 1u) << 7;
}

/* Eight levels of 2 bits. */
static void put_levels(uint8_t levels[8], uint16_t entry) {
    for (int32_t i = 0; i < 8; i++) {
        levels[i] = (uint8_t)(entry >> 2 * i & 3u);
    }
}

static void put_scale(uint8_t *sc, int32_t row, int32_t span, uint32_t nibble) {
    sc[span / 2 * EDGE_TILE_ROWS + row] |= (uint8_t)(nibble << span % 2 * 4);
}

/* What the IQ2 types have in common: 256 levels, a sign bit for each, a scale for every 16. */
static void put_s2(uint8_t *unit, int32_t row, const uint8_t levels[EDGE_SUPER], const uint32_t signs[EDGE_SUPER_TILES],
                   const uint8_t scales[16], const uint8_t *d) {
    edge_put_trits(unit, row, levels);
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        edge_put_bits(unit + EDGE_S2G256_SIGNS + i * EDGE_CODES_W1, row, signs[i]);
    }
    for (int32_t j = 0; j < 16; j++) {
        put_scale(unit + EDGE_S2G256_SC, row, j, scales[j]);
    }
    edge_put_half(unit + EDGE_S2G256_D, row, d);
}

void edge_pack_iq2_xxs(uint8_t *unit, const uint8_t *block, int32_t row) {
    uint8_t levels[EDGE_SUPER], scales[16];
    uint32_t signs[EDGE_SUPER_TILES] = {0};
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        const uint8_t *from = block + 2 + 8 * i;
        uint32_t rest = edge_u32_at(from + 4);
        for (int32_t l = 0; l < 4; l++) {
            put_levels(levels + EDGE_GROUP * i + 8 * l, edge_grid_iq2xxs[from[l]]);
            signs[i] |= even_signs(rest >> 7 * l & 127u) << 8 * l;
        }
        scales[2 * i] = scales[2 * i + 1] = (uint8_t)(rest >> 28);
    }
    put_s2(unit, row, levels, signs, scales, block);
}

static void nibble_scales(uint8_t scales[16], const uint8_t *bytes) {
    for (int32_t j = 0; j < 16; j++) {
        scales[j] = bytes[j / 2] >> j % 2 * 4 & 15;
    }
}

void edge_pack_iq2_xs(uint8_t *unit, const uint8_t *block, int32_t row) {
    uint8_t levels[EDGE_SUPER], scales[16];
    uint32_t signs[EDGE_SUPER_TILES] = {0};
    for (int32_t k = 0; k < EDGE_GROUP; k++) {
        uint32_t q = edge_u16_at(block + 2 + 2 * k);
        put_levels(levels + 8 * k, edge_grid_iq2xs[q & 511u]);
        signs[k / 4] |= even_signs(q >> 9) << k % 4 * 8;
    }
    nibble_scales(scales, block + 66);
    put_s2(unit, row, levels, signs, scales, block);
}

void edge_pack_iq2_s(uint8_t *unit, const uint8_t *block, int32_t row) {
    uint8_t levels[EDGE_SUPER], scales[16];
    uint32_t signs[EDGE_SUPER_TILES] = {0};
    for (int32_t k = 0; k < EDGE_GROUP; k++) {
        uint32_t index = block[2 + k] | (uint32_t)(block[66 + k / 4] >> k % 4 * 2 & 3) << 8;
        put_levels(levels + 8 * k, edge_grid_iq2s[index]);
        signs[k / 4] |= (uint32_t)block[34 + k] << k % 4 * 8;
    }
    nibble_scales(scales, block + 74);
    put_s2(unit, row, levels, signs, scales, block);
}

/* Four levels of 3 bits, with their sign bits above them. */
static void put_codes3(uint8_t codes[4], uint16_t entry, uint32_t signs) {
    for (int32_t i = 0; i < 4; i++) {
        codes[i] = (uint8_t)((entry >> 3 * i & 7u) | (signs >> i & 1u) << 3);
    }
}

/* An integer scale 2 * nibble + 1 for tile i. */
static void put_n3(uint8_t *unit, int32_t row, int32_t i, const uint8_t codes[EDGE_GROUP], uint32_t nibble) {
    edge_put_codes4(unit + i * EDGE_CODES_W4, row, codes);
    unit[EDGE_N4G256_SC + i * EDGE_TILE_ROWS + row] = (uint8_t)(2 * nibble + 1);
}

void edge_pack_iq3_xxs(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        uint32_t rest = edge_u32_at(block + 66 + 4 * i);
        uint8_t codes[EDGE_GROUP];
        for (int32_t l = 0; l < 4; l++) {
            uint32_t signs = even_signs(rest >> 7 * l & 127u);
            const uint8_t *index = block + 2 + 8 * i + 2 * l;
            put_codes3(codes + 8 * l, edge_grid_iq3xxs[index[0]], signs);
            put_codes3(codes + 8 * l + 4, edge_grid_iq3xxs[index[1]], signs >> 4);
        }
        put_n3(unit, row, i, codes, rest >> 28);
    }
    edge_put_half(unit + EDGE_N4G256_D, row, block);
}

void edge_pack_iq3_s(uint8_t *unit, const uint8_t *block, int32_t row) {
    const uint8_t *low = block + 2, *high = block + 66, *signs = block + 74, *scales = block + 106;
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        uint8_t codes[EDGE_GROUP];
        for (int32_t l = 0; l < 8; l++) {
            int32_t k = 8 * i + l;
            uint32_t index = low[k] | (uint32_t)(high[k / 8] >> k % 8 & 1) << 8;
            put_codes3(codes + 4 * l, edge_grid_iq3s[index], (uint32_t)signs[k / 2] >> k % 2 * 4);
        }
        put_n3(unit, row, i, codes, scales[i / 2] >> i % 2 * 4 & 15);
    }
    edge_put_half(unit + EDGE_N4G256_D, row, block);
}

void edge_pack_iq1_s(uint8_t *unit, const uint8_t *block, int32_t row) {
    uint8_t trits[EDGE_SUPER];
    for (int32_t i = 0; i < EDGE_SUPER_TILES; i++) {
        uint32_t high = edge_u16_at(block + 34 + 2 * i);
        for (int32_t l = 0; l < 4; l++) {
            uint32_t index = block[2 + 4 * i + l] | (high >> 3 * l & 7u) << 8;
            put_levels(trits + EDGE_GROUP * i + 8 * l, edge_grid_iq1s[index]);
        }
        unit[EDGE_D1G256_LESS + i * EDGE_TILE_ROWS + row] = high & 0x8000u ? 0xff : 0;
        put_scale(unit + EDGE_D1G256_SC, row, 2 * i, high >> 12 & 7u);
        put_scale(unit + EDGE_D1G256_SC, row, 2 * i + 1, high >> 12 & 7u);
    }
    edge_put_trits(unit, row, trits);
    edge_put_half(unit + EDGE_D1G256_D, row, block);
}

void edge_pack_iq1_m(uint8_t *unit, const uint8_t *block, int32_t row) {
    const uint8_t *scales = block + 48;
    uint8_t trits[EDGE_SUPER], d[2];
    for (int32_t k = 0; k < EDGE_GROUP; k++) {
        uint32_t nibble = (uint32_t)block[32 + k / 2] >> k % 2 * 4 & 15u;
        put_levels(trits + 8 * k, edge_grid_iq1s[block[k] | (nibble & 7u) << 8]);
        /* Two vectors of four. */
        unit[EDGE_D1G256_LESS + k / 4 * EDGE_TILE_ROWS + row] |= (uint8_t)(nibble & 8u ? 3u << k % 4 * 2 : 0u);
    }
    for (int32_t j = 0; j < 16; j++) {
        put_scale(unit + EDGE_D1G256_SC, row, j, edge_u16_at(scales + j / 4 * 2) >> j % 4 * 3 & 7u);
    }
    /* The upper nibbles of the four scale words are an f16. */
    d[0] = (uint8_t)(scales[1] >> 4 | (scales[3] & 0xf0));
    d[1] = (uint8_t)(scales[5] >> 4 | (scales[7] & 0xf0));
    edge_put_trits(unit, row, trits);
    edge_put_half(unit + EDGE_D1G256_D, row, d);
}
