/* The rules of a batch. They hold before any thread starts, so a step cannot fail or leave its memory. */
#include <string.h>

#include "error.h"
#include "program.h"

static edge_status check_counts(const edge_program *program, const edge_batch *batch, edge_error *error) {
    const edge_program_config *c = &program->config;
    if (batch->num_tokens < 1 || batch->num_tokens > c->max_tokens) {
        return edge_fail(error, EDGE_INVALID, "num_tokens %d is not in 1 .. %d", (int)batch->num_tokens,
                         (int)c->max_tokens);
    }
    if (batch->num_sequences < 1 || batch->num_sequences > c->max_sequences) {
        return edge_fail(error, EDGE_INVALID, "num_sequences %d is not in 1 .. %d", (int)batch->num_sequences,
                         (int)c->max_sequences);
    }
    if (batch->num_logits < 0 || batch->num_logits > c->max_logits) {
        return edge_fail(error, EDGE_INVALID, "num_logits %d is not in 0 .. %d", (int)batch->num_logits,
                         (int)c->max_logits);
    }
    if (batch->table_stride < 1) {
        return edge_fail(error, EDGE_INVALID, "table_stride %d is not positive", (int)batch->table_stride);
    }
    if (!batch->token_ids || !batch->positions || !batch->sequences || !batch->block_tables ||
        (batch->num_logits > 0 && !batch->logit_rows)) {
        return edge_fail(error, EDGE_INVALID, "an array of the batch is NULL");
    }
    return EDGE_OK;
}

static edge_status check_kv(const edge_program *program, const edge_kv *kv, int32_t num_layers, edge_error *error) {
    const edge_program_config *c = &program->config;
    if (!kv) {
        return edge_fail(error, EDGE_INVALID, "the KV arena of %d layers is NULL", (int)num_layers);
    }
    const edge_kv_config *k = &kv->config;
    if (k->type != c->kv_type || k->num_layers != num_layers || k->num_kv_heads != c->num_kv_heads ||
        k->head_dim != c->head_dim) {
        return edge_fail(error, EDGE_INVALID,
                         "the KV arena (type %d, %d layers, %d heads of %d) is not the program's (%d, %d, %d, %d)",
                         (int)k->type, (int)k->num_layers, (int)k->num_kv_heads, (int)k->head_dim, (int)c->kv_type,
                         (int)num_layers, (int)c->num_kv_heads, (int)c->head_dim);
    }
    return EDGE_OK;
}

static edge_status check_tokens(edge_program *program, const edge_batch *batch, edge_error *error) {
    for (int32_t s = 0; s < batch->num_sequences; s++) {
        program->last_block[s] = -1;
    }
    for (int32_t t = 0; t < batch->num_tokens; t++) {
        int32_t id = batch->token_ids[t], position = batch->positions[t], sequence = batch->sequences[t];
        if (id < 0 || id >= program->vocab_size) {
            return edge_fail(error, EDGE_INVALID, "token %d: id %d is not in 0 .. %d", (int)t, (int)id,
                             (int)program->vocab_size - 1);
        }
        if (sequence < 0 || sequence >= batch->num_sequences) {
            return edge_fail(error, EDGE_INVALID, "token %d: sequence %d is not in 0 .. %d", (int)t, (int)sequence,
                             (int)batch->num_sequences - 1);
        }
        if (position < 0 || position >= program->config.max_positions) {
            return edge_fail(error, EDGE_INVALID, "token %d: position %d is not in 0 .. %d", (int)t, (int)position,
                             (int)program->config.max_positions - 1);
        }
        if (position / EDGE_KV_BLOCK_SIZE >= batch->table_stride) {
            return edge_fail(error, EDGE_INVALID, "token %d: position %d is outside a table of %d blocks", (int)t,
                             (int)position, (int)batch->table_stride);
        }
        if (position / EDGE_KV_BLOCK_SIZE > program->last_block[sequence]) {
            program->last_block[sequence] = position / EDGE_KV_BLOCK_SIZE;
        }
    }
    return EDGE_OK;
}

