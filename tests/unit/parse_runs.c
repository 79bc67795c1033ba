/* Children that upstream numbered, and several runs of a program in one file (B11): rows of a
 * recording and what is read from it. */
#include "parse/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <mprof/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T "179533" /* seconds follow */

static mprof_source *open_text(const char *text)
{
    mprof_source *source;
    assert_int_equal(mprof_source_open_memory(&source, text, strlen(text), "x.dat", NULL),
                     MPROF_OK);
    return source;
}

/* ---- children ---- */

/* Processes as "NAME PID: LOWEST-PEAK xSAMPLES", the main one first. */
static void describe_processes(char *text, size_t size, const mprof_profile *profile)
{
    size_t count, used = 0;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        const mprof_series *series = &processes[i].series;
        used += (size_t)snprintf(text + used, size - used, "%s%s %lld: %g-%g x%llu", i ? ", " : "",
                                 processes[i].name, (long long)processes[i].pid, series->lowest_mib,
                                 series->peak.mib, (unsigned long long)series->sample_count);
    }
}

#define M1 "MEM 9 " T "0001\n"
#define M2 "MEM 9 " T "0002\n"
#define M3 "MEM 9 " T "0003\n"

static const struct children_row {
    const char *name, *text, *processes;
} children_rows[] = {
    {"numbered from 0", M1 "CHLD 0 5 " T "0001\nCHLD 1 6 " T "0001\n" M2 "CHLD 0 7 " T "0002\n",
     " -1: 9-9 x2, child 0 -1: 5-7 x2, child 1 -1: 6-6 x1"},
    {"the only child is number 0", M1 "CHLD 0 5 " T "0001\n", " -1: 9-9 x1, child 0 -1: 5-5 x1"},
    {"child 0 without memory at first",
     M1 "CHLD 0 0.000000 " T "0001\n" M2 "CHLD 0 0.000000 " T "0002\n" M3 "CHLD 0 7 " T "0003\n",
     " -1: 9-9 x3, child 0 -1: 0-7 x3"},
    {"child 0 without memory in the end",
     M1 "CHLD 0 7 " T "0001\n" M2 "CHLD 0 0.000000 " T "0002\n", " -1: 9-9 x2, child 0 -1: 0-7 x2"},
    {"child 0 never with memory", M1 "CHLD 0 0.000000 " T "0001\n", " -1: 9-9 x1"},
    {"a vanished child among numbers", M1 "CHLD 0 5 " T "0001\nCHLD 1 0.000000 " T "0001\n",
     " -1: 9-9 x1, child 0 -1: 5-5 x1, child 1 -1: 0-0 x1"},
    {"a vanished child among pids", M1 "CHLD 77 5 " T "0001\nCHLD 0 0.000000 " T "0001\n",
     " -1: 9-9 x1,  77: 5-5 x1"},
    {"a vanished child before small pids, as in a container",
     M1 "CHLD 0 0.000000 " T "0001\n" M2 "CHLD 8 5 " T "0002\n", " -1: 9-9 x2,  8: 5-5 x1"},
    {"numbers with gaps", M1 "CHLD 0 5 " T "0001\nCHLD 3 6 " T "0001\nCHLD 40 7 " T "0001\n",
     " -1: 9-9 x1, child 0 -1: 5-5 x1, child 3 -1: 6-6 x1, child 40 -1: 7-7 x1"},
    {"numbers whose 0 was never seen with memory",
     M1 "CHLD 0 0.000000 " T "0001\nCHLD 1 6 " T "0001\n", " -1: 9-9 x1, child 1 -1: 6-6 x1"},
    {"calls without pid in such a file",
     M1 "CHLD 0 5 " T "0001\nFUNC m.f 30 " T "0001 31 " T "0002\n",
     " -1: 9-31 x3, child 0 -1: 5-5 x1"},
    {"our recordings have pids",
     "#FACT|format|2 nan nan\n#FACT|pid|1 nan nan\n" M1 "CHLD 2 5 " T "0001\n",
     " 1: 9-9 x1,  2: 5-5 x1"},
    {"a call of pid 0 has no process", M1 "FUNC m.f 30 " T "0001 31 " T "0002 0 pid=0\n",
     " -1: 9-31 x3"},
    {"a mark of an unknown process", M1 "#PEAK|0|50|" T "0001 nan nan\n", " -1: 9-9 x1"},
};

