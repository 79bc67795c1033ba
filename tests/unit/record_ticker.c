/* Deadlines as plain numbers. */
#include "record/session/ticker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What happens to a ticker of 100 ns started at 1000 when it is served late. */
static const struct row {
    const char *name;
    int64_t served_ns;
    uint64_t missed;
    int64_t next_ns;
} rows[] = {
    {"in time", 1000, 0, 1100},
    {"a little late", 1099, 0, 1100},
    {"one interval late", 1100, 1, 1200},
    {"just before the third", 1299, 2, 1300},
    {"stopped for long", 1000 + 100 * 36000, 36000, 1000 + 100 * 36001},
};

static void test_late(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__ticker ticker;

        mprof__ticker_init(&ticker, 1000, 100);
        print_message("%s\n", rows[i].name);
        assert_int_equal(mprof__ticker_advance(&ticker, rows[i].served_ns), rows[i].missed);
        assert_int_equal(ticker.next_ns, rows[i].next_ns);
        assert_int_equal(ticker.missed, rows[i].missed);
        assert_true(ticker.next_ns > rows[i].served_ns); /* never a burst */
    }
}

static void test_no_drift(void **state)
{
    mprof__ticker ticker;
    int64_t now_ns = 5;

    (void)state;
    mprof__ticker_init(&ticker, now_ns, 100000);
    for (int i = 0; i < 1000000; i++) {
        assert_int_equal(mprof__ticker_advance(&ticker, now_ns + i % 70), 0);
        assert_int_equal(mprof__ticker_remaining_ns(&ticker, now_ns + i % 70), 100000 - i % 70);
        now_ns += 100000;
    }
    assert_int_equal(ticker.next_ns, 5 + INT64_C(100000) * 1000000);
    assert_int_equal(ticker.ticks, 1000000);
}

static void test_remaining(void **state)
{
    mprof__ticker ticker;

    (void)state;
    mprof__ticker_init(&ticker, 1000, 100);
    assert_int_equal(mprof__ticker_remaining_ns(&ticker, 990), 10);
    assert_int_equal(mprof__ticker_remaining_ns(&ticker, 1000), 0);
    assert_int_equal(mprof__ticker_remaining_ns(&ticker, 5000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_no_drift),
        cmocka_unit_test(test_remaining),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
