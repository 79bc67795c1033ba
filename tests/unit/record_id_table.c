/* The bounded table of numbers, against a plain array. */
#include "record/calls/id_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IDS 512

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return *seed >> 8;
}

/* Random puts and takes over few numbers, so that they collide; spread far apart, or close. */
static void check_against_array(uint32_t stride)
{
    mprof__id_table table;
    uint32_t values[IDS];
    uint32_t seed = 7;
    uint32_t count = 0;

    memset(values, 0xff, sizeof values);
    mprof__id_table_init(&table, IDS);
    for (int i = 0; i < 200000; i++) {
        uint32_t which = next_random(&seed) % IDS;
        uint32_t index = 0;

        if (next_random(&seed) % 2) {
            count += values[which] == UINT32_MAX;
            values[which] = (uint32_t)i;
            assert_int_equal(mprof__id_table_put(&table, which * stride, (uint32_t)i), MPROF_OK);
        } else {
            int there = values[which] != UINT32_MAX;

            assert_int_equal(mprof__id_table_take(&table, which * stride, &index), there);
            if (there) {
                assert_int_equal(index, values[which]);
                count--;
            }
            values[which] = UINT32_MAX;
        }
        assert_int_equal(table.count, count);
        which = next_random(&seed) % IDS;
        assert_int_equal(mprof__id_table_get(&table, which * stride, &index),
                         values[which] != UINT32_MAX);
    }
    mprof__id_table_free(&table);
}

static void test_random(void **state)
{
    (void)state;
    check_against_array(1);
    check_against_array(UINT32_C(8388608));
    check_against_array(UINT32_C(2654435769));
}

static void test_limit(void **state)
{
    mprof__id_table table;
    uint32_t index;

    (void)state;
    mprof__id_table_init(&table, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(mprof__id_table_put(&table, i, i), MPROF_OK);
    }
    assert_int_equal(mprof__id_table_put(&table, 2, 9), MPROF_OK); /* not a new one */
    assert_int_equal(mprof__id_table_put(&table, 3, 3), MPROF_EFORMAT);
    assert_true(mprof__id_table_take(&table, 0, &index));
    assert_int_equal(mprof__id_table_put(&table, 3, 3), MPROF_OK);
    mprof__id_table_clear(&table);
    assert_false(mprof__id_table_get(&table, 3, &index));
    assert_int_equal(table.count, 0);
    mprof__id_table_free(&table);
}

static void test_empty(void **state)
{
    mprof__id_table table;
    uint32_t index;

    (void)state;
    mprof__id_table_init(&table, 3);
    assert_false(mprof__id_table_get(&table, 0, &index));
    assert_false(mprof__id_table_take(&table, 0, &index));
    mprof__id_table_clear(&table);
    mprof__id_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
