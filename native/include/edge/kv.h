/* The KV arena: blocks of 32 positions for all layers. Who owns which block is the caller's business. */
#ifndef EDGE_KV_H
#define EDGE_KV_H

#include <stdint.h>

#include "edge/status.h"

#define EDGE_KV_BLOCK_SIZE 32 /* positions in a block; part of every KV fingerprint */

/* Q8: int8 codes with one float scale for each head of a position, in K and in V. Q4: the same with codes of four bits,
 * and K turned by a Hadamard matrix. */
typedef enum edge_kv_type { EDGE_KV_F32 = 0, EDGE_KV_F16 = 1, EDGE_KV_Q8 = 2, EDGE_KV_Q4 = 3 } edge_kv_type;

typedef struct edge_kv_config {
    int32_t type; /* edge_kv_type */
    int32_t num_layers;
    int32_t num_kv_heads;
    int32_t head_dim;
    int32_t num_blocks;
} edge_kv_config;

typedef struct edge_kv edge_kv;

/* Bytes of one block over all layers: 2 (K and V) x layers x KV heads x 32 x bytes of a head of one position, which are
 * head_dim x element size, or for Q8 head_dim rounded up to a multiple of 4 (for Q4 half of that), and 4 for the scale.
 * EDGE_INVALID: a field out of range (1 .. 2^20, head_dim a multiple of 2 and <= 1024) or overflow. */
EDGE_API edge_status edge_kv_block_bytes(const edge_kv_config *config, uint64_t *out);

EDGE_API edge_status edge_kv_create(edge_kv **out, const edge_kv_config *config);

/* Frees and nulls. NULL is allowed. */
EDGE_API void edge_kv_destroy(edge_kv **kv);

/* Copies a block, all layers (copy-on-write of a shared tail). EDGE_INVALID: no such block. */
EDGE_API edge_status edge_kv_copy_block(edge_kv *kv, int32_t from, int32_t to);

/* Copies a block, all layers, to or from memory of the caller, edge_kv_block_bytes of it. The bytes mean the same on
 * every machine and may be any: a step reads nothing outside the arena for them. EDGE_INVALID: no such block. */
EDGE_API edge_status edge_kv_read_block(const edge_kv *kv, int32_t block, void *out);
EDGE_API edge_status edge_kv_write_block(edge_kv *kv, int32_t block, const void *in);

/* Stores K and V of all 32 positions of a block in one layer, as another engine computed them: (num_kv_heads, 32,
 * head_dim) floats each, a head head_stride floats behind the one before. Keys are normed and rotated already. Rounded
 * and laid out as a step does. EDGE_INVALID: no such block or layer, or heads that overlap. */
EDGE_API edge_status edge_kv_store(edge_kv *kv, int32_t block, int32_t layer, const float *keys, const float *values,
                                   int64_t head_stride);

#endif
