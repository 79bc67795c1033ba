/* Profiles: levels, sums, processes, lanes, and the curve that a call belongs to. */
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

#define T "179533000" /* a digit follows: seconds */
#define START 1795330000

static mprof_profile *load(const char *text, const mprof_load_options *options)
{
    mprof_source *source;
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    assert_int_equal(mprof_source_open_memory(&source, text, strlen(text), "x", NULL), MPROF_OK);
    if (mprof_profile_load(&profile, source, options, &error) != MPROF_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    mprof_source_free(source);
    assert_int_equal(mprof_profile_warnings(profile)->total, 0);
    return profile;
}

/* ---- levels ---- */

/* Calls are pairs of digits, entry and exit; levels are in the order of entries. */
static const struct {
    const char *name;
    const char *calls;
    const char *levels;
} nestings[] = {
    {"one", "05", "0"},
    {"one after the other", "01 12 23", "000"},
    {"two levels", "09 12 34", "011"},
    {"inner first, as upstream writes them", "12 34 09", "011"},
    {"three levels", "09 18 27", "012"},
    {"same entry: the longer is outer", "03 09 05", "012"},
    {"same exit: the earlier is outer", "59 09 79", "012"},
    {"overlapping, not nested", "05 38", "01"},
    {"a chain of overlaps takes two rows", "02 13 24 35", "0101"},
    {"nested in one of two that overlap", "05 38 67", "012"},
    {"nested in both", "06 38 45", "012"},
    {"equal calls", "05 05 05", "012"},
    {"after the overlap the lowest row is free", "03 25 46 67", "0100"},
    {"nested in an overlap: above both, not into a gap", "09 12 38 45", "0112"},
};

static void test_levels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nestings / sizeof nestings[0]; i++) {
        char text[2000] = "MEM 1.0 " T "0\n";
        char found[16] = "";
        size_t count;
        for (const char *call = nestings[i].calls; *call; call += call[2] ? 3 : 2) {
            size_t length = strlen(text);
            snprintf(text + length, sizeof text - length, "FUNC f 1.0 " T "%c 1.0 " T "%c\n",
                     call[0], call[1]);
        }
        mprof_profile *profile = load(text, NULL);
        const mprof_span *spans = mprof_profile_spans(profile, &count);
        for (size_t at = 0; at < count; at++) {
            found[at] = (char)('0' + spans[at].level);
        }
        if (strcmp(found, nestings[i].levels) != 0) {
            fail_msg("%s: levels %s, expected %s", nestings[i].name, found, nestings[i].levels);
        }
        mprof_profile_free(profile);
    }
}

/* 100,000 nested calls, and as many side by side: near-linear time. */
static void test_deep_levels(void **state)
{
    (void)state;
    enum { CALLS = 100000 };
    char *text = malloc(CALLS * 64);
    char *at = text + sprintf(text, "MEM 1.0 " T "0\n");
    for (int i = 0; i < CALLS; i++) {
        at += sprintf(at, "FUNC f 1 1795330000.%06d 1 1795331000.%06d\n", i, 999999 - i);
    }
    mprof_profile *profile = load(text, NULL);
    size_t count;
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    assert_int_equal(count, CALLS);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(spans[i].level, i);
    }
    const mprof_function *function = mprof_profile_functions(profile, &count);
    assert_int_equal(count, 1);
    assert_int_equal(function->call_count, CALLS);
    assert_true(fabs(function->total_s - 1000.999999) < 1e-6);
    assert_true(fabs(function->own_s - function->total_s) < 1e-3);
    assert_int_equal(mprof_profile_lanes(profile, &count)->max_level, CALLS - 1);
    mprof_profile_free(profile);
    free(text);
}

/* ---- sums ---- */

static const mprof_function *find_function(const mprof_profile *profile, const char *name)
{
    size_t count;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            return &functions[i];
        }
    }
    fail_msg("no function %s", name);
    return NULL;
}

static const struct {
    const char *name;
    const char *calls;
    const char *function;
    uint64_t call_count;
    double total_s, own_s, longest_s, change_mib, peak_mib, sample_peak_mib;
} sums[] = {
    {"one call", "FUNC m.f 10 " T "1 30 " T "4 0\n", "m.f", 1, 3, 3, 3, 20, 30, 7},
    {"two calls", "FUNC m.f 10 " T "1 30 " T "4 0\nFUNC m.f 30 " T "5 20 " T "6 0\n", "m.f", 2, 4,
     4, 3, 10, 30, 7},
    {"outer", "FUNC m.f 10 " T "0 30 " T "8 0\nFUNC m.g 1 " T "2 1 " T "5 1\n", "m.f", 1, 8, 5, 8,
     20, 30, 9},
    {"inner", "FUNC m.f 10 " T "0 30 " T "8 0\nFUNC m.g 1 " T "2 1 " T "5 1\n", "m.g", 1, 3, 3, 3,
     0, 7, 7},
    {"grandchildren count for the child",
     "FUNC m.f 1 " T "0 1 " T "8 0\nFUNC m.g 1 " T "1 1 " T "6 1\nFUNC m.h 1 " T "2 1 " T "4 2\n",
     "m.f", 1, 8, 3, 8, 0, 9, 9},
    {"recursion counts once",
     "FUNC m.f 10 " T "0 50 " T "8 0\nFUNC m.f 20 " T "1 40 " T "6 1\nFUNC m.f 25 " T "2 35 " T
     "4 2\n",
     "m.f", 3, 8, 8, 8, 40, 50, 9},
    {"recursion that ends with the outer call",
     "FUNC m.f 10 " T "0 50 " T "8 0\nFUNC m.f 20 " T "2 50 " T "8 1\n", "m.f", 2, 8, 8, 8, 40, 50,
     9},
    {"many recorded as one", "FUNC m.f 1 " T "1 2 " T "4 0 count=1000\n", "m.f", 1000, 3, 3, 3, 1,
     7, 7},
    {"no sample within", "FUNC m.f 1 " T "1 2 " T "1.5 0\n", "m.f", 1, .5, .5, .5, 1, 2, NAN},
    {"a sample at its very end", "FUNC m.f 1 " T "1 2 " T "2 0\n", "m.f", 1, 1, 1, 1, 1, 5, 5},
    {"a sample at its very start", "FUNC m.f 1 " T "8 2 " T "8.5 0\n", "m.f", 1, .5, .5, .5, 1, 9,
     9},
};

