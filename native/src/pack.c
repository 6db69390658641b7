/* GGUF blocks into tiles. Nothing is lost: every code and scale keeps its bits (block layouts: ggml's). */
#include "pack.h"

#include <string.h>

#include "format.h"
#include "tile.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files and tiles are little-endian; big-endian machines are not supported"
#endif

static const edge_layout layouts[] = {
    {EDGE_TYPE_F32, EDGE_FAMILY_F32, 1, 4, NULL},
    {EDGE_TYPE_F16, EDGE_FAMILY_F16, 1, 2, NULL},
    {EDGE_TYPE_BF16, EDGE_FAMILY_BF16, 1, 2, NULL},
    {EDGE_TYPE_Q8_0, EDGE_FAMILY_W8G32, EDGE_GROUP, 34, edge_pack_q8_0},
    {EDGE_TYPE_Q4_0, EDGE_FAMILY_W4G32, EDGE_GROUP, 18, edge_pack_q4_0},
    {EDGE_TYPE_Q4_1, EDGE_FAMILY_W4MG32, EDGE_GROUP, 20, edge_pack_q4_1},
    {EDGE_TYPE_Q5_0, EDGE_FAMILY_W5G32, EDGE_GROUP, 22, edge_pack_q5_0},
    {EDGE_TYPE_Q5_1, EDGE_FAMILY_W5MG32, EDGE_GROUP, 24, edge_pack_q5_1},
    {EDGE_TYPE_Q1_0, EDGE_FAMILY_W1G128, 128, 18, edge_pack_q1_0},
    {EDGE_TYPE_Q2_0, EDGE_FAMILY_W2G64, 64, 18, edge_pack_q2_0},
    {EDGE_TYPE_IQ4_NL, EDGE_FAMILY_N4G32, EDGE_GROUP, 18, edge_pack_iq4_nl},
    {EDGE_TYPE_MXFP4, EDGE_FAMILY_E4G32, EDGE_GROUP, 17, edge_pack_mxfp4},
    {EDGE_TYPE_NVFP4, EDGE_FAMILY_E4G16, 64, 36, edge_pack_nvfp4},
    {EDGE_TYPE_Q2_K, EDGE_FAMILY_W2MG256, EDGE_SUPER, 84, edge_pack_q2_k},
    {EDGE_TYPE_Q3_K, EDGE_FAMILY_W3G256, EDGE_SUPER, 110, edge_pack_q3_k},
    {EDGE_TYPE_Q4_K, EDGE_FAMILY_W4MG256, EDGE_SUPER, 144, edge_pack_q4_k},
    {EDGE_TYPE_Q5_K, EDGE_FAMILY_W5MG256, EDGE_SUPER, 176, edge_pack_q5_k},
    {EDGE_TYPE_Q6_K, EDGE_FAMILY_W6G256, EDGE_SUPER, 210, edge_pack_q6_k},
    {EDGE_TYPE_TQ2_0, EDGE_FAMILY_W2G256, EDGE_SUPER, 66, edge_pack_tq2_0},
    {EDGE_TYPE_TQ1_0, EDGE_FAMILY_T5G256, EDGE_SUPER, 54, edge_pack_tq1_0},
    {EDGE_TYPE_IQ4_XS, EDGE_FAMILY_N4G256, EDGE_SUPER, 136, edge_pack_iq4_xs},
    {EDGE_TYPE_IQ3_S, EDGE_FAMILY_N3G256, EDGE_SUPER, 110, edge_pack_iq3_s},
    {EDGE_TYPE_IQ3_XXS, EDGE_FAMILY_N3XG256, EDGE_SUPER, 98, edge_pack_iq3_xxs},
    {EDGE_TYPE_IQ2_XXS, EDGE_FAMILY_S2G256, EDGE_SUPER, 66, edge_pack_iq2_xxs},
    {EDGE_TYPE_IQ2_XS, EDGE_FAMILY_S2G256, EDGE_SUPER, 74, edge_pack_iq2_xs},
    {EDGE_TYPE_IQ2_S, EDGE_FAMILY_S2G256, EDGE_SUPER, 82, edge_pack_iq2_s},
    {EDGE_TYPE_IQ1_S, EDGE_FAMILY_D1G256, EDGE_SUPER, 50, edge_pack_iq1_s},
    {EDGE_TYPE_IQ1_M, EDGE_FAMILY_D1G256, EDGE_SUPER, 56, edge_pack_iq1_m},
};

#define NUM_LAYOUTS (int)(sizeof layouts / sizeof layouts[0])

const edge_layout *edge_layout_of(int32_t type) {
    for (int i = 0; i < NUM_LAYOUTS; i++) {
        if (layouts[i].type == type) {
            return &layouts[i];
        }
    }
    return NULL;
}

/* Floats: 16 values of one k, then the next k. size: bytes of a value. */
static void pack_floats(uint8_t *tiles, int32_t size, const uint8_t *source, int32_t row, int64_t cols) {
    for (int64_t k = 0; k < cols; k++) {
        memcpy(tiles + (k * EDGE_TILE_ROWS + row) * size, source + k * size, (size_t)size);
    }
}

void edge_pack_tile_row(uint8_t *tiles, const edge_layout *layout, const uint8_t *source, uint64_t row_bytes,
                        int32_t rows, int64_t cols) {
    const uint64_t packed = edge_tile_row_bytes(layout->family, layout->block_values);
    for (int32_t row = 0; row < rows; row++) {
        const uint8_t *from = source + (uint64_t)row * row_bytes;
        if (!layout->pack) {
            pack_floats(tiles, layout->block_bytes, from, row, cols);
            continue;
        }
        for (int64_t block = 0; block < cols / layout->block_values; block++) {
            layout->pack(tiles + (uint64_t)block * packed, from + block * layout->block_bytes, row);
        }
    }
}
