/* Which processes are not read again: with real processes. */
#include "record/kernel/idle_check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The time of all checks: on a loaded machine readings must not expire. */
#define NOW_NS 5000
#define TRIES 20000

/* A child that echoes bytes, and sleeps otherwise. */
typedef struct echo {
    pid_t pid;
    int to;
    int from;
} echo;

static void start(echo *child)
{
    int to[2];
    int from[2];
    char byte;

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        close(to[1]);
        while (read(to[0], &byte, 1) == 1 && write(from[1], &byte, 1) == 1) {
        }
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    child->to = to[1];
    child->from = from[0];
}

static void exchange(const echo *child)
{
    char byte = 'x';

    assert_int_equal(write(child->to, &byte, 1), 1);
    assert_int_equal(read(child->from, &byte, 1), 1);
}

static void end(const echo *child)
{
    close(child->to);
    close(child->from);
    assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

/* Checks until the child sleeps and all pauses are over. */
static void wait_until_idle(mprof__idle_check *check, pid_t pid)
{
    for (int i = 0; i < TRIES; i++) {
        check->has_run = false;
        if (mprof__idle_check_holds(check, pid, NOW_NS)) {
            assert_false(check->has_run);
            return;
        }
        usleep(1000);
    }
    fail_msg("a sleeping process was never found idle");
}

/* The clock may be behind while the child goes back to sleep, but not later. */
static int finds_that_it_ran(mprof__idle_check *check, pid_t pid)
{
    for (int i = 0; i < TRIES; i++) {
        if (!mprof__idle_check_holds(check, pid, NOW_NS)) {
            return 1;
        }
        usleep(1000);
    }
    return 0;
}

static void test_a_process_that_ran_is_read_again(void **state)
{
    mprof__idle_check check;
    echo child;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    for (int i = 0; i < 100; i++) {
        wait_until_idle(&check, child.pid);
        exchange(&child);
        assert_true(finds_that_it_ran(&check, child.pid));
        assert_true(check.has_run);
    }
    end(&child);
}

static void test_a_busy_process_is_rarely_checked(void **state)
{
    mprof__idle_check check;
    echo child;
    int checked = 0;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    for (int i = 0; i < 1000; i++) {
        exchange(&child);
        checked += check.pause == 0;
        (void)mprof__idle_check_holds(&check, child.pid, NOW_NS);
        usleep(100); /* lets the child leave its processor */
    }
    assert_in_range(checked, 10, 500);
    end(&child);
}

static void test_a_reading_expires(void **state)
{
    mprof__idle_check check;
    echo child;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    wait_until_idle(&check, child.pid);
    assert_in_range(check.until_ns - NOW_NS, 1, 1000000000);
    assert_false(mprof__idle_check_holds(&check, child.pid, check.until_ns));
    end(&child);
}

static void test_intervals(void **state)
{
    (void)state;
    assert_false(mprof__idle_check_applies(1000000)); /* a scheduler tick is at least 1 ms */
    assert_false(mprof__idle_check_applies(7000000));
}

static void test_a_process_that_has_ended(void **state)
{
    mprof__idle_check check;
    echo child;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    wait_until_idle(&check, child.pid);
    end(&child);
    for (int i = 0; i < 100; i++) {
        assert_false(mprof__idle_check_holds(&check, child.pid, NOW_NS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_that_ran_is_read_again),
        cmocka_unit_test(test_a_busy_process_is_rarely_checked),
        cmocka_unit_test(test_a_reading_expires),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_a_process_that_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
