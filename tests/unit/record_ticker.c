/* Deadlines, computed without waiting. */
#include "record/session/ticker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A ticker of 100 ns started at 1000, served late. */
static const struct row {
    const char *name;
    int64_t served_ns;
    uint64_t missed;
    int64_t next_ns;
} rows[] = {
    {"in time", 1000, 0, 1100},
    {"a little late", 1089, 0, 1100},
    {"just before the second", 1090, 0, 1100},
    {"too near to the second", 1091, 1, 1200},
    {"one interval late", 1100, 1, 1200},
    {"before the third", 1290, 2, 1300},
    {"just before the third", 1299, 3, 1400},
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

/* Early deadlines lie between the first two, and each comes once. */
static void test_early(void **state)
{
    static const struct {
        int64_t interval_ns;
        int64_t at_ns[8]; /* after the start; 0 ends the list */
    } cases[] = {
        {1000000000, {1000000, 2000000, 5000000, 10000000, 20000000, 50000000, 1000000000}},
        {101000000, {1000000, 2000000, 5000000, 10000000, 20000000, 50000000, 101000000}},
        {100000000, {1000000, 2000000, 5000000, 10000000, 20000000, 100000000}},
        {10000000, {1000000, 2000000, 10000000, 20000000}},
        {1000000, {1000000, 2000000, 3000000}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mprof__ticker ticker;
        int64_t now_ns = 7;

        mprof__ticker_init(&ticker, now_ns, cases[i].interval_ns);
        mprof__ticker_begin_early(&ticker);
        assert_int_equal(mprof__ticker_advance_early(&ticker, now_ns), 0);
        assert_int_equal(mprof__ticker_advance(&ticker, now_ns), 0);
        for (const int64_t *at_ns = cases[i].at_ns; *at_ns; at_ns++) {
            now_ns += mprof__ticker_remaining_ns(&ticker, now_ns);
            assert_int_equal(now_ns - 7, *at_ns);
            assert_int_equal(mprof__ticker_advance_early(&ticker, now_ns - 1), 0);
            if (!mprof__ticker_advance_early(&ticker, now_ns)) {
                assert_int_equal((now_ns - 7) % cases[i].interval_ns, 0);
                assert_int_equal(mprof__ticker_advance(&ticker, now_ns), 0);
            }
        }
        assert_int_equal(ticker.missed, 0);
    }
}

/* Served late, early deadlines that have passed are skipped, and the regular one is kept. */
static void test_early_and_late(void **state)
{
    mprof__ticker ticker;

    (void)state;
    mprof__ticker_init(&ticker, 0, 1000000000);
    mprof__ticker_begin_early(&ticker);
    mprof__ticker_advance(&ticker, 0);
    assert_int_equal(mprof__ticker_advance_early(&ticker, 6000000), 1);
    assert_int_equal(mprof__ticker_remaining_ns(&ticker, 6000000), 4000000);
    assert_int_equal(mprof__ticker_advance_early(&ticker, 1000000000), 0);
    assert_int_equal(mprof__ticker_advance(&ticker, 1000000000), 0);
    assert_int_equal(mprof__ticker_remaining_ns(&ticker, 1000000000), 1000000000);
}

/* However late it is served, no sample has the time of another one: in a recording times have steps
 * of 0.1 ms, of 1 us for intervals below 1 ms. */
static void test_spacing(void **state)
{
    static const struct {
        int64_t interval_ns, step_ns;
    } cases[] = {{1000000000, 100000}, {50000000, 100000}, {1000000, 100000}, {10000, 1000}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t interval_ns = cases[i].interval_ns, now_ns = 0, last_ns = -interval_ns;
        mprof__ticker ticker;
        unsigned samples = 0;

        mprof__ticker_init(&ticker, now_ns, interval_ns);
        mprof__ticker_begin_early(&ticker);
        for (int64_t n = 0; n < 20000; n++) {
            now_ns += mprof__ticker_remaining_ns(&ticker, now_ns);
            now_ns += n * n % 1009 * interval_ns / 500; /* up to two intervals late */
            if (!mprof__ticker_advance_early(&ticker, now_ns)) {
                mprof__ticker_advance(&ticker, now_ns);
            }
            assert_true(now_ns - last_ns >= cases[i].step_ns);
            last_ns = now_ns;
            samples++;
        }
        assert_true(samples + ticker.missed >= (uint64_t)(now_ns / interval_ns));
    }
}

/* An early deadline that is served right before the regular one: one sample, which is regular. */
static void test_early_and_nearly_regular(void **state)
{
    mprof__ticker ticker;

    (void)state;
    mprof__ticker_init(&ticker, 0, 10000000);
    mprof__ticker_begin_early(&ticker);
    mprof__ticker_advance(&ticker, 0);
    assert_int_equal(mprof__ticker_advance_early(&ticker, 9900000), 0);
    assert_int_equal(mprof__ticker_advance(&ticker, 9900000), 0);
    assert_int_equal(mprof__ticker_remaining_ns(&ticker, 9900000), 10100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_no_drift),
        cmocka_unit_test(test_remaining),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_early_and_late),
        cmocka_unit_test(test_spacing),
        cmocka_unit_test(test_early_and_nearly_regular),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