static edge_status check_entry(const int32_t *table, int32_t sequence, int32_t b, const edge_kv *kv,
                               edge_error *error) {
    if (table[b] >= 0 && table[b] < kv->config.num_blocks) {
        return EDGE_OK;
    }
    return edge_fail(error, EDGE_INVALID, "sequence %d, entry %d: block %d is not in 0 .. %d", (int)sequence, (int)b,
                     (int)table[b], (int)kv->config.num_blocks - 1);
}

/* A token reads all blocks up to its own. */
static edge_status check_tables(const edge_program *program, const edge_batch *batch, const edge_kv *kv,
                                edge_error *error) {
    edge_status status = EDGE_OK;
    for (int32_t s = 0; s < batch->num_sequences; s++) {
        const int32_t *table = batch->block_tables + (int64_t)s * batch->table_stride;
        for (int32_t b = 0; b <= program->last_block[s] && status == EDGE_OK; b++) {
            status = check_entry(table, s, b, kv, error);
        }
    }
    return status;
}

/* With a window only those that it reaches. */
static edge_status check_windows(const edge_program *program, const edge_batch *batch, edge_error *error) {
    edge_status status = EDGE_OK;
    for (int32_t t = 0; t < batch->num_tokens; t++) {
        int32_t position = batch->positions[t], sequence = batch->sequences[t];
        int32_t lowest = position >= program->window ? position - program->window + 1 : 0;
        const int32_t *table = batch->window_tables + (int64_t)sequence * batch->table_stride;
        for (int32_t b = lowest / EDGE_KV_BLOCK_SIZE; b <= position / EDGE_KV_BLOCK_SIZE && status == EDGE_OK; b++) {
            status = check_entry(table, sequence, b, batch->window_kv, error);
        }
    }
    return status;
}

/* A block that a token writes may not hold other positions of its sequence too: with one token, whose key another
 * thread stores while this one reads the blocks before, that would be a race. */
static edge_status check_written(const edge_program *program, const edge_batch *batch, const int32_t *tables,
                                 edge_error *error) {
    for (int32_t t = 0; t < batch->num_tokens; t++) {
        int32_t sequence = batch->sequences[t], at = batch->positions[t] / EDGE_KV_BLOCK_SIZE;
        const int32_t *table = tables + (int64_t)sequence * batch->table_stride;
        if (t > 0 && batch->sequences[t - 1] == sequence && batch->positions[t - 1] / EDGE_KV_BLOCK_SIZE == at) {
            continue;
        }
        for (int32_t b = 0; b <= program->last_block[sequence]; b++) {
            if (b != at && table[b] == table[at]) {
                return edge_fail(error, EDGE_INVALID, "sequence %d: block %d stands twice, as entry %d and %d",
                                 (int)sequence, (int)table[at], (int)b, (int)at);
            }
        }
    }
    return EDGE_OK;
}

/* Two tokens that write the same place would race: a hash set of the places finds them. */
static edge_status check_places(edge_program *program, const edge_batch *batch, const int32_t *tables,
                                edge_error *error) {
    uint32_t size = 2;
    if (batch->num_tokens == 1) {
        return EDGE_OK;
    }
    while (size < 2 * (uint32_t)batch->num_tokens) {
        size *= 2;
    }
    memset(program->written, 0, size * sizeof(*program->written));
    for (int32_t t = 0; t < batch->num_tokens; t++) {
        const int32_t *table = tables + (int64_t)batch->sequences[t] * batch->table_stride;
        int32_t position = batch->positions[t];
        uint32_t place = (uint32_t)table[position / EDGE_KV_BLOCK_SIZE] * EDGE_KV_BLOCK_SIZE +
                         (uint32_t)(position % EDGE_KV_BLOCK_SIZE) + 1; /* 0 is an empty entry */
        uint32_t at = place * 2654435761u & (size - 1);
        while (program->written[at] != 0) {
            if (program->written[at] == place) {
                return edge_fail(error, EDGE_INVALID, "token %d: position %d is written twice in this step", (int)t,
                                 (int)position);
            }
            at = (at + 1) & (size - 1);
        }
        program->written[at] = place;
    }
    return EDGE_OK;
}

