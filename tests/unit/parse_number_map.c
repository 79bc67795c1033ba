/* The hash table of numbers against a plain array, with many keys that come and go. */
#include "parse/number_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 3000, STEPS = 1000000 };

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Keys a stride apart: neighbours, and those whose lower or upper bits are all the same. */
static void check_against_array(size_t keys, uint64_t stride, size_t limit)
{
    static uint64_t model[KEYS];
    mprof__number_map map = {.limit = limit};
    uint64_t seed = 88172645463325252;
    size_t count = 0;

    memset(model, 0, sizeof model);
    for (int step = 0; step < STEPS; step++) {
        uint64_t random = next_random(&seed);
        size_t which = (size_t)(random % keys);
        uint64_t key = which * stride;
        switch (random >> 20 & 3) {
        case 0: {
            bool fits = model[which] != 0 || limit == 0 || count < limit;
            mprof__put_result result = mprof__number_map_put(&map, key, random | 1);
            assert_int_equal(result, fits ? MPROF__PUT_DONE : MPROF__PUT_LIMIT);
            if (fits) {
                count += model[which] == 0;
                model[which] = random | 1;
            }
            break;
        }
        case 1:
            assert_int_equal(mprof__number_map_remove(&map, key), model[which]);
            count -= model[which] != 0;
            model[which] = 0;
            break;
        default:
            assert_int_equal(mprof__number_map_find(&map, key), model[which]);
        }
        assert_int_equal(map.count, count);
    }
    for (size_t which = 0; which < keys; which++) {
        assert_int_equal(mprof__number_map_find(&map, which * stride), model[which]);
    }
    mprof__number_map_free(&map);
}

static void test_keys_that_come_and_go(void **state)
{
    (void)state;
    check_against_array(KEYS, 1, 0);
    check_against_array(KEYS, 48, 0); /* addresses of one kind of object */
    check_against_array(KEYS, UINT64_C(1) << 32, 0);
    check_against_array(512, UINT64_C(8388608), 0);
    check_against_array(512, UINT64_C(0x9e3779b97f4a7c15), 0);
    check_against_array(512, 1, 100);
}

static void test_limit(void **state)
{
    mprof__number_map map = {.limit = 3};
    uint32_t index;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(mprof__number_map_put_index(&map, i, i), MPROF__PUT_DONE);
    }
    assert_int_equal(mprof__number_map_put_index(&map, 2, 9),
                     MPROF__PUT_DONE); /* is there already */
    assert_int_equal(mprof__number_map_put_index(&map, 3, 3), MPROF__PUT_LIMIT);
    assert_true(mprof__number_map_remove_index(&map, 0, &index));
    assert_int_equal(index, 0);
    assert_int_equal(mprof__number_map_put_index(&map, 3, UINT32_MAX), MPROF__PUT_DONE);
    assert_true(mprof__number_map_find_index(&map, 3, &index));
    assert_int_equal(index, UINT32_MAX);
    mprof__number_map_clear(&map);
    assert_false(mprof__number_map_find_index(&map, 3, &index));
    assert_int_equal(map.count, 0);
    mprof__number_map_free(&map);
    assert_int_equal(map.limit, 3);
}

static void test_empty(void **state)
{
    mprof__number_map map = {0};
    uint32_t index;

    (void)state;
    assert_false(mprof__number_map_find_index(&map, 0, &index));
    assert_false(mprof__number_map_remove_index(&map, 0, &index));
    assert_int_equal(mprof__number_map_find(&map, 0), 0);
    mprof__number_map_clear(&map);
    mprof__number_map_free(&map);
}

static void test_pointers(void **state)
{
    static char keys[2], values[3];
    mprof__number_map map = {0};

    (void)state;
    assert_true(mprof__number_map_put_pointer(&map, &keys[0], &values[0]));
    assert_true(mprof__number_map_put_pointer(&map, &keys[0], &values[1])); /* replaces */
    assert_int_equal(map.count, 1);
    assert_ptr_equal(mprof__number_map_find_pointer(&map, &keys[0]), &values[1]);
    assert_null(mprof__number_map_find_pointer(&map, &keys[1]));
    assert_ptr_equal(mprof__number_map_remove_pointer(&map, &keys[0]), &values[1]);
    assert_null(mprof__number_map_remove_pointer(&map, &keys[0]));
    assert_int_equal(map.count, 0);
    mprof__number_map_free(&map);
}

static void add_to_sums(uint64_t key, uint64_t value, void *context)
{
    uint64_t *sums = context;
    sums[0] += key;
    sums[1] += value;
}

static mprof__number_map drained;
static uint64_t drained_sum;

/* Changes the map that is being drained, as a released object's destructor may. */
static void put_back(uint64_t key, uint64_t value)
{
    drained_sum += key + value;
    assert_int_equal(mprof__number_map_put(&drained, key, value), MPROF__PUT_DONE);
}

static void test_each_and_drain(void **state)
{
    uint64_t sums[2] = {0};

    (void)state;
    for (uint64_t i = 1; i <= 100; i++) {
        assert_int_equal(mprof__number_map_put(&drained, i, 1000 * i), MPROF__PUT_DONE);
    }
    mprof__number_map_each(&drained, add_to_sums, sums);
    assert_int_equal(sums[0], 5050);
    assert_int_equal(sums[1], 5050000);
    mprof__number_map_drain(&drained, put_back);
    assert_int_equal(drained_sum, 5055050);
    assert_int_equal(drained.count, 100);
    mprof__number_map_free(&drained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_that_come_and_go),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_each_and_drain),
    };
    return cmocka_run_group_tests_name("number map", tests, NULL, NULL);
}