static void test_children(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof children_rows / sizeof *children_rows; i++) {
        const struct children_row *row = &children_rows[i];
        for (int crowded = 0; crowded < 2; crowded++) {
            char found[400];
            mprof_profile *profile;
            mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
            mprof_source *source = open_text(row->text);
            /* more than there are: chosen by a pass of its own */
            options.max_processes = crowded ? 1 : 0;
            assert_int_equal(mprof_profile_load(&profile, source, &options, NULL), MPROF_OK);
            describe_processes(found, sizeof found, profile);
            if (!crowded && strcmp(found, row->processes) != 0) {
                fail_msg("%s: %s, expected %s", row->name, found, row->processes);
            }
            if (crowded && strncmp(found, row->processes, strcspn(row->processes, ",")) != 0) {
                fail_msg("%s, crowded: %s, expected %s", row->name, found, row->processes);
            }
            mprof_profile_free(profile);
            mprof_source_free(source);
        }
    }
}

static void test_sum_of_many_numbers(void **state)
{
    (void)state;
    char text[16384];
    size_t used = (size_t)sprintf(text, M1), count;
    for (int i = 0; i < 300; i++) {
        used += (size_t)sprintf(text + used, "CHLD %d %d " T "0001\n", i, 300 - i);
    }
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    mprof_profile *profile;
    mprof_source *source = open_text(text);
    options.max_processes = 2;
    assert_int_equal(mprof_profile_load(&profile, source, &options, NULL), MPROF_OK);
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    assert_int_equal(count, 3);
    assert_string_equal(processes[1].name, "child 0");
    assert_string_equal(processes[2].name, "child 1");
    mprof_profile_other_processes(profile, &count);
    assert_int_equal(count, 298);
    mprof_profile_free(profile);
    mprof_source_free(source);
}

/* ---- runs ---- */

#define A "CMDLINE a\n"
#define B "CMDLINE b\n"
#define A1 "MEM 1 " T "0001\n"
#define A2 "MEM 2 " T "0002\n"
#define B1 "MEM 5 " T "0101\n"
#define B2 "MEM 4 " T "0102\n"

