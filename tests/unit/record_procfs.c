/* Parsers of /proc files, from text. */
#include "record/kernel/memory_probe.h"
#include "record/kernel/procfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TAIL                                                                                       \
    " 1 2 3 4 5 0 11 0 7 13 0 0 0 0 20 0 3 0 987654 1000 200 18446744073709551615 0 0 0 0 0 0 0 "  \
    "0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 256\n"

static const struct stat_row {
    const char *name;
    const char *text;
    int status;
    const char *comm;
    char state;
    int64_t ppid;
} stat_rows[] = {
    {"plain", "42 (sleep) S" TAIL, 0, "sleep", 'S', 1},
    {"a space", "42 (tmux: server) R" TAIL, 0, "tmux: server", 'R', 1},
    {"parentheses", "42 (a) Z 9 (b)) Z" TAIL, 0, "a) Z 9 (b)", 'Z', 1},
    {"a newline", "42 (a\nb) S" TAIL, 0, "a\nb", 'S', 1},
    {"empty", "", -1, NULL, 0, 0},
    {"no name", "42 sleep S 1", -1, NULL, 0, 0},
    {"parentheses the wrong way round", "42 ) S" TAIL " (", -1, NULL, 0, 0},
    {"truncated in the name", "42 (slee", -1, NULL, 0, 0},
    {"truncated after the name", "42 (sleep)", -1, NULL, 0, 0},
    {"truncated before the start time", "42 (sleep) S 1 2 3", -1, NULL, 0, 0},
    {"an older kernel, without the exit code",
     "42 (sleep) S 1 2 3 4 5 0 11 0 7 0 0 0 0 0 20 0 3 0 987654 1000", 0, "sleep", 'S', 1},
};

static void test_stat(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stat_rows / sizeof *stat_rows; i++) {
        const struct stat_row *row = &stat_rows[i];
        mprof__procfs_stat stat;

        print_message("%s\n", row->name);
        assert_int_equal(mprof__procfs_stat_parse(&stat, row->text, strlen(row->text)),
                         row->status);
        if (row->status == 0) {
            assert_string_equal(stat.comm, row->comm);
            assert_int_equal(stat.state, row->state);
            assert_int_equal(stat.ppid, row->ppid);
            assert_int_equal(stat.start_ticks, 987654);
            assert_int_equal(stat.threads, 3);
        }
    }
}

static void test_stat_of_a_zombie(void **state)
{
    mprof__procfs_stat stat;

    (void)state;
    assert_int_equal(mprof__procfs_stat_parse(&stat, stat_rows[0].text, strlen(stat_rows[0].text)),
                     0);
    assert_int_equal(stat.exit_code, 256);
    assert_int_equal(stat.reaped_faults, 13);
}

/* Flags of a forked process before and after exec. */
static void test_stat_of_a_fork(void **state)
{
    static const struct {
        const char *text;
        int has_executed;
    } rows[] = {
        {"42 (sh) S 1 42 42 0 -1 4194368 11 0 7 0 0 0 0 0 20 0 3 0 987654 1000", 0},
        {"42 (sh) S 1 42 42 0 -1 4194304 11 0 7 0 0 0 0 0 20 0 3 0 987654 1000", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__procfs_stat stat;

        assert_int_equal(mprof__procfs_stat_parse(&stat, rows[i].text, strlen(rows[i].text)), 0);
        assert_int_equal(stat.has_executed, rows[i].has_executed);
    }
}

static void test_own_stat(void **state)
{
    mprof__procfs_stat stat;
    int64_t high_water;
    char comm[64];

    (void)state;
    assert_int_equal(mprof__procfs_stat_read(&stat, getpid()), 0);
    assert_int_equal(stat.ppid, getppid());
    assert_int_equal(stat.threads, 1);
    assert_int_equal(mprof__procfs_status_read(&high_water, comm, sizeof comm, getpid()), 0);
    assert_true(high_water > 100000);
    assert_string_equal(comm, stat.comm);
    assert_int_equal(mprof__procfs_stat_read(&stat, 0), -1);
    assert_int_equal(mprof__procfs_status_read(&high_water, comm, sizeof comm, 0), -1);
}

static const char rollup[] = "55d0 ---p 00000000 00:00 0    [rollup]\n"
                             "Rss:                1892 kB\n"
                             "Pss:                 318 kB\n"
                             "Pss_Anon:            112 kB\n"
                             "Shared_Clean:       1704 kB\n"
                             "Private_Clean:        76 kB\n"
                             "Private_Dirty:       112 kB\n"
                             "Private_Hugetlb:    2048 kB\n";

static void test_rollup(void **state)
{
    (void)state;
    assert_int_equal(mprof__memory_probe_parse_rollup(rollup, MPROF__METRIC_PSS), 318 * 1024);
    assert_int_equal(mprof__memory_probe_parse_rollup(rollup, MPROF__METRIC_USS),
                     (76 + 112 + 2048) * 1024);
    assert_int_equal(mprof__memory_probe_parse_rollup("", MPROF__METRIC_PSS), -1);
    assert_int_equal(mprof__memory_probe_parse_rollup("Rss: 1 kB\n", MPROF__METRIC_USS), -1);
    assert_int_equal(mprof__memory_probe_parse_rollup("Pss_Anon: 1 kB\n", MPROF__METRIC_PSS), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stat),           cmocka_unit_test(test_stat_of_a_zombie),
        cmocka_unit_test(test_stat_of_a_fork), cmocka_unit_test(test_own_stat),
        cmocka_unit_test(test_rollup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
