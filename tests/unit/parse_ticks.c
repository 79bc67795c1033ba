/* Ticks: which samples belong together, in whatever order they are recorded, and which ticks of a
 * long recording are kept. And what a window takes from calls that cross its edges. */
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

#define YES "FACT include-children yes\nFACT pid 1\n"
#define RANKS                                                                                      \
    "#FACT|include-children|yes nan nan\n"                                                         \
    "#RANK|10000000|19999999|10|12|5 nan nan\n"                                                    \
    "#RANK|20000000|29999999|10.5|14.5|9 nan nan\n"
#define NO "FACT include-children no\nFACT pid 1\n"

static mprof_profile *load(const char *text, size_t size, const mprof_load_options *options)
{
    mprof_source *source;
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    assert_int_equal(mprof_source_open_memory(&source, text, size, "x", NULL), MPROF_OK);
    if (mprof_profile_load(&profile, source, options, &error) != MPROF_OK) {
        fail_msg("%s: %.200s", error.message, text);
    }
    mprof_source_free(source);
    return profile;
}

/* Ticks as "seconds:sum=pid:MiB,pid:MiB", MEM as pid 0 where it was sampled. */
static void describe(char *found, size_t size, const mprof_profile *profile, int mem_is_sum)
{
    const mprof_ticks *ticks = mprof_profile_ticks(profile, mem_is_sum);
    size_t process_count, used = 0;
    const mprof_process *processes = mprof_profile_processes(profile, &process_count);
    *found = '\0';
    for (size_t i = 0; i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        used += (size_t)snprintf(found + used, size - used, "%s%g:%g=", i ? " " : "", tick->time_s,
                                 tick->total_mib);
        if (!isnan(tick->mem_mib)) {
            used += (size_t)snprintf(found + used, size - used, "0:%g,", tick->mem_mib);
        }
        for (size_t n = 0; n < tick->count; n++) {
            const mprof_tick_process *one = &ticks->processes[tick->first + n];
            assert_true(one->process < process_count);
            used += (size_t)snprintf(found + used, size - used, "%lld:%g,",
                                     (long long)processes[one->process].pid, one->mib);
        }
    }
}

