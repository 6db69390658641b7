/* How a step shares out its work among cores of unequal speed, by counting instead of by the clock: kernels that only
 * add up what they would cost, and threads that take their pieces in the order in which cores of these speeds would. */
#include <stdlib.h>

#include "check.h"
#include "os.h"
#include "program.h"
#include "tiny.h"

#define MAX_THREADS 4
#define SLOWED      3    /* one thread is so many times slower */
#define MOST        1.15 /* of the ideal split */
#define DEPTH       4000
#define TOKENS      256
#define STRIDE      ((DEPTH + TOKENS) / EDGE_KV_BLOCK_SIZE + 1)

/* What the calling thread has spent since it last said so, in int8 multiply-adds. */
static _Thread_local int64_t spent;

static void count_matmul(float *out, const uint8_t *tiles, int32_t cols, const edge_acts *acts, int32_t num_tokens) {
    (void)tiles;
    (void)acts;
    memset(out, 0, (size_t)num_tokens * EDGE_TILE_ROWS * sizeof out[0]);
    spent += (int64_t)cols * EDGE_TILE_ROWS * num_tokens;
}

static void count_quantize(int8_t *q, float *d, int32_t *s, const float *x, int32_t n) {
    (void)q;
    (void)d;
    (void)s;
    (void)x;
    spent += 16 * (int64_t)n;
}

static void count_norm(float *out, const float *x, const float *gain, int32_t n, float eps) {
    (void)out;
    (void)x;
    (void)gain;
    (void)eps;
    spent += 8 * (int64_t)n;
}

static void count_silu_mul(float *out, const float *gate, const float *up, int32_t n) {
    (void)out;
    (void)gate;
    (void)up;
    spent += 64 * (int64_t)n;
}

static void count_rope(float *x, const float *cosines, const float *sines, int32_t dims) {
    (void)x;
    (void)cosines;
    (void)sines;
    spent += 16 * (int64_t)dims;
}

static void count_attend(float *o, float *max, float *sum, const float *q, const uint16_t *k, const uint16_t *v,
                         int32_t head_dim, int32_t rows, int32_t first, int32_t valid, float scale) {
    (void)o;
    (void)q;
    (void)k;
    (void)v;
    (void)scale;
    for (int32_t r = 0; r < rows; r++) {
        max[r] = 0.0f;
        sum[r] = 1.0f;
    }
    spent += 8 * (int64_t)rows * (valid - first) * head_dim;
}

static void count_merge(float *o, float *max, float *sum, const float *o2, const float *max2, const float *sum2,
                        int32_t head_dim, int32_t rows) {
    (void)o;
    (void)max;
    (void)sum;
    (void)o2;
    (void)max2;
    (void)sum2;
    spent += 8 * (int64_t)rows * head_dim;
}

/* A step run by simulated cores: a thread goes on when its clock is behind those of all that still have work. */
typedef struct race {
    _Atomic uint32_t turn; /* changes with everything below */
    atomic_flag locked;
    int32_t count, slow;
    int ended[MAX_THREADS];
    int64_t clocks[MAX_THREADS], work;
} race;

static void lock(race *r) {
    while (atomic_flag_test_and_set_explicit(&r->locked, memory_order_acquire)) {
        edge_os_pause();
    }
}

static void unlock(race *r) {
    atomic_flag_clear_explicit(&r->locked, memory_order_release);
}

/* What a thread spent passes on its clock; the last to end a phase sets all clocks to the latest. */
static void account(race *r, int32_t worker, int at_end) {
    r->work += spent;
    r->clocks[worker] += spent * (worker == r->slow ? SLOWED : 1);
    r->ended[worker] = at_end;
    spent = 0;
    int64_t latest = 0;
    int all = 1;
    for (int32_t i = 0; i < r->count; i++) {
        latest = r->clocks[i] > latest ? r->clocks[i] : latest;
        all &= r->ended[i];
    }
    for (int32_t i = 0; i < r->count && all; i++) {
        r->clocks[i] = latest;
        r->ended[i] = 0;
    }
}

static int is_next(const race *r, int32_t worker) {
    for (int32_t i = 0; i < r->count; i++) {
        int before = r->clocks[i] < r->clocks[worker] || (r->clocks[i] == r->clocks[worker] && i < worker);
        if (i != worker && !r->ended[i] && before) {
            return 0;
        }
    }
    return 1;
}

static void pace(void *context, int32_t worker, int at_end) {
    race *r = context;
    lock(r);
    account(r, worker, at_end);
    uint32_t seen = atomic_fetch_add(&r->turn, 1) + 1;
    int go = at_end || is_next(r, worker);
    unlock(r);
    edge_os_wake_all(&r->turn);
    while (!go) {
        edge_os_wait(&r->turn, seen);
        lock(r);
        seen = atomic_load(&r->turn);
        go = is_next(r, worker);
        unlock(r);
    }
}

typedef struct world {
    tiny t;
    edge_program *program;
    edge_kv *kv;
    edge_kernels kernels;
} world;

