/* K and V that another engine computed, into a block, rounded as a step of this one rounds its own. */
#include <string.h>

#include "attention.h"
#include "kv.h"

edge_status edge_kv_store(edge_kv *kv, int32_t block, int32_t layer, const float *keys, const float *values,
                          int64_t head_stride) {
    if (!kv || !keys || !values || block < 0 || block >= kv->config.num_blocks || layer < 0 ||
        layer >= kv->config.num_layers) {
        return EDGE_INVALID;
    }
    int32_t n = kv->config.head_dim;
    if (head_stride < (int64_t)EDGE_KV_BLOCK_SIZE * n) {
        return EDGE_INVALID;
    }
    const edge_kernels *kernels = edge_kernels_get(EDGE_ISA_SCALAR); /* all levels round alike */
    float key[EDGE_KV_MAX_HEAD_DIM];
    uint16_t half[EDGE_KV_MAX_HEAD_DIM + 4];
    for (int32_t head = 0; head < kv->config.num_kv_heads; head++) {
        for (int32_t slot = 0; slot < EDGE_KV_BLOCK_SIZE; slot++) {
            int64_t at = head * head_stride + (int64_t)slot * n;
            memcpy(key, keys + at, (size_t)n * sizeof(float));
            edge_store_position(kernels, kv->config.type, edge_kv_keys(kv, block, layer, head),
                                edge_kv_values(kv, block, layer, head), slot, key, values + at, n, half);
        }
    }
    return EDGE_OK;
}
