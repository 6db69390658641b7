/* Choosing the next token. Weights are counted in units of 2^-40 of the most probable token's: sums of integers are
 * exact, so no order of adding can change a choice. */
#include "edge/sampling.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "expf.h"
#include "fpenv.h"
#include "os.h"
#include "philox.h"
#include "select.h"

#define UNITS     0x1p40f   /* the weight of the most probable token */
#define MAX_VOCAB (1 << 22) /* so sums stay below 2^63 */

struct edge_sampler {
    int32_t vocab_size;
    float *logits;     /* after penalties and bias */
    uint64_t *weights; /* exp((logit - largest) / temperature) of the candidates, in units */
    int32_t *ids;      /* the candidates */
    uint64_t *buckets; /* for top_p, EDGE_SELECT_BUCKETS of them */
    uint8_t *seen;     /* tokens of the history, all 0 between calls */
};

static uint64_t scratch_bytes(int32_t vocab_size, size_t item) {
    return (uint64_t)vocab_size * item;
}

edge_status edge_sampler_create(edge_sampler **out, int32_t vocab_size) {
    if (!out) {
        return EDGE_INVALID;
    }
    *out = NULL;
    if (vocab_size < 1 || vocab_size > MAX_VOCAB) {
        return EDGE_INVALID;
    }
    edge_sampler *s = edge_os_alloc(sizeof(*s));
    if (!s) {
        return EDGE_NO_MEMORY;
    }
    s->vocab_size = vocab_size;
    s->logits = edge_os_alloc(scratch_bytes(vocab_size, sizeof(float)));
    s->weights = edge_os_alloc(scratch_bytes(vocab_size, sizeof(uint64_t)));
    s->ids = edge_os_alloc(scratch_bytes(vocab_size, sizeof(int32_t)));
    s->seen = edge_os_alloc(scratch_bytes(vocab_size, 1));
    s->buckets = edge_os_alloc(scratch_bytes(EDGE_SELECT_BUCKETS, sizeof(uint64_t)));
    if (!s->logits || !s->weights || !s->ids || !s->seen || !s->buckets) {
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
    edge_os_free(s->weights, scratch_bytes(s->vocab_size, sizeof(uint64_t)));
    edge_os_free(s->ids, scratch_bytes(s->vocab_size, sizeof(int32_t)));
    edge_os_free(s->seen, scratch_bytes(s->vocab_size, 1));
    edge_os_free(s->buckets, scratch_bytes(EDGE_SELECT_BUCKETS, sizeof(uint64_t)));
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

/* Forbids what the mask leaves out. Grammars forbid or allow long runs of ids, so whole bytes are looked at first. */
static void apply_mask(edge_sampler *s, const uint8_t *allowed) {
    for (int32_t first = 0; first < s->vocab_size; first += 8) {
        const uint8_t bits = allowed[first / 8];
        const int32_t end = s->vocab_size - first < 8 ? s->vocab_size : first + 8;
        for (int32_t i = first; bits != 0xff && i < end; i++) {
            s->logits[i] = bits >> (i - first) & 1 ? s->logits[i] : -INFINITY;
        }
    }
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

/* Weights of the candidates in units; returns their sum. */
static uint64_t weigh(edge_sampler *s, int32_t count, float most, float temperature) {
    uint64_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t id = s->ids[i];
        s->weights[id] = (uint64_t)(edge_expf((s->logits[id] - most) / temperature) * UNITS);
        sum += s->weights[id];
    }
    return sum;
}

/* Draws among the candidates, in the order of their ids, with the chances of their weights. */
static int32_t draw(const edge_sampler *s, int32_t count, float min_p, double unit) {
    const uint64_t least = (uint64_t)(min_p * UNITS);
    uint64_t sum = 0, passed = 0;
    for (int32_t i = 0; i < count; i++) {
        uint64_t weight = s->weights[s->ids[i]];
        sum += weight >= least ? weight : 0;
    }
    uint64_t target = (uint64_t)(unit * (double)sum);
    target = target < sum ? target : sum - 1; /* the product may have been rounded up */
    for (int32_t i = 0; i < count - 1; i++) {
        uint64_t weight = s->weights[s->ids[i]];
        passed += weight >= least ? weight : 0;
        if (passed > target) {
            return s->ids[i];
        }
    }
    return s->ids[count - 1];
}

static int32_t choose(edge_sampler *s, const edge_sampling *p, int32_t best) {
    int32_t count = p->top_k > 0 && p->top_k < s->vocab_size ? p->top_k : s->vocab_size;
    edge_select_largest(s->ids, count, s->logits, s->vocab_size);
    if (count < s->vocab_size) {
        edge_select_sort_ids(s->ids, count);
    }
    uint64_t sum = weigh(s, count, s->logits[best], p->temperature);
    if (p->top_p < 1.0f) {
        double wanted = (double)p->top_p * (double)sum;
        count = edge_select_share(s->ids, count, s->logits, s->weights, wanted, s->buckets);
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
    int32_t best = edge_select_first_largest(s->logits, s->vocab_size);
    if (best < 0) {
        return edge_fail(error, EDGE_INVALID, "every token is forbidden");
    }
    if (s->logits[best] == INFINITY) {
        return edge_fail(error, EDGE_INVALID, "penalties and bias make the logit of token %d infinite", (int)best);
    }
    *token = p->temperature == 0.0f ? best : choose(s, p, best);
    return EDGE_OK;
}

edge_status edge_sample(edge_sampler *sampler, const float *logits, const uint8_t *allowed, const edge_sampling *params,
                        const int32_t *history, int32_t num_history, const int32_t *bias_ids, const float *bias,
                        int32_t num_bias, int32_t *token, edge_error *error) {
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
    if (!edge_select_all_finite(logits, sampler->vocab_size)) {
        status = edge_fail(error, EDGE_NONFINITE, "a logit is not finite");
    }
    if (status == EDGE_OK) {
        memcpy(sampler->logits, logits, scratch_bytes(sampler->vocab_size, sizeof(float)));
        if (allowed) {
            apply_mask(sampler, allowed);
        }
        penalise(sampler, params, history, num_history);
        status = sample(sampler, params, bias_ids, bias, num_bias, token, error);
    }
    edge_fpenv_leave(saved);
    return status;
}

int32_t edge_sample_best(const float *logits, int32_t vocab_size) {
    int32_t best = -1;
    if (logits && vocab_size > 0) {
        uint64_t saved = edge_fpenv_enter();
        best = edge_select_all_finite(logits, vocab_size) ? edge_select_first_largest(logits, vocab_size) : -1;
        edge_fpenv_leave(saved);
    }
    return best;
}

int32_t edge_sample_is_finite(const float *logits, int32_t vocab_size) {
    uint64_t saved = edge_fpenv_enter();
    int32_t finite = logits && vocab_size > 0 && edge_select_all_finite(logits, vocab_size);
    edge_fpenv_leave(saved);
    return finite;
}
