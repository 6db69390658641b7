/* Choosing the next token. Sums run in ascending order of token ids, in double, so that the choice is the same
 * everywhere; the draw walks the kept tokens in that order too. */
#include "edge/sampling.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "expf.h"
#include "fpenv.h"
#include "os.h"
#include "philox.h"
#include "select.h"

struct edge_sampler {
    int32_t vocab_size;
    float *logits;  /* after penalties and bias */
    float *weights; /* exp((logit - largest) / temperature) of the candidates */
    int32_t *ids;   /* the candidates */
    uint8_t *seen;  /* tokens of the history, all 0 between calls */
};

static uint64_t scratch_bytes(int32_t vocab_size, size_t item) {
    return (uint64_t)vocab_size * item;
}

edge_status edge_sampler_create(edge_sampler **out, int32_t vocab_size) {
    if (!out) {
        return EDGE_INVALID;
    }
    *out = NULL;
    if (vocab_size < 1) {
        return EDGE_INVALID;
    }
    edge_sampler *s = edge_os_alloc(sizeof(*s));
    if (!s) {
        return EDGE_NO_MEMORY;
    }
    s->vocab_size = vocab_size;
    s->logits = edge_os_alloc(scratch_bytes(vocab_size, sizeof(float)));
    s->weights = edge_os_alloc(scratch_bytes(vocab_size, sizeof(float)));
    s->ids = edge_os_alloc(scratch_bytes(vocab_size, sizeof(int32_t)));
    s->seen = edge_os_alloc(scratch_bytes(vocab_size, 1));
    if (!s->logits || !s->weights || !s->ids || !s->seen) {
        edge_sampler_destroy(&s);
        return EDGE_NO_MEMORY;
    }
    *out = s;
    return EDGE_OK;
}

void edge_sampler_destroy(edge_sampler **sampler) {
    if (!sampler || !*sampler) {
        return;
    }
    edge_sampler *s = *sampler;
    edge_os_free(s->logits, scratch_bytes(s->vocab_size, sizeof(float)));
    edge_os_free(s->weights, scratch_bytes(s->vocab_size, sizeof(float)));
    edge_os_free(s->ids, scratch_bytes(s->vocab_size, sizeof(int32_t)));
    edge_os_free(s->seen, scratch_bytes(s->vocab_size, 1));
    edge_os_free(s, sizeof(*s));
    *sampler = NULL;
}

static edge_status check_params(const edge_sampling *p, edge_error *error) {
    const struct {
        const char *name;
        double value;
        int good;
    } rules[] = {
        {"temperature", p->temperature, p->temperature >= 0.0f && isfinite(p->temperature)},
        {"top_p", p->top_p, p->top_p > 0.0f && p->top_p <= 1.0f},
        {"min_p", p->min_p, p->min_p >= 0.0f && p->min_p < 1.0f},
        {"repetition_penalty", p->repetition_penalty, p->repetition_penalty > 0.0f && isfinite(p->repetition_penalty)},
        {"presence_penalty", p->presence_penalty, p->presence_penalty >= -2.0f && p->presence_penalty <= 2.0f},
        {"top_k", p->top_k, p->top_k >= 0},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (!rules[i].good) {
            return edge_fail(error, EDGE_INVALID, "%s is %g, out of its range", rules[i].name, rules[i].value);
        }
    }
    return EDGE_OK;
}

static edge_status check_ids(const edge_sampler *s, const char *name, const int32_t *ids, int32_t count,
                             edge_error *error) {
    if (count < 0 || (count > 0 && !ids)) {
        return edge_fail(error, EDGE_INVALID, "%s: %d ids or NULL", name, (int)count);
    }
    for (int32_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= s->vocab_size) {
            return edge_fail(error, EDGE_INVALID, "%s: id %d is not in 0 .. %d", name, (int)ids[i],
                             (int)s->vocab_size - 1);
        }
    }
    return EDGE_OK;
}

static edge_status copy_logits(edge_sampler *s, const float *logits, edge_error *error) {
    int bad = 0;
    for (int32_t i = 0; i < s->vocab_size; i++) {
        s->logits[i] = logits[i];
        bad |= !(logits[i] - logits[i] == 0.0f); /* NaN for NaN and infinities */
    }
    return bad ? edge_fail(error, EDGE_NONFINITE, "a logit is not finite") : EDGE_OK;
}

/* Each token of the history is penalised once, however often it stands there. */
static void penalise(edge_sampler *s, const edge_sampling *p, const int32_t *history, int32_t count) {
    if (p->repetition_penalty == 1.0f && p->presence_penalty == 0.0f) {
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        float *logit = &s->logits[history[i]];
        if (!s->seen[history[i]]) {
            s->seen[history[i]] = 1;
            *logit = *logit > 0.0f ? *logit / p->repetition_penalty : *logit * p->repetition_penalty;
            *logit = *logit - p->presence_penalty;
        }
    }
    for (int32_t i = 0; i < count; i++) {
        s->seen[history[i]] = 0;
    }
}

