/* The inside of the KV arena: [block][layer][K, V][kv_head][32 x head_dim]. K is transposed (head_dim, 32), V is
 * (32, head_dim), so that both products of attention read along a vector of positions or of dimensions.
 *
 * Q8: 32 float scales stand in front of the codes. K keeps four dimensions of a position together, (head_dim / 4, 32,
 * 4), as tiles of weights do; beyond head_dim there are zeros. Q4 has the codes of Q8, 8 added, two in a byte, the
 * first in its low half. */
#ifndef EDGE_KV_INTERNAL_H
#define EDGE_KV_INTERNAL_H

#include "edge/kv.h"

#define EDGE_KV_MAX_HEAD_DIM 1024

struct edge_kv {
    edge_kv_config config;
    uint64_t head_bytes;  /* K or V of one head: 32 positions */
    uint64_t layer_bytes; /* K and V of all heads */
    uint64_t block_bytes; /* all layers */
    uint8_t *arena;
};

/* K of a head in a block; V of the same head lies num_kv_heads * head_bytes behind. */
static inline uint8_t *edge_kv_keys(const edge_kv *kv, int32_t block, int32_t layer, int32_t kv_head) {
    return kv->arena + (uint64_t)block * kv->block_bytes + (uint64_t)layer * kv->layer_bytes +
           (uint64_t)kv_head * kv->head_bytes;
}

/* Whether queries are codes too. */
static inline int edge_kv_has_codes(int32_t type) {
    return type == EDGE_KV_Q8 || type == EDGE_KV_Q4;
}

/* Codes of a Q8 query or key, or a Q4 key: head_dim rounded up to whole groups of four. */
static inline int32_t edge_kv_q8_codes(int32_t head_dim) {
    return (head_dim + 3) / 4 * 4;
}

static inline uint8_t *edge_kv_values(const edge_kv *kv, int32_t block, int32_t layer, int32_t kv_head) {
    return edge_kv_keys(kv, block, layer, kv_head) + (uint64_t)kv->config.num_kv_heads * kv->head_bytes;
}

#endif
