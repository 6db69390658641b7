/* Attention over KV blocks. The work is cut by position only: blocks merge in order into runs of EDGE_RUN_BLOCKS, runs
 * merge in order into the result, so no split of the work changes a bit. Steps of few tokens hand out runs, which keeps
 * all threads busy where KV heads are few; longer steps hand out tiles of tokens. Whoever finishes last merges the runs
 * of a tile, or quantises its rows: that needs a counter and no barrier. */
#include <string.h>

#include "attention.h"

#define BLOCK EDGE_KV_BLOCK_SIZE
#define RUN   (EDGE_RUN_BLOCKS * BLOCK) /* positions */

/* Consecutive tokens, of one sequence or of several. Those that share a block look at it together: their queries of one
 * KV head read it once. So the branches of a prefix cost one reading of it. */
typedef struct tile {
    int32_t first, count;
    int32_t runs; /* that its last position reaches */
} tile;

static tile tile_of(const edge_batch *batch, int32_t first, int32_t end) {
    tile t = {first, end - first, 0};
    for (int32_t token = first; token < end; token++) {
        int32_t runs = batch->positions[token] / RUN + 1;
        t.runs = runs > t.runs ? runs : t.runs;
    }
    return t;
}

/* How many tokens make a tile: what keeps all threads in work, within what shares a look at a block. */
static int32_t tile_tokens(const edge_op *op, int64_t pieces) {
    int32_t most = edge_attention_tile(op);
    return pieces < 1 ? 1 : pieces < most ? (int32_t)pieces : most;
}

/* How many of the `most` positions that begin at `start` a token sees. */
static int32_t visible(int32_t position, int32_t start, int32_t most) {
    int32_t count = position - start + 1;
    return count < 0 ? 0 : count > most ? most : count;
}

/* Where the tokens of a tile end that see as many of these positions as token i, and in *seen how many. */
static int32_t equals_end(const edge_batch *batch, const tile *t, int32_t i, int32_t start, int32_t most,
                          int32_t *seen) {
    const int32_t *positions = batch->positions + t->first;
    *seen = visible(positions[i], start, most);
    do {
        i++;
    } while (i < t->count && visible(positions[i], start, most) == *seen);
    return i;
}

/* The same for the positions of a block, and of tokens in whose tables it is the same one, *block. */
static int32_t sharers_end(const edge_batch *batch, const tile *t, int32_t i, int32_t b, int32_t *seen,
                           int32_t *block) {
    int32_t end = equals_end(batch, t, i, b * BLOCK, BLOCK, seen), first = i;
    if (*seen == 0) {
        return end;
    }
    *block = edge_block_table(batch, t->first + first)[b];
    do {
        i++;
    } while (i < end && edge_block_table(batch, t->first + i)[b] == *block);
    return i;
}

/* The rows from `row` on. */
static edge_partial partial_from(const edge_partial *p, int64_t row, int32_t head_dim) {
    return (edge_partial){p->o + row * head_dim, p->max + row, p->sum + row};
}

/* The prepared queries of a tile against the blocks of one run, into `to`: (tokens x heads of the KV head) rows. Rows
 * of tokens that do not reach the run are left as they are. */
static void attend_run(const edge_worker *worker, const edge_op *op, const tile *t, int32_t kv_head, int32_t run,
                       const edge_partial *to) {
    const edge_program *program = worker->program;
    const edge_private *own = worker->own;
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads, valid, number, any = 1;
    for (int32_t b = run * EDGE_RUN_BLOCKS; b < (run + 1) * EDGE_RUN_BLOCKS && any; b++) {
        any = 0;
        for (int32_t i = 0, end; i < t->count; i = end) {
            end = sharers_end(program->batch, t, i, b, &valid, &number);
            if (valid == 0) {
                continue;
            }
            any = 1;
            int32_t row = i * heads, rows = (end - i) * heads, is_first = b == run * EDGE_RUN_BLOCKS;
            edge_partial into = partial_from(to, row, n), block = partial_from(&own->block, row, n);
            edge_attend_block(worker, op, number, kv_head, row, rows, valid, is_first ? &into : &block);
            if (!is_first) {
                program->kernels->attend_merge(into.o, into.max, into.sum, block.o, block.max, block.sum, n, rows);
            }
        }
    }
}

