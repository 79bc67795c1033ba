/* Ranks of a merged recording: which process belongs to which, how they are called, and the two
 * peaks of a job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <mprof/profile.h>
#include <stdlib.h>
#include <string.h>

static mprof_profile *load(const char *text, const mprof_load_options *options)
{
    mprof_source *source;
    mprof_profile *profile;
    mprof_error error = MPROF_ERROR_INIT;
    assert_int_equal(mprof_source_open_memory(&source, text, strlen(text), "x", NULL), MPROF_OK);
    if (mprof_profile_load(&profile, source, options, &error) != MPROF_OK) {
        fail_msg("%s: %.200s", error.message, text);
    }
    mprof_source_free(source);
    return profile;
}

static const char job[] =
    "CMDLINE python sim.py\n"
    "MEM 5 10\n"
    "#RANK|20000000|29999999|10.5|14|9|pid=20000017|host=b|rank=1|offset=-0.5 nan nan\n"
    "#RANK|10000000|19999999|10|12|5.5|pid=10000017|host=a|rank=0|file=a\\x20b.dat nan nan\n"
    "#RANK|30000000|39999999|10|12|1|rank=job-2 nan nan\n"
    "#FACT|include-children|yes nan nan\n"
    "#PROC|10000017|10000001|10|python nan nan\n"
    "#PROC|20000018|20000017|10|sh nan nan\n"
    "CHLD 10000017 5 10\nMEM 14 10.5\nCHLD 20000017 7 10.5\nCHLD 20000018 2 10.5\n"
    "MEM 15 11\nCHLD 30000000 1 11\nCHLD 99000000 1 11\n";

static const struct {
    int64_t pid, own_pid;
    const char *name;
    uint32_t rank;
} processes[] = {
    {10000017, 17, "a/0 python", 1},
    {20000017, 17, "b/1", 0},
    {20000018, 18, "b/1 sh", 0},
    {30000000, MPROF_PID_NONE, "job-2", 2},
    {99000000, 99000000, "", MPROF_RANK_NONE},
};

static const mprof_process *find(const mprof_profile *profile, int64_t pid, size_t *at)
{
    size_t count;
    const mprof_process *all = mprof_profile_processes(profile, &count);
    for (*at = 0; *at < count; ++*at) {
        if (all[*at].pid == pid) {
            return &all[*at];
        }
    }
    fail_msg("no process %lld", (long long)pid);
    return NULL;
}

static void test_processes(void **state)
{
    (void)state;
    mprof_profile *profile = load(job, NULL);
    size_t count, at;
    const mprof_rank *ranks = mprof_profile_ranks(profile, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < sizeof processes / sizeof *processes; i++) {
        const mprof_process *process = find(profile, processes[i].pid, &at);
        assert_string_equal(process->name, processes[i].name);
        assert_int_equal(process->own_pid, processes[i].own_pid);
        assert_int_equal(process->rank, processes[i].rank);
    }
    find(profile, 20000017, &at);
    assert_int_equal(ranks[0].main, at);
    assert_int_equal(ranks[0].process_count, 2);
    assert_string_equal(ranks[0].host, "b");
    assert_string_equal(ranks[0].label, "b/1");
    assert_true(ranks[0].offset_s + 0.5 == 0);
    assert_string_equal(ranks[1].file, "a b.dat");
    assert_int_equal(ranks[2].main, 0);
    mprof_profile_free(profile);
}

static void test_peaks(void **state)
{
    (void)state;
    mprof_profile *profile = load(job, NULL);
    assert_int_equal(mprof_profile_host_count(profile), 2);
    assert_true(mprof_profile_sum_of_peaks(profile) - 15.5 == 0);
    assert_true(mprof_profile_peak(profile).mib - 15 == 0);
    mprof_profile_free(profile);
    profile = load("MEM 5 10\n", NULL);
    size_t count;
    mprof_profile_ranks(profile, &count);
    assert_int_equal(count, 0);
    assert_int_equal(mprof_profile_host_count(profile), 0);
    assert_true(isnan(mprof_profile_sum_of_peaks(profile)));
    mprof_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_peaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
