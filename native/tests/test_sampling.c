/* Sampling against a plain one that sorts, the generator's known answers, and the distribution of draws. */
#include "edge/sampling.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "expf.h"
#include "os.h"
#include "philox.h"
#include "random.h"

#define VOCAB 200

static const edge_sampling greedy = {0.0f, 1.0f, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0};

/* Known answers from the Random123 distribution (kat_vectors). */
static void test_philox(void) {
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        edge_philox4x32(out, cases[i].counter, cases[i].key);
        CHECK(memcmp(out, cases[i].out, sizeof out) == 0, "vector %d", (int)i);
    }
    /* Where seed, sequence and position go. */
    const uint32_t counter[4] = {0x03020100, 0x07060504, 0x13121110, 0x17161514}, key[2] = {0x23222120, 0x27262524};
    uint32_t out[4];
    edge_philox4x32(out, counter, key);
    double expected = ldexp((double)(((uint64_t)out[1] << 32 | out[0]) >> 11), -53);
    CHECK(edge_philox_unit(0x2726252423222120u, 0x1716151413121110u, 0x0706050403020100u) == expected, "unit");
}

static const float *sort_logits;

static int by_logit(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    if (sort_logits[x] != sort_logits[y]) {
        return sort_logits[x] > sort_logits[y] ? -1 : 1;
    }
    return x - y;
}

/* The definition, written with a full sort. l: logits after penalties and bias. */
static int32_t plain_sample(const float *l, const edge_sampling *p) {
    int32_t ids[VOCAB];
    float w[VOCAB];
    uint64_t units[VOCAB], sum = 0, reached = 0, all = 0, passed = 0;
    uint8_t kept[VOCAB] = {0};
    for (int32_t i = 0; i < VOCAB; i++) {
        ids[i] = i;
    }
    sort_logits = l;
    qsort(ids, VOCAB, sizeof ids[0], by_logit);
    if (p->temperature == 0.0f) {
        return ids[0];
    }
    int32_t count = p->top_k > 0 && p->top_k < VOCAB ? p->top_k : VOCAB;
    for (int32_t i = 0; i < VOCAB; i++) {
        w[i] = edge_expf((l[i] - l[ids[0]]) / p->temperature);
        units[i] = (uint64_t)ldexp((double)w[i], 40);
    }
    for (int32_t i = 0; i < count; i++) {
        kept[ids[i]] = 1;
    }
    for (int32_t i = 0; i < VOCAB; i++) {
        sum += kept[i] ? units[i] : 0;
    }
    for (int32_t i = 0; i < count && p->top_p < 1.0f; i++) {
        kept[ids[i]] = (double)reached < (double)p->top_p * (double)sum;
        reached += units[ids[i]];
    }
    for (int32_t i = 0; i < VOCAB; i++) {
        kept[i] = kept[i] && (double)units[i] >= floor(ldexp((double)p->min_p, 40));
        all += kept[i] ? units[i] : 0;
    }
    uint64_t target = (uint64_t)(edge_philox_unit(p->seed, p->sequence, p->position) * (double)all);
    for (int32_t i = 0; i < VOCAB; i++) {
        passed += kept[i] ? units[i] : 0;
        if (passed > target) {
            return i;
        }
    }
    return -1;
}

static void plain_penalties(float *l, const edge_sampling *p, const int32_t *history, int32_t count) {
    for (int32_t id = 0; id < VOCAB; id++) {
        int in_history = 0;
        for (int32_t i = 0; i < count; i++) {
            in_history |= history[i] == id;
        }
        if (in_history) {
            l[id] = l[id] > 0.0f ? l[id] / p->repetition_penalty : l[id] * p->repetition_penalty;
            l[id] = l[id] - p->presence_penalty;
        }
    }
}

