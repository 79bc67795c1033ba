/* What ran at a moment, and the sums of functions and processes: small recordings whose numbers can
 * be checked by eye. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <mprof/moment.h>
#include <mprof/sums.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YES "FACT include-children yes\nFACT pid 1\nFACT format 2\n"
#define NO "FACT include-children no\nFACT pid 1\nFACT format 2\n"

static mprof_profile *load(const char *text, double from_s, double to_s)
{
    mprof_source *source;
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    options.window_s[0] = from_s;
    options.window_s[1] = to_s;
    assert_int_equal(mprof_source_open_memory(&source, text, strlen(text), "x", NULL), MPROF_OK);
    if (mprof_profile_load(&profile, source, &options, &error) != MPROF_OK) {
        fail_msg("%s: %.200s", error.message, text);
    }
    mprof_source_free(source);
    return profile;
}

/* ---- what ran ---- */

#define LINE "MEM 1 10\nMEM 9 15\nMEM 1 20\n"

static const struct {
    const char *name, *text;
    double at_s;
    const char *words;
} moments[] = {
    {"no call", LINE, 15, ""},
    {"before all calls", LINE "FUNC m.f 1 16 1 18 0\n", 15, ""},
    {"one", LINE "FUNC m.f 1 11 1 18 0\n", 15, "f"},
    {"its first moment", LINE "FUNC m.f 1 15 1 18 0\n", 15, "f"},
    {"its last moment", LINE "FUNC m.f 1 11 1 15 0\n", 15, "f"},
    {"one in the other", LINE "FUNC m.f 1 11 1 18 0\nFUNC m.g 1 12 1 17 1\n", 15, "f › g"},
    {"the inner one has ended", LINE "FUNC m.f 1 11 1 18 0\nFUNC m.g 1 12 1 14 1\n", 15, "f"},
    {"same times", LINE "FUNC m.f 1 11 1 18 0\nFUNC m.g 1 11 1 18 1\n", 15, "f › g"},
    {"of two that touch, the one that ended",
     LINE "FUNC m.f 1 11 1 18 0\nFUNC m.g 1 12 1 15 1\nFUNC m.h 1 15 1 17 1\n", 15, "f › g"},
    {"recursion counts once",
     LINE "FUNC m.f 1 11 1 18 0\nFUNC m.f 1 12 1 17 1\nFUNC m.f 1 12 1 17 2\n", 15, "f"},
    {"four deep",
     LINE
     "FUNC m.a 1 11 1 19 0\nFUNC m.b 1 11 1 18 1\nFUNC m.c 1 12 1 17 2\nFUNC m.d 1 12 1 16 3\n",
     15, "a › … › c › d"},
    {"threads that were recorded as one lane",
     LINE "FUNC m.main 1 10 1 20 0\nFUNC m.f 1 11 1 16 1\nFUNC m.g 1 12 1 18 1\n", 15,
     "2 calls at once: main › f, main › g"},
    {"lanes of one process",
     LINE NO "FUNC m.f 1 11 1 16 0 lane=a\nFUNC m.f 1 11 1 16 0 lane=b\n"
             "FUNC m.g 1 12 1 18 0 lane=c\n",
     15, "3 calls at once: f ×2, g"},
    {"more than three kinds",
     LINE NO "FUNC m.a 1 11 1 16 0 lane=a\nFUNC m.b 1 11 1 16 0 lane=b\n"
             "FUNC m.c 1 12 1 18 0 lane=c\nFUNC m.d 1 12 1 18 0 lane=d\n"
             "FUNC m.e 1 12 1 18 0 lane=e\nFUNC m.a 1 12 1 18 0 lane=f\n",
     15, "6 calls at once: a ×2, b, c, 2 more"},
    /* MEM is the sum: the main process only waits, at 10 of 100 MiB */
    {"the process with the most memory comes first",
     "MEM 10 10\n" YES "MEM 100 15\nCHLD 2 30 15\nCHLD 3 60 15\nMEM 10 20\n"
     "FUNC m.wait 10 11 10 19 0\nFUNC m.work 1 12 1 18 0 pid=2\nFUNC m.load 1 12 1 18 0 pid=3\n",
     15, "3 calls at once: load, work, wait"},
    {"same names, other modules", LINE "FUNC m.f 1 11 1 18 0\nFUNC n.f 1 12 1 17 1\n", 15,
     "m.f › n.f"},
    {"open calls", LINE "FUNC m.f 1 11 1 20 0 open\nFUNC m.g 1 12 1 20 1 open\n", 15, "f › g"},
};