/* Merges a run into what the runs before it gave, for the tokens that reach it. */
static void merge_run(const edge_program *program, const edge_op *op, const tile *t, int32_t run,
                      const edge_partial *all, const edge_partial *part) {
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads, reached;
    for (int32_t i = 0, end; i < t->count; i = end) {
        end = equals_end(program->batch, t, i, run * RUN, 1, &reached);
        if (reached) {
            edge_partial to = partial_from(all, (int64_t)i * heads, n);
            edge_partial from = partial_from(part, (int64_t)i * heads, n);
            program->kernels->attend_merge(to.o, to.max, to.sum, from.o, from.max, from.sum, n, (end - i) * heads);
        }
    }
}

static void write_output(const edge_program *program, const edge_op *op, const tile *t, int32_t kv_head,
                         const edge_partial *all) {
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads;
    const float *o = all->o;
    for (int32_t i = 0; i < t->count; i++) {
        float *out = edge_buffer_rows(program, op->out[0]) +
                     ((int64_t)(t->first + i) * op->num_heads + (int64_t)kv_head * heads) * n;
        for (int32_t h = 0; h < heads; h++, out += n, o += n) {
            float inverse = 1.0f / all->sum[i * heads + h];
            for (int32_t d = 0; d < n; d++) {
                out[d] = o[d] * inverse;
            }
        }
    }
}

/* A step of up to EDGE_PRIVATE_ROWS tokens, cut into runs. */
typedef struct split {
    tile tiles[EDGE_PRIVATE_ROWS];
    int32_t num_tiles;
    int64_t num_runs; /* of all tiles */
    int64_t num_rows; /* of one KV head: a row for each run, token and query head */
} split;

static split split_step(const edge_worker *worker, const edge_op *op) {
    const edge_batch *batch = worker->program->batch;
    int32_t heads = op->num_heads / op->num_kv_heads, most = 0;
    for (int32_t i = 0; i < batch->num_tokens; i++) {
        most = batch->positions[i] > most ? batch->positions[i] : most;
    }
    int64_t pieces = (int64_t)batch->num_tokens * op->num_kv_heads * (most / RUN + 1);
    int32_t size = tile_tokens(op, pieces / (worker->count * (int64_t)2));
    split s = {.num_tiles = 0};
    for (int32_t first = 0; first < batch->num_tokens; first += s.tiles[s.num_tiles++].count) {
        int32_t end = first + size < batch->num_tokens ? first + size : batch->num_tokens;
        tile t = s.tiles[s.num_tiles] = tile_of(batch, first, end);
        s.num_runs += t.runs;
        s.num_rows += (int64_t)t.runs * t.count * heads;
    }
    return s;
}

/* One run of one tile and KV head. *prepared: whose queries this thread holds. */
static void attend_piece(const edge_worker *worker, const edge_op *op, const split *s, int64_t piece,
                         int64_t *prepared) {
    edge_program *program = worker->program;
    const edge_private *own = worker->own;
    int32_t kv_head = (int32_t)(piece / s->num_runs), run = (int32_t)(piece % s->num_runs), at = 0;
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads;
    int64_t row = kv_head * s->num_rows;
    for (; run >= s->tiles[at].runs; at++) {
        run -= s->tiles[at].runs;
        row += (int64_t)s->tiles[at].runs * s->tiles[at].count * heads;
    }
    const tile *t = &s->tiles[at];
    int32_t rows = t->count * heads;
    int64_t place = (int64_t)kv_head * s->num_tiles + at;
    /* One token writes its own key and value here, without a barrier: only the last run reads them. */
    if (program->batch->num_tokens == 1 && op->in[1] >= 0 && run == t->runs - 1) {
        edge_store_head(worker, op, 0, kv_head);
    }
    if (*prepared != place) {
        edge_prepare_queries(worker, op, t->first, t->count, kv_head);
        *prepared = place;
    }
    attend_run(worker, op, t, kv_head, run, &own->run);
    if (t->runs == 1) {
        write_output(program, op, t, kv_head, &own->run);
        return;
    }
    edge_partial all = partial_from(&program->partials, row, n), mine = partial_from(&all, (int64_t)run * rows, n);
    memcpy(mine.o, own->run.o, (size_t)rows * (size_t)n * sizeof(float));
    memcpy(mine.max, own->run.max, (size_t)rows * sizeof(float));
    memcpy(mine.sum, own->run.sum, (size_t)rows * sizeof(float));
    if (edge_is_last(&program->arrived[place], t->runs)) {
        for (int32_t r = 1; r < t->runs; r++) {
            edge_partial part = partial_from(&all, (int64_t)r * rows, n);
            merge_run(program, op, t, r, &all, &part);
        }
        write_output(program, op, t, kv_head, &all);
    }
}

