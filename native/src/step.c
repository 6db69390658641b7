/* One step: every thread walks the op list; phases are separated by barriers, work inside a phase is taken in pieces
 * from a counter. Which thread computes a piece never changes a bit of it. */
#include <string.h>

#include "error.h"
#include "fpenv.h"
#include "program.h"
#include "rope.h"

#define SHARES 4 /* a thread takes so many parts of its share of what is left */

static void pace_to_the_end(const edge_worker *worker) {
    const edge_program *program = worker->program;
    if (program->pace) {
        program->pace(program->pace_context, worker->index, 1);
    }
}

void edge_worker_barrier(edge_worker *worker) {
    pace_to_the_end(worker);
    edge_threads_barrier(worker->program->pool);
    worker->phase++;
    /* The counter of the phase to come next: its last user was the phase before the barrier. */
    if (worker->index == 0) {
        atomic_store_explicit(&worker->program->counter[(worker->phase + 1) & 1u], 0, memory_order_relaxed);
    }
}

/* Shares shrink with what is left: large ones keep reads sequential, and the last ones are so small that a slow core,
 * which takes one as late as any other, keeps nobody waiting for long. */
int edge_worker_next(edge_worker *worker, int64_t total, int64_t least, int64_t *begin, int64_t *end) {
    edge_program *program = worker->program;
    _Atomic int64_t *counter = &program->counter[worker->phase & 1u];
    if (program->pace) {
        program->pace(program->pace_context, worker->index, 0);
    }
    int64_t from = atomic_load_explicit(counter, memory_order_relaxed), size;
    do {
        if (from >= total) {
            return 0;
        }
        size = (total - from) / (worker->count * (int64_t)SHARES);
        size = size < least ? least : size;
        size = size < total - from ? size : total - from;
    } while (!atomic_compare_exchange_weak_explicit(counter, &from, from + size, memory_order_relaxed,
                                                    memory_order_relaxed));
    *begin = from;
    *end = from + size;
    return 1;
}

/* Rows whose kernel wants one call for all: elementwise operations and norms. */
static void run_row(const edge_program *program, const edge_op *op, int32_t row) {
    const edge_kernels *kernels = program->kernels;
    const edge_batch *batch = program->batch;
    int32_t width = program->buffers[op->out[0]].width;
    float *out = edge_buffer_rows(program, op->out[0]) + (int64_t)row * width;
    const float *in[2] = {NULL, NULL};
    for (int32_t i = 0; i < 2; i++) {
        if (op->in[i] >= 0) {
            in[i] = edge_buffer_rows(program, op->in[i]) + (int64_t)row * program->buffers[op->in[i]].width;
        }
    }
    switch (op->kind) {
    case EDGE_OP_EMBED:
        /* The row exists and the weight is a matrix (checked), so this cannot fail. */
        (void)edge_weights_row(program->weights[op->weight[0]],
                               op->mode == EDGE_EMBED_TOKEN      ? batch->token_ids[row]
                               : op->mode == EDGE_EMBED_POSITION ? batch->positions[row]
                                                                 : 0,
                               out);
        for (int32_t i = 0; i < width; i++) {
            out[i] = out[i] * op->scale;
        }
        break;
    case EDGE_OP_RMS_NORM: {
        int32_t size = (int32_t)program->weights[op->norm[0]]->cols;
        for (int32_t i = 0; i < width; i += size) {
            kernels->rms_norm(out + i, in[0] + i, edge_vector(program, op->norm[0]), size, op->eps);
        }
        break;
    }
    case EDGE_OP_LAYER_NORM:
        kernels->layer_norm(out, in[0], edge_vector(program, op->norm[0]), edge_vector(program, op->norm[1]), width,
                            op->eps);
        break;
    case EDGE_OP_ADD:
        kernels->add(out, in[0], in[1], width);
        break;
    case EDGE_OP_MUL:
        kernels->mul(out, in[0], in[1], width);
        break;
    case EDGE_OP_ACTIVATION:
        edge_activation_of(kernels, op->activation)(out, in[0], width);
        break;
    case EDGE_OP_SELECT_ROWS: {
        const float *from = edge_buffer_rows(program, op->in[0]) + (int64_t)batch->logit_rows[row] * width;
        memcpy(out, from, (size_t)width * sizeof(float));
        break;
    }
    default:
        break;
    }
}

