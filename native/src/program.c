/* Creating a program: copies and checks the op list, links operations, allocates all that a step will use. */
#include "program.h"

#include <string.h>

#include "error.h"
#include "fpenv.h"
#include "lora.h"
#include "os.h"
#include "plan.h"

/* Zeroed memory that lives as long as the program; NULL when there is none. */
void *edge_program_take(edge_program *program, uint64_t bytes) {
    void *memory = program->num_blocks < EDGE_MAX_BLOCKS ? edge_os_alloc(bytes) : NULL;
    if (memory) {
        program->blocks[program->num_blocks++] = (edge_block){memory, bytes};
    }
    return memory;
}

static void *take_copy(edge_program *program, const void *from, uint64_t bytes) {
    void *memory = edge_program_take(program, bytes);
    if (memory && bytes > 0) {
        memcpy(memory, from, (size_t)bytes);
    }
    return memory;
}

static int copy_config(edge_program *program, const edge_program_config *config) {
    program->config = *config;
    program->ops = take_copy(program, config->ops, (uint64_t)config->num_ops * sizeof(edge_op));
    program->buffers = take_copy(program, config->buffers, (uint64_t)config->num_buffers * sizeof(edge_buffer));
    program->weights = take_copy(program, config->weights, (uint64_t)config->num_weights * sizeof(edge_weights *));
    program->plans = edge_program_take(program, (uint64_t)config->num_ops * sizeof(edge_op_plan));
    program->loras = take_copy(program, config->loras, (uint64_t)config->num_loras * sizeof(edge_lora));
    program->config.ops = program->ops;
    program->config.buffers = program->buffers;
    program->config.loras = program->loras;
    program->config.weights = program->weights;
    return program->ops && program->buffers && program->weights && program->plans && program->loras;
}

/* The copies are what is checked: nobody can change them behind the check's back. */
static edge_status check_copies(edge_program *program, edge_error *error) {
    const edge_program_config *c = &program->config;
    uint64_t bytes = (uint64_t)c->num_buffers + (uint64_t)c->num_layers + (uint64_t)c->num_window_layers;
    uint8_t *flags = edge_os_alloc(bytes);
    if (!flags) {
        return EDGE_NO_MEMORY;
    }
    edge_status status =
        edge_program_check(c, program->plans, &program->vocab_size, flags, flags + c->num_buffers, error);
    edge_os_free(flags, bytes);
    return status == EDGE_OK ? edge_lora_check(c, program->plans, error) : status;
}

/* The regions that weights lie in, for the step's look at them. */
static edge_status collect_regions(edge_program *program, edge_error *error) {
    for (int32_t i = 0; i < program->config.num_weights; i++) {
        const edge_weights *it = program->weights[i];
        const edge_region *region = it->stream ? it->stream->file : it->region;
        int32_t at = 0;
        while (at < program->num_regions && program->regions[at] != region) {
            at++;
        }
        if (!region || at < program->num_regions) {
            continue;
        }
        if (at == EDGE_MAX_REGIONS) {
            return edge_fail(error, EDGE_INVALID, "the weights lie in more than %d regions", EDGE_MAX_REGIONS);
        }
        program->regions[program->num_regions++] = region;
    }
    return EDGE_OK;
}

static edge_status build(edge_program *program, const edge_program_config *config, edge_error *error) {
    if (!copy_config(program, config)) {
        return edge_fail(error, EDGE_NO_MEMORY, "no memory for the op list");
    }
    /* Again on the copies: a caller that changes an array meanwhile gains nothing. */
    edge_status status = edge_program_check_limits(&program->config, error);
    if (status == EDGE_OK) {
        status = check_copies(program, error);
    }
    if (status == EDGE_OK) {
        status = collect_regions(program, error);
    }
    if (status == EDGE_OK) {
        status = edge_program_link_stream(program, error);
    }
    if (status != EDGE_OK) {
        return status;
    }
    edge_program_link(program);
    uint64_t saved = edge_fpenv_enter(); /* rotary frequencies are results too */
    int reserved = edge_program_reserve(program);
    edge_fpenv_leave(saved);
    if (!reserved) {
        return edge_fail(error, EDGE_NO_MEMORY, "no memory for the buffers of %d tokens, arena %llu bytes",
                         (int)config->max_tokens, (unsigned long long)config->arena_bytes);
    }
    program->config.ropes = NULL; /* borrowed only until here */
    return EDGE_OK;
}

edge_status edge_program_create(edge_program **out, const edge_program_config *config, edge_error *error) {
    if (!out || !config) {
        return edge_fail(error, EDGE_INVALID, "out or config is NULL");
    }
    *out = NULL;
    edge_status status = edge_program_check_limits(config, error);
    if (status != EDGE_OK) {
        return status;
    }
    const edge_kernels *kernels =
        config->isa >= 0 && config->isa < EDGE_ISA_COUNT ? edge_kernels_get((edge_isa)config->isa) : NULL;
    if (!kernels) {
        const char *name = edge_isa_name((edge_isa)config->isa);
        return edge_fail(error, EDGE_UNSUPPORTED, "instruction-set level %d (%s) is not supported here",
                         (int)config->isa, name ? name : "unknown");
    }
    edge_program *program = edge_os_alloc(sizeof(*program));
    if (!program) {
        return edge_fail(error, EDGE_NO_MEMORY, "no memory for a program");
    }
    program->kernels = kernels;
    status = build(program, config, error);
    if (status != EDGE_OK) {
        edge_program_destroy(&program);
        return status;
    }
    *out = program;
    return EDGE_OK;
}

void edge_program_destroy(edge_program **program) {
    if (!program || !*program) {
        return;
    }
    edge_program *p = *program;
    if (p->stream) {
        edge_stream_unclaim(p->stream);
    }
    for (int32_t i = 0; i < p->num_blocks; i++) {
        edge_os_free(p->blocks[i].memory, p->blocks[i].bytes);
    }
    edge_os_free(p, sizeof(*p));
    *program = NULL;
}

uint64_t edge_program_bytes(const edge_program *program) {
    uint64_t total = sizeof(*program);
    for (int32_t i = 0; i < program->num_blocks; i++) {
        total += program->blocks[i].bytes;
    }
    return total;
}

const float *edge_program_logits(const edge_program *program) {
    return edge_buffer_rows(program, program->config.logits_buffer);
}

const float *edge_program_buffer(const edge_program *program, int32_t buffer) {
    return buffer < 0 || buffer >= program->config.num_buffers ? NULL : edge_buffer_rows(program, buffer);
}

void edge_program_cancel(edge_program *program) {
    atomic_store(&program->cancel, 1);
    if (program->stream) {
        edge_stream_nudge(program->stream); /* the step may be waiting for it */
    }
}