static void assert_near(const char *name, const char *what, double found, double expected)
{
    if (isnan(expected) ? !isnan(found) : !(fabs(found - expected) < 1e-6)) {
        fail_msg("%s: %s is %g, expected %g", name, what, found, expected);
    }
}

static void test_sums(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text,
                 "MEM 4 " T "0\nMEM 5 " T "2\nMEM 7 " T "4\nMEM 6 " T "6\nMEM 9 " T "8\n%s",
                 sums[i].calls);
        mprof_profile *profile = load(text, NULL);
        const mprof_function *function = find_function(profile, sums[i].function);
        assert_int_equal(function->call_count, sums[i].call_count);
        assert_near(sums[i].name, "total", function->total_s, sums[i].total_s);
        assert_near(sums[i].name, "own", function->own_s, sums[i].own_s);
        assert_near(sums[i].name, "longest", function->longest_s, sums[i].longest_s);
        assert_near(sums[i].name, "change", function->change_mib, sums[i].change_mib);
        assert_near(sums[i].name, "peak", function->peak_mib, sums[i].peak_mib);
        assert_near(sums[i].name, "sample peak", function->sample_peak_mib,
                    sums[i].sample_peak_mib);
        mprof_profile_free(profile);
    }
}

/* ---- processes ---- */

static const mprof_process *process_at(const mprof_profile *profile, size_t index, size_t count)
{
    size_t found;
    const mprof_process *processes = mprof_profile_processes(profile, &found);
    assert_int_equal(found, count);
    return &processes[index];
}

static void test_processes(void **state)
{
    (void)state;
    mprof_profile *profile = load("CMDLINE a b\n"
                                  "FACT pid 70\nFACT backend psutil\nFACT pid 99\n"
                                  "PROC 70 1 " T "0 python3\n"
                                  "MEM 10 " T "0\nMEM 12 " T "1\n"
                                  "PROC 71 70 " T "0.5 sh\n"
                                  "CHLD 71 3 " T "1\n"
                                  "CHLD 0 0.000000 " T "1\n"
                                  "PROC 71 70 " T "1.5 gcc \\x0a\\\\\n"
                                  "PEAK 71 3.5 " T "1.5\nPEAK 71 3.25 " T "2\n"
                                  "CHLD 71 2 " T "2\n"
                                  "EXIT 71 " T "2.5 signal 9\n"
                                  "EXIT 72 " T "2.5 oom 9\n"
                                  "EXIT 70 " T "3 status 3\n"
                                  "LOST 70 " T "3 5\nLOST 71 " T "3 6\n",
                                  NULL);
    const mprof_process *main_process = process_at(profile, 0, 3);
    assert_string_equal(mprof_profile_command_line(profile), "a b");
    assert_string_equal(mprof_profile_fact(profile, "pid"), "70");
    assert_string_equal(mprof_profile_fact(profile, "backend"), "psutil");
    assert_null(mprof_profile_fact(profile, "nothing"));
    assert_int_equal(mprof_profile_lost_calls(profile), 11);
    assert_int_equal(main_process->pid, 70);
    assert_int_equal(main_process->ppid, 1);
    assert_string_equal(main_process->name, "python3");
    assert_true(main_process->ended);
    assert_int_equal(main_process->cause, MPROF_EXIT_STATUS);
    assert_int_equal(main_process->exit_value, 3);
    assert_int_equal(main_process->series.sample_count, 2);
    assert_true(isnan(main_process->kernel_peak_mib));

    const mprof_process *child = process_at(profile, 1, 3);
    assert_int_equal(child->pid, 71);
    assert_int_equal(child->ppid, 70);
    assert_string_equal(child->name, "gcc \n\\");
    assert_near("birth", "birth", child->birth_s, 1795330000.5);
    assert_near("end", "end", child->end_s, 1795330002.5);
    assert_near("kernel", "peak", child->kernel_peak_mib, 3.5);
    assert_int_equal(child->cause, MPROF_EXIT_SIGNAL);
    assert_int_equal(child->series.sample_count, 2);
    assert_near("child", "peak", child->series.peak.mib, 3);

    const mprof_process *other = process_at(profile, 2, 3);
    assert_int_equal(other->pid, 72);
    assert_int_equal(other->cause, MPROF_EXIT_OOM);
    assert_int_equal(other->series.sample_count, 0);
    mprof_profile_free(profile);
}

