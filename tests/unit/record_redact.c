/* S3: which parts of command lines are masked, and which are left alone. */
#include "record/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
    const char *given; /* arguments separated by | */
    const char *told;
} rows[] = {
    {"server|--port=80|x", "server|--port=80|x"},
    {"x|--password=hunter2", "x|--password=***"},
    {"x|--db-passwd=hunter2|y", "x|--db-passwd=***|y"},
    {"x|--PASSWORD|hunter2|y", "x|--PASSWORD|***|y"},
    {"x|--token|-v|y", "x|--token|-v|y"}, /* a flag: no value follows */
    {"x|--password", "x|--password"},
    {"x|password", "x|password"}, /* a word, not an option */
    {"x|GITHUB_TOKEN=abc|make", "x|GITHUB_TOKEN=***|make"},
    {"x|-Dapp.secret=abc", "x|-Dapp.secret=***"},
    {"x|--api-key=|y", "x|--api-key=***|y"},
    {"x|postgres://app:hunter2@db:5432/app", "x|postgres://app:***@db:5432/app"},
    {"x|--url=https://u:p%40@host/a?b=c", "x|--url=https://u:***@host/a?b=c"},
    {"x|https://host:80/a", "x|https://host:80/a"},
    {"x|https://user@host/a", "x|https://user@host/a"},
    {"x|https://host/a?user=me&key=abc&n=1#t", "x|https://host/a?user=me&key=***&n=1#t"},
    {"x|https://host/?access_token=abc", "x|https://host/?access_token=***"},
    {"curl|-H|Authorization: Bearer abc def", "curl|-H|Authorization: ***"},
    {"sh|-c|mysql --password=abc db; x 'https://a:b@c'",
     "sh|-c|mysql --password=*** db; x 'https://a:***@c'"},
    {"sh|-c|tool --token abc run", "sh|-c|tool --token *** run"},
    {"x||y", "x||y"},
    {"x|a=b|--keyboard=us", "x|a=b|--keyboard=us"},
};

static size_t split(char *text, char **arguments)
{
    size_t count = 0;

    for (char *at = text; at;) {
        char *bar = strchr(at, '|');

        arguments[count++] = at;
        if (bar) {
            *bar = '\0';
        }
        at = bar ? bar + 1 : NULL;
    }
    return count;
}

static void test_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error error = MPROF_ERROR_INIT;
        char given[200];
        char told[200];
        char *arguments[16];
        char *expected[16];
        char **masked;
        size_t count;

        print_message("%s\n", rows[i].given);
        strcpy(given, rows[i].given);
        strcpy(told, rows[i].told);
        count = split(given, arguments);
        assert_int_equal(split(told, expected), count);
        assert_int_equal(mprof__redact_arguments(&masked, count, arguments, &error), MPROF_OK);
        for (size_t one = 0; one < count; one++) {
            assert_string_equal(masked[one], expected[one]);
        }
        assert_null(masked[count]);
        free(masked);
    }
}

static void test_text(void **state)
{
    char text[24];

    (void)state;
    mprof__redact_text(text, sizeof text, "worker: --token abc");
    assert_string_equal(text, "worker: --token ***");
    mprof__redact_text(text, sizeof text, "");
    assert_string_equal(text, "");
    mprof__redact_text(text, sizeof text, "a very long title that does not fit in there");
    assert_int_equal(strlen(text), sizeof text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