static void run_op(edge_worker *worker, int32_t index) {
    edge_program *program = worker->program;
    const edge_op *op = &program->ops[index];
    const edge_op_plan *plan = &program->plans[index];
    int64_t begin, end;
    if (op->kind == EDGE_OP_LINEAR) {
        edge_run_linear(worker, op, plan);
        return;
    }
    if (op->kind == EDGE_OP_ATTENTION) {
        edge_run_attention(worker, op, plan);
        return;
    }
    int64_t rows = edge_row_count(program, plan->row_kind);
    while (edge_worker_next(worker, rows, 1, &begin, &end)) {
        for (int64_t row = begin; row < end; row++) {
            run_row(program, op, (int32_t)row);
            if (plan->quantize_out && rows > EDGE_PRIVATE_ROWS) {
                int64_t width = program->buffers[op->out[0]].width;
                edge_acts_quantize(program->kernels, &program->shared[0], plan->quantize_out,
                                   edge_buffer_rows(program, op->out[0]) + row * width, row, width, 0, (int32_t)width);
            }
        }
    }
}

/* The tokens' cosines and sines, for every rotary embedding of the program. */
static void prepare_ropes(edge_worker *worker) {
    edge_program *program = worker->program;
    const edge_batch *batch = program->batch;
    int64_t total = (int64_t)batch->num_tokens * program->config.num_ropes, begin, end;
    while (edge_worker_next(worker, total, 1, &begin, &end)) {
        for (int64_t i = begin; i < end; i++) {
            const edge_rope_plan *rope = &program->ropes[i / batch->num_tokens];
            int64_t token = i % batch->num_tokens;
            edge_rope_row(rope->cosines + token * rope->num_pairs, rope->sines + token * rope->num_pairs,
                          rope->frequencies, rope->num_pairs, rope->magnitude, batch->positions[token]);
        }
    }
    edge_worker_barrier(worker);
}

/* x - x is 0 for a finite x and NaN for all others. */
static void check_finite(edge_worker *worker) {
    edge_program *program = worker->program;
    const float *logits = edge_buffer_rows(program, program->config.logits_buffer);
    int64_t total = (int64_t)program->batch->num_logits * program->buffers[program->config.logits_buffer].width;
    int64_t begin, end;
    int bad = 0;
    while (edge_worker_next(worker, total, 4096, &begin, &end)) {
        for (int64_t i = begin; i < end; i++) {
            bad |= !(logits[i] - logits[i] == 0.0f);
        }
    }
    if (bad) {
        atomic_store_explicit(&program->nonfinite, 1, memory_order_relaxed);
    }
}

/* Whether the step ends before operation `index` (num_ops: it is done): it was cancelled, or weights cannot be read.
 * Waits for those that are not read yet. Of thread 0, before a barrier. The first operation looks rows up in a matrix
 * that is never streamed. */
static edge_status stop_before(edge_program *program, int32_t index) {
    if (atomic_load_explicit(&program->cancel, memory_order_relaxed)) {
        return EDGE_CANCELLED;
    }
    int32_t span = index < program->config.num_ops ? program->plans[index].begins_span : -1;
    return span < 0 ? EDGE_OK : edge_stream_await(program->stream, span, &program->cancel);
}

/* The next operation from `index` on that has rows. */
static int32_t next_op(const edge_program *program, int32_t index) {
    while (index < program->config.num_ops && edge_row_count(program, program->plans[index].row_kind) == 0) {
        index++;
    }
    return index;
}

/* Runs operations until none is left or the step is stopped: then this says why. */
static edge_status run_ops(edge_worker *worker) {
    edge_program *program = worker->program;
    edge_status stopped = EDGE_OK;
    uint32_t done = 0; /* operations run so far */
    for (int32_t i = next_op(program, 0), next; i < program->config.num_ops && stopped == EDGE_OK; i = next) {
        run_op(worker, i);
        next = next_op(program, i + 1);
        /* All threads must stop at the same operation: thread 0 decides before the barrier, the others look behind
         * it. Two flags in turn, so that a slow reader never sees the decision about the operation after. */
        _Atomic int32_t *stop = &program->stop[done & 1u];
        if (worker->index == 0) {
            atomic_store_explicit(stop, (int32_t)stop_before(program, next), memory_order_relaxed);
        }
        edge_worker_barrier(worker);
        if (worker->index == 0 && program->plans[i].ends_span >= 0) {
            edge_stream_release(program->stream, program->plans[i].ends_span);
        }
        stopped = (edge_status)atomic_load_explicit(stop, memory_order_relaxed);
        done++;
    }
    return stopped;
}