/* A reused pid is another process. */
static void test_pid_reuse(void **state)
{
    (void)state;
    mprof_profile *profile = load("FACT pid 1\nMEM 10 " T "0\n"
                                  "PROC 5 1 " T "0 a\nCHLD 5 1 " T "1\n"
                                  "EXIT 5 " T "2 status 0\n"
                                  "PROC 5 1 " T "3 b\nCHLD 5 2 " T "4\nCHLD 5 3 " T "5\n"
                                  "FUNC f 1 " T "4 1 " T "5 0 pid=5\n",
                                  NULL);
    const mprof_process *first = process_at(profile, 1, 3), *second = first + 1;
    size_t count;
    assert_string_equal(first->name, "a");
    assert_true(first->ended);
    assert_int_equal(first->series.sample_count, 1);
    assert_string_equal(second->name, "b");
    assert_false(second->ended);
    assert_int_equal(second->series.sample_count, 4); /* two samples, two ends of a call */
    assert_int_equal(mprof_profile_spans(profile, &count)->process, 2);
    mprof_profile_free(profile);
}

/* The main process has index 0, wherever the file names it. */
static void test_main_pid_at_the_end(void **state)
{
    (void)state;
    mprof_profile *profile = load("MEM 10 " T "0\nPROC 5 4 " T "0 a\nPROC 6 1 " T "0 main\n"
                                  "CHLD 5 7 " T "1\nPROC 7 6 " T "0 b\n"
                                  "FUNC f 1 " T "0 2 " T "1 0 pid=6\nFUNC g 1 " T "0 2 " T
                                  "1 0 pid=7 lane=x\nFUNC h 1 " T "0 2 " T "1 0 pid=5\n"
                                  "FACT pid 6\n",
                                  NULL);
    static const char *const names[] = {"main", "a", "b"};
    static const int64_t pids[] = {6, 5, 7};
    size_t count;
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(process_at(profile, i, 3)->name, names[i]);
        assert_int_equal(process_at(profile, i, 3)->pid, pids[i]);
    }
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    const mprof_lane *lanes = mprof_profile_lanes(profile, &count);
    static const char *const expected[] = {"f", "h", "g"};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(spans[i].process, i);
        assert_string_equal(functions[spans[i].function].name, expected[i]);
        assert_int_equal(lanes[spans[i].lane].process, i);
    }
    assert_string_equal(lanes[spans[2].lane].name, "x");
    mprof_profile_free(profile);
}

static void test_lanes(void **state)
{
    (void)state;
    mprof_profile *profile = load("MEM 1 " T "0\nFUNC a.f 1 " T "3 2 " T "4 0 lane=B pid=9\n"
                                  "FUNC a.f 1 " T "2 2 " T "3 0 lane=A\nFUNC a.f 1 " T "1 2 " T
                                  "9 0\nFUNC a.f 1 " T "2 2 " T "3 5 lane=B pid=9 open\n",
                                  NULL);
    size_t count;
    const mprof_lane *lanes = mprof_profile_lanes(profile, &count);
    assert_int_equal(count, 3);
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    assert_int_equal(count, 4);
    /* by process, lane, entry */
    assert_true(spans[0].process == 0 && spans[1].process == 0);
    assert_true(spans[2].process == 1 && spans[2].lane == spans[3].lane);
    assert_true(spans[2].open && !spans[3].open);
    assert_int_equal(spans[2].level, 5);
    assert_string_equal(lanes[spans[2].lane].name, "B");
    assert_int_equal(lanes[spans[2].lane].max_level, 5);
    for (size_t i = 0; i < count; i++) {
        assert_true(spans[i].sampled_s == 0);
        assert_true(spans[i].open <= 1);
    }
    mprof_profile_free(profile);
}

/* ---- which calls belong to which curve ---- */

static const struct {
    const char *name;
    const char *facts;
    const char *call;
    uint64_t line_count, main_count, child_count;
} curves[] = {
    {"upstream's call", "", "FUNC f 1 " T "0 2 " T "1 0\n", 4, 4, 2},
    {"of the main process", "FACT pid 7\n", "FUNC f 1 " T "0 2 " T "1 0 pid=7\n", 4, 4, 2},
    {"of an unknown process", "", "FUNC f 1 " T "0 2 " T "1 0 pid=7\n", 2, 2, 2},
    {"of the main process, MEM is that process", "FACT pid 7\nFACT include-children no\n",
     "FUNC f 1 " T "0 2 " T "1 0 pid=7\n", 4, 4, 2},
    {"of a child", "FACT pid 7\n", "FUNC f 1 " T "0 2 " T "1 0 pid=8\n", 2, 2, 4},
    {"of the main process, MEM a sum", "FACT pid 7\nFACT include-children yes\n",
     "FUNC f 1 " T "0 2 " T "1 0 pid=7\n", 2, 0, 2},
    {"of the main process by format 2", "FACT pid 7\n#FACT|format|2 nan nan\n",
     "FUNC f 1 " T "0 2 " T "1 0\n", 4, 4, 2},
    {"of the main process by format 2, MEM a sum",
     "FACT pid 7\nFACT include-children yes\n#FACT|format|2 nan nan\n",
     "FUNC f 1 " T "0 2 " T "1 0\n", 2, 0, 2},
    {"upstream's call in a file of format 1, MEM a sum",
     "FACT pid 7\nFACT include-children yes\nFACT format 1\n", "FUNC f 1 " T "0 2 " T "1 0\n", 4, 0,
     2},
    {"upstream's call, MEM a sum", "FACT include-children yes\n", "FUNC f 1 " T "0 2 " T "1 0\n", 4,
     0, 2},
};

