/* The next token from a row of logits: greedy or sampled, reproducible on every machine. */
#ifndef EDGE_SAMPLING_H
#define EDGE_SAMPLING_H

#include <stdint.h>

#include "edge/status.h"

/* Applied in this order: the mask of a grammar, repetition and presence penalties over the history, bias, temperature,
 * softmax, top_k, top_p, min_p. Ties go to the lower token id. temperature 0 is greedy (after penalties and bias).
 * top_p is a share of what top_k left: the smallest set of most probable tokens that reaches it. The draw walks the
 * kept tokens in ascending id order until their sum passes the random number's share of the whole. Probabilities are
 * counted in units of 2^-40 of the largest, so sums are exact and no order matters. */
typedef struct edge_sampling {
    float temperature;        /* >= 0 */
    float top_p;              /* (0, 1], 1: off */
    float min_p;              /* [0, 1), 0: off; relative to the most probable token */
    float repetition_penalty; /* > 0, 1: off; CTRL (Keskar et al. 2019): l > 0 ? l / r : l * r */
    float presence_penalty;   /* [-2, 2], 0: off; subtracted once from each token in the history */
    int32_t top_k;            /* >= 0, 0: off */
    uint64_t seed;
    uint64_t sequence; /* with seed and position: counter of Philox4x32-10 (Salmon et al. 2011) */
    uint64_t position;
} edge_sampling;

typedef struct edge_sampler edge_sampler;

/* Holds the scratch for one vocabulary of 1 .. 2^22 tokens: sampling allocates nothing. */
EDGE_API edge_status edge_sampler_create(edge_sampler **out, int32_t vocab_size);
EDGE_API void edge_sampler_destroy(edge_sampler **sampler);

/* allowed: NULL, or (vocab_size + 7) / 8 bytes: token i may come when bit i % 8 of byte i / 8 is set.
 * history: ids of prompt and answer, for the penalties; bias: added to the logits of bias_ids (-inf forbids a token).
 * EDGE_INVALID: a parameter or an id out of range, or every token forbidden. EDGE_NONFINITE: a logit is NaN or +-inf.
 */
EDGE_API edge_status edge_sample(edge_sampler *sampler, const float *logits, const uint8_t *allowed,
                                 const edge_sampling *params, const int32_t *history, int32_t num_history,
                                 const int32_t *bias_ids, const float *bias, int32_t num_bias, int32_t *token,
                                 edge_error *error);

/* What edge_sample gives for temperature 0 and nothing that changes the logits, without a copy of them. -1: a logit is
 * NaN or +-inf. */
EDGE_API int32_t edge_sample_best(const float *logits, int32_t vocab_size);

/* 1: no logit is NaN or +-inf; 0: one is, or there are none. */
EDGE_API int32_t edge_sample_is_finite(const float *logits, int32_t vocab_size);

#endif