static void test_against_plain(edge_sampler *sampler, int32_t cases) {
    static const float top_ps[] = {1.0f, 0.99f, 0.9f, 0.5f, 0.01f, 1e-30f};
    static const float min_ps[] = {0.0f, 0.01f, 0.2f, 0.999f};
    uint64_t state = 7;
    for (int32_t i = 0; i < cases; i++) {
        float logits[VOCAB], l[VOCAB], bias[4];
        int32_t history[20], bias_ids[4], token = -1, expected;
        edge_sampling p = greedy;
        float spread = ldexpf(1.0f, random_int(&state, -3, 4));
        for (int32_t j = 0; j < VOCAB; j++) {
            /* Few different values in every third case: many ties. */
            logits[j] = i % 3 == 0 ? spread * (float)random_int(&state, -2, 2) : spread * random_unit(&state);
        }
        int32_t num_history = random_int(&state, 0, 20), num_bias = random_int(&state, 0, 4);
        for (int32_t j = 0; j < num_history; j++) {
            history[j] = random_int(&state, 0, VOCAB - 1);
        }
        for (int32_t j = 0; j < num_bias; j++) {
            bias_ids[j] = random_int(&state, 0, VOCAB - 1);
            bias[j] = random_int(&state, 0, 3) ? 3.0f * random_unit(&state) : -INFINITY;
        }
        p.temperature = random_int(&state, 0, 4) ? ldexpf(1.0f + random_unit(&state), random_int(&state, -4, 2)) : 0.0f;
        p.top_p = top_ps[random_int(&state, 0, 5)];
        p.min_p = min_ps[random_int(&state, 0, 3)];
        p.top_k = random_int(&state, 0, 1) ? random_int(&state, 0, VOCAB + 5) : 0;
        p.repetition_penalty = random_int(&state, 0, 1) ? 1.0f : 1.3f;
        p.presence_penalty = random_int(&state, 0, 1) ? 0.0f : random_unit(&state) * 2.0f;
        p.seed = random_u64(&state);
        p.sequence = (uint64_t)(i % 5);
        p.position = (uint64_t)i;
        uint8_t mask[(VOCAB + 7) / 8];
        int masked = random_int(&state, 0, 1);
        for (int32_t j = 0; j < (VOCAB + 7) / 8; j++) {
            mask[j] = (uint8_t)(random_int(&state, 0, 2) ? random_int(&state, 0, 255) : 0xff);
        }
        memcpy(l, logits, sizeof l);
        for (int32_t j = 0; j < VOCAB && masked; j++) {
            l[j] = mask[j / 8] >> j % 8 & 1 ? l[j] : -INFINITY;
        }
        plain_penalties(l, &p, history, num_history);
        for (int32_t j = 0; j < num_bias; j++) {
            l[bias_ids[j]] = l[bias_ids[j]] + bias[j];
        }
        expected = plain_sample(l, &p);
        edge_error error = {""};
        edge_status status = edge_sample(sampler, logits, masked ? mask : NULL, &p, history, num_history, bias_ids,
                                         bias, num_bias, &token, &error);
        CHECK(status == EDGE_OK && token == expected, "case %d: status %d, token %d, expected %d (%s)", i, status,
              token, expected, error.message);
    }
}

