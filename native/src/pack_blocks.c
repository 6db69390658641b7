/* Blocks whose scales stand for themselves: Q8_0, Q4_x, Q5_x, IQ4_NL, MXFP4, NVFP4, Q1_0, Q2_0. */
#include "pack.h"
#include "pack_codes.h"

void edge_pack_q8_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t v = 0; v < EDGE_TILE_VECTORS; v++) {
        memcpy(unit + EDGE_VECTOR_BYTES * v + 4 * row, block + 2 + 4 * v, 4);
    }
    edge_put_half(unit + EDGE_W8G32_D, row, block);
}

void edge_pack_q4_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    edge_put_nibbles(unit, row, block + 2);
    edge_put_half(unit + EDGE_W4G32_D, row, block);
}

void edge_pack_q4_1(uint8_t *unit, const uint8_t *block, int32_t row) {
    edge_put_nibbles(unit, row, block + 4);
    edge_put_half(unit + EDGE_W4MG32_D, row, block);
    edge_put_half(unit + EDGE_W4MG32_M, row, block + 2);
}

void edge_pack_q5_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    edge_put_nibbles(unit, row, block + 6);
    edge_put_bits(unit + EDGE_HIGH_BITS, row, edge_u32_at(block + 2));
    edge_put_half(unit + EDGE_W5G32_D, row, block);
}

void edge_pack_q5_1(uint8_t *unit, const uint8_t *block, int32_t row) {
    edge_put_nibbles(unit, row, block + 8);
    edge_put_bits(unit + EDGE_HIGH_BITS, row, edge_u32_at(block + 4));
    edge_put_half(unit + EDGE_W5MG32_D, row, block);
    edge_put_half(unit + EDGE_W5MG32_M, row, block + 2);
}

void edge_pack_iq4_nl(uint8_t *unit, const uint8_t *block, int32_t row) {
    edge_put_nibbles(unit, row, block + 2);
    edge_put_half(unit + EDGE_N4G32_D, row, block);
}

void edge_pack_mxfp4(uint8_t *unit, const uint8_t *block, int32_t row) {
    edge_put_nibbles(unit, row, block + 1);
    unit[EDGE_E4G32_E + row] = block[0];
}

void edge_pack_nvfp4(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t i = 0; i < 2; i++, unit += EDGE_E4G16_BYTES) {
        uint8_t codes[EDGE_GROUP];
        for (int32_t k = 0; k < EDGE_GROUP; k++) {
            /* Eight bytes hold sixteen values: low nibbles, then high ones. */
            uint8_t byte = block[4 + 16 * i + k / 16 * 8 + k % 8];
            codes[k] = k % 16 < 8 ? byte & 15 : byte >> 4;
        }
        edge_put_codes4(unit, row, codes);
        unit[EDGE_E4G16_E + row] = block[2 * i];
        unit[EDGE_E4G16_E + EDGE_TILE_ROWS + row] = block[2 * i + 1];
    }
}

void edge_pack_q1_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t i = 0; i < 4; i++) {
        edge_put_bits(unit + i * EDGE_CODES_W1, row, edge_u32_at(block + 2 + 4 * i));
    }
    edge_put_half(unit + EDGE_W1G128_D, row, block);
}

void edge_pack_q2_0(uint8_t *unit, const uint8_t *block, int32_t row) {
    for (int32_t i = 0; i < 2; i++) {
        uint8_t codes[EDGE_GROUP];
        for (int32_t k = 0; k < EDGE_GROUP; k++) {
            codes[k] = block[2 + 8 * i + k / 4] >> k % 4 * 2 & 3;
        }
        edge_put_pairs(unit + i * EDGE_CODES_W2, row, codes);
    }
    edge_put_half(unit + EDGE_W2G64_D, row, block);
}
