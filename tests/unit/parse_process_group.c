/* Which processes are grouped, by their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parse/process_group.h"

#include <string.h>

static const struct {
    const char *name, *group;
} rows[] = {
    {"cc1", "cc1"},
    {"", ""},
    {"make", "make"},
    {"sh configure", "sh configure"},
    {"java shop.jar", "java shop.jar"},
    {"kworker/0:1", "kworker/0:1"},
    /* Python: the program that it runs */
    {"python3", "python3"},
    {"python3 train.py", "train.py"},
    {"python3.12 train.py", "train.py"},
    {"python3 -m http.server", "http.server"},
    {"python3 multiprocessing.spawn", "multiprocessing.spawn"},
    {"pythonic x", "pythonic x"},
    /* multiprocessing: the name without its number */
    {"ForkPoolWorker-1", "ForkPoolWorker"},
    {"ForkPoolWorker-12", "ForkPoolWorker"},
    {"Process-1:2", "Process"},
    {"reader-3", "reader"},
    {"reader-", "reader-"},
    {"-3", "-3"},
    {"reader-3:", "reader-3:"},
    {"reader-:3", "reader-:3"},
    {"utf-8x", "utf-8x"},
    /* browsers: the option --type= */
    {"chromium", "chromium"},
    {"chromium --type=gpu-process", "chromium gpu-process"},
    {"/usr/lib/chromium/chromium --type=renderer --lang=en", "chromium renderer"},
    {"/usr/lib/chromium/chromium --no-sandbox --type=utility", "chromium utility"},
    {"/usr/lib/chromium/chromium --headless x", "chromium"},
    {"prog --type=", "prog"},
    /* titles */
    {"gunicorn: worker [shop]", "gunicorn: worker"},
    {"gunicorn: master [shop]", "gunicorn: master"},
    {"postgres: checkpointer", "postgres: checkpointer"},
    {"postgres: alice shop [local] idle", "postgres: alice"},
    {"nginx: worker process", "nginx: worker"},
    {"a:", "a:"},
    {": x", ": x"},
};

static void a_name_has_its_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char group[80];
        size_t length = mprof__process_group_key(group, sizeof group, rows[i].name);
        if (strcmp(group, rows[i].group) != 0) {
            print_error("'%s': '%s'\n", rows[i].name, group);
        }
        assert_string_equal(group, rows[i].group);
        assert_int_equal(length, strlen(rows[i].group));
    }
}

/* Names can be longer than the room, and contain anything. */
static void a_long_name_is_cut_between_characters(void **state)
{
    static const char *const names[] = {"数据处理", "chromium --type=数据处理", "数: 据处理",
                                        "python3 数据处理", "数据处理-1"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t size = 1; size < 32; size++) {
            char group[32];
            memset(group, 'x', sizeof group);
            size_t length = mprof__process_group_key(group, size, names[i]);
            assert_true(length < size);
            assert_int_equal(group[length], '\0');
            for (size_t at = 0; at < length; at++) { /* no half of a character at the end */
                unsigned char byte = (unsigned char)group[at];
                size_t needs = byte >= 0xE0 ? 3 : 1;
                assert_true(byte < 0x80 || byte >= 0xE0);
                assert_true(at + needs <= length);
                at += needs - 1;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_its_group),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