static void test_curves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        char text[1000];
        size_t count;
        snprintf(text, sizeof text,
                 "%sMEM 1 " T "0\nMEM 1 " T "1\nCHLD 8 1 " T "0\nCHLD 8 1 " T "1\n%s",
                 curves[i].facts, curves[i].call);
        mprof_profile *profile = load(text, NULL);
        const mprof_process *processes = mprof_profile_processes(profile, &count);
        const mprof_process *child = NULL;
        for (size_t at = 1; at < count; at++) {
            child = processes[at].pid == 8 ? &processes[at] : child;
        }
        assert_non_null(child);
        assert_int_equal(mprof_profile_samples(profile)->sample_count, 2);
        if (mprof_profile_line(profile)->sample_count != curves[i].line_count ||
            processes[0].series.sample_count != curves[i].main_count ||
            child->series.sample_count != curves[i].child_count) {
            fail_msg("%s: %d on the line, %d of the main process, %d of the child", curves[i].name,
                     (int)mprof_profile_line(profile)->sample_count,
                     (int)processes[0].series.sample_count, (int)child->series.sample_count);
        }
        mprof_profile_free(profile);
    }
}

/* ---- more processes than max_processes ---- */

static void test_max_processes(void **state)
{
    (void)state;
    char text[20000], *at = text;
    size_t count, other_count;
    mprof_load_options options;
    mprof_load_options_init(&options, sizeof options);
    at += sprintf(at, "FACT pid 3\nFUNC f 1 " T "1 2 " T "2 0 pid=6\n");
    for (int tick = 0; tick < 40; tick++) {
        at += sprintf(at, "MEM 1 %d\n", START + tick);
        for (int pid = 3; pid < 13; pid++) { /* 5, 9 and 12 are the highest in the end */
            int highest = tick == 39 && (pid == 5 || pid == 9 || pid == 12);
            at += sprintf(at, "CHLD %d %d %d\n", pid, highest ? 90 + pid : pid, START + tick);
        }
    }
    sprintf(at, "PROC 4 3 " T "0 left-out\nPROC 5 3 " T "0 chosen\nPEAK 4 500 " T "9\n"
                "EXIT 4 1795330039 status 0\nPROC 77 3 " T "1 never-sampled\n");
    for (size_t most = 5; most <= 11; most++) {
        static const int64_t ranked[] = {3, 6, 12, 9, 5, 11, 10, 8, 7, 4, 77};
        options.max_processes = most;
        mprof_profile *profile = load(text, &options);
        const mprof_process *processes = mprof_profile_processes(profile, &count);
        const mprof_series *others = mprof_profile_other_processes(profile, &other_count);
        double sum_mib = 0;
        assert_int_equal(count, most);
        assert_int_equal(other_count, 11 - most);
        for (size_t i = 0; i < 11; i++) {
            size_t found = 0;
            for (size_t p = 0; p < count; p++) {
                found += processes[p].pid == ranked[i];
            }
            assert_int_equal(found, i < most);
            sum_mib += i < most || ranked[i] == 77 ? 0 : (double)ranked[i];
        }
        for (size_t p = 0; p < count; p++) {
            assert_true(processes[p].pid != 5 || strcmp(processes[p].name, "chosen") == 0);
            assert_true(processes[p].pid != 12 || processes[p].series.peak.mib == 102);
        }
        assert_int_equal(others->point_count > 0, most < 11);
        for (size_t i = 0; i < others->point_count; i++) {
            assert_true(others->points[i].mib == sum_mib);
        }
        if (most < 11) {
            assert_true(others->points[0].time_s == START);
            assert_true(others->points[others->point_count - 1].time_s == START + 39);
        }
        mprof_profile_free(profile);
    }
    /* in a window, others are the highest */
    options.max_processes = 5;
    options.window_s[0] = 10;
    options.window_s[1] = 20;
    mprof_profile *profile = load(text, &options);
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    for (size_t p = 0; p < count; p++) {
        int64_t pid = processes[p].pid;
        assert_true(pid == 3 || pid == 6 || pid == 12 || pid == 11 || pid == 10);
    }
    assert_int_equal(count, 5);
    const mprof_series *others = mprof_profile_other_processes(profile, &other_count);
    assert_true(others->points[0].time_s == START + 10);
    assert_true(others->points[0].mib == 4 + 5 + 7 + 8 + 9);
    mprof_profile_free(profile);
}

