/* Attention over KV blocks. The work is cut by position only: blocks merge in order into runs of EDGE_RUN_BLOCKS, runs
 * merge in order into the result, so no split of the work changes a bit. Steps of few tokens hand out runs, which keeps
 * all threads busy where KV heads are few; longer steps hand out tiles of tokens. Whoever finishes last merges the runs
 * of a tile, or quantises its rows: that needs a counter and no barrier. */
#include <string.h>

#include "attention.h"

#define BLOCK  EDGE_KV_BLOCK_SIZE
#define RUN    (EDGE_RUN_BLOCKS * BLOCK) /* positions */
#define PIECES 9                         /* for a thread, at least, so that a slow core ends with the others */

/* Consecutive tokens, of one sequence or of several. Those that share a block look at it together: their queries of one
 * KV head read it once. So the branches of a prefix cost one reading of it. */
typedef struct tile {
    int32_t first, count;
    int32_t first_run; /* of the runs that its tokens see */
    int32_t end_run;   /* behind the last one */
} tile;

/* The first position that a token at `position` sees. */
static int32_t lowest(const edge_op *op, int32_t position) {
    return op->window > 0 && position >= op->window ? position - op->window + 1 : 0;
}

static tile tile_of(const edge_program *program, const edge_op *op, int32_t first, int32_t end) {
    const int32_t *ends = edge_ends(program, op);
    tile t = {first, end - first, INT32_MAX, 0};
    for (int32_t token = first; token < end; token++) {
        int32_t from = lowest(op, ends[token]) / RUN, to = ends[token] / RUN + 1;
        t.first_run = from < t.first_run ? from : t.first_run;
        t.end_run = to > t.end_run ? to : t.end_run;
    }
    return t;
}

static int32_t count_runs(const tile *t) {
    return t->end_run - t->first_run;
}

/* How many tokens make a tile: what keeps all threads in work, within what shares a look at a block. */
static int32_t tile_tokens(const edge_op *op, int64_t pieces) {
    int32_t most = edge_attention_tile(op);
    return pieces < 1 ? 1 : pieces < most ? (int32_t)pieces : most;
}

/* Of a longer step: tiles of one size, as few as give every thread some pieces: each unpacks what it reads. */
static int32_t even_tiles(const edge_op *op, int32_t tokens, int32_t threads) {
    int32_t most = edge_attention_tile(op), wanted = (PIECES * threads + op->num_kv_heads - 1) / op->num_kv_heads;
    int32_t least = (tokens + most - 1) / most, tiles = wanted > least ? wanted : least;
    return tiles < tokens ? (tokens + tiles - 1) / tiles : 1;
}

/* What a token sees of `size` positions that begin at `start`: first .. valid - 1 of them, nothing where valid is 0.
 * begins: nothing of the `size` positions before. */
typedef struct view {
    int32_t first, valid, begins;
} view;

static view view_of(const edge_op *op, int32_t position, int32_t start, int32_t size) {
    int32_t low = lowest(op, position), first = low > start ? low - start : 0, valid = position - start + 1;
    valid = valid > size ? size : valid;
    return first < valid ? (view){first, valid, low >= start} : (view){0, 0, 0};
}

static int is_same_view(view a, view b) {
    return a.first == b.first && a.valid == b.valid && a.begins == b.begins;
}

/* Where the tokens of a tile end that see as much of block b as token i does, *seen, and in whose tables it is the same
 * one, *block. */
static int32_t sharers_end(const edge_program *program, const edge_op *op, const tile *t, int32_t i, int32_t b,
                           view *seen, int32_t *block) {
    const int32_t *ends = edge_ends(program, op) + t->first;
    int32_t layer = op->kv_source_layer;
    int32_t end = i + 1;
    *seen = view_of(op, ends[i], b * BLOCK, BLOCK);
    *block = seen->valid > 0 ? edge_block_table(program, layer, t->first + i)[b] : -1;
    while (end < t->count && is_same_view(view_of(op, ends[end], b * BLOCK, BLOCK), *seen) &&
           (seen->valid == 0 || edge_block_table(program, layer, t->first + end)[b] == *block)) {
        end++;
    }
    return end;
}

/* The rows from `row` on. */
static edge_partial partial_from(const edge_partial *p, int64_t row, int32_t head_dim) {
    return (edge_partial){p->o + row * head_dim, p->max + row, p->sum + row};
}

/* The prepared queries of a tile against the blocks of one run, into `to`: (tokens x heads of the KV head) rows. Rows
 * of tokens that see nothing of the run are left as they are. */
static void attend_run(const edge_worker *worker, const edge_op *op, const tile *t, int32_t kv_head, int32_t run,
                       const edge_partial *to) {
    const edge_program *program = worker->program;
    const edge_private *own = worker->own;
    const int32_t *ends = edge_ends(program, op) + t->first;
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads, last = t->count - 1, number;
    view seen;
    for (int32_t b = run * EDGE_RUN_BLOCKS; b < (run + 1) * EDGE_RUN_BLOCKS; b++) {
        if (view_of(op, ends[last], (b + 1) * BLOCK, BLOCK).valid > 0) { /* the system's own guess comes too late */
            edge_ask_block(program, op, edge_block_table(program, op->kv_source_layer, t->first + last)[b + 1],
                           kv_head);
        }
        for (int32_t i = 0, end; i < t->count; i = end) {
            end = sharers_end(program, op, t, i, b, &seen, &number);
            if (seen.valid == 0) {
                continue;
            }
            int32_t row = i * heads, rows = (end - i) * heads, is_first = seen.begins || b == run * EDGE_RUN_BLOCKS;
            edge_partial into = partial_from(to, row, n), block = partial_from(&own->block, row, n);
            edge_attend_block(worker, op, number, kv_head, row, rows, seen.first, seen.valid,
                              is_first ? &into : &block);
            if (!is_first) {
                program->kernels->attend_merge(into.o, into.max, into.sum, block.o, block.max, block.sum, n, rows);
            }
        }
    }
}

