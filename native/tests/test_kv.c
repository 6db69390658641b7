/* The KV arena: sizes, limits, copies, failures. */
#include "edge/kv.h"

#include <stdlib.h>

#include "check.h"
#include "kv.h"
#include "os.h"

static void test_sizes(void) {
    static const struct {
        edge_kv_config config;
        uint64_t bytes; /* 0: refused */
    } cases[] = {
        {{EDGE_KV_F16, 1, 1, 2, 1}, 2 * 32 * 2 * 2},
        {{EDGE_KV_F32, 1, 1, 2, 1}, 2 * 32 * 2 * 4},
        {{EDGE_KV_F16, 22, 4, 64, 100}, 2ull * 22 * 4 * 32 * 64 * 2},
        {{EDGE_KV_F32, 1 << 20, 1 << 20, 2, 1}, 1ull << 49},
        {{EDGE_KV_F32, 1 << 20, 1 << 20, 1024, 1}, 1ull << 58},
        {{EDGE_KV_F32, 1 << 20, 1 << 20, 1024, 64}, 0}, /* the arena has 2^64 bytes */
        {{EDGE_KV_F32, 1 << 20, 1 << 20, 1024, 1 << 20}, 0},
        {{EDGE_KV_Q8, 1, 1, 2, 1}, 2 * 32 * (4 + 4)}, /* codes of K come in fours */
        {{EDGE_KV_Q8, 22, 4, 64, 100}, 2ull * 22 * 4 * 32 * (64 + 4)},
        {{EDGE_KV_Q4, 1, 1, 2, 1}, 2 * 32 * (2 + 4)},
        {{EDGE_KV_Q4, 22, 4, 64, 100}, 2ull * 22 * 4 * 32 * (32 + 4)},
        {{4, 1, 1, 2, 1}, 0},
        {{-1, 1, 1, 2, 1}, 0},
        {{EDGE_KV_F16, 0, 1, 2, 1}, 0},
        {{EDGE_KV_F16, (1 << 20) + 1, 1, 2, 1}, 0},
        {{EDGE_KV_F16, 1, 0, 2, 1}, 0},
        {{EDGE_KV_F16, 1, -1, 2, 1}, 0},
        {{EDGE_KV_F16, 1, 1, 0, 1}, 0},
        {{EDGE_KV_F16, 1, 1, 3, 1}, 0},
        {{EDGE_KV_F16, 1, 1, 1026, 1}, 0},
        {{EDGE_KV_F16, 1, 1, 2, 0}, 0},
        {{EDGE_KV_F16, 1, 1, 2, (1 << 20) + 1}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t bytes = 0;
        edge_status status = edge_kv_block_bytes(&cases[i].config, &bytes);
        CHECK(status == (cases[i].bytes ? EDGE_OK : EDGE_INVALID), "case %d", (int)i);
        CHECK(bytes == cases[i].bytes, "case %d: %llu bytes", (int)i, (unsigned long long)bytes);
        if (!cases[i].bytes) {
            edge_kv *kv = NULL;
            CHECK(edge_kv_create(&kv, &cases[i].config) == EDGE_INVALID && kv == NULL, "case %d", (int)i);
        }
    }
    uint64_t bytes;
    CHECK(edge_kv_block_bytes(NULL, &bytes) == EDGE_INVALID, "NULL");
    CHECK(edge_kv_block_bytes(&cases[0].config, NULL) == EDGE_INVALID, "NULL");
}

static void test_layout_and_copy(edge_kv_type type) {
    const edge_kv_config config = {(int32_t)type, 3, 2, 4, 5};
    edge_kv *kv = NULL;
    uint64_t block_bytes;
    CHECK(edge_kv_create(&kv, &config) == EDGE_OK, "create");
    CHECK(edge_kv_block_bytes(&config, &block_bytes) == EDGE_OK, "bytes");
    /* Heads follow each other: K of all heads, V of all heads, next layer, next block. */
    uint8_t *expected = edge_kv_keys(kv, 0, 0, 0);
    for (int32_t block = 0; block < 5; block++) {
        for (int32_t layer = 0; layer < 3; layer++) {
            for (int32_t head = 0; head < 2; head++, expected += kv->head_bytes) {
                CHECK(edge_kv_keys(kv, block, layer, head) == expected, "keys %d %d %d", block, layer, head);
            }
            for (int32_t head = 0; head < 2; head++, expected += kv->head_bytes) {
                CHECK(edge_kv_values(kv, block, layer, head) == expected, "values %d %d %d", block, layer, head);
            }
        }
    }
    uint8_t *first = edge_kv_keys(kv, 0, 0, 0);
    CHECK((uint64_t)(expected - first) == 5 * block_bytes, "arena");
    for (uint64_t i = 0; i < 5 * block_bytes; i++) {
        first[i] = (uint8_t)(i / block_bytes + 1);
    }
    CHECK(edge_kv_copy_block(kv, 3, 1) == EDGE_OK, "copy");
    CHECK(edge_kv_copy_block(kv, 4, 4) == EDGE_OK, "copy onto itself");
    static const uint8_t content[5] = {1, 4, 3, 4, 5};
    for (uint64_t i = 0; i < 5 * block_bytes; i++) {
        if (first[i] != content[i / block_bytes]) {
            CHECK(0, "byte %d of block %d", (int)(i % block_bytes), (int)(i / block_bytes));
            break;
        }
    }
    CHECK(edge_kv_copy_block(kv, -1, 0) == EDGE_INVALID && edge_kv_copy_block(kv, 0, 5) == EDGE_INVALID &&
              edge_kv_copy_block(kv, 5, 0) == EDGE_INVALID && edge_kv_copy_block(NULL, 0, 0) == EDGE_INVALID,
          "blocks that do not exist");
    uint8_t *copy = malloc((size_t)block_bytes);
    CHECK(copy && edge_kv_read_block(kv, 2, copy) == EDGE_OK && copy[0] == 3 && copy[block_bytes - 1] == 3, "read");
    CHECK(edge_kv_write_block(kv, 0, copy) == EDGE_OK, "write");
    CHECK(first[0] == 3 && first[block_bytes - 1] == 3 && first[block_bytes] == 4, "a block is written, no more");
    CHECK(edge_kv_read_block(kv, 5, copy) == EDGE_INVALID && edge_kv_read_block(kv, 0, NULL) == EDGE_INVALID &&
              edge_kv_write_block(kv, -1, copy) == EDGE_INVALID && edge_kv_write_block(kv, 0, NULL) == EDGE_INVALID,
          "no such block, no memory");
    free(copy);
    edge_kv_destroy(&kv);
    CHECK(kv == NULL, "destroy nulls");
    edge_kv_destroy(&kv);
    edge_kv_destroy(NULL);
}

/* K and V of another engine: every value lands where a step would put it. That all types round as a step does is
 * tests/backends/test_stored_kv.py's. */
static void test_store(void) {
    enum { HEADS = 2, DIM = 6, STRIDE = 32 * DIM + 10 };
    const edge_kv_config config = {EDGE_KV_F32, 2, HEADS, DIM, 3};
    static float keys[HEADS * STRIDE], values[HEADS * STRIDE];
    edge_kv *kv = NULL;
    CHECK(edge_kv_create(&kv, &config) == EDGE_OK, "create");
    for (int32_t i = 0; i < HEADS * STRIDE; i++) {
        keys[i] = (float)i;
        values[i] = (float)-i;
    }
    CHECK(edge_kv_store(kv, 1, 1, keys, values, STRIDE) == EDGE_OK, "store");
    for (int32_t head = 0; head < HEADS; head++) {
        const float *k = (const float *)(const void *)edge_kv_keys(kv, 1, 1, head);
        const float *v = (const float *)(const void *)edge_kv_values(kv, 1, 1, head);
        for (int32_t slot = 0; slot < 32; slot++) {
            for (int32_t d = 0; d < DIM; d++) {
                float wanted = (float)(head * STRIDE + slot * DIM + d);
                CHECK(k[d * 32 + slot] == wanted && v[slot * DIM + d] == -wanted, "head %d, %d, %d", head, slot, d);
            }
        }
    }
    const float *before = (const float *)(const void *)edge_kv_keys(kv, 1, 0, 0);
    const float *behind = (const float *)(const void *)edge_kv_keys(kv, 2, 0, 0);
    for (int32_t i = 0; i < 2 * HEADS * 32 * DIM; i++) {
        CHECK(before[i] == 0 && behind[i] == 0, "%d: another layer or block was written", i);
    }
    CHECK(edge_kv_store(NULL, 0, 0, keys, values, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, 3, 0, keys, values, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, -1, 0, keys, values, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, 0, 2, keys, values, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, 0, -1, keys, values, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, 0, 0, NULL, values, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, 0, 0, keys, NULL, STRIDE) == EDGE_INVALID &&
              edge_kv_store(kv, 0, 0, keys, values, 32 * DIM - 1) == EDGE_INVALID,
          "what is not there, or overlaps");
    edge_kv_destroy(&kv);
}

static void test_failures(void) {
    const edge_kv_config config = {EDGE_KV_F16, 1, 1, 2, 1}, huge = {EDGE_KV_F32, 1 << 20, 1 << 20, 1024, 1};
    int64_t before = edge_os_live();
    edge_kv *kv = NULL;
    for (int32_t fail = 0; fail < 2; fail++) {
        edge_os_fail_after(fail);
        CHECK(edge_kv_create(&kv, &config) == EDGE_NO_MEMORY && kv == NULL, "failure %d", fail);
        CHECK(edge_os_live() == before, "failure %d leaks", fail);
    }
    edge_os_fail_after(-1);
    CHECK(edge_kv_create(&kv, &huge) == EDGE_NO_MEMORY && kv == NULL, "2^58 bytes");
    CHECK(edge_os_live() == before, "leak");
}

int main(void) {
    test_sizes();
    test_layout_and_copy(EDGE_KV_F16);
    test_layout_and_copy(EDGE_KV_Q8);
    test_layout_and_copy(EDGE_KV_Q4);
    test_layout_and_copy(EDGE_KV_F32);
    test_store();
    test_failures();
    return check_result("kv");
}