/* The most probable token, the lower id on ties; -1 when all are forbidden. */
static int32_t largest(const edge_sampler *s) {
    int32_t best = -1;
    float value = -INFINITY;
    for (int32_t i = 0; i < s->vocab_size; i++) {
        if (s->logits[i] > value) {
            value = s->logits[i];
            best = i;
        }
    }
    return best;
}

/* Weights of the candidates; their sum in the order of `ids`. */
static double weigh(edge_sampler *s, int32_t count, float most, float temperature) {
    double sum = 0.0;
    for (int32_t i = 0; i < count; i++) {
        int32_t id = s->ids[i];
        s->weights[id] = edge_expf((s->logits[id] - most) / temperature);
        sum = sum + (double)s->weights[id];
    }
    return sum;
}

/* Keeps the smallest set of most probable candidates whose weights reach top_p of the sum. They gather at the end of
 * ids and are moved to its front. Returns how many. */
static int32_t keep_top_p(edge_sampler *s, int32_t count, double sum, float top_p) {
    double wanted = (double)top_p * sum, reached = 0.0;
    int32_t left = count;
    edge_select_heapify(s->ids, count, s->logits);
    while (left > 0 && reached < wanted) {
        edge_select_pop(s->ids, left, s->logits);
        left--;
        reached = reached + (double)s->weights[s->ids[left]];
    }
    memmove(s->ids, s->ids + left, (size_t)(count - left) * sizeof(*s->ids));
    return count - left;
}

/* Walks the kept tokens in id order until the sum passes `unit` of the whole. */
static int32_t draw(const edge_sampler *s, int32_t count, float min_p, double unit) {
    double sum = 0.0, passed = 0.0;
    int32_t last = -1;
    for (int32_t i = 0; i < count; i++) {
        float weight = s->weights[s->ids[i]];
        sum = sum + (weight >= min_p ? (double)weight : 0.0);
    }
    for (int32_t i = 0; i < count; i++) {
        float weight = s->weights[s->ids[i]];
        if (weight >= min_p && weight > 0.0f) {
            last = s->ids[i];
            passed = passed + (double)weight;
            if (passed > unit * sum) {
                break;
            }
        }
    }
    return last; /* the last token when rounding left the sum behind */
}

static int32_t choose(edge_sampler *s, const edge_sampling *p, int32_t best) {
    int32_t count = p->top_k > 0 && p->top_k < s->vocab_size ? p->top_k : s->vocab_size;
    edge_select_largest(s->ids, count, s->logits, s->vocab_size);
    if (count < s->vocab_size) {
        edge_select_sort_ids(s->ids, count);
    }
    double sum = weigh(s, count, s->logits[best], p->temperature);
    if (p->top_p < 1.0f) {
        count = keep_top_p(s, count, sum, p->top_p);
        edge_select_sort_ids(s->ids, count);
    }
    return draw(s, count, p->min_p, edge_philox_unit(p->seed, p->sequence, p->position));
}

static edge_status apply_bias(edge_sampler *s, const int32_t *ids, const float *bias, int32_t count,
                              edge_error *error) {
    if (count > 0 && !bias) {
        return edge_fail(error, EDGE_INVALID, "bias is NULL");
    }
    for (int32_t i = 0; i < count; i++) {
        if (isnan(bias[i]) || bias[i] == INFINITY) {
            return edge_fail(error, EDGE_INVALID, "the bias of token %d is %g", (int)ids[i], (double)bias[i]);
        }
        s->logits[ids[i]] = s->logits[ids[i]] + bias[i];
    }
    return EDGE_OK;
}

static edge_status sample(edge_sampler *s, const edge_sampling *p, const int32_t *bias_ids, const float *bias,
                          int32_t num_bias, int32_t *token, edge_error *error) {
    edge_status status = apply_bias(s, bias_ids, bias, num_bias, error);
    if (status != EDGE_OK) {
        return status;
    }
    int32_t best = largest(s);
    if (best < 0) {
        return edge_fail(error, EDGE_INVALID, "every token is forbidden");
    }
    if (s->logits[best] == INFINITY) {
        return edge_fail(error, EDGE_INVALID, "penalties and bias make the logit of token %d infinite", (int)best);
    }
    *token = p->temperature == 0.0f ? best : choose(s, p, best);
    return EDGE_OK;
}

edge_status edge_sample(edge_sampler *sampler, const float *logits, const edge_sampling *params, const int32_t *history,
                        int32_t num_history, const int32_t *bias_ids, const float *bias, int32_t num_bias,
                        int32_t *token, edge_error *error) {
    if (!sampler || !logits || !params || !token) {
        return edge_fail(error, EDGE_INVALID, "sampler, logits, params or token is NULL");
    }
    edge_status status = check_params(params, error);
    if (status == EDGE_OK) {
        status = check_ids(sampler, "history", history, num_history, error);
    }
    if (status == EDGE_OK) {
        status = check_ids(sampler, "bias", bias_ids, num_bias, error);
    }
    if (status != EDGE_OK) {
        return status;
    }
    uint64_t saved = edge_fpenv_enter();
    status = copy_logits(sampler, logits, error);
    if (status == EDGE_OK) {
        penalise(sampler, params, history, num_history);
        status = sample(sampler, params, bias_ids, bias, num_bias, token, error);
    }
    edge_fpenv_leave(saved);
    return status;
}