/* Of equal values in one bin the earlier one stays, in any order. */
static void test_equal_values_of_a_bin(void **state)
{
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        char text[100000], *at = text;
        mprof_load_options options;
        mprof_load_options_init(&options, sizeof options);
        options.max_points = 64;
        for (int n = 0; n < 4000; n++) {
            int i = backwards ? 3999 - n : n;
            int mib = i == 2005 || i == 2010 ? 90 : i == 2003 || i == 2012 ? 1 : 5;
            at += sprintf(at, "MEM %d %d\n", mib, START + i);
        }
        mprof_profile *profile = load(text, &options);
        const mprof_series *series = mprof_profile_samples(profile);
        size_t peaks = 0, lowest = 0;
        assert_true(series->point_count < 200);
        assert_true(series->peak.time_s == START + 2005);
        for (size_t i = 0; i < series->point_count; i++) {
            peaks += series->points[i].mib == 90 && series->points[i].time_s == START + 2005;
            lowest += series->points[i].mib == 1 && series->points[i].time_s == START + 2003;
            assert_true(series->points[i].time_s != START + 2010);
            assert_true(series->points[i].time_s != START + 2012);
        }
        assert_int_equal(peaks, 1);
        assert_int_equal(lowest, 1);
        mprof_profile_free(profile);
    }
}

static void test_options(void **state)
{
    (void)state;
    static const char text[] = "MEM 1 " T "0\nMEM 2 " T "1\nMEM 3 " T "2\nMEM 4 " T "3\n"
                               "FUNC f 9 " T "0 9 " T "1 0\nFUNC g 8 " T "1.5 8 " T "5 0\n";
    size_t count;
    mprof_load_options options;
    mprof_load_options_init(&options, sizeof options);
    assert_int_equal(options.max_points, MPROF_DEFAULT_MAX_POINTS);

    options.skip_calls = 1;
    mprof_profile *profile = load(text, &options);
    mprof_profile_spans(profile, &count);
    assert_int_equal(count, 0);
    assert_near("without calls", "peak", mprof_profile_line(profile)->peak.mib, 4);
    mprof_profile_free(profile);

    options.skip_calls = 0;
    options.window_s[0] = 1;
    options.window_s[1] = 2;
    profile = load(text, &options);
    mprof_profile_spans(profile, &count);
    assert_int_equal(count, 2); /* one ends when the window begins, one reaches beyond it */
    assert_int_equal(mprof_profile_samples(profile)->sample_count, 2);
    assert_int_equal(mprof_profile_line(profile)->sample_count, 4);
    assert_near("window", "start", mprof_profile_start_s(profile), 1795330000);
    assert_near("window", "end", mprof_profile_end_s(profile), 1795330005);

    /* the nearest samples outside extend the line to the edges, and count for nothing else */
    const mprof_series *samples = mprof_profile_samples(profile);
    assert_int_equal(samples->point_count, 4);
    assert_near("window", "before", samples->points[0].time_s, 1795330000);
    assert_near("window", "behind", samples->points[3].time_s, 1795330003);
    assert_near("window", "peak", samples->peak.mib, 3);
    assert_near("window", "begin", samples->first_s, 1795330001);
    assert_near("window", "end", samples->last_s, 1795330002);
    mprof_profile_free(profile);

    options.skip_calls = 1;
    options.window_s[0] = 1.25;
    options.window_s[1] = 1.75;
    profile = load(text, &options);
    samples = mprof_profile_samples(profile);
    assert_int_equal(samples->sample_count, 0);
    assert_int_equal(samples->point_count, 2);
    assert_near("narrow", "before", samples->points[0].mib, 2);
    assert_near("narrow", "behind", samples->points[1].mib, 3);
    mprof_profile_free(profile);

    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source;
    options.window_s[0] = 100;
    options.window_s[1] = 200;
    mprof_source_open_memory(&source, text, strlen(text), "x", NULL);
    assert_int_equal(mprof_profile_load(&profile, source, &options, &error), MPROF_EEMPTY);
    assert_null(profile);
    assert_string_equal(error.message, "no sample of memory within the window");
    mprof_source_free(source);
}

/* For any limit of points the curve is sorted and has the extremes. */
static void test_any_number_of_points(void **state)
{
    (void)state;
    enum { SAMPLES = 3000 };
    char *text = malloc(SAMPLES * 40);
    char *at = text;
    for (int i = 0; i < SAMPLES; i++) {
        /* times: dense, sparse, equal, backwards */
        int moment = i < 1000   ? i
                     : i < 1500 ? 5000 + (i - 1000) * 100
                     : i < 2000 ? 70000
                                : 60000 - i;
        at += sprintf(at, "MEM %d.5 %d.25\n", i * 7919 % 3001, 1795330000 + moment);
    }
    for (size_t max_points = 1; max_points < 4000; max_points += max_points < 80 ? 1 : 97) {
        mprof_load_options options;
        mprof_load_options_init(&options, sizeof options);
        options.max_points = max_points;
        mprof_profile *profile = load(text, &options);
        const mprof_series *series = mprof_profile_samples(profile);
        double highest = 0, lowest = 1e9;
        assert_int_equal(series->sample_count, SAMPLES);
        assert_true(series->point_count <= (max_points < 64 ? 64 : max_points));
        for (size_t i = 0; i < series->point_count; i++) {
            assert_true(i == 0 || series->points[i].time_s >= series->points[i - 1].time_s);
            highest = fmax(highest, series->points[i].mib);
            lowest = fmin(lowest, series->points[i].mib);
        }
        assert_true(highest == series->peak.mib && lowest == series->lowest_mib);
        assert_true(series->points[0].time_s == series->first_s);
        assert_true(series->points[series->point_count - 1].time_s == series->last_s);
        mprof_profile_free(profile);
    }
    free(text);
}

