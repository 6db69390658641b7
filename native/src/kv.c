/* The KV arena: one allocation of fixed-size blocks. */
#include "kv.h"

#include <stddef.h>
#include <string.h>

#include "os.h"

#define MAX_FIELD (1 << 20)

/* Behind the last block: kernels may read (never use) so many bytes past a head. */
#define SLACK_BYTES EDGE_ALIGNMENT

static int multiply(uint64_t *value, uint64_t factor) {
    if (*value > UINT64_MAX / factor) {
        return 0;
    }
    *value *= factor;
    return 1;
}

static int in_range(int32_t value) {
    return value >= 1 && value <= MAX_FIELD;
}

/* K or V of one head in a block. */
static uint64_t head_bytes(const edge_kv_config *config) {
    uint64_t dim = (uint64_t)config->head_dim;
    uint64_t codes = (uint64_t)edge_kv_q8_codes(config->head_dim);
    uint64_t position = config->type == EDGE_KV_Q4    ? sizeof(float) + codes / 2
                        : config->type == EDGE_KV_Q8  ? sizeof(float) + codes
                        : config->type == EDGE_KV_F16 ? dim * 2
                                                      : dim * 4;
    return EDGE_KV_BLOCK_SIZE * position;
}

edge_status edge_kv_block_bytes(const edge_kv_config *config, uint64_t *out) {
    if (!config || !out || config->type < EDGE_KV_F32 || config->type > EDGE_KV_Q4 || !in_range(config->num_layers) ||
        !in_range(config->num_kv_heads) || !in_range(config->num_blocks) || config->head_dim < 2 ||
        config->head_dim > EDGE_KV_MAX_HEAD_DIM || config->head_dim % 2 != 0) {
        return EDGE_INVALID;
    }
    /* 2^1 x 2^5 x 2^10 x 4 x 2^20 x 2^20 stays below 2^64; the product with the blocks may not. */
    uint64_t block = (uint64_t)2 * head_bytes(config) * (uint64_t)config->num_layers * (uint64_t)config->num_kv_heads;
    uint64_t arena = block;
    if (!multiply(&arena, (uint64_t)config->num_blocks) || arena > UINT64_MAX - SLACK_BYTES) {
        return EDGE_INVALID;
    }
    *out = block;
    return EDGE_OK;
}

static uint64_t arena_bytes(const edge_kv *kv) {
    return kv->block_bytes * (uint64_t)kv->config.num_blocks + SLACK_BYTES;
}

edge_status edge_kv_create(edge_kv **out, const edge_kv_config *config) {
    if (!out) {
        return EDGE_INVALID;
    }
    *out = NULL;
    uint64_t block_bytes;
    edge_status status = edge_kv_block_bytes(config, &block_bytes);
    if (status != EDGE_OK) {
        return status;
    }
    edge_kv *kv = edge_os_alloc(sizeof(*kv));
    if (!kv) {
        return EDGE_NO_MEMORY;
    }
    kv->config = *config;
    kv->head_bytes = head_bytes(config);
    kv->layer_bytes = 2 * (uint64_t)config->num_kv_heads * kv->head_bytes;
    kv->block_bytes = block_bytes;
    kv->arena = edge_os_alloc(arena_bytes(kv));
    if (!kv->arena) {
        edge_os_free(kv, sizeof(*kv));
        return EDGE_NO_MEMORY;
    }
    *out = kv;
    return EDGE_OK;
}

void edge_kv_destroy(edge_kv **kv) {
    if (!kv || !*kv) {
        return;
    }
    edge_os_free((*kv)->arena, arena_bytes(*kv));
    edge_os_free(*kv, sizeof(**kv));
    *kv = NULL;
}

/* NULL: there is no such block. */
static uint8_t *block_at(const edge_kv *kv, int32_t block) {
    return kv && block >= 0 && block < kv->config.num_blocks ? kv->arena + (uint64_t)block * kv->block_bytes : NULL;
}

edge_status edge_kv_copy_block(edge_kv *kv, int32_t from, int32_t to) {
    const uint8_t *source = block_at(kv, from);
    uint8_t *target = block_at(kv, to);
    if (!source || !target) {
        return EDGE_INVALID;
    }
    if (from != to) {
        memcpy(target, source, (size_t)kv->block_bytes);
    }
    return EDGE_OK;
}

edge_status edge_kv_read_block(const edge_kv *kv, int32_t block, void *out) {
    const uint8_t *source = block_at(kv, block);
    if (!source || !out) {
        return EDGE_INVALID;
    }
    memcpy(out, source, (size_t)kv->block_bytes);
    return EDGE_OK;
}

edge_status edge_kv_write_block(edge_kv *kv, int32_t block, const void *in) {
    uint8_t *target = block_at(kv, block);
    if (!target || !in) {
        return EDGE_INVALID;
    }
    memcpy(target, in, (size_t)kv->block_bytes);
    return EDGE_OK;
}
