/* Every allocation of a check fails once, in turn: it reports that, and leaks nothing. */
#include "parse/check/check.h"

#include "failing_allocations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char config[] =
    "max = 1KiB\nmax-growth = 1MiB/min\n[x*]\nfunc = f:1MiB\nkind = pss:1MiB\n"
    "max-child = 1MiB\nbaseline = base.ini\n";
static const char baseline[] = "# mprof baseline 1\n[x | unknown | rss+children]\npeak = 1 MiB\n";

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void write_recording(const char *name)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs("CMDLINE x\n#FACT|pid|5 nan nan\n#FACT|backend|psutil nan nan\n", file);
    for (int i = 0; i < 40; i++) {
        fprintf(file, "MEM %d.5 %d.5\nCHLD 7 1.5 %d.5\n", i + 2, 1795330000 + i, 1795330000 + i);
    }
    fputs("FUNC m.f 1 1795330001 2 1795330030 0\nFUNC m.g 1 1795330002 2 1795330020 0 pid=7\n",
          file);
    assert_int_equal(fclose(file), 0);
}

static mprof_status check(const mprof__check_options *options, const char *with)
{
    const char *paths[] = {"x.dat", "y.dat", "gone.dat", with};
    mprof__results results = {0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof__check(&results, paths, 4, options, &error);
    assert_int_equal(status, error.status);
    assert_true(status != MPROF_OK || (results.count > 8 && results.counts[MPROF__FAILED] > 1));
    mprof__results_free(&results);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const others[] = {"appended.dat", "x.dat"};
    char directory[] = "/tmp/mprof-check-XXXXXX";
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    write_recording("x.dat");
    write_recording("y.dat");
    write_file("base.ini", baseline);
    write_file("appended.dat", "CMDLINE x z\nMEM 1 1\nMEM 2 2\nCMDLINE x z\nMEM 3 3\n");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        mprof__check_options options = {0};
        long failures = 0, before = allocations_live;
        assert_int_equal(
            mprof__config_read(&options.config, config, strlen(config), "mprof.ini", NULL),
            MPROF_OK);
        assert_int_equal(
            mprof__limits_set(&options.limits, "baseline", i ? "y.dat" : "base.ini", NULL),
            MPROF_OK);
        for (;; failures++) {
            long held = allocations_live;
            allocations_allowed = failures;
            mprof_status status = check(&options, others[i]);
            bool is_done = allocations_allowed >= 0;
            allocations_allowed = -1;
            assert_int_equal(allocations_live, held);
            if (is_done) {
                assert_int_equal(status, MPROF_OK);
                break;
            }
            assert_int_equal(status, MPROF_ENOMEM);
        }
        assert_true(failures > 100);
        mprof__check_options_free(&options);
        assert_int_equal(allocations_live, before);
    }
    assert_int_equal(
        unlink("x.dat") | unlink("y.dat") | unlink("base.ini") | unlink("appended.dat"), 0);
    assert_int_equal(chdir("/") | rmdir(directory), 0);
}

static void every_line_of_a_config_may_find_no_memory(void **state)
{
    (void)state;
    for (long failures = 0;; failures++) {
        mprof__config read = {0};
        allocations_allowed = failures;
        mprof_status status =
            mprof__config_read(&read, config, strlen(config), "d/mprof.ini", NULL);
        bool is_done = allocations_allowed >= 0;
        allocations_allowed = -1;
        mprof__config_free(&read);
        assert_int_equal(allocations_live, 0);
        assert_int_equal(status, is_done ? MPROF_OK : MPROF_ENOMEM);
        if (is_done) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_of_a_config_may_find_no_memory),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