static const struct {
    const char *name, *text;
    int mem_is_sum;
    const char *ticks;
} groupings[] = {
    {"MEM alone has no ticks", "MEM 5 10\nMEM 6 11\n", 0, ""},
    {"one time for all",
     "MEM 9 10\n" YES "CHLD 2 3 10\nCHLD 3 4 10\nMEM 5 11\nCHLD 3 4 11\nMEM 1 12\n", 1,
     "10:9=0:9,2:3,3:4, 11:5=0:5,3:4, 12:1=0:1,"},
    {"the main process alone: a sum", "MEM 2 10\n" NO "CHLD 2 3 10\nCHLD 3 4 10\n", 0,
     "10:9=0:2,2:3,3:4,"},
    {"ticks before the first child", "MEM 1 10\nMEM 2 11\nMEM 3 12\nCHLD 2 4 12\n", 0,
     "10:1=0:1, 11:2=0:2, 12:7=0:3,2:4,"},
    {"one after the other, as upstream samples",
     "MEM 9 10\nCHLD 2 3 10.2\nCHLD 3 4 10.4\nMEM 5 11\nCHLD 3 4 11.1\n", 1,
     "10:9=0:9,2:3,3:4, 11:5=0:5,3:4,"},
    {"children that have grown are the better bound", "MEM 6 10\nCHLD 2 3 10.2\nCHLD 3 4 10.4\n", 1,
     "10:7=0:6,2:3,3:4,"},
    {"children first, by process",
     NO "CHLD 2 3 10\nCHLD 2 4 11\nCHLD 3 5 10\nCHLD 3 6 11\nMEM 1 10\nMEM 2 11\n", 0,
     "10:9=0:1,2:3,3:5, 11:12=0:2,2:4,3:6,"},
    {"a tick without MEM: the main process has ended",
     "MEM 9 10\n" YES "CHLD 2 3 10\nCHLD 2 4 11\nCHLD 3 1 11\n", 1, "10:9=0:9,2:3, 11:5=2:4,3:1,"},
    {"a pid again begins a tick", "MEM 9 10\nCHLD 2 3 10.2\nCHLD 2 4 10.4\n", 1,
     "10:9=0:9,2:3, 10.4:4=2:4,"},
    {"merged: a rank counts with its last tick until the next one, or its end",
     "MEM 5 10\n" RANKS
     "CHLD 10000001 5 10\nMEM 12 10.5\nCHLD 20000001 7 10.5\nCHLD 10000001 1 11\n"
     "MEM 9 11.5\nCHLD 20000001 8 11.5\nMEM 8 13\nCHLD 20000001 9 14.5\n",
     1,
     "10:5=0:5,10000001:5, 10.5:12=0:12,10000001:5,20000001:7, "
     "11.5:9=0:9,10000001:1,20000001:8, 13:8=0:8,20000001:8,"},
    {"merged: a process that its rank's next tick does not have has ended",
     "MEM 9 10\n" RANKS "CHLD 10000001 5 10\nCHLD 10000002 4 10\nMEM 6 11\nCHLD 10000001 6 11\n", 1,
     "10:9=0:9,10000001:5,10000002:4, 11:6=0:6,10000001:6,"},
    {"merged: a process is in a tick once",
     "MEM 5 10\n" RANKS "CHLD 10000001 5 10\nCHLD 10000001 4 10\nMEM 6 11\nCHLD 10000001 6 11\n", 1,
     "10:5=0:5,10000001:5, 11:6=0:6,10000001:6,"},
    {"calls are no samples", "MEM 9 10\n" YES "CHLD 2 3 10\nFUNC f 1 10 8 10.5 0 pid=2\n", 1,
     "10:9=0:9,2:3,"},
    {"the main process among the children is MEM", "MEM 9 10\n" NO "CHLD 1 9 10\nCHLD 2 3 10\n", 0,
     "10:12=0:9,2:3,"},
};

static void test_what_belongs_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++) {
        char found[400];
        const char *text = groupings[i].text;
        mprof_profile *profile = load(text, strlen(text), NULL);
        describe(found, sizeof found, profile, groupings[i].mem_is_sum);
        if (strcmp(found, groupings[i].ticks) != 0) {
            fail_msg("%s: %s, expected %s", groupings[i].name, found, groupings[i].ticks);
        }
        mprof_profile_free(profile);
    }
}

static void test_kinds_belong_to_their_tick(void **state)
{
    static const char text[] = "MEM 9 10\n" YES "KINDS 1 10 pss=4 swap=2\nKINDS 2 10 pss=3 swap=1\n"
                               "MEM 9 11\nMEM 9 12\nKINDS 1 12 pss=5\n";
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    (void)state;
    options.kinds = 1U << MPROF_KIND_PSS | 1U << MPROF_KIND_SWAP;
    mprof_profile *profile = load(text, sizeof text - 1, &options);
    const mprof_ticks *ticks = mprof_profile_ticks(profile, 1);
    assert_int_equal(ticks->count, 3);
    assert_true(ticks->ticks[0].kinds_mib[MPROF_KIND_PSS] == 7);
    assert_true(ticks->ticks[0].kinds_mib[MPROF_KIND_SWAP] == 2); /* of the main process */
    assert_true(isnan(ticks->ticks[1].kinds_mib[MPROF_KIND_PSS]));
    assert_true(ticks->ticks[2].kinds_mib[MPROF_KIND_PSS] == 5);
    assert_true(mprof_profile_kind_peak(profile, MPROF_KIND_SWAP, 1) == 3);
    assert_true(mprof_profile_kind_peak(profile, MPROF_KIND_SWAP, 0) == 2);
    mprof_profile_free(profile);
}

