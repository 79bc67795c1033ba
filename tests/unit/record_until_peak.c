/* Parsing a threshold, and that it is crossed once. */
#include "record/session/until_peak.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct row {
    const char *text;
    int64_t bytes; /* 0: refused */
    int signal;
} rows[] = {
    {"512", INT64_C(512) << 20, 0},
    {"0.5", INT64_C(1) << 19, 0},
    {"1e3", INT64_C(1000) << 20, 0},
    {"512:USR1", INT64_C(512) << 20, SIGUSR1},
    {"512:SIGUSR1", INT64_C(512) << 20, SIGUSR1},
    {"512:10", INT64_C(512) << 20, 10},
    {"1:KILL", INT64_C(1) << 20, SIGKILL},
    {"17592186044416", INT64_MAX, 0},
    {"0", 0, 0},
    {"-1", 0, 0},
    {"1e-9", 0, 0},
    {"nan", 0, 0},
    {"inf", 0, 0},
    {"1e300", 0, 0},
    {"text", 0, 0},
    {"", 0, 0},
    {"0x10", 0, 0},
    {"1,5", 0, 0},
    {" 1", 0, 0},
    {"1 ", 0, 0},
    {"512M", 0, 0},
    {"1-2", 0, 0},
    {":USR1", 0, 0},
    {"512:", 0, 0},
    {"512:0", 0, 0},
    {"512:65", 0, 0},
    {"512:99", 0, 0},
    {"512:100", 0, 0},
    {"512:-9", 0, 0},
    {"512:usr1", 0, 0},
    {"512:NONE", 0, 0},
    {"512:TERM:KILL", 0, 0},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error error = MPROF_ERROR_INIT;
        mprof__until_peak threshold;

        print_message("'%s'\n", rows[i].text);
        if (rows[i].bytes == 0) {
            assert_int_equal(mprof__until_peak_parse(&threshold, rows[i].text, &error),
                             MPROF_EARGUMENT);
            assert_string_not_equal(error.message, "");
        } else {
            assert_int_equal(mprof__until_peak_parse(&threshold, rows[i].text, &error), MPROF_OK);
            assert_int_equal(threshold.bytes, rows[i].bytes);
            assert_int_equal(threshold.signal, rows[i].signal);
        }
    }
}

static void test_crossed_once(void **state)
{
    mprof__until_peak threshold = {1000, 0, 0};
    mprof__until_peak none = {0, 0, 0};

    (void)state;
    assert_false(mprof__until_peak_is_crossed(&threshold, -1));
    assert_false(mprof__until_peak_is_crossed(&threshold, 999));
    assert_true(mprof__until_peak_is_crossed(&threshold, 1000));
    assert_false(mprof__until_peak_is_crossed(&threshold, 2000));
    assert_true(threshold.is_reached);
    assert_false(mprof__until_peak_is_crossed(&none, INT64_MAX));
}

static void test_names(void **state)
{
    char text[16];

    (void)state;
    mprof__signal_name(text, sizeof text, SIGTERM);
    assert_string_equal(text, "TERM");
    mprof__signal_name(text, sizeof text, 42);
    assert_string_equal(text, "42");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_crossed_once),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
