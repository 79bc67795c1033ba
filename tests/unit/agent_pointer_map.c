/* The hash table of addresses against a plain array, with many insertions and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "agent/pointer_map.h"

enum { KEYS = 3000 };

static char keys[KEYS];
static char values[KEYS];

static void test_empty(void **state)
{
    mprof__pointer_map map = {0};
    (void)state;
    assert_null(mprof__pointer_map_find(&map, &keys[0]));
    assert_null(mprof__pointer_map_remove(&map, &keys[0]));
}

static void test_put_find_remove(void **state)
{
    mprof__pointer_map map = {0};
    (void)state;
    assert_true(mprof__pointer_map_put(&map, &keys[1], &values[1]));
    assert_true(mprof__pointer_map_put(&map, &keys[1], &values[2])); /* the newer one counts */
    assert_int_equal(map.count, 1);
    assert_ptr_equal(mprof__pointer_map_find(&map, &keys[1]), &values[2]);
    assert_null(mprof__pointer_map_find(&map, &keys[2]));
    assert_ptr_equal(mprof__pointer_map_remove(&map, &keys[1]), &values[2]);
    assert_null(mprof__pointer_map_find(&map, &keys[1]));
    assert_int_equal(map.count, 0);
    free(map.pairs);
}

static void test_against_a_model(void **state)
{
    static void *model[KEYS];
    mprof__pointer_map map = {0};
    uint64_t seed = 88172645463325252;
    size_t count = 0;
    (void)state;

    for (int step = 0; step < 1000000; step++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        size_t key = seed % KEYS;
        void *value = &values[(seed >> 32) % KEYS];
        switch (seed >> 20 & 3) {
        case 0:
            assert_true(mprof__pointer_map_put(&map, &keys[key], value));
            count += !model[key];
            model[key] = value;
            break;
        case 1:
            assert_ptr_equal(mprof__pointer_map_remove(&map, &keys[key]), model[key]);
            count -= model[key] != NULL;
            model[key] = NULL;
            break;
        default:
            assert_ptr_equal(mprof__pointer_map_find(&map, &keys[key]), model[key]);
        }
    }
    assert_int_equal(map.count, count);
    for (size_t key = 0; key < KEYS; key++) {
        assert_ptr_equal(mprof__pointer_map_find(&map, &keys[key]), model[key]);
    }
    free(map.pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_put_find_remove),
        cmocka_unit_test(test_against_a_model),
    };
    return cmocka_run_group_tests_name("pointer map", tests, NULL, NULL);
}