/* Chi-square of 20,000 draws over 10 tokens: 9 degrees of freedom, 27.9 is the 0.1 % point. The draws are fixed. */
static void test_distribution(void) {
    enum { TOKENS = 10, DRAWS = 20000 };
    edge_sampler *sampler = NULL;
    float logits[TOKENS];
    double sum = 0.0, chi = 0.0;
    int32_t seen[TOKENS] = {0};
    CHECK(edge_sampler_create(&sampler, TOKENS) == EDGE_OK, "create");
    for (int32_t i = 0; i < TOKENS; i++) {
        logits[i] = 0.3f * (float)((i * 7) % TOKENS);
        sum += exp((double)logits[i] / 0.8);
    }
    edge_sampling p = greedy;
    p.temperature = 0.8f;
    p.seed = 42;
    for (int32_t i = 0; i < DRAWS; i++) {
        int32_t token;
        p.position = (uint64_t)(i % 100);
        p.sequence = (uint64_t)(i / 100);
        CHECK(edge_sample(sampler, logits, NULL, &p, NULL, 0, NULL, NULL, 0, &token, NULL) == EDGE_OK, "draw %d", i);
        seen[token]++;
    }
    for (int32_t i = 0; i < TOKENS; i++) {
        double expected = DRAWS * exp((double)logits[i] / 0.8) / sum;
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    CHECK(chi < 27.9, "chi-square %g", chi);
    edge_sampler_destroy(&sampler);
}

static void test_refusals(edge_sampler *sampler) {
    float logits[VOCAB] = {0};
    const int32_t ids[2] = {0, VOCAB}, negative[1] = {-1};
    const float bias[2] = {0.0f, 0.0f}, bad[3] = {NAN, INFINITY, -INFINITY};
    int32_t token = 77, all[VOCAB];
    float forbid[VOCAB];
    edge_error error;
#define SAMPLE(p, h, nh, bi, b, nb) edge_sample(sampler, logits, NULL, p, h, nh, bi, b, nb, &token, &error)
    static const edge_sampling broken[] = {
        {-1.0f, 1.0f, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0},    {NAN, 1.0f, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0},
        {INFINITY, 1.0f, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0}, {1.0f, 0.0f, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0},
        {1.0f, 1.1f, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0},     {1.0f, NAN, 0.0f, 1.0f, 0.0f, 0, 0, 0, 0},
        {1.0f, 1.0f, 1.0f, 1.0f, 0.0f, 0, 0, 0, 0},     {1.0f, 1.0f, -0.1f, 1.0f, 0.0f, 0, 0, 0, 0},
        {1.0f, 1.0f, 0.0f, 0.0f, 0.0f, 0, 0, 0, 0},     {1.0f, 1.0f, 0.0f, INFINITY, 0.0f, 0, 0, 0, 0},
        {1.0f, 1.0f, 0.0f, 1.0f, 2.1f, 0, 0, 0, 0},     {1.0f, 1.0f, 0.0f, 1.0f, NAN, 0, 0, 0, 0},
        {1.0f, 1.0f, 0.0f, 1.0f, 0.0f, -1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        CHECK(SAMPLE(&broken[i], NULL, 0, NULL, NULL, 0) == EDGE_INVALID, "parameters %d", (int)i);
    }
    CHECK(SAMPLE(&greedy, ids, 2, NULL, NULL, 0) == EDGE_INVALID, "history id");
    CHECK(SAMPLE(&greedy, negative, 1, NULL, NULL, 0) == EDGE_INVALID, "history id");
    CHECK(SAMPLE(&greedy, NULL, 1, NULL, NULL, 0) == EDGE_INVALID, "history NULL");
    CHECK(SAMPLE(&greedy, ids, -1, NULL, NULL, 0) == EDGE_INVALID, "history count");
    CHECK(SAMPLE(&greedy, NULL, 0, ids, bias, 2) == EDGE_INVALID, "bias id");
    CHECK(SAMPLE(&greedy, NULL, 0, ids, NULL, 1) == EDGE_INVALID, "bias NULL");
    CHECK(SAMPLE(&greedy, NULL, 0, ids, &bad[0], 1) == EDGE_INVALID, "NaN bias");
    CHECK(SAMPLE(&greedy, NULL, 0, ids, &bad[1], 1) == EDGE_INVALID, "infinite bias");
    for (int32_t i = 0; i < VOCAB; i++) {
        all[i] = i;
        forbid[i] = -INFINITY;
    }
    CHECK(SAMPLE(&greedy, NULL, 0, all, forbid, VOCAB) == EDGE_INVALID, "all forbidden");
    CHECK(SAMPLE(&greedy, NULL, 0, all, forbid, VOCAB - 1) == EDGE_OK && token == VOCAB - 1, "one allowed");
    edge_sampling hot = greedy;
    hot.temperature = 100.0f;
    CHECK(SAMPLE(&hot, NULL, 0, all, forbid, VOCAB - 1) == EDGE_OK && token == VOCAB - 1, "one allowed, sampled");
    hot.repetition_penalty = 1e-38f;
    logits[3] = 1e20f;
    CHECK(SAMPLE(&hot, &all[3], 1, NULL, NULL, 0) == EDGE_INVALID, "a penalty that overflows");
    for (int32_t i = 0; i < 3; i++) {
        logits[5] = bad[i];
        CHECK(SAMPLE(&greedy, NULL, 0, NULL, NULL, 0) == EDGE_NONFINITE, "logit %g", (double)bad[i]);
    }
    logits[5] = 0.0f;
    /* A refusal between must not leave the history marked. */
    edge_sampling penal = greedy;
    penal.presence_penalty = 1.0f;
    logits[3] = 0.5f;
    CHECK(SAMPLE(&penal, &all[3], 1, ids, &bad[0], 1) == EDGE_INVALID, "NaN bias");
    CHECK(SAMPLE(&penal, &all[3], 1, NULL, NULL, 0) == EDGE_OK && token == 0, "token 3 is penalised: %d", token);
    CHECK(edge_sample(NULL, logits, NULL, &greedy, NULL, 0, NULL, NULL, 0, &token, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_sample(sampler, NULL, NULL, &greedy, NULL, 0, NULL, NULL, 0, &token, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_sample_best(NULL, 8) == -1 && edge_sample_best(logits, 0) == -1, "best of nothing");
    CHECK(!edge_sample_is_finite(NULL, 8) && !edge_sample_is_finite(logits, 0), "nothing is not finite");
    CHECK(edge_sample(sampler, logits, NULL, NULL, NULL, 0, NULL, NULL, 0, &token, NULL) == EDGE_INVALID, "NULL");
    CHECK(edge_sample(sampler, logits, NULL, &greedy, NULL, 0, NULL, NULL, 0, NULL, NULL) == EDGE_INVALID, "NULL");
}

/* A mask: what it leaves out never comes, whatever penalties and bias add; its bits past the vocabulary mean nothing.
 */
static void test_mask(void) {
    enum { TOKENS = 13 };
    edge_sampler *sampler = NULL;
    float logits[TOKENS] = {9.0f, 8.0f, 7.0f};
    const int32_t first[1] = {0};
    const float more[1] = {100.0f};
    int32_t token = -1;
    CHECK(edge_sampler_create(&sampler, TOKENS) == EDGE_OK, "create");
    for (int32_t id = 0; id < TOKENS; id++) {
        uint8_t mask[2] = {0, 0xe0};
        mask[id / 8] = (uint8_t)(mask[id / 8] | 1u << id % 8);
        for (int32_t hot = 0; hot < 2; hot++) {
            edge_sampling p = greedy;
            p.temperature = 5.0f * (float)hot;
            p.repetition_penalty = 1.5f;
            CHECK(edge_sample(sampler, logits, mask, &p, first, 1, first, more, 1, &token, NULL) == EDGE_OK &&
                      token == id,
                  "only %d is allowed: %d", id, token);
        }
    }
    const uint8_t none[2] = {0, 0xe0};
    CHECK(edge_sample(sampler, logits, none, &greedy, NULL, 0, NULL, NULL, 0, &token, NULL) == EDGE_INVALID, "none");
    logits[12] = NAN;
    const uint8_t all[2] = {0xff, 0x0f};
    CHECK(edge_sample(sampler, logits, all, &greedy, NULL, 0, NULL, NULL, 0, &token, NULL) == EDGE_NONFINITE,
          "a forbidden logit that is not finite");
    edge_sampler_destroy(&sampler);
}

static void test_failures(void) {
    edge_sampler *sampler = NULL;
    int64_t before = edge_os_live();
    CHECK(edge_sampler_create(&sampler, 0) == EDGE_INVALID && sampler == NULL, "vocabulary of 0");
    CHECK(edge_sampler_create(&sampler, (1 << 22) + 1) == EDGE_INVALID && sampler == NULL, "a vocabulary too large");
    CHECK(edge_sampler_create(NULL, 5) == EDGE_INVALID, "NULL");
    for (int32_t fail = 0; fail < 6; fail++) {
        edge_os_fail_after(fail);
        CHECK(edge_sampler_create(&sampler, 100) == EDGE_NO_MEMORY && sampler == NULL, "failure %d", fail);
        CHECK(edge_os_live() == before, "failure %d leaks", fail);
    }
    edge_os_fail_after(-1);
    edge_sampler_destroy(NULL);
    edge_sampler_destroy(&sampler);
}

int main(void) {
    edge_sampler *sampler = NULL;
    test_philox();
    test_mask();
    CHECK(edge_sampler_create(&sampler, VOCAB) == EDGE_OK, "create");
    test_against_plain(sampler, 20000);
    test_refusals(sampler);
    test_against_plain(sampler, 100);
    edge_sampler_destroy(&sampler);
    test_distribution();
    test_failures();
    return check_result("sampling");
}