static void open_world(world *w, int32_t type, int32_t num_kv_heads) {
    memset(w, 0, sizeof *w);
    w->t.state = 3;
    w->t.plain = 1;
    w->t.forced_type = type;
    w->t.hidden = 1024;
    w->t.ff = 2816;
    w->t.vocab = 4000;
    w->t.head_dim = 64;
    w->t.num_heads = 16;
    w->t.num_kv_heads = num_kv_heads;
    w->t.num_layers = 1;
    w->t.kv_type = EDGE_KV_F16;
    tiny_build(&w->t);
    for (int32_t i = 0; i < w->t.num_ops; i++) { /* what the kernels below count */
        w->t.ops[i].window = 0;
        w->t.ops[i].activation = w->t.ops[i].activation == EDGE_ACT_NONE ? EDGE_ACT_NONE : EDGE_ACT_SILU;
    }
    edge_program_config config = tiny_config(&w->t, EDGE_ISA_SCALAR, TOKENS, 1, 1, MAX_THREADS);
    const edge_kv_config kv = {w->t.kv_type, w->t.num_layers, w->t.num_kv_heads, w->t.head_dim, STRIDE};
    edge_error error = {""};
    config.max_positions = DEPTH + TOKENS;
    CHECK(edge_program_create(&w->program, &config, &error) == EDGE_OK, "%s", error.message);
    CHECK(edge_kv_create(&w->kv, &kv) == EDGE_OK, "kv");
    if (!w->program || !w->kv) {
        exit(check_result("shares"));
    }
    w->kernels = *edge_kernels_get(EDGE_ISA_SCALAR);
    for (int32_t family = 0; family < EDGE_NUM_FAMILIES; family++) {
        for (int32_t shape = 0; shape < EDGE_NUM_SHAPES; shape++) {
            w->kernels.matmul[family][shape] = count_matmul;
        }
    }
    w->kernels.quantize_a8g32 = w->kernels.quantize_a8g256 = count_quantize;
    w->kernels.rms_norm = count_norm;
    w->kernels.silu_mul = count_silu_mul;
    w->kernels.rope_norm = w->kernels.rope_neox = count_rope;
    w->kernels.attend_f16 = count_attend;
    w->kernels.attend_merge = count_merge;
    w->program->kernels = &w->kernels;
}

static void close_world(world *w) {
    edge_program_destroy(&w->program);
    edge_kv_destroy(&w->kv);
    tiny_free(&w->t);
}

/* Time of a step of `tokens` tokens at `depth`, thread `slow` (-1: none) slowed; *work: what all spent. */
static int64_t time_of_step(world *w, int32_t threads, int32_t slow, int32_t tokens, int32_t depth, int64_t *work) {
    static int32_t ids[TOKENS], sequences[TOKENS];
    int32_t positions[TOKENS], table[STRIDE], row = tokens - 1;
    race r = {.locked = ATOMIC_FLAG_INIT, .count = threads, .slow = slow};
    edge_threads *pool = NULL;
    edge_error error = {""};
    for (int32_t i = 0; i < tokens; i++) {
        positions[i] = depth + i;
    }
    for (int32_t i = 0; i < STRIDE; i++) {
        table[i] = i;
    }
    const edge_batch batch = {tokens, 1, STRIDE, 1, ids, positions, sequences, table, &row, NULL, NULL, NULL};
    CHECK(edge_threads_create(&pool, threads) == EDGE_OK, "threads");
    w->program->pace = pace;
    w->program->pace_context = &r;
    spent = 0;
    CHECK(edge_program_step(w->program, pool, w->kv, &batch, &error) == EDGE_OK, "%s", error.message);
    edge_threads_destroy(&pool);
    *work = r.work;
    return r.clocks[0];
}

static void test_steps(world *w, const char *what) {
    static const struct {
        int32_t tokens, depth;
    } steps[] = {{1, 0}, {1, DEPTH}, {4, DEPTH}, {8, 0}, {9, 100}, {64, 0}, {64, DEPTH}, {TOKENS, 0}, {TOKENS, DEPTH}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int32_t tokens = steps[i].tokens, depth = steps[i].depth;
        int64_t work, all;
        int64_t alone = time_of_step(w, 1, -1, tokens, depth, &work);
        CHECK(alone == work && work > 0, "one thread: %lld of %lld", (long long)alone, (long long)work);
        for (int32_t threads = 2; threads <= MAX_THREADS; threads++) {
            for (int32_t slow = 0; slow < threads; slow += threads - 1) {
                double ideal = (double)work / (threads - 1 + 1.0 / SLOWED);
                double took = (double)time_of_step(w, threads, slow, tokens, depth, &all);
                CHECK(took >= ideal && took <= MOST * ideal && all >= work,
                      "%s, %d threads, thread %d slowed, %d tokens at %d: %.3f of the ideal split", what, threads, slow,
                      tokens, depth, took / ideal);
            }
        }
    }
}

int main(void) {
    static const struct {
        int32_t type, num_kv_heads;
        const char *what;
    } worlds[] = {{EDGE_TYPE_Q4_K, 2, "Q4_K, 2 KV heads"}, {EDGE_TYPE_Q8_0, 1, "Q8_0, 1 KV head"}};
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
        world w;
        open_world(&w, worlds[i].type, worlds[i].num_kv_heads);
        test_steps(&w, worlds[i].what);
        close_world(&w);
    }
    return check_result("shares");
}
