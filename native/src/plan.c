/* Links between operations, and the memory of a step: sizes are maxima over the operations that use an area. */
#include "plan.h"

#include "attention.h"
#include "lora.h"
#include "os.h"
#include "rope.h"

/* Bytes behind quantised rows that kernels may read. */
#define SLACK EDGE_OVERREAD

/* A linear operation without a norm that follows at once on the operation that makes its input, and reads quantised
 * activations: in a large step whoever makes the input quantises it, which saves a phase. */
static int is_linked(const edge_program *program, int32_t index) {
    const edge_op *op = &program->ops[index], *before = op - 1;
    if (index == 0 || op->kind != EDGE_OP_LINEAR || op->norm[0] >= 0 || op->in[0] != before->out[0] ||
        !(program->plans[index].kinds & EDGE_KINDS_QUANTIZED)) {
        return 0;
    }
    return before->kind == EDGE_OP_ATTENTION || before->kind == EDGE_OP_LAYER_NORM ||
           (before->kind == EDGE_OP_LINEAR &&
            (before->activation != EDGE_ACT_NONE || program->plans[index - 1].num_weights == 1));
}

void edge_program_link(edge_program *program) {
    for (int32_t i = 0; i < program->config.num_ops; i++) {
        edge_op_plan *plan = &program->plans[i];
        const edge_op *op = &program->ops[i];
        if (op->kind == EDGE_OP_ATTENTION && op->kv_source_layer >= program->config.num_layers &&
            op->window > program->window) {
            program->window = op->window;
        }
        program->is_whole |= op->kind == EDGE_OP_ATTENTION && op->mode == EDGE_ATTENTION_WHOLE;
        plan->unit = 1;
        if (!is_linked(program, i)) {
            continue;
        }
        edge_op_plan *before = &program->plans[i - 1];
        plan->linked = 1;
        before->quantize_out = plan->kinds & EDGE_KINDS_QUANTIZED;
        if (program->ops[i - 1].kind == EDGE_OP_LINEAR) {
            /* The operation before still reads its own area; its pieces must be whole groups. */
            plan->slot = !before->slot;
            before->unit = (plan->kinds & EDGE_KIND(EDGE_ACT_A8G256) ? EDGE_SUPER : EDGE_GROUP) / EDGE_TILE_ROWS;
        }
    }
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* What the linear operations of a slot (-1: all) need for up to `rows` rows (0: as many as a step may have). */
static edge_acts_need need_of(const edge_program *program, int32_t slot, uint64_t rows) {
    edge_acts_need need = {{0, 0, 0}};
    for (int32_t i = 0; i < program->config.num_ops; i++) {
        const edge_op *op = &program->ops[i];
        const edge_op_plan *plan = &program->plans[i];
        if (op->kind != EDGE_OP_LINEAR || (slot >= 0 && plan->slot != slot)) {
            continue;
        }
        int32_t most = plan->row_kind == 0 ? program->config.max_tokens : program->config.max_logits;
        uint64_t stride = (uint64_t)edge_acts_stride(program->buffers[op->in[0]].width);
        uint64_t values = stride * (rows > 0 ? rows : (uint64_t)most);
        int32_t kinds = plan->kinds | (plan->rank > 0 ? EDGE_KIND(EDGE_ACT_F32) : 0);
        for (int32_t kind = 0; kind < 3; kind++) {
            if (kinds & EDGE_KIND(kind) && (kind != EDGE_ACT_F32 || op->norm[0] >= 0)) {
                need.values[kind] = larger(need.values[kind], values);
            }
        }
    }
    return need;
}

static uint64_t aligned(uint64_t bytes) {
    return bytes == 0 ? 0 : (bytes + SLACK + EDGE_ALIGNMENT - 1) / EDGE_ALIGNMENT * EDGE_ALIGNMENT;
}

/* Cuts pieces off a block; with a NULL block it only measures. */
typedef struct cutter {
    uint8_t *base;
    uint64_t used;
} cutter;

static void *cut(cutter *c, uint64_t bytes) {
    void *piece = c->base && bytes > 0 ? c->base + c->used : NULL;
    c->used += aligned(bytes);
    return piece;
}

static void cut_acts(cutter *c, edge_acts_area *area, const edge_acts_need *need) {
    uint64_t n32 = need->values[EDGE_ACT_A8G32], n256 = need->values[EDGE_ACT_A8G256];
    area->x = cut(c, need->values[EDGE_ACT_F32] * sizeof(float));
    area->q32 = cut(c, n32);
    area->d32 = cut(c, n32 / EDGE_GROUP * sizeof(float));
    area->s32 = cut(c, n32 / EDGE_GROUP * sizeof(int32_t));
    area->q256 = cut(c, n256);
    area->d256 = cut(c, n256 / EDGE_SUPER * sizeof(float));
    area->s256 = cut(c, n256 / 16 * sizeof(int32_t));
}

/* Sizes of a thread's own memory. */
typedef struct private_need {
    edge_acts_need acts;
    uint64_t row, queries, head_dim, codes;
    uint64_t unpacked; /* K or V of one head in a block */
} private_need;

static private_need private_need_of(const edge_program *program) {
    private_need need = {need_of(program, -1, EDGE_PRIVATE_ROWS), 0, 0, (uint64_t)program->config.head_dim, 0, 0};
    for (int32_t i = 0; i < program->config.num_ops; i++) {
        const edge_op *op = &program->ops[i];
        if (op->kind == EDGE_OP_LINEAR && op->norm[0] >= 0) {
            need.row = larger(need.row, (uint64_t)program->buffers[op->in[0]].width);
        } else if (op->kind == EDGE_OP_ATTENTION) {
            int32_t heads = op->num_heads / op->num_kv_heads;
            need.queries = larger(need.queries, (uint64_t)heads * (uint64_t)edge_attention_tile(op));
        }
    }
    uint64_t codes = (uint64_t)edge_kv_q8_codes(program->config.head_dim);
    if (edge_kv_has_codes(program->config.kv_type)) {
        need.codes = need.queries * codes;
    }
    if (program->config.kv_type == EDGE_KV_Q4) {
        need.unpacked = EDGE_KV_BLOCK_SIZE * (sizeof(float) + codes);
    }
    return need;
}

static void cut_partial(cutter *c, edge_partial *partial, uint64_t rows, uint64_t head_dim) {
    partial->o = cut(c, rows * head_dim * sizeof(float));
    partial->max = cut(c, rows * sizeof(float));
    partial->sum = cut(c, rows * sizeof(float));
}

static void cut_private(cutter *c, edge_private *own, const private_need *need) {
    cut_acts(c, &own->acts, &need->acts);
    own->row = cut(c, need->row * sizeof(float));
    own->queries = cut(c, need->queries * need->head_dim * sizeof(float));
    cut_partial(c, &own->all, need->queries, need->head_dim);
    cut_partial(c, &own->run, need->queries, need->head_dim);
    cut_partial(c, &own->block, need->queries, need->head_dim);
    own->head = cut(c, need->head_dim * sizeof(float));
    own->half = cut(c, need->head_dim * sizeof(uint16_t));
    own->codes = cut(c, need->codes);
    own->keys = cut(c, need->unpacked);
    own->values = cut(c, need->unpacked);
    own->scales = cut(c, need->codes > 0 ? need->queries * sizeof(float) : 0);
}

static int reserve_threads(edge_program *program) {
    private_need need = private_need_of(program);
    uint64_t count = (uint64_t)program->config.max_threads;
    edge_private unused;
    cutter measure = {NULL, 0};
    cut_private(&measure, &unused, &need);
    program->threads = edge_program_take(program, count * sizeof(edge_private));
    uint8_t *memory = edge_program_take(program, count * measure.used);
    if (!program->threads || !memory) {
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        cutter c = {memory + i * measure.used, 0};
        cut_private(&c, &program->threads[i], &need);
    }
    return 1;
}

static int reserve_shared(edge_program *program) {
    for (int32_t slot = 0; slot < 2; slot++) {
        edge_acts_need need = need_of(program, slot, 0);
        cutter measure = {NULL, 0};
        cut_acts(&measure, &program->shared[slot], &need);
        cutter c = {edge_program_take(program, measure.used), 0};
        if (!c.base) {
            return 0;
        }
        cut_acts(&c, &program->shared[slot], &need);
    }
    return 1;
}

/* The most counters of finished pieces that an operation needs: attention one for a tile of tokens, or for each KV head
 * of it; a linear operation that quantises its output one for a unit of it and a block of tokens. */
static uint64_t counters_of(const edge_program *program) {
    uint64_t tokens = (uint64_t)program->config.max_tokens, blocks = (tokens - 1) / EDGE_CHUNK_TOKENS + 1;
    uint64_t most = larger(tokens, (uint64_t)EDGE_PRIVATE_ROWS * (uint64_t)program->config.num_kv_heads);
    for (int32_t i = 0; i < program->config.num_ops; i++) {
        const edge_op_plan *plan = &program->plans[i];
        if (program->ops[i].kind == EDGE_OP_LINEAR && plan->quantize_out) {
            uint64_t columns = (uint64_t)plan->unit * EDGE_TILE_ROWS;
            most = larger(most, (uint64_t)program->buffers[program->ops[i].out[0]].width / columns * blocks);
        }
    }
    return most;
}

/* Steps of few tokens keep what every run gave until the last run of the tile is there; one run needs no place. */
static int reserve_attention(edge_program *program) {
    const edge_program_config *config = &program->config;
    uint64_t tokens = config->max_tokens < EDGE_PRIVATE_ROWS ? (uint64_t)config->max_tokens : EDGE_PRIVATE_ROWS;
    uint64_t runs = ((uint64_t)config->max_positions - 1) / (EDGE_RUN_BLOCKS * EDGE_KV_BLOCK_SIZE) + 1, heads = 0;
    for (int32_t i = 0; i < config->num_ops; i++) {
        heads = larger(heads, program->ops[i].kind == EDGE_OP_ATTENTION ? (uint64_t)program->ops[i].num_heads : 0);
    }
    /* Below 2^3 x 2^31 x 2^17 rows x head_dim, both together at most 2^31 wide: no overflow. */
    uint64_t rows = runs > 1 ? tokens * heads * runs : 0;
    cutter measure = {NULL, 0};
    cut_partial(&measure, &program->partials, rows, (uint64_t)config->head_dim);
    cutter c = {edge_program_take(program, measure.used), 0};
    program->arrived = edge_program_take(program, counters_of(program) * sizeof(*program->arrived));
    if (!c.base || !program->arrived) {
        return 0;
    }
    cut_partial(&c, &program->partials, rows, (uint64_t)config->head_dim);
    return 1;
}

static int reserve_ropes(edge_program *program) {
    const edge_program_config *config = &program->config;
    uint64_t pairs = 0, tokens = (uint64_t)config->max_tokens;
    for (int32_t i = 0; i < config->num_ropes; i++) {
        pairs += (uint64_t)config->ropes[i].dims / 2;
    }
    program->ropes = edge_program_take(program, (uint64_t)config->num_ropes * sizeof(edge_rope_plan));
    double *frequencies = edge_program_take(program, pairs * sizeof(double));
    float *tables = edge_program_take(program, 2 * pairs * tokens * sizeof(float));
    if (!program->ropes || !frequencies || !tables) {
        return 0;
    }
    for (int32_t i = 0; i < config->num_ropes; i++) {
        const edge_rope *from = &config->ropes[i];
        edge_rope_plan *rope = &program->ropes[i];
        int32_t count = from->dims / 2;
        *rope = (edge_rope_plan){count, from->neox, from->magnitude, frequencies, tables, tables + tokens * count};
        for (int32_t j = 0; j < count; j++) {
            frequencies[j] = edge_pow(from->theta, -2.0 * j / from->dims) * from->frequency_scale[j];
        }
        frequencies += count;
        tables += 2 * tokens * (uint64_t)count;
    }
    return 1;
}

static int reserve_batch(edge_program *program) {
    uint32_t size = 2;
    while (size < 2 * (uint32_t)program->config.max_tokens) {
        size *= 2;
    }
    program->last_block = edge_program_take(program, (uint64_t)program->config.max_sequences * sizeof(int32_t));
    program->lengths = edge_program_take(program, (uint64_t)program->config.max_sequences * sizeof(int32_t));
    program->ends = edge_program_take(program, (uint64_t)program->config.max_tokens * sizeof(int32_t));
    program->written = edge_program_take(program, (uint64_t)size * sizeof(uint32_t));
    return program->last_block && program->lengths && program->ends && program->written;
}

int edge_program_reserve(edge_program *program) {
    if (program->config.arena_bytes > UINT64_MAX - SLACK) {
        return 0;
    }
    program->arena = edge_program_take(program, program->config.arena_bytes + SLACK);
    return program->arena && reserve_ropes(program) && reserve_shared(program) && reserve_threads(program) &&
           reserve_attention(program) && reserve_batch(program) && edge_lora_reserve(program);
}
