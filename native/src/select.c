/* The order of tokens is (logit descending, id ascending), which has no ties: heaps for few tokens, buckets of logits
 * for a share of the probability. */
#include "select.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define LANES 16  /* compared side by side */
#define BLOCK 128 /* logits whose largest is found in one go, a multiple of LANES */

int edge_select_all_finite(const float *logits, int32_t size) {
    const int32_t whole = size / LANES * LANES;
    float lanes[LANES] = {0.0f}, sum = 0.0f; /* of x - x: 0 for a finite x and NaN for all others, which stays */
    for (int32_t i = 0; i < whole; i += LANES) {
        for (int32_t lane = 0; lane < LANES; lane++) {
            lanes[lane] += logits[i + lane] - logits[i + lane];
        }
    }
    for (int32_t lane = 0; lane < LANES; lane++) {
        sum += lanes[lane];
    }
    for (int32_t i = whole; i < size; i++) {
        sum += logits[i] - logits[i];
    }
    return sum == 0.0f;
}

/* The greatest of a block, whose lanes are compared side by side. */
static float largest_of(const float *block) {
    float lanes[LANES];
    for (int32_t lane = 0; lane < LANES; lane++) {
        lanes[lane] = block[lane];
    }
    for (int32_t i = LANES; i < BLOCK; i += LANES) {
        for (int32_t lane = 0; lane < LANES; lane++) {
            lanes[lane] = block[i + lane] > lanes[lane] ? block[i + lane] : lanes[lane];
        }
    }
    float value = lanes[0];
    for (int32_t lane = 1; lane < LANES; lane++) {
        value = lanes[lane] > value ? lanes[lane] : value;
    }
    return value;
}

/* The most probable token, the lower id on ties; -1 when all are forbidden. Found by blocks first: one comparison after
 * the other over a whole vocabulary takes longer than what decides it. */
int32_t edge_select_first_largest(const float *logits, int32_t size) {
    int32_t best = -1, first = 0;
    float value = -INFINITY;
    for (; size - first >= BLOCK; first += BLOCK) {
        const float most = largest_of(logits + first);
        if (most > value) {
            value = most;
            best = first; /* its block, until the end */
        }
    }
    while (best >= 0 && logits[best] != value) {
        best++;
    }
    for (; first < size; first++) {
        if (logits[first] > value) {
            value = logits[first];
            best = first;
        }
    }
    return best;
}

static int before(const float *logits, int32_t a, int32_t b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* What stands at the root. */
typedef enum heap_order { LAST_AT_ROOT, LARGEST_ID_AT_ROOT } heap_order;

static int above(heap_order order, const float *logits, int32_t a, int32_t b) {
    return order == LAST_AT_ROOT ? before(logits, b, a) : a > b;
}

static void sink(heap_order order, int32_t *ids, int32_t count, int64_t at, const float *logits) {
    int32_t id = ids[at];
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && above(order, logits, ids[child + 1], ids[child])) {
            child++;
        }
        if (!above(order, logits, ids[child], id)) {
            break;
        }
        ids[at] = ids[child];
        at = child;
    }
    ids[at] = id;
}

static void heapify(heap_order order, int32_t *ids, int32_t count, const float *logits) {
    for (int32_t i = count / 2; i-- > 0;) {
        sink(order, ids, count, i, logits);
    }
}

static void pop(heap_order order, int32_t *ids, int32_t count, const float *logits) {
    int32_t root = ids[0];
    ids[0] = ids[count - 1];
    ids[count - 1] = root;
    sink(order, ids, count - 1, 0, logits);
}

void edge_select_largest(int32_t *ids, int32_t count, const float *logits, int32_t size) {
    for (int32_t i = 0; i < count; i++) {
        ids[i] = i;
    }
    if (count == size) {
        return;
    }
    heapify(LAST_AT_ROOT, ids, count, logits);
    for (int32_t i = count; i < size; i++) {
        /* A later id with an equal logit never wins. */
        if (logits[i] > logits[ids[0]]) {
            ids[0] = i;
            sink(LAST_AT_ROOT, ids, count, 0, logits);
        }
    }
}

void edge_select_sort_ids(int32_t *ids, int32_t count) {
    heapify(LARGEST_ID_AT_ROOT, ids, count, NULL);
    for (int32_t left = count; left > 1; left--) {
        pop(LARGEST_ID_AT_ROOT, ids, left, NULL);
    }
}

/* The bits of a logit, made to ascend with its value. */
static uint32_t key_of(float logit) {
    uint32_t bits;
    logit = logit + 0.0f; /* -0 and 0 are one value */
    memcpy(&bits, &logit, sizeof(bits));
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* The bucket in which the sum, from the last bucket downwards, reaches what is wanted; adds what lies above to reached.
 */
static uint32_t find_edge(const uint64_t *buckets, double wanted, uint64_t *reached) {
    uint32_t bucket = EDGE_SELECT_BUCKETS - 1;
    while (bucket > 0 && (double)(*reached + buckets[bucket]) < wanted) {
        *reached += buckets[bucket--];
    }
    return bucket;
}

int32_t edge_select_share(int32_t *ids, int32_t count, const float *logits, const uint64_t *weights, double wanted,
                          uint64_t *buckets) {
    /* The key of the last logit that is kept, found from its upper half, then its lower half. */
    uint64_t reached = 0;
    memset(buckets, 0, EDGE_SELECT_BUCKETS * sizeof(*buckets));
    for (int32_t i = 0; i < count; i++) {
        buckets[key_of(logits[ids[i]]) >> 16] += weights[ids[i]];
    }
    uint32_t upper = find_edge(buckets, wanted, &reached);
    memset(buckets, 0, EDGE_SELECT_BUCKETS * sizeof(*buckets));
    for (int32_t i = 0; i < count; i++) {
        uint32_t key = key_of(logits[ids[i]]);
        if (key >> 16 == upper) {
            buckets[key & 0xffffu] += weights[ids[i]];
        }
    }
    uint32_t last = upper << 16 | find_edge(buckets, wanted, &reached);
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        uint32_t key = key_of(logits[ids[i]]);
        if (key > last) {
            ids[kept++] = ids[i];
        } else if (key == last && (double)reached < wanted) {
            reached += weights[ids[i]];
            ids[kept++] = ids[i];
        }
    }
    return kept;
}