static void copy_rows(const edge_partial *to, const edge_partial *from, int64_t rows, int32_t head_dim) {
    memcpy(to->o, from->o, (size_t)rows * (size_t)head_dim * sizeof(float));
    memcpy(to->max, from->max, (size_t)rows * sizeof(float));
    memcpy(to->sum, from->sum, (size_t)rows * sizeof(float));
}

/* What a run is to a token: it sees nothing of it, it sees nothing before it, or it comes behind others. */
typedef enum reach { UNSEEN, BEGINS, CONTINUES } reach;

static reach reach_of(const edge_op *op, int32_t position, int32_t run) {
    view seen = view_of(op, position, run * RUN, RUN);
    return seen.valid == 0 ? UNSEEN : seen.begins ? BEGINS : CONTINUES;
}

/* Merges a run, not the tile's first, into what the runs before it gave, for the tokens that see something of it. */
static void merge_run(const edge_program *program, const edge_op *op, const tile *t, int32_t run,
                      const edge_partial *all, const edge_partial *part) {
    const int32_t *ends = edge_ends(program, op) + t->first;
    int32_t n = op->head_dim, heads = op->num_heads / op->num_kv_heads;
    for (int32_t i = 0, end; i < t->count; i = end) {
        reach is = reach_of(op, ends[i], run);
        for (end = i + 1; end < t->count && reach_of(op, ends[end], run) == is;) {
            end++;
        }
        edge_partial to = partial_from(all, (int64_t)i * heads, n), from = partial_from(part, (int64_t)i * heads, n);
        int32_t rows = (end - i) * heads;
        if (is == BEGINS) {
            copy_rows(&to, &from, rows, n);
        } else if (is == CONTINUES) {
            program->kernels->attend_merge(to.o, to.max, to.sum, from.o, from.max, from.sum, n, rows);
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
    const int32_t *ends = edge_ends(worker->program, op);
    int32_t heads = op->num_heads / op->num_kv_heads, most = 0;
    for (int32_t i = 0; i < batch->num_tokens; i++) {
        int32_t seen = ends[i] - lowest(op, ends[i]);
        most = seen > most ? seen : most;
    }
    int64_t pieces = (int64_t)batch->num_tokens * op->num_kv_heads * (most / RUN + 1);
    int32_t size = tile_tokens(op, pieces / (worker->count * (int64_t)2));
    split s = {.num_tiles = 0};
    for (int32_t first = 0; first < batch->num_tokens; first += s.tiles[s.num_tiles++].count) {
        int32_t end = first + size < batch->num_tokens ? first + size : batch->num_tokens;
        tile t = s.tiles[s.num_tiles] = tile_of(worker->program, op, first, end);
        s.num_runs += count_runs(&t);
        s.num_rows += (int64_t)count_runs(&t) * t.count * heads;
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
    for (; run >= count_runs(&s->tiles[at]); at++) {
        run -= count_runs(&s->tiles[at]);
        row += (int64_t)count_runs(&s->tiles[at]) * s->tiles[at].count * heads;
    }
    const tile *t = &s->tiles[at];
    int32_t rows = t->count * heads, runs = count_runs(t);
    int64_t place = (int64_t)kv_head * s->num_tiles + at;
    /* One token writes its own key and value here, without a barrier: only the last run reads them. */
    if (program->batch->num_tokens == 1 && op->in[1] >= 0 && run == runs - 1) {
        edge_store_head(worker, op, 0, kv_head);
    }
    if (*prepared != place) {
        edge_prepare_queries(worker, op, t->first, t->count, kv_head);
        *prepared = place;
    }
    attend_run(worker, op, t, kv_head, t->first_run + run, &own->run);
    if (runs == 1) {
        write_output(program, op, t, kv_head, &own->run);
        return;
    }
    edge_partial all = partial_from(&program->partials, row, n), mine = partial_from(&all, (int64_t)run * rows, n);
    copy_rows(&mine, &own->run, rows, n);
    if (edge_is_last(&program->arrived[place], runs)) {
        for (int32_t r = 1; r < runs; r++) {
            edge_partial part = partial_from(&all, (int64_t)r * rows, n);
            merge_run(program, op, t, t->first_run + r, &all, &part);
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

/* Tokens first .. end - 1 and one KV head, all runs that they see one after the other. */
static void attend_tokens(const edge_worker *worker, const edge_op *op, int32_t first, int32_t end, int32_t kv_head) {
    const edge_program *program = worker->program;
    const edge_private *own = worker->own;
    const tile t = tile_of(program, op, first, end);
    edge_prepare_queries(worker, op, first, end - first, kv_head);
    attend_run(worker, op, &t, kv_head, t.first_run, &own->all);
    for (int32_t run = t.first_run + 1; run < t.end_run; run++) {
        attend_run(worker, op, &t, kv_head, run, &own->run);
        merge_run(program, op, &t, run, &own->all, &own->run);
    }
    write_output(program, op, &t, kv_head, &own->all);
}

/* The last tokens first: they see most. The last KV head of a tile quantises its rows for the operation behind. */
static void run_tiles(edge_worker *worker, const edge_op *op, const edge_op_plan *plan) {
    edge_program *program = worker->program;
    int32_t tokens = program->batch->num_tokens, heads = op->num_kv_heads;
    int32_t size = even_tiles(op, tokens, worker->count), tiles = (tokens + size - 1) / size;
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
