/* Decimals to doubles and back, bit for bit as strtod(3) and printf(3) in the C locale. */
#include "parse/number.h"
#include "parse/swar.h"
#include "random_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 300000 };

static const char *const refused[] = {
    "",   ".",     "-1", "+1", "1e5", "1E5", "inf",      "nan", "0x10", "1_0",   "1,5",  " 1",
    "1 ", "1.2.3", "1.", "..", "a",   "1a",  "\xd9\xa1", "1\n", "1f",   "1e308", "1e-5", "INFINITY",
};

static void test_refused(void **state)
{
    (void)state;
    double value;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        /* strtod accepts "1.", and so do we */
        int expected = strcmp(refused[i], "1.") == 0 ? 0 : -1;
        if (mprof__number_parse(&value, refused[i], strlen(refused[i])) != expected) {
            fail_msg("%s", refused[i]);
        }
    }
    char digits[1000];
    memset(digits, '9', sizeof digits);
    assert_int_equal(mprof__number_parse(&value, digits, 308), 0);
    assert_int_equal(mprof__number_parse(&value, digits, 310), -1);
    assert_int_equal(mprof__number_parse(&value, digits, sizeof digits), -1);
}

static void test_numbers_as_strtod(void **state)
{
    (void)state;
    random_source random;
    random_init(&random, 11);
    for (int i = 0; i < ROUNDS; i++) {
        char text[80];
        size_t length = 0, whole = (size_t)(random_next(&random) % 25);
        size_t decimals = (size_t)(random_next(&random) % 30);
        whole += decimals == 0 && whole == 0;
        for (size_t digit = 0; digit < whole + decimals; digit++) {
            if (digit == whole) {
                text[length++] = '.';
            }
            text[length++] = (char)('0' + random_next(&random) % 10);
        }
        text[length] = '\0';
        double value, expected = strtod(text, NULL);
        assert_int_equal(mprof__number_parse(&value, text, length), 0);
        if (value != expected) {
            fail_msg("%s: %.17g, strtod says %.17g", text, value, expected);
        }
    }
    random_free(&random);
}

/* Lines of the usual shape, and of slightly different ones. */
static void test_usual_lines_as_strtod(void **state)
{
    (void)state;
    random_source random;
    unsigned read = 0;
    mprof__swar_cache cache = MPROF__SWAR_CACHE_INIT;
    random_init(&random, 12);
    for (int i = 0; i < ROUNDS; i++) {
        static const char strange[] = "./0:9 -\n\ra\0";
        char text[64 + MPROF__SWAR_SLACK] = "";
        uint64_t a = random_next(&random), b = random_next(&random), c = random_next(&random);
        int length = snprintf(
            text, 64, c & 1 ? "%llu.%06llu %010llu.%04llu\n" : "%llu.%06llu %010llu.%06llu\n",
            (unsigned long long)(a >> (40 + a % 24)), (unsigned long long)(b % 1000000),
            (unsigned long long)(random_next(&random) % 10000000000),
            (unsigned long long)(c >> 1) % (c & 1 ? 10000 : 1000000));
        int is_spoilt = (c >> 40) % 3 == 0;
        if (is_spoilt) {
            text[(c >> 44) % (uint64_t)length] = strange[(c >> 52) % (sizeof strange - 1)];
        }
        mprof_sample sample;
        size_t taken = mprof__swar_sample(&sample, text, &cache);
        if (taken == 0) {
            continue;
        }
        /* if a line was accepted, strtod reads the same numbers from it */
        char *end;
        double mib = strtod(text, &end), time_s = strtod(end + 1, NULL);
        assert_true(text[taken - 1] == '\n' && strcspn(text, "\n") == taken - 1);
        assert_true(*end == ' ' && strspn(text, "0123456789. \n") >= taken);
        if (sample.mib != mib || sample.time_s != time_s) {
            fail_msg("%s: %.17g and %.17g", text, sample.mib, sample.time_s);
        }
        read++;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    assert_true(read > ROUNDS / 3);
#endif
    random_free(&random);
}

static void check_written(double value, int decimals)
{
    char text[MPROF__NUMBER_SIZE + 1], expected[MPROF__NUMBER_SIZE + 1];
    size_t length = mprof__number_write(text, value, decimals);
    text[length] = '\0';
    snprintf(expected, sizeof expected, "%.*f", decimals, value);
    if (strcmp(text, expected) != 0) {
        fail_msg("%.17g with %d decimals: %s, printf says %s", value, decimals, text, expected);
    }
}

static void test_written_as_printf(void **state)
{
    (void)state;
    random_source random;
    random_init(&random, 13);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t bits = random_next(&random);
        int decimals = (int)(bits % 10);
        check_written((double)(bits >> 11) / 4096, decimals);
        check_written((double)(bits >> 30) / 1e6, decimals);
        /* halves of the last digit, where rounding is decided */
        check_written((double)(bits >> 50) + 0.5, 0);
        check_written((double)(bits >> 40) / 256, 4 + decimals % 4);
        check_written(1795330000 + (double)(bits >> 44) / 1e6, 4 + decimals % 3);
        check_written((double)(bits >> 34) * 4096 / 1048576.0, 6);
    }
    static const double some[] = {
        0,    -0.0, 0.5,      1.5,      2.5,       0.125,  999999.9999999,
        1e15, 1e16, 1e300,    -1.25,    0.9999999, 1e-300, 4503599627370495.5,
        1e22, 1e23, 123456.5, 0.0000005};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        for (int decimals = 0; decimals < 10; decimals++) {
            check_written(some[i], decimals);
        }
    }
    char text[MPROF__NUMBER_SIZE];
    assert_int_equal(mprof__number_write(text, NAN, 4), 0);
    assert_int_equal(mprof__number_write(text, INFINITY, 4), 0);
    random_free(&random);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        int64_t value;
    } rows[] = {{"0", 0, 0},    {"007", 0, 7}, {"9223372036854775807", 0, INT64_MAX},
                {"", -1, 0},    {"-1", -1, 0}, {"9223372036854775808", -1, 0},
                {"1.0", -1, 0}, {"x", -1, 0},  {"99999999999999999999999", -1, 0}};
    char text[24];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        assert_int_equal(mprof__integer_parse(&value, rows[i].text, strlen(rows[i].text)),
                         rows[i].status);
        assert_int_equal(value, rows[i].value);
    }
    assert_int_equal(mprof__integer_write(text, INT64_MIN), 20);
    assert_memory_equal(text, "-9223372036854775808", 20);
    assert_int_equal(mprof__integer_write(text, 0), 1);
    assert_memory_equal(text, "0", 1);
}

/* Every whole KiB that a kernel may count is the same after six decimals of MiB. */
static void test_bytes_of_kernels_are_whole_kib(void **state)
{
    (void)state;
    for (int64_t kib = 0; kib < 200 * 1024; kib++) {
        char text[40];
        snprintf(text, sizeof text, "%.6f", (double)kib / 1024);
        assert_true(mprof__bytes_of_mib(strtod(text, NULL)) == (double)(kib * 1024));
    }
    assert_true(mprof__bytes_of_mib(-1.5) == -1572864);
    assert_true(mprof__bytes_of_mib(100.0 / 1048576) == 100);
    assert_true(mprof__bytes_of_mib(1022.0 / 1048576) == 1022);
    assert_true(isnan(mprof__bytes_of_mib(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_numbers_as_strtod),
        cmocka_unit_test(test_usual_lines_as_strtod),
        cmocka_unit_test(test_written_as_printf),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_bytes_of_kernels_are_whole_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