/* Runs as "COMMAND FIRST-LAST xSAMPLES peak P, N processes, line L", then the warnings. */
static const struct runs_row {
    const char *name, *text, *runs;
    uint64_t warnings;
} runs_rows[] = {
    {"one", A A1 A2, "a 1-2 x2 peak 2 by 1 at 1", 0},
    {"two", A A1 A2 B B1 B2, "a 1-2 x2 peak 2 by 1 at 1; b 101-102 x2 peak 5 by 1 at 4", 0},
    {"the same command", A A1 A B1, "a 1-1 x1 peak 1 by 1 at 1; a 101-101 x1 peak 5 by 1 at 3", 0},
    {"no command line at first", A1 A2 B B1,
     " 1-2 x2 peak 2 by 1 at 1; b 101-101 x1 peak 5 by 1 at 3", 0},
    {"the only command line comes last", A1 A2 B, "b 1-2 x2 peak 2 by 1 at 1", 0},
    {"the clock was set back", A B1 B2 B A1 A2,
     "a 101-102 x2 peak 5 by 1 at 1; b 1-2 x2 peak 2 by 1 at 4", 0},
    {"a run without a sample first", A B B1, "b 101-101 x1 peak 5 by 1 at 1", 1},
    {"a run without a sample between", A A1 B A B1,
     "a 1-1 x1 peak 1 by 1 at 1; a 101-101 x1 peak 5 by 1 at 3", 1},
    {"a run without a sample last", A A1 B, "a 1-1 x1 peak 1 by 1 at 1", 1},
    {"children of both",
     A A1 "CHLD 0 7 " T "0001\n" B B1 "CHLD 0 7 " T "0101\nCHLD 1 7 " T "0101\n",
     "a 1-1 x1 peak 1 by 2 at 1; b 101-101 x1 peak 5 by 3 at 4", 0},
    {"a vanished child is no process", A A1 "CHLD 0 0.000000 " T "0001\n",
     "a 1-1 x1 peak 1 by 1 at 1", 0},
    {"calls written before their command line",
     "FUNC f 1 " T "0001 1 " T "0002\n" A A1 A2 "FUNC g 1 " T "0101 1 " T "0102\n" B B1 B2,
     "a 1-2 x2 peak 2 by 1 at 1; b 101-102 x2 peak 5 by 1 at 5", 0},
    {"the same after the clock was set back",
     "FUNC f 1 " T "0101 1 " T "0102\n" B B1 B2 "FUNC g 1 " T "0001 1 " T "0002\n" A A1 A2,
     "b 101-102 x2 peak 5 by 1 at 1; a 1-2 x2 peak 2 by 1 at 5", 0},
    {"a last call, then a clock that was set back",
     B B1 B2 "FUNC g 1 " T "0102.5 1 " T "0103\n" A A1 A2,
     "b 101-102 x2 peak 5 by 1 at 1; a 1-2 x2 peak 2 by 1 at 5", 0},
    {"calls written after their last sample",
     A A1 A2 "FUNC f 1 " T "0001 1 " T "0002\nFUNC f 1 " T "0002.5 1 " T "0003\n" B B1,
     "a 1-2 x2 peak 2 by 1 at 1; b 101-101 x1 peak 5 by 1 at 6", 0},
    {"our records follow their command line",
     A A1 "#FACT|pid|7 nan nan\n#PROC|7|1|" T "0001|a nan nan\n" B B1
          "#FACT|pid|8 nan nan\n#PROC|8|1|" T "0101|b nan nan\n#PROC|9|8|" T "0101|c nan nan\n",
     "a 1-1 x1 peak 1 by 1 at 1; b 101-101 x1 peak 5 by 2 at 5", 0},
    {"torn where the recorder was killed", A A1 "MEM 2.5 1795CMDLINE b\n" B1,
     "a 1-1 x1 peak 1 by 1 at 1; b 101-101 x1 peak 5 by 1 at 3", 1},
    {"torn within a word", A A1 "CHCMDLINE b\n" B1,
     "a 1-1 x1 peak 1 by 1 at 1; b 101-101 x1 peak 5 by 1 at 3", 1},
    {"torn within a call", A A1 "FUNC m.f 1.0CMDLINE b\n" B1,
     "a 1-1 x1 peak 1 by 1 at 1; b 101-101 x1 peak 5 by 1 at 3", 1},
    {"a foreign line that mentions the word", A A1 "message: CMDLINE b\n" A2,
     "a 1-2 x2 peak 2 by 1 at 1", 1},
    {"by a clock that was not set", A "MEM 1 12\nMEM 1 13\n" B B1,
     "a 12-13 x2 peak 1 by 1 at 1; b 101-101 x1 peak 5 by 1 at 4", 0},
    {"carriage returns", "CMDLINE a\r\nMEM 1 " T "0001\r\nCMDLINE b\r\nMEM 5 " T "0101\r\n",
     "a 1-1 x1 peak 1 by 1 at 1; b 101-101 x1 peak 5 by 1 at 3", 4},
};

static double without_day(double time_s)
{
    return time_s > 1e9 ? time_s - 1795330000 : time_s;
}

static void describe_runs(char *text, size_t size, const mprof_run *runs, size_t count)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        const mprof_run *run = &runs[i];
        assert_int_equal(run->number, i + 1);
        assert_int_equal(run->count, count);
        used += (size_t)snprintf(text + used, size - used, "%s%s %g-%g x%llu peak %g by %zu at %lu",
                                 i ? "; " : "", run->command_line, without_day(run->first_s),
                                 without_day(run->last_s), (unsigned long long)run->sample_count,
                                 run->peak_mib, run->process_count, run->line);
    }
}

static void test_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof runs_rows / sizeof *runs_rows; i++) {
        const struct runs_row *row = &runs_rows[i];
        char found[600];
        mprof_source *source = open_text(row->text);
        mprof__summary summary;
        assert_int_equal(mprof__summary_read(&summary, source, NULL, NULL), MPROF_OK);
        describe_runs(found, sizeof found, summary.runs.runs, summary.runs.count);
        if (strcmp(found, row->runs) != 0) {
            fail_msg("%s: %s, expected %s", row->name, found, row->runs);
        }
        if (summary.warnings.total != row->warnings) {
            fail_msg("%s: %llu warnings, expected %llu", row->name,
                     (unsigned long long)summary.warnings.total, (unsigned long long)row->warnings);
        }
        mprof__summary_free(&summary);
        mprof_source_free(source);
    }
}