static void test_what_ran(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        mprof_moment *moment;
        char text[MPROF_MOMENT_TEXT_SIZE];
        mprof_profile *profile = load(moments[i].text, 0, 0);
        assert_int_equal(mprof_moment_find(&moment, profile, moments[i].at_s, NULL), MPROF_OK);
        size_t length = mprof_moment_text(text, sizeof text, moment, profile);
        assert_int_equal(length, strlen(text));
        if (strcmp(text, moments[i].words) != 0) {
            fail_msg("%s: '%s', expected '%s'", moments[i].name, text, moments[i].words);
        }
        mprof_moment_free(moment);
        mprof_profile_free(profile);
    }
}

/* Any room: text is cut between characters. */
static void test_words_are_cut(void **state)
{
    mprof_moment *moment;
    char text[64];
    mprof_profile *profile = load(LINE "FUNC m.\xC3\xA4\xC3\xB6 1 11 1 18 0\n", 0, 0);
    (void)state;
    assert_int_equal(mprof_moment_find(&moment, profile, 15, NULL), MPROF_OK);
    mprof_moment_text(text, 1, moment, profile);
    assert_string_equal(text, "");
    mprof_moment_text(text, 4, moment, profile);
    assert_string_equal(text, "\xC3\xA4");
    mprof_moment_free(moment);
    mprof_profile_free(profile);
}

/* ---- memory of a moment ---- */

static const struct {
    const char *name, *text;
    double at_s, total, main, others_of[3]; /* of the processes that ran */
    int is_tick, count;
} memories[] = {
    {"MEM alone", LINE, 15, 9, 9, {0}, 1, 0},
    {"between samples", LINE, 12.5, 5, 5, {0}, 0, 0},
    {"outside", LINE, 30, NAN, NAN, {0}, 0, 0},
    {"MEM is the sum",
     "MEM 9 10\n" YES "CHLD 2 3 10\nCHLD 3 4 10\nMEM 8 11\n",
     10,
     9,
     2,
     {3, 4},
     1,
     2},
    {"MEM is the main process",
     "MEM 9 10\n" NO "CHLD 2 3 10\nCHLD 3 4 10\nMEM 8 11\n",
     10,
     16,
     9,
     {3, 4},
     1,
     2},
    {"only those that ran",
     "MEM 9 10\n" YES "CHLD 2 3 10\nMEM 8 11\nCHLD 3 4 11\n",
     11,
     8,
     4,
     {4},
     1,
     1},
    {"between two ticks",
     "MEM 10 10\n" YES "CHLD 2 4 10\nMEM 20 12\nCHLD 2 6 12\n",
     11,
     15,
     10,
     {5},
     0,
     1},
};

static int same(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9;
}

static void test_memory_of_a_moment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        mprof_moment *moment;
        mprof_profile *profile = load(memories[i].text, 0, 0);
        assert_int_equal(mprof_moment_find(&moment, profile, memories[i].at_s, NULL), MPROF_OK);
        print_message("%s: %g %g\n", memories[i].name, moment->total_mib, moment->main_mib);
        assert_true(same(moment->total_mib, memories[i].total));
        assert_true(same(moment->main_mib, memories[i].main));
        assert_int_equal(moment->is_tick, memories[i].is_tick);
        assert_int_equal(moment->process_count, memories[i].count);
        for (size_t n = 0; n < moment->process_count; n++) {
            assert_true(same(moment->processes[n].mib, memories[i].others_of[n]));
        }
        mprof_moment_free(moment);
        mprof_profile_free(profile);
    }
}

/* ---- sums ---- */

