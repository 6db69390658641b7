/* Binary heaps over token ids; the order is (logit descending, id ascending), which has no ties. */
#include "select.h"

#include <stddef.h>

static int before(const float *logits, int32_t a, int32_t b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* What stands at the root. */
typedef enum heap_order { LAST_AT_ROOT, FIRST_AT_ROOT, LARGEST_ID_AT_ROOT } heap_order;

static int above(heap_order order, const float *logits, int32_t a, int32_t b) {
    switch (order) {
    case LAST_AT_ROOT:
        return before(logits, b, a);
    case FIRST_AT_ROOT:
        return before(logits, a, b);
    default:
        return a > b;
    }
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

void edge_select_heapify(int32_t *ids, int32_t count, const float *logits) {
    heapify(FIRST_AT_ROOT, ids, count, logits);
}

void edge_select_pop(int32_t *ids, int32_t count, const float *logits) {
    pop(FIRST_AT_ROOT, ids, count, logits);
}

void edge_select_sort_ids(int32_t *ids, int32_t count) {
    heapify(LARGEST_ID_AT_ROOT, ids, count, NULL);
    for (int32_t left = count; left > 1; left--) {
        pop(LARGEST_ID_AT_ROOT, ids, left, NULL);
    }
}