/* ---- kinds of memory, and the control group ---- */

#define KINDS_OF_A_TREE                                                                            \
    "MEM 9 " T "0\nMEM 9 " T "1\nMEM 9 " T "2\nMEM 9 " T "3\n"                                     \
    "KINDS 7 " T "0 pss=10 swap=1\n"                                                               \
    "KINDS 7 " T "1 pss=20 swap=2\nKINDS 8 " T "1 pss=5 swap=50\nKINDS 9 " T "1 swap=60\n"         \
    "KINDS 8 " T "2 pss=6\nKINDS 9 " T "2 pss=7 uss=1\n"                                           \
    "KINDS 7 " T "3 pss=30 swap=4\n"

static void check_points(const char *name, const mprof_series *series, const double *mib,
                         size_t count)
{
    if (series->point_count != count) {
        fail_msg("%s: %zu points", name, series->point_count);
    }
    for (size_t i = 0; i < count; i++) {
        if (series->points[i].mib != mib[i]) {
            fail_msg("%s: point %zu is %g", name, i, series->points[i].mib);
        }
    }
}

static void test_kinds(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        mprof_kind kind;
        double window_s[2];
        size_t point_count, process_count;
        double mib[4];
    } rows[] = {
        {"PSS adds up", KINDS_OF_A_TREE, MPROF_KIND_PSS, {0, 0}, 4, 2, {10, 25, 13, 30}},
        {"recorded once", KINDS_OF_A_TREE, MPROF_KIND_USS, {0, 0}, 1, 1, {1}},
        {"swap is the first one's", KINDS_OF_A_TREE, MPROF_KIND_SWAP, {0, 0}, 3, 0, {1, 2, 4}},
        {"or the main process's",
         "FACT pid 8\n" KINDS_OF_A_TREE,
         MPROF_KIND_SWAP,
         {0, 0},
         1,
         0,
         {50}},
        {"the pid comes after the records",
         KINDS_OF_A_TREE "FACT pid 8\nKINDS 8 " T "3 swap=70\n",
         MPROF_KIND_SWAP,
         {0, 0},
         1,
         0,
         {70}},
        {"a window and what is next to it",
         KINDS_OF_A_TREE,
         MPROF_KIND_PSS,
         {0.5, 1.5},
         3,
         2,
         {10, 25, 13}},
        {"not recorded", KINDS_OF_A_TREE, MPROF_KIND_ANON, {0, 0}, 0, 0, {0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_load_options options;
        mprof_load_options_init(&options, sizeof options);
        memcpy(options.window_s, rows[i].window_s, sizeof options.window_s);
        options.kinds = 1U << rows[i].kind;
        mprof_profile *profile = load(rows[i].text, &options);
        const mprof_kind_series *kind = mprof_profile_kind(profile, rows[i].kind);
        check_points(rows[i].name, &kind->series, rows[i].mib, rows[i].point_count);
        if (rows[i].process_count != kind->process_count) {
            fail_msg("%s: %zu processes", rows[i].name, kind->process_count);
        }
        assert_int_equal(mprof_profile_kinds(profile),
                         1U << MPROF_KIND_PSS | 1U << MPROF_KIND_USS | 1U << MPROF_KIND_SWAP);
        mprof_profile_free(profile);
    }
}

static void test_kinds_are_kept_if_asked_for(void **state)
{
    (void)state;
    mprof_profile *profile = load(KINDS_OF_A_TREE, NULL);
    for (mprof_kind kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        assert_int_equal(mprof_profile_kind(profile, kind)->series.point_count, 0);
    }
    assert_int_equal(mprof_profile_kinds(profile) & 1U << MPROF_KIND_PSS, 1U << MPROF_KIND_PSS);
    mprof_profile_free(profile);
}

/* Any number of processes and ticks: bounded points, and the peak among them. */
static void test_kinds_of_many_processes(void **state)
{
    enum { TICKS = 800, PROCESSES = 10 };
    char *text = malloc((size_t)TICKS * PROCESSES * 60 + 100), *at = text;
    mprof_load_options options;
    (void)state;
    mprof_load_options_init(&options, sizeof options);
    options.kinds = 1U << MPROF_KIND_PSS;
    options.max_points = 64;
    at += sprintf(at, "MEM 1 %d\n", 1795330000);
    for (int i = 0; i < TICKS; i++) {
        at += sprintf(at, "GROUP %d.5 %d %d /\n", i * 7919 % 3001, 1795330000 + i, 4000 + i);
        for (int p = 0; p < PROCESSES; p++) {
            at += sprintf(at, "KINDS %d %d pss=%d\n", 10 + p, 1795330000 + i,
                          i == 321 ? 500 : i % 50);
        }
    }
    mprof_profile *profile = load(text, &options);
    const mprof_kind_series *pss = mprof_profile_kind(profile, MPROF_KIND_PSS);
    const mprof_control_group *group = mprof_profile_control_group(profile);
    assert_true(pss->series.sample_count == TICKS && pss->process_count == PROCESSES);
    assert_true(pss->series.peak.mib == 500 * PROCESSES);
    assert_in_range(pss->series.point_count, 16, 64);
    assert_in_range(group->current.point_count, 16, 64);
    assert_in_range(group->limit_count, 16, 64);
    assert_true(group->current.peak.mib == group->highest.mib);
    mprof_profile_free(profile);
    free(text);
}

static void test_control_group(void **state)
{
    static const char text[] =
        "MEM 1 " T "0\nMEM 1 " T "9\nGROUP 5 " T "1 64 /a\nGROUP 9 " T "2 64\nGROUP 3 " T
        "4 max\nGROUP 4 " T "6 max\nGROUP 8 " T "8 32 /b\n";
    static const double current[] = {5, 9, 3, 4, 8}, limits[] = {64, INFINITY, 32};
    mprof_load_options options;
    (void)state;
    mprof_load_options_init(&options, sizeof options);
    for (int is_window = 0; is_window < 2; is_window++) {
        options.window_s[0] = is_window ? 2.5 : 0;
        options.window_s[1] = is_window ? 5 : 0;
        mprof_profile *profile = load(text, &options);
        const mprof_control_group *group = mprof_profile_control_group(profile);
        const mprof_series steps = {.points = group->limits, .point_count = group->limit_count};
        check_points("current", &group->current, current + is_window, is_window ? 3 : 5);
        check_points("limits", &steps, limits, 3);
        assert_true(group->highest.mib == 9 && group->limit_mib == 32);
        assert_int_equal(group->current.sample_count, is_window ? 1 : 5);
        mprof_profile_free(profile);
    }
}

static void test_names_of_kinds(void **state)
{
    (void)state;
    for (mprof_kind kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        const char *name = mprof_kind_name(kind);
        assert_int_equal(mprof_kind_find(name, strlen(name)), kind);
        assert_int_equal(mprof_kind_find(name, strlen(name) - 1), MPROF_KIND_COUNT);
        assert_int_equal(mprof_kind_adds_up(kind), strstr("pss uss lazyfree", name) != NULL);
    }
    assert_int_equal(mprof_kind_find("", 0), MPROF_KIND_COUNT);
    assert_int_equal(mprof_kind_find("pss,uss", 3), MPROF_KIND_PSS);
}

static void test_options_of_another_version(void **state)
{
    static const char text[] = "MEM 1.0 1700000000.0\n";
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    mprof_source *source = NULL;
    mprof_profile *profile = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    (void)state;
    assert_int_equal(mprof_source_open_memory(&source, text, sizeof text - 1, "x", NULL), MPROF_OK);
    static const size_t wrong[] = {0, 4, sizeof(size_t), sizeof options - 1, sizeof options + 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        options.size = wrong[i];
        error = (mprof_error)MPROF_ERROR_INIT;
        assert_int_equal(mprof_profile_load(&profile, source, &options, &error), MPROF_EARGUMENT);
        assert_null(profile);
        assert_non_null(strstr(error.message, "mprof_load_options.size must be its size"));
    }
    options.size = 2 * sizeof options; /* of a program that was compiled with later headers */
    error = (mprof_error)MPROF_ERROR_INIT;
    assert_int_equal(mprof_profile_load(&profile, source, &options, &error), MPROF_EARGUMENT);
    assert_non_null(strstr(error.message, "the program needs a newer one"));
    /* With earlier headers, which end with the window: what follows is the caller's own. */
    memset((char *)&options + offsetof(mprof_load_options, max_points), 0xff,
           sizeof options - offsetof(mprof_load_options, max_points));
    options.size = offsetof(mprof_load_options, max_points);
    assert_int_equal(mprof_profile_load(&profile, source, &options, NULL), MPROF_OK);
    assert_int_equal(mprof_profile_samples(profile)->sample_count, 1);
    mprof_profile_free(profile);
    mprof_load_options_init(&options, offsetof(mprof_load_options, max_points));
    assert_int_equal(options.size, offsetof(mprof_load_options, max_points));
    assert_int_equal(options.max_points, SIZE_MAX);
    mprof_source_free(source);
}

/* For each rule, the largest accepted value and the next one. */
static void test_limits_belong_to_what_is_accepted(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        unsigned warnings;
    } rows[] = {
        {"2^44 MiB", "MEM 1 5\nMEM 17592186044416 6\n", 0},
        {"above 2^44 MiB", "MEM 1 5\nMEM 17592186044417 6\n", 1},
        {"level 2^20", "MEM 1 5\nMEM 1 6\nFUNC f 1 5 1 6 1048576\n", 0},
        {"level above 2^20", "MEM 1 5\nMEM 1 6\nFUNC f 1 5 1 6 1048577\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_source *source = NULL;
        mprof_profile *profile = NULL;

        print_message("%s\n", rows[i].name);
        assert_int_equal(
            mprof_source_open_memory(&source, rows[i].text, strlen(rows[i].text), "x", NULL),
            MPROF_OK);
        assert_int_equal(mprof_profile_load(&profile, source, NULL, NULL), MPROF_OK);
        mprof_source_free(source);
        assert_int_equal(mprof_profile_warnings(profile)->total, rows[i].warnings);
        mprof_profile_free(profile);
    }
}

/* Ids of frames count from 1 in each run: a stack does not find a frame of the run before. */
static void test_frames_of_two_runs(void **state)
{
    (void)state;
    static const char text[] = "CMDLINE a\nMEM 1 10\n#FRAME|1|0|m.f|x|1 nan nan\n"
                               "#STACK|5|10|11|\\e|1|1|1|0|0|1 nan nan\n"
                               "CMDLINE b\nMEM 1 20\n#STACK|5|20|21|\\e|1|1|1|0|0|1 nan nan\n"
                               "#FRAME|1|0|m.g|x|1 nan nan\n"
                               "#STACK|5|21|22|lane|1|2|1|0|0|1 nan nan\n";
    size_t count;
    mprof_source *source;
    mprof_profile *profile;
    assert_int_equal(mprof_source_open_memory(&source, text, sizeof text - 1, "x", NULL), MPROF_OK);
    assert_int_equal(mprof_profile_load(&profile, source, NULL, NULL), MPROF_OK);
    const mprof_sampled_frame *frames = mprof_profile_sampled_frames(profile, &count);
    assert_int_equal(count, 2);
    const mprof_sampled_stack *stacks = mprof_profile_sampled_stacks(profile, &count);
    assert_int_equal(count, 2);
    assert_string_equal(frames[stacks[0].frame].name, "m.f");
    assert_string_equal(frames[stacks[1].frame].name, "m.g");
    assert_string_equal(stacks[1].lane, "lane");
    assert_int_equal(mprof_profile_warnings(profile)->count[MPROF_WARNING_FRAME], 1);
    assert_int_equal(mprof_profile_warnings(profile)->first_line[MPROF_WARNING_FRAME], 7);
    mprof_profile_free(profile);
    mprof_source_free(source);
}

/* A span of samples has no value of its own time: the line is that of samples and exact calls. */
/* As the tree of calls says. The edges of a span lie between two samples. */
static void test_peaks_of_sampled_functions(void **state)
{
    mprof_profile *profile = load(
        "CMDLINE x\nFACT pid 5\nMEM 10 " T "1\nMEM 60 " T "2\nMEM 90 " T "3\nFUNC m.main 10 " T
        "1 90 " T "3 0 sampled=0.5\nFUNC m.f 10 " T "1 20 " T "3 1 sampled=0.5\nFUNC m.call 30 " T
        "1.5 30 " T "1.6 1\n#FRAME|1|0|m.main|x|1 nan nan\n#FRAME|2|1|m.f|x|2 nan nan\n"
        "#FRAME|3|1|m.call|x|3 nan nan\n#FRAME|4|1|m.other|x|4 nan nan\n#STACK|5|" T "1|" T
        "3|\\e|2|9|1|0|0|70 nan nan\n#STACK|5|" T "1|" T "3|\\e|3|1|0.1|0|0|35 nan nan\n#STACK|5|" T
        "1|" T "3|\\e|4|1|0.1|0|0|75 nan nan\n",
        NULL);
    const struct {
        const char *name;
        double peak_mib;
    } rows[] = {{"m.main", 75}, {"m.f", 70}, {"m.call", 35}};
    size_t count;

    (void)state;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 3; k++) {
            if (strcmp(functions[i].name, rows[k].name) == 0) {
                assert_near(rows[k].name, "peak", functions[i].peak_mib, rows[k].peak_mib);
            }
        }
    }
    mprof_profile_free(profile);
}

