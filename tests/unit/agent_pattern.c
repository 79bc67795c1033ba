/* Which functions a pattern matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/functions/pattern.h"

static const struct {
    const char *name;
    const char *patterns;
    const char *module;
    const char *qualname;
    bool matches;
    bool module_matches;
} rows[] = {
    {"a function", "app:f", "app", "f", true, true},
    {"another function", "app:f", "app", "g", false, true},
    {"another module", "app:f", "ap", "f", false, false},
    {"a method", "app:C.m", "app", "C.m", true, true},
    {"another method", "app:C.m", "app", "C.n", false, true},
    {"a class", "app:C", "app", "C.m", true, true},
    {"a class in a class", "app:C", "app", "C.D.m", true, true},
    {"the name of an inner class alone", "app:D", "app", "C.D.m", false, true},
    {"a class with a longer name", "app:C", "app", "CD.m", false, true},
    {"everything", "app:*", "app", "C.m", true, true},
    {"a module alone", "app", "app", "C.m", true, true},
    {"a colon alone", "app:", "app", "f", false, true},
    {"wildcards", "a*.views:get_?[ab]", "app.views", "get_xa", true, true},
    {"wildcards that fail", "a*.views:get_?[ab]", "app.views", "get_xc", false, true},
    {"a module below", "app.*", "app.sub.mod", "f", true, true},
    {"a package is not below itself", "app.*", "app", "f", false, false},
    {"the second pattern", "x:y\napp:f", "app", "f", true, true},
    {"module and function of two patterns", "x:f\napp:g", "app", "f", false, true},
    {"empty lines", "\n\napp:f\n", "app", "f", true, true},
    {"two colons", "app:a:b", "app", "a:b", true, true},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].name);
        assert_true(mprof__pattern_set(rows[i].patterns));
        assert_int_equal(mprof__pattern_matches(rows[i].module, rows[i].qualname), rows[i].matches);
        assert_int_equal(mprof__pattern_matches_module(rows[i].module), rows[i].module_matches);
    }
}

static void test_none(void **state)
{
    (void)state;
    assert_false(mprof__pattern_set(""));
    assert_false(mprof__pattern_set("\n\n"));
    assert_false(mprof__pattern_matches_module("app"));
    assert_false(mprof__pattern_matches("app", "f"));
}

/* The patterns are never freed. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
