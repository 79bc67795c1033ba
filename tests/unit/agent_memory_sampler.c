/* The sampling thread: its values, its moments, and that it can always be stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/memory/memory_sampler.h"

#define BLOCK_BYTES ((size_t)64 * 1024 * 1024)

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static mprof__memory_sampler_options options(double interval_s, bool peak_only)
{
    return (mprof__memory_sampler_options){
        .pid = getpid(), .interval_s = interval_s, .peak_only = peak_only};
}

static void allocate_and_free(long ms)
{
    char *block =
        mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    memset(block, 1, BLOCK_BYTES);
    sleep_ms(ms);
    munmap(block, BLOCK_BYTES);
}

/* Longer and longer, until some samples were on time and others between them: a busy machine takes
 * few. */
static void samples_at_multiples_of_the_interval_are_marked(void **state)
{
    bool found = false;
    (void)state;
    for (unsigned attempt = 1; attempt <= 10 && !found; attempt++) {
        struct timespec begin;
        struct timespec end;
        size_t count;
        size_t on_time = 0;
        mprof__memory_sampler_options wanted = options(0.02, false);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        mprof__memory_sampler *sampler = mprof__memory_sampler_start(&wanted);
        assert_non_null(sampler);
        sleep_ms(300 * attempt);
        mprof__memory_sampler_stop(sampler);
        mprof__memory_sampler_stop(sampler);
        clock_gettime(CLOCK_MONOTONIC, &end);
        const mprof__measurement *list = mprof__memory_sampler_measurements(sampler, &count);
        assert_int_equal(count, mprof__memory_sampler_count(sampler));
        for (size_t i = 0; i < count; i++) {
            assert_true(list[i].bytes > 0);
            assert_true(i == 0 || list[i].time_s >= list[i - 1].time_s);
            on_time += list[i].on_time;
        }
        assert_true(list[0].on_time && list[count - 1].on_time);
        double elapsed_s =
            (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
        assert_true((double)on_time <= elapsed_s / 0.02 + 3);
        found = on_time >= 5 && count > on_time;
        mprof__memory_sampler_free(sampler);
    }
    assert_true(found);
}

static void a_peak_between_two_samples_is_found(void **state)
{
    size_t count;
    int64_t before = mprof__process_memory_read(getpid(), MPROF_PROCESS_MEMORY_RSS);
    mprof__memory_sampler_options wanted = options(1000, true);
    mprof__memory_sampler *sampler = mprof__memory_sampler_start(&wanted);
    (void)state;

    assert_non_null(sampler);
    allocate_and_free(0);
    mprof__memory_sampler_stop(sampler);
    const mprof__measurement *list = mprof__memory_sampler_measurements(sampler, &count);
    assert_int_equal(count, 1);
    assert_true(list[0].bytes - before > (int64_t)BLOCK_BYTES - 1024 * 1024);
    mprof__memory_sampler_free(sampler);
}

/* The high-water mark of earlier work says nothing about this one. */
static void an_earlier_peak_does_not_count(void **state)
{
    size_t count;
    (void)state;

    allocate_and_free(0);
    int64_t before = mprof__process_memory_read(getpid(), MPROF_PROCESS_MEMORY_RSS);
    mprof__memory_sampler_options wanted = options(1000, true);
    mprof__memory_sampler *sampler = mprof__memory_sampler_start(&wanted);
    assert_non_null(sampler);
    mprof__memory_sampler_stop(sampler);
    const mprof__measurement *list = mprof__memory_sampler_measurements(sampler, &count);
    assert_int_equal(count, 1);
    assert_true(list[0].bytes - before < (int64_t)BLOCK_BYTES / 2);
    mprof__memory_sampler_free(sampler);
}

/* Kinds without a mark of the kernel. */
static void the_highest_sample_is_kept(void **state)
{
    size_t count;
    int64_t before = mprof__process_memory_read(getpid(), MPROF_PROCESS_MEMORY_USS);
    mprof__memory_sampler_options wanted = options(0.005, true);
    (void)state;

    wanted.kind = MPROF_PROCESS_MEMORY_USS;
    mprof__memory_sampler *sampler = mprof__memory_sampler_start(&wanted);
    assert_non_null(sampler);
    char *block =
        mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    memset(block, 1, BLOCK_BYTES);
    size_t first = mprof__memory_sampler_count(sampler);
    while (mprof__memory_sampler_count(sampler) < first + 2) {
        sleep_ms(1);
    }
    munmap(block, BLOCK_BYTES);
    mprof__memory_sampler_stop(sampler);
    const mprof__measurement *list = mprof__memory_sampler_measurements(sampler, &count);
    assert_int_equal(count, 1);
    assert_true(list[0].bytes - before > (int64_t)BLOCK_BYTES - 1024 * 1024);
    mprof__memory_sampler_free(sampler);
}

static void a_missing_process_is_an_error(void **state)
{
    pid_t child = fork();
    (void)state;

    if (child == 0) {
        _exit(0);
    }
    waitpid(child, NULL, 0);
    mprof__memory_sampler_options wanted = options(0.1, false);
    wanted.pid = child;
    assert_null(mprof__memory_sampler_start(&wanted));
    assert_int_equal(errno, ENOENT);
}

static void sampling_survives_the_end_of_its_process(void **state)
{
    size_t count;
    pid_t child = fork();
    (void)state;

    if (child == 0) {
        sleep_ms(50);
        _exit(0);
    }
    mprof__memory_sampler_options wanted = options(0.005, false);
    wanted.pid = child;
    mprof__memory_sampler *sampler = mprof__memory_sampler_start(&wanted);
    assert_non_null(sampler);
    waitpid(child, NULL, 0);
    sleep_ms(20);
    mprof__memory_sampler_stop(sampler);
    mprof__memory_sampler_measurements(sampler, &count);
    assert_true(count >= 2);
    mprof__memory_sampler_free(sampler);
}

static void a_forked_child_can_stop_the_sampler(void **state)
{
    int status = -1;
    mprof__memory_sampler_options wanted = options(0.01, false);
    mprof__memory_sampler *sampler = mprof__memory_sampler_start(&wanted);
    (void)state;

    assert_non_null(sampler);
    pid_t child = fork();
    if (child == 0) {
        mprof__memory_sampler_stop(sampler);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    mprof__memory_sampler_free(sampler);
    mprof__memory_sampler_free(NULL);
}

static void children_are_listed_and_added(void **state)
{
    mprof__process_memory *list = NULL;
    int pipes[2];
    char byte;
    int64_t alone;
    (void)state;

    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        char *block = malloc(BLOCK_BYTES);
        memset(block, 1, BLOCK_BYTES);
        ssize_t written = write(pipes[1], block, 1);
        pause();
        _exit(written == 1 ? 0 : 1);
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    alone = mprof__process_memory_read_total(getpid(), MPROF_PROCESS_MEMORY_RSS, false);
    assert_true(mprof__process_memory_read_total(getpid(), MPROF_PROCESS_MEMORY_RSS, true) -
                    alone >=
                (int64_t)BLOCK_BYTES);
    ssize_t count = mprof__process_memory_read_children(&list, getpid(), MPROF_PROCESS_MEMORY_USS);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].pid, child);
    assert_true(list[0].bytes >= (int64_t)BLOCK_BYTES);
    free(list);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(mprof__process_memory_read_children(&list, getpid(), MPROF_PROCESS_MEMORY_RSS),
                     0);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_at_multiples_of_the_interval_are_marked),
        cmocka_unit_test(a_peak_between_two_samples_is_found),
        cmocka_unit_test(an_earlier_peak_does_not_count),
        cmocka_unit_test(the_highest_sample_is_kept),
        cmocka_unit_test(a_missing_process_is_an_error),
        cmocka_unit_test(sampling_survives_the_end_of_its_process),
        cmocka_unit_test(a_forked_child_can_stop_the_sampler),
        cmocka_unit_test(children_are_listed_and_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