static void test_sampled_spans_are_no_points(void **state)
{
    (void)state;
    mprof_profile *profile = load(
        "MEM 26 " T "0\n#FACT|pid|7 nan nan\n#FACT|format|2 nan nan\nCHLD 9 5 " T "0\nMEM 26 " T
        "4\nCHLD 9 5 " T "4\nFUNC a.f 18 " T "1 40 " T "3 0 sampled=0.5\nFUNC a.g 90 " T "1 1 " T
        "3 0 pid=9 sampled=0.5\nFUNC a.h 27 " T "1.5 26 " T "2.5 1\n",
        NULL);
    const mprof_series *line = mprof_profile_line(profile);
    size_t count;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    assert_int_equal(line->point_count, 4);
    assert_true(line->peak.mib == 27 && line->lowest_mib == 26);
    assert_true(mprof_profile_peak(profile).mib < 40);
    assert_int_equal(count, 2);
    assert_int_equal(processes[1].series.point_count, 2);
    mprof_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_belong_to_what_is_accepted),
        cmocka_unit_test(test_options_of_another_version),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_deep_levels),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_pid_reuse),
        cmocka_unit_test(test_main_pid_at_the_end),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_max_processes),
        cmocka_unit_test(test_equal_values_of_a_bin),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_any_number_of_points),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_kinds_are_kept_if_asked_for),
        cmocka_unit_test(test_kinds_of_many_processes),
        cmocka_unit_test(test_control_group),
        cmocka_unit_test(test_names_of_kinds),
        cmocka_unit_test(test_frames_of_two_runs),
        cmocka_unit_test(test_sampled_spans_are_no_points),
        cmocka_unit_test(test_peaks_of_sampled_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