static void run_split(edge_worker *worker, const edge_op *op) {
    const split s = split_step(worker, op);
    int64_t total = s.num_runs * op->num_kv_heads, begin, end, prepared = -1;
    while (edge_worker_next(worker, total, 1, &begin, &end)) {
        for (int64_t i = begin; i < end; i++) {
            attend_piece(worker, op, &s, i, &prepared);
        }
    }
}

/* Tokens first .. end - 1 and one KV head, all runs one after the other. */
static void attend_tokens(const edge_worker *worker, const edge_op *op, int32_t first, int32_t end, int32_t kv_head) {
    const edge_program *program = worker->program;
    const edge_private *own = worker->own;
    const tile t = tile_of(program->batch, first, end);
    edge_prepare_queries(worker, op, first, end - first, kv_head);
    attend_run(worker, op, &t, kv_head, 0, &own->all);
    for (int32_t run = 1; run < t.runs; run++) {
        attend_run(worker, op, &t, kv_head, run, &own->run);
        merge_run(program, op, &t, run, &own->all, &own->run);
    }
    write_output(program, op, &t, kv_head, &own->all);
}

/* The last tokens first: they see most. The last KV head of a tile quantises its rows for the operation behind. */
static void run_tiles(edge_worker *worker, const edge_op *op, const edge_op_plan *plan) {
    edge_program *program = worker->program;
    int32_t tokens = program->batch->num_tokens, heads = op->num_kv_heads;
    int32_t size = tile_tokens(op, (int64_t)tokens * heads / (worker->count * (int64_t)8));
    int32_t tiles = (tokens + size - 1) / size;
    int64_t width = program->buffers[op->out[0]].width, begin, end;
    while (edge_worker_next(worker, (int64_t)tiles * heads, 1, &begin, &end)) {
        for (int64_t i = begin; i < end; i++) {
            int32_t at = tiles - 1 - (int32_t)(i / heads), first = at * size;
            int32_t last = tokens - first < size ? tokens : first + size;
            attend_tokens(worker, op, first, last, (int32_t)(i % heads));
            if (!plan->quantize_out || !edge_is_last(&program->arrived[at], heads)) {
                continue;
            }
            for (int64_t row = first; row < last; row++) {
                edge_acts_quantize(program->kernels, &program->shared[0], plan->quantize_out,
                                   edge_buffer_rows(program, op->out[0]) + row * width, row, width, 0, (int32_t)width);
            }
        }
    }
}

void edge_run_attention(edge_worker *worker, const edge_op *op, const edge_op_plan *plan) {
    int32_t tokens = worker->program->batch->num_tokens, heads = op->num_kv_heads;
    int64_t begin, end, total = (int64_t)tokens * heads;
    if (tokens > 1 && op->in[1] >= 0) {
        while (edge_worker_next(worker, total, 1, &begin, &end)) {
            for (int64_t i = begin; i < end; i++) {
                edge_store_head(worker, op, (int32_t)(i / heads), (int32_t)(i % heads));
            }
        }
        edge_worker_barrier(worker);
    }
    if (tokens <= EDGE_PRIVATE_ROWS) {
        run_split(worker, op);
    } else {
        run_tiles(worker, op, plan);
    }
}