static void test_functions_of_two_recordings(void **state)
{
    static const struct {
        const char *name;
        uint64_t calls;
        double total_s, median_s, longest_s, change_mib, peak_mib;
    } rows[] = {
        {"m.f", 4, 10, 2.5, 4, 8, 9},
        {"m.g", 1, 2, 2, 2, 1, 9},
        {"m.h", 5, 1, NAN, 1, 0, 1},
    };
    (void)state;
    mprof_profile *profiles[] = {
        load(LINE "FUNC m.f 1 10 2 11 0\nFUNC m.f 1 12 3 14 0\nFUNC m.g 1 14 2 16 0\n", 0, 0),
        load(LINE NO "FUNC m.f 1 10 2 13 0\nFUNC m.f 1 13 5 17 0\nFUNC m.h 1 18 1 19 0 count=5\n",
             0, 0)};
    mprof_function_sum *sums;
    size_t count;
    assert_int_equal(
        mprof_function_sums_make(&sums, &count, (const mprof_profile *const *)profiles, 2, 1, NULL),
        MPROF_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        print_message("%s %g %g %g %g %g\n", sums[i].name, sums[i].total_s, sums[i].median_s,
                      sums[i].longest_s, sums[i].change_mib, sums[i].peak_mib);
        assert_string_equal(sums[i].name, rows[i].name);
        assert_string_equal(sums[i].label, rows[i].name + 2);
        assert_int_equal(sums[i].call_count, rows[i].calls);
        assert_true(same(sums[i].total_s, rows[i].total_s));
        assert_true(same(sums[i].median_s, rows[i].median_s));
        assert_true(same(sums[i].longest_s, rows[i].longest_s));
        assert_true(same(sums[i].change_mib, rows[i].change_mib));
        assert_true(same(sums[i].peak_mib, rows[i].peak_mib));
    }
    assert_int_equal(sums[0].profile, 0);
    assert_int_equal(sums[2].profile, 1);
    mprof_function_sums_free(sums);
    mprof_profile_free(profiles[0]);
    mprof_profile_free(profiles[1]);
}

/* 9,000 ticks of a tree whose MEM is the sum. The main process has 10 MiB, 20 in one tick; its
 * child has 100, and 200 in another tick. Kept whole, and thinned. */
static void test_a_function_has_the_memory_of_its_process(void **state)
{
    enum { TICKS = 9000 };
    size_t room = TICKS * 60 + 400, used = 0;
    char *text = malloc(room);
    (void)state;
    assert_non_null(text);
    for (int i = 0; i < TICKS; i++) {
        int main_mib = i == 4000 ? 20 : 10, child_mib = i == 5000 ? 200 : 100;
        used += (size_t)snprintf(text + used, room - used, "MEM %d %d\n%sCHLD 2 %d %d\n",
                                 main_mib + child_mib, 1000 + i, i ? "" : YES, child_mib, 1000 + i);
    }
    snprintf(text + used, room - used,
             "FUNC m.wait 1 2000 1 9000 0\nFUNC m.late 1 5500 1 9000 1\n"
             "FUNC m.work 1 2000 1 9000 0 pid=2\n");
    static const size_t max_points[] = {0, 64, MPROF_DEFAULT_MAX_POINTS};
    for (size_t i = 0; i < sizeof max_points / sizeof *max_points; i++) {
        mprof_source *source;
        mprof_profile *profile;
        mprof_function_sum *sums;
        size_t count;
        mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
        options.max_points = max_points[i];
        assert_int_equal(mprof_source_open_memory(&source, text, strlen(text), "x", NULL),
                         MPROF_OK);
        assert_int_equal(mprof_profile_load(&profile, source, &options, NULL), MPROF_OK);
        assert_int_equal(mprof_function_sums_make(
                             &sums, &count, (const mprof_profile *const *)&profile, 1, 0, NULL),
                         MPROF_OK);
        assert_int_equal(count, 3);
        assert_string_equal(sums[0].name, "m.wait");
        assert_true(sums[0].peak_mib == 20);
        assert_string_equal(sums[1].name, "m.work");
        assert_true(sums[1].peak_mib == 200);
        assert_string_equal(sums[2].name, "m.late");
        assert_true(sums[2].peak_mib == 10);
        mprof_function_sums_free(sums);
        mprof_profile_free(profile);
        mprof_source_free(source);
    }
    free(text);
}

static void test_no_function(void **state)
{
    mprof_function_sum *sums;
    size_t count = 9;
    mprof_profile *profile = load(LINE, 0, 0);
    (void)state;
    assert_int_equal(
        mprof_function_sums_make(&sums, &count, (const mprof_profile *const *)&profile, 1, 1, NULL),
        MPROF_OK);
    assert_null(sums);
    assert_int_equal(count, 0);
    mprof_profile_free(profile);
}