/* Of 20,000 ticks some hundred are kept; the highest is, with its processes, and the sum's peak is
 * exact. */
static void test_the_highest_tick_is_kept(void **state)
{
    enum { TICKS = 20000, HIGHEST = 12345 };
    size_t room = TICKS * 60 + 200, used = 0;
    char *text = malloc(room);
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    (void)state;
    assert_non_null(text);
    options.max_points = 1000;
    for (int i = 0; i < TICKS; i++) {
        used += (size_t)snprintf(text + used, room - used, "MEM 5 %d\n%s", 1000 + i,
                                 i ? "" : "FACT include-children no\n");
        used += (size_t)snprintf(text + used, room - used, "CHLD %d %d %d\nCHLD 9 2 %d\n",
                                 10 + i / 5000, i == HIGHEST ? 100 : i % 7, 1000 + i, 1000 + i);
    }
    mprof_profile *profile = load(text, used, &options);
    const mprof_ticks *ticks = mprof_profile_ticks(profile, 0);
    assert_in_range(ticks->count, 64, 250);
    assert_true(ticks->total.peak.mib == 107 && ticks->total.peak.time_s == 1000 + HIGHEST);
    assert_int_equal(ticks->total.sample_count, TICKS);
    size_t found = 0;
    for (size_t i = 0; i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        assert_true(i == 0 || tick->time_s > ticks->ticks[i - 1].time_s);
        assert_int_equal(tick->count, 2);
        found += tick->time_s == 1000 + HIGHEST && tick->total_mib == 107;
    }
    assert_int_equal(found, 1);
    mprof_profile_free(profile);
    free(text);
}

/* A call of 1..9 s in a process that grows by 10 MiB each second: of a window, the part within. */
static void test_a_window_takes_its_part_of_calls(void **state)
{
    static const struct {
        double from_s, to_s;
        uint64_t calls;
        double total_s, longest_s, change_mib, peak_mib;
    } rows[] = {
        {0, 0, 2, 8.5, 8, 90, 95},     /* no window */
        {0.5, 9.5, 2, 8.5, 8, 90, 95}, /* all is within */
        {3, 5, 1, 2, 2, 20, 50},       /* the call goes on on both sides */
        {0.5, 3, 1, 2, 2, 20, 30},     /* it begins within */
        {8, 9.3, 2, 1.3, 1, 16, 90},   /* it ends within, another begins */
    };
    char text[1000] = "";
    (void)state;
    for (int i = 0; i <= 10; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "MEM %d %d\n", 10 * i, 1000 + i);
    }
    strcat(text, "FUNC f 10 1001 90 1009 0\nFUNC f 85 1009 95 1009.5 0\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count;
        mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
        options.window_s[0] = rows[i].from_s;
        options.window_s[1] = rows[i].to_s;
        mprof_profile *profile = load(text, strlen(text), &options);
        const mprof_function *f = mprof_profile_functions(profile, &count);
        assert_int_equal(count, 1);
        print_message("%zu: %llu %g %g %g %g\n", i, (unsigned long long)f->call_count, f->total_s,
                      f->longest_s, f->change_mib, f->peak_mib);
        assert_int_equal(f->call_count, rows[i].calls);
        assert_true(fabs(f->total_s - rows[i].total_s) < 1e-6);
        assert_true(fabs(f->longest_s - rows[i].longest_s) < 1e-6);
        assert_true(fabs(f->change_mib - rows[i].change_mib) < 0.5);
        assert_true(fabs(f->peak_mib - rows[i].peak_mib) < 1e-6);
        mprof_profile_free(profile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_belongs_together),
        cmocka_unit_test(test_kinds_belong_to_their_tick),
        cmocka_unit_test(test_the_highest_tick_is_kept),
        cmocka_unit_test(test_a_window_takes_its_part_of_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