/* What is read of each run is what is read of a file that holds nothing else. */
static void test_each_run_as_a_recording(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof runs_rows / sizeof *runs_rows; i++) {
        const struct runs_row *row = &runs_rows[i];
        size_t count;
        mprof_runs *runs;
        mprof_profile *whole;
        mprof_source *source = open_text(row->text);
        assert_int_equal(mprof_runs_read(&runs, source, NULL), MPROF_OK);
        const mprof_run *list = mprof_runs_list(runs, &count);
        assert_int_equal(mprof_source_rewind(source, NULL), MPROF_OK);
        assert_int_equal(mprof_profile_load(&whole, source, NULL, NULL), MPROF_OK);
        assert_int_equal(mprof_profile_run_count(whole), count);
        assert_null(mprof_profile_run(whole));
        mprof_profile_free(whole);
        for (size_t r = 0; r < count; r++) {
            mprof_profile *profile;
            mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
            options.run = &list[r];
            assert_int_equal(mprof_profile_load(&profile, source, &options, NULL), MPROF_OK);
            const mprof_series *samples = mprof_profile_samples(profile);
            assert_int_equal(mprof_profile_run(profile)->number, r + 1);
            assert_int_equal(mprof_profile_run_count(profile), 1);
            assert_int_equal(samples->sample_count, list[r].sample_count);
            assert_true(samples->peak.mib == list[r].peak_mib);
            assert_true(samples->first_s == list[r].first_s && samples->last_s == list[r].last_s);
            if (*list[r].command_line && count > 1) {
                assert_string_equal(mprof_profile_command_line(profile), list[r].command_line);
            }
            mprof_profile_free(profile);
        }
        mprof_runs_free(runs);
        mprof_source_free(source);
    }
}

static void test_warnings_have_lines_of_the_file(void **state)
{
    (void)state;
    static const char text[] = A A1 B B1 "MEM x 1\n";
    size_t count;
    mprof_runs *runs;
    mprof_profile *profile;
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    mprof_source *source = open_text(text);
    assert_int_equal(mprof_runs_read(&runs, source, NULL), MPROF_OK);
    options.run = &mprof_runs_list(runs, &count)[1];
    assert_int_equal(mprof_profile_load(&profile, source, &options, NULL), MPROF_OK);
    assert_int_equal(mprof_profile_warnings(profile)->first_line[MPROF_WARNING_NUMBER], 5);
    mprof_profile_free(profile);
    mprof_runs_free(runs);
    mprof_source_free(source);
}

/* A call counts for samples of its own run only, also where the clock was set back in between. */
static void test_function_within_its_run(void **state)
{
    (void)state;
    static const char text[] = A A1 A2 "FUNC m.f 1 " T "0001 1 " T "0002\n" B "MEM 50 " T "0001\n";
    mprof__summary summary;
    mprof_source *source = open_text(text);
    assert_int_equal(mprof__summary_read(&summary, source, "m.f", NULL), MPROF_OK);
    assert_true(summary.peak_mib == 2);
    mprof__summary_free(&summary);
    mprof_source_free(source);
}

static void test_text(void **state)
{
    (void)state;
    char text[64];
    const mprof_run run = {.number = 2, .count = 5, .first_s = 1795330325.5};
    setenv("TZ", "UTC", 1);
    mprof__run_text(text, sizeof text, &run, false);
    assert_string_equal(text, "run 2 of 5, 06:52:05");
    mprof__run_text(text, sizeof text, &run, true);
    assert_string_equal(text, "run 2 of 5, 2026-11-22 06:52:05");
    mprof_run two[] = {run, run};
    two[1].first_s += 17 * 3600;
    assert_true(mprof__runs_of_one_day(two, 2));
    two[1].first_s += 600;
    assert_false(mprof__runs_of_one_day(two, 2));
    two[0].first_s = 1e300; /* beyond the calendar */
    assert_false(mprof__runs_of_one_day(two, 2));
    mprof__run_text(text, 9, &run, false);
    assert_string_equal(text, "run 2 of");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_sum_of_many_numbers),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_each_run_as_a_recording),
        cmocka_unit_test(test_warnings_have_lines_of_the_file),
        cmocka_unit_test(test_function_within_its_run),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