static const struct {
    const char *name, *text;
    double from_s, to_s;
    struct {
        uint64_t samples;
        double mean, peak, at_peak;
        int ran;
    } processes[2];
    double peak_mib, peak_s;
} trees[] = {
    {"MEM is the sum",
     "MEM 10 10\n" YES "MEM 30 11\nCHLD 2 25 11\nMEM 24 12\nCHLD 2 4 12\n",
     0,
     0,
     {{3, 35.0 / 3, 20, 5, 1}, {2, 14.5, 25, 25, 1}},
     30,
     11},
    {"MEM is the main process",
     "MEM 10 10\n" NO "MEM 30 11\nCHLD 2 25 11\nMEM 24 12\nCHLD 2 34 12\n",
     0,
     0,
     {{3, 64.0 / 3, 30, 24, 1}, {2, 29.5, 34, 34, 1}},
     58,
     12},
    {"a child that has ended",
     "MEM 10 10\n" YES "CHLD 2 2 10\nMEM 30 11\nMEM 24 12\n",
     0,
     0,
     {{3, 62.0 / 3, 30, 30, 1}, {1, 2, 2, 0, 0}},
     30,
     11},
    {"upstream: parts are sampled later than the sum",
     "MEM 10 10\nCHLD 2 2 10.1\nMEM 30 11\nCHLD 2 22 11.1\nMEM 10 12\nCHLD 2 2 12.1\n",
     0,
     0,
     {{0, 0, 0, 8, 1}, {3, 26.0 / 3, 22, 22, 1}},
     30,
     11},
    {"values of calls: in the peak, not in the mean",
     "MEM 10 10\n" YES "MEM 30 11\nCHLD 2 20 11\nMEM 24 12\nCHLD 2 4 12\n"
     "FUNC m.f 40 10.5 50 10.6 0\nFUNC m.g 60 11.1 70 11.2 0 pid=2\n",
     0,
     0,
     {{3, 40.0 / 3, 50, 0, 1}, {4, 12, 70, 70, 1}},
     70,
     11.2},
    {"in a window",
     "MEM 10 10\n" YES "MEM 30 11\nCHLD 2 25 11\nMEM 24 12\nCHLD 2 4 12\n",
     1.5,
     2.5,
     {{1, 20, 20, 20, 1}, {1, 4, 4, 4, 1}},
     24,
     12},
};

static void test_processes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        mprof_process_sum *sums;
        size_t count;
        mprof_profile *profile = load(trees[i].text, trees[i].from_s, trees[i].to_s);
        mprof_sample peak = mprof_profile_peak(profile);
        assert_int_equal(mprof_process_sums_make(&sums, &count, profile, NULL), MPROF_OK);
        assert_int_equal(count, 2);
        assert_true(same(peak.mib, trees[i].peak_mib) && same(peak.time_s, trees[i].peak_s));
        for (size_t n = 0; n < count; n++) {
            print_message("%s: %llu %g %g %g %d\n", trees[i].name,
                          (unsigned long long)sums[n].sample_count, sums[n].mean_mib,
                          sums[n].peak.mib, sums[n].at_peak_mib, sums[n].ran_at_peak);
            assert_int_equal(sums[n].sample_count, trees[i].processes[n].samples);
            if (sums[n].sample_count) {
                assert_true(same(sums[n].mean_mib, trees[i].processes[n].mean));
                assert_true(same(sums[n].peak.mib, trees[i].processes[n].peak));
            }
            assert_true(same(sums[n].at_peak_mib, trees[i].processes[n].at_peak));
            assert_int_equal(sums[n].ran_at_peak, trees[i].processes[n].ran);
        }
        mprof_process_sums_free(sums);
        mprof_profile_free(profile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_ran),
        cmocka_unit_test(test_words_are_cut),
        cmocka_unit_test(test_memory_of_a_moment),
        cmocka_unit_test(test_functions_of_two_recordings),
        cmocka_unit_test(test_a_function_has_the_memory_of_its_process),
        cmocka_unit_test(test_no_function),
        cmocka_unit_test(test_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