static edge_status check_logit_rows(const edge_batch *batch, edge_error *error) {
    int32_t before = -1;
    for (int32_t i = 0; i < batch->num_logits; i++) {
        int32_t row = batch->logit_rows[i];
        if (row <= before || row >= batch->num_tokens) {
            return edge_fail(error, EDGE_INVALID, "logit row %d: token %d is not ascending within 0 .. %d", (int)i,
                             (int)row, (int)batch->num_tokens - 1);
        }
        before = row;
    }
    return EDGE_OK;
}

/* Where tokens see their whole sequence: no position of it is missing (and none is there twice: check_places). Notes
 * for each token where its sequence ends. */
static edge_status check_whole(edge_program *program, const edge_batch *batch, edge_error *error) {
    memset(program->lengths, 0, (size_t)batch->num_sequences * sizeof(int32_t));
    for (int32_t t = 0; t < batch->num_tokens; t++) {
        program->lengths[batch->sequences[t]]++;
    }
    for (int32_t t = 0; t < batch->num_tokens; t++) {
        int32_t length = program->lengths[batch->sequences[t]];
        if (batch->positions[t] >= length) {
            return edge_fail(error, EDGE_INVALID,
                             "token %d: position %d of a sequence of which the step holds %d; it must be whole", (int)t,
                             (int)batch->positions[t], (int)length);
        }
        program->ends[t] = length - 1;
    }
    return EDGE_OK;
}

/* What must hold of the layers that see everything. */
static edge_status check_full(edge_program *program, const edge_batch *batch, const edge_kv *kv, edge_error *error) {
    edge_status status = check_kv(program, kv, program->config.num_layers, error);
    if (status == EDGE_OK) {
        status = check_tables(program, batch, kv, error);
    }
    if (status == EDGE_OK) {
        status = check_written(program, batch, batch->block_tables, error);
    }
    return status == EDGE_OK ? check_places(program, batch, batch->block_tables, error) : status;
}

/* And of those with a window. */
static edge_status check_windowed(edge_program *program, const edge_batch *batch, edge_error *error) {
    edge_status status = check_kv(program, batch->window_kv, program->config.num_window_layers, error);
    if (status == EDGE_OK && !batch->window_tables) {
        return edge_fail(error, EDGE_INVALID, "window_tables is NULL");
    }
    if (status == EDGE_OK) {
        status = check_windows(program, batch, error);
    }
    if (status == EDGE_OK) {
        status = check_written(program, batch, batch->window_tables, error);
    }
    return status == EDGE_OK ? check_places(program, batch, batch->window_tables, error) : status;
}

static edge_status check_adapters(edge_program *program, const edge_batch *batch, edge_error *error) {
    program->adapted = 0;
    for (int32_t t = 0; batch->adapters && t < batch->num_tokens; t++) {
        int32_t adapter = batch->adapters[t];
        if (adapter < -1 || adapter >= program->config.num_adapters) {
            return edge_fail(error, EDGE_INVALID, "token %d: adapter %d is not in -1 .. %d", (int)t, (int)adapter,
                             (int)program->config.num_adapters - 1);
        }
        program->adapted |= adapter >= 0;
    }
    return EDGE_OK;
}

edge_status edge_batch_check(edge_program *program, const edge_batch *batch, const edge_kv *kv, edge_error *error) {
    edge_status status = check_counts(program, batch, error);
    if (status == EDGE_OK) {
        status = check_tokens(program, batch, error);
    }
    if (status == EDGE_OK) {
        status = check_adapters(program, batch, error);
    }
    if (status == EDGE_OK && program->config.num_layers > 0) {
        status = check_full(program, batch, kv, error);
    }
    if (status == EDGE_OK && program->config.num_window_layers > 0) {
        status = check_windowed(program, batch, error);
    }
    if (status == EDGE_OK && program->is_whole) {
        status = check_whole(program, batch, error);
    }
    return status == EDGE_OK ? check_logit_rows(batch, error) : status;
}
