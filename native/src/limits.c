/* The rules of a program's sizes: they bound all arithmetic that comes after. */
#include <math.h>

#include "error.h"
#include "program.h"
#include "rope.h"

static edge_status check_count(edge_error *error, const char *name, int32_t value, int32_t least, int32_t most) {
    if (value < least || value > most) {
        return edge_fail(error, EDGE_INVALID, "%s %d is not in %d .. %d", name, (int)value, (int)least, (int)most);
    }
    return EDGE_OK;
}

static edge_status check_buffers(const edge_program_config *c, edge_error *error) {
    for (int32_t i = 0; i < c->num_buffers; i++) {
        const edge_buffer *b = &c->buffers[i];
        if (b->width < 1 || b->rows < 0 || b->rows > 1 || b->offset % 64 != 0) {
            return edge_fail(error, EDGE_INVALID, "buffer %d: width %d, rows %d or offset %llu breaks a rule", (int)i,
                             (int)b->width, (int)b->rows, (unsigned long long)b->offset);
        }
        /* Below 2^16 x 2^31 x 2^2: no overflow. */
        uint64_t bytes = (uint64_t)(b->rows == 0 ? c->max_tokens : c->max_logits) * (uint64_t)b->width * sizeof(float);
        if (b->offset > c->arena_bytes || bytes > c->arena_bytes - b->offset) {
            return edge_fail(error, EDGE_INVALID, "buffer %d: %llu bytes at %llu leave the arena of %llu", (int)i,
                             (unsigned long long)bytes, (unsigned long long)b->offset,
                             (unsigned long long)c->arena_bytes);
        }
    }
    if (c->logits_buffer < 0 || c->logits_buffer >= c->num_buffers || c->buffers[c->logits_buffer].rows != 1) {
        return edge_fail(error, EDGE_INVALID, "logits_buffer %d is no buffer of logit rows", (int)c->logits_buffer);
    }
    return EDGE_OK;
}

static edge_status check_ropes(const edge_program_config *c, edge_error *error) {
    for (int32_t i = 0; i < c->num_ropes; i++) {
        const edge_rope *r = &c->ropes[i];
        if (r->dims < 2 || r->dims > 1024 || r->dims % 2 != 0 || (r->neox != 0 && r->neox != 1) || r->reserved != 0 ||
            !isfinite(r->magnitude) || !(r->theta >= 1.0 && r->theta <= 0x1p64) || !r->frequency_scale) {
            return edge_fail(error, EDGE_INVALID, "rope %d: theta %g, dims %d, neox %d or magnitude %g breaks a rule",
                             (int)i, r->theta, (int)r->dims, (int)r->neox, (double)r->magnitude);
        }
        for (int32_t j = 0; j < r->dims / 2; j++) {
            if (!(r->frequency_scale[j] >= 0.0 && r->frequency_scale[j] <= EDGE_MAX_FREQUENCY)) {
                return edge_fail(error, EDGE_INVALID, "rope %d: frequency scale %d is %g, not in 0 .. %g", (int)i,
                                 (int)j, r->frequency_scale[j], EDGE_MAX_FREQUENCY);
            }
        }
    }
    return EDGE_OK;
}

/* Either kind of layers may be missing. */
static edge_status check_kv(const edge_program_config *c, edge_error *error) {
    const int32_t layers[] = {c->num_layers, c->num_window_layers};
    for (int32_t i = 0; i < 2; i++) {
        const edge_kv_config kv = {c->kv_type, layers[i], c->num_kv_heads, c->head_dim, 1};
        uint64_t bytes;
        if ((layers[i] != 0 || layers[!i] == 0) && edge_kv_block_bytes(&kv, &bytes) != EDGE_OK) {
            return edge_fail(error, EDGE_INVALID, "KV type %d, %d layers, %d heads of %d is no KV arena",
                             (int)c->kv_type, (int)layers[i], (int)c->num_kv_heads, (int)c->head_dim);
        }
    }
    return EDGE_OK;
}

edge_status edge_program_check_limits(const edge_program_config *c, edge_error *error) {
    const struct {
        const char *name;
        int32_t value, least, most;
    } counts[] = {{"num_ops", c->num_ops, 1, EDGE_MAX_ITEMS},
                  {"num_buffers", c->num_buffers, 1, EDGE_MAX_ITEMS},
                  {"num_weights", c->num_weights, 0, EDGE_MAX_ITEMS},
                  {"num_ropes", c->num_ropes, 0, EDGE_MAX_ROPES},
                  {"max_tokens", c->max_tokens, 1, EDGE_MAX_ROWS},
                  {"max_logits", c->max_logits, 1, c->max_tokens},
                  {"max_sequences", c->max_sequences, 1, EDGE_MAX_ROWS},
                  {"max_threads", c->max_threads, 1, EDGE_MAX_THREADS},
                  {"max_positions", c->max_positions, 1, EDGE_MAX_POSITION},
                  {"num_loras", c->num_loras, 0, EDGE_MAX_ITEMS},
                  {"num_adapters", c->num_adapters, 0, EDGE_MAX_ADAPTERS}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        edge_status status = check_count(error, counts[i].name, counts[i].value, counts[i].least, counts[i].most);
        if (status != EDGE_OK) {
            return status;
        }
    }
    if (!c->ops || !c->buffers || (c->num_weights > 0 && !c->weights) || (c->num_ropes > 0 && !c->ropes) ||
        (c->num_loras > 0 && !c->loras)) {
        return edge_fail(error, EDGE_INVALID, "an array of the program is NULL");
    }
    for (int32_t i = 0; i < c->num_weights; i++) {
        if (!c->weights[i] || c->weights[i]->cols > INT32_MAX) {
            return edge_fail(error, EDGE_INVALID, "weight %d is NULL or too wide", (int)i);
        }
    }
    edge_status status = check_kv(c, error);
    status = status == EDGE_OK ? check_buffers(c, error) : status;
    return status == EDGE_OK ? check_ropes(c, error) : status;
}