static void run_thread(void *context, int32_t index, int32_t count) {
    edge_program *program = context;
    edge_worker worker = {program, &program->threads[index], index, count, 0};
    uint64_t saved = edge_fpenv_enter();
    if (program->config.num_ropes > 0) {
        prepare_ropes(&worker);
    }
    edge_status stopped = run_ops(&worker);
    if (stopped == EDGE_OK) {
        check_finite(&worker);
    } else if (index == 0) {
        program->stopped = stopped; /* thread 0 is the caller, who reads it */
    }
    pace_to_the_end(&worker);
    edge_fpenv_leave(saved);
}

/* Whether a file that weights lie in became shorter: they are zeros there, and what is computed from them is wrong. */
static edge_status check_regions(const edge_program *program, edge_error *error) {
    for (int32_t i = 0; i < program->num_regions; i++) {
        const edge_region *region = program->regions[i];
        uint64_t readable = edge_region_readable(region);
        if (readable < region->bytes) {
            return edge_fail(error, EDGE_FILE_LOST, "of a mapped file's %llu bytes at most %llu can be read",
                             (unsigned long long)region->bytes, (unsigned long long)readable);
        }
    }
    return EDGE_OK;
}

static edge_status lost_stream(const edge_program *program, edge_error *error) {
    uint64_t place;
    int32_t failure = edge_stream_failure(program->stream, &place);
    return failure == EDGE_READ_ENDED
               ? edge_fail(error, EDGE_FILE_LOST, "the file that weights are streamed from ends at byte %llu",
                           (unsigned long long)place)
               : edge_fail(error, EDGE_FILE_LOST, "byte %llu of the streamed weights cannot be read: error %d",
                           (unsigned long long)place, (int)failure);
}

static edge_status run_step(edge_program *program, edge_threads *threads, edge_kv *kv, const edge_batch *batch,
                            edge_error *error) {
    if (edge_threads_count(threads) > program->config.max_threads) {
        return edge_fail(error, EDGE_INVALID, "the pool has %d threads, the program allows %d",
                         (int)edge_threads_count(threads), (int)program->config.max_threads);
    }
    edge_status status = edge_batch_check(program, batch, kv, error);
    if (status == EDGE_OK) {
        status = check_regions(program, error);
    }
    if (status != EDGE_OK) {
        return status;
    }
    program->batch = batch;
    program->kv = kv;
    program->window_kv = batch->window_kv;
    program->pool = threads;
    program->stopped = EDGE_OK;
    atomic_store_explicit(&program->nonfinite, 0, memory_order_relaxed);
    atomic_store_explicit(&program->counter[0], 0, memory_order_relaxed);
    atomic_store_explicit(&program->counter[1], 0, memory_order_relaxed);
    edge_threads_run(threads, run_thread, program);
    program->batch = NULL;
    if (program->stream) {
        edge_stream_end_pass(program->stream);
    }
    if (program->stopped == EDGE_CANCELLED) {
        atomic_store_explicit(&program->cancel, 0, memory_order_relaxed);
        return edge_fail(error, EDGE_CANCELLED, "cancelled");
    }
    if (program->stopped == EDGE_FILE_LOST) {
        return lost_stream(program, error);
    }
    status = check_regions(program, error);
    if (status == EDGE_OK && atomic_load_explicit(&program->nonfinite, memory_order_relaxed)) {
        return edge_fail(error, EDGE_NONFINITE, "a logit is not finite");
    }
    return status;
}

edge_status edge_program_step(edge_program *program, edge_threads *threads, edge_kv *kv, const edge_batch *batch,
                              edge_error *error) {
    if (!program || !threads || !batch) {
        return edge_fail(error, EDGE_INVALID, "program, threads or batch is NULL");
    }
    int32_t idle = 0;
    if (!atomic_compare_exchange_strong(&program->running, &idle, 1)) {
        return edge_fail(error, EDGE_INVALID, "the program is already running a step");
    }
    edge_status status = run_step(program, threads, kv, batch, error);
    atomic_store(&program->running, 0);
    return status;
}
