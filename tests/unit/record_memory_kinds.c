/* Lists of kinds, and kinds parsed from texts of /proc. */
#include "record/session/memory_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KIB INT64_C(1024)

static const struct list_row {
    const char *list;
    unsigned mask;
    bool group;
    const char *wrong; /* NULL: valid */
} list_rows[] = {
    {"pss", 1U << MPROF_KIND_PSS, 0, NULL},
    {"rss,pss,uss,swap,anon,file,shmem,lazyfree,hugetlb", (1U << MPROF_KIND_COUNT) - 1, 0, NULL},
    {"swap,swap", 1U << MPROF_KIND_SWAP, 0, NULL},
    {"group", 0, 1, NULL},
    {"group,rss", 1U << MPROF_KIND_RSS, 1, NULL},
    {"", 0, 0, ""},
    {"pss,", 0, 0, ""},
    {",pss", 0, 0, ",pss"},
    {"pss,heap,uss", 0, 0, "heap,uss"},
    {"ps", 0, 0, "ps"},
    {"psss", 0, 0, "psss"},
};

static void test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof list_rows / sizeof *list_rows; i++) {
        const struct list_row *row = &list_rows[i];
        const char *wrong = NULL;
        unsigned mask;
        bool group;

        print_message("'%s'\n", row->list);
        assert_int_equal(mprof__memory_kinds_parse(&mask, &group, &wrong, row->list),
                         row->wrong ? -1 : 0);
        if (row->wrong) {
            assert_string_equal(wrong, row->wrong);
        } else {
            assert_int_equal(mask, row->mask);
            assert_int_equal(group, row->group);
        }
    }
}

static const char rollup[] = "55d0-7ffe ---p 00000000 00:00 0    [rollup]\n"
                             "Rss:                 900 kB\n"
                             "Pss:                 500 kB\n"
                             "Pss_Anon:            123 kB\n"
                             "Private_Clean:        30 kB\n"
                             "Private_Dirty:       200 kB\n"
                             "LazyFree:             60 kB\n"
                             "Shared_Hugetlb:     2048 kB\n"
                             "Private_Hugetlb:    4096 kB\n"
                             "Swap:                  7 kB\n";
static const char status[] = "Name:\tx\nVmHWM:\t 1000 kB\nVmRSS:\t   901 kB\nRssAnon:\t   400 kB\n"
                             "RssFile:\t   500 kB\nRssShmem:\t     1 kB\nVmSwap:\t     8 kB\n"
                             "HugetlbPages:\t    6144 kB\n";

static void test_texts(void **state)
{
    static const int64_t all[] = {901, 500, 4326, 8, 400, 500, 1, 60, 6144};
    int64_t bytes[MPROF_KIND_COUNT];

    (void)state;
    for (unsigned mask = 0; mask < 1U << MPROF_KIND_COUNT; mask++) {
        mprof__memory_kinds_from_text(bytes, mask, rollup, status);
        for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
            assert_int_equal(bytes[kind], mask & 1U << kind ? all[kind] * KIB : -1);
        }
    }
}

static void test_missing_texts(void **state)
{
    const unsigned everything = (1U << MPROF_KIND_COUNT) - 1;
    int64_t bytes[MPROF_KIND_COUNT];

    (void)state;
    mprof__memory_kinds_from_text(bytes, everything, NULL, status);
    assert_int_equal(bytes[MPROF_KIND_PSS], -1);
    assert_int_equal(bytes[MPROF_KIND_ANON], 400 * KIB);
    mprof__memory_kinds_from_text(bytes, everything, rollup, NULL);
    assert_int_equal(bytes[MPROF_KIND_PSS], 500 * KIB);
    assert_int_equal(bytes[MPROF_KIND_ANON], -1);
    mprof__memory_kinds_from_text(bytes, everything, "", "Name:\tkworker\n");
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        assert_int_equal(bytes[kind], -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_missing_texts),
    };

    return cmocka_run_group_tests_name("record memory_kinds", tests, NULL, NULL);
}
