/* Choosing an instruction set: by name, by default, and refused with a sentence. */
#include "check.h"
#include "kernels.h"

int main(void) {
    edge_isa isa = EDGE_ISA_COUNT, best = EDGE_ISA_COUNT;
    edge_error error;
    CHECK(edge_isa_select(NULL, &best, NULL) == EDGE_OK && edge_isa_supported(best), "the best level is supported");
    const char *expected = getenv("EDGE_EXPECT_ISA"); /* set where the runner knows the CPU */
    CHECK(!expected || strcmp(edge_isa_name(best), expected) == 0, "this CPU's best level is %s, not %s",
          edge_isa_name(best), expected);
    CHECK(edge_isa_select("", &isa, NULL) == EDGE_OK && isa == best, "an empty name means the best");
    CHECK(edge_isa_select("scalar", &isa, NULL) == EDGE_OK && isa == EDGE_ISA_SCALAR, "scalar is always there");
    for (int32_t i = 0; i < EDGE_ISA_COUNT; i++) {
        const char *name = edge_isa_name((edge_isa)i);
        const edge_kernels *kernels = edge_kernels_get((edge_isa)i);
        int supported = edge_isa_supported((edge_isa)i);
        memset(&error, 0, sizeof error);
        edge_status status = edge_isa_select(name, &isa, &error);
        CHECK(status == (supported ? EDGE_OK : EDGE_UNSUPPORTED), "%s: %d", name, (int)status);
        CHECK(supported || strstr(error.message, name), "the message names the level: %s", error.message);
        CHECK(!kernels == !supported, "%s has a table when it is supported", name);
        CHECK(!kernels || kernels->isa == (edge_isa)i, "the table of %s says so", name);
        CHECK(!supported || i <= (int32_t)best, "no level above the best one");
        for (int32_t family = 0; kernels && family < EDGE_NUM_FAMILIES; family++) {
            for (int32_t shape = 0; shape < EDGE_NUM_SHAPES; shape++) {
                edge_matmul_fn *scalar = edge_kernels_get(EDGE_ISA_SCALAR)->matmul[family][shape];
                edge_matmul_fn *own = kernels->matmul[family][shape];
                CHECK(own && (i == EDGE_ISA_SCALAR || own != scalar), "%s, family %d, shape %d has a kernel of its own",
                      name, (int)family, (int)shape);
            }
        }
    }
    CHECK(edge_isa_select("mmx", &isa, &error) == EDGE_INVALID && strstr(error.message, "mmx"), "no such level");
    CHECK(edge_isa_select("AVX2", &isa, NULL) == EDGE_INVALID, "names are lower case");
    CHECK(!edge_isa_name(EDGE_ISA_COUNT) && !edge_isa_name((edge_isa)-1), "no names out of range");
    CHECK(!edge_kernels_get(EDGE_ISA_COUNT) && !edge_kernels_get((edge_isa)-1), "no tables out of range");
    CHECK(edge_family_of((edge_type)99) == EDGE_NUM_FAMILIES, "no family for a type that is not known");
    return check_result("cpu");
}
