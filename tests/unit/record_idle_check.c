/* When a reading need not be repeated: told by real processes. */
#include "record/kernel/idle_check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The moment of all asking: a loaded machine shall not make readings grow old meanwhile. */
#define NOW_NS 5000
#define TRIES 20000

/* A child that answers each byte it is sent, and sleeps otherwise. */
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

/* Asks until the child has come to sleep and all pauses are over. */
static void wait_until_it_holds(mprof__idle_check *check, pid_t pid)
{
    for (int i = 0; i < TRIES; i++) {
        check->has_run = 0;
        if (mprof__idle_check_holds(check, pid, NOW_NS)) {
            assert_false(check->has_run);
            return;
        }
        usleep(1000);
    }
    fail_msg("a sleeping process never came to check");
}

/* While the child is on its way back to sleep its clock may be behind; then it never is. */
static int is_work_noticed(mprof__idle_check *check, pid_t pid)
{
    for (int i = 0; i < TRIES; i++) {
        if (!mprof__idle_check_holds(check, pid, NOW_NS)) {
            return 1;
        }
        usleep(1000);
    }
    return 0;
}

/* A reading of before the child ran is not taken to hold behind it. */
static void test_work_is_noticed(void **state)
{
    mprof__idle_check check;
    echo child;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    for (int i = 0; i < 100; i++) {
        wait_until_it_holds(&check, child.pid);
        exchange(&child);
        assert_true(is_work_noticed(&check, child.pid));
        assert_true(check.has_run);
    }
    end(&child);
}

/* Who works all the time is read without asking, mostly. */
static void test_always_at_work(void **state)
{
    mprof__idle_check check;
    echo child;
    int asked = 0;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    for (int i = 0; i < 1000; i++) {
        exchange(&child);
        asked += check.pause == 0;
        (void)mprof__idle_check_holds(&check, child.pid, NOW_NS);
        usleep(100); /* off its processor */
    }
    assert_in_range(asked, 10, 500);
    end(&child);
}

static void test_nothing_holds_for_ever(void **state)
{
    mprof__idle_check check;
    echo child;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    wait_until_it_holds(&check, child.pid);
    assert_in_range(check.until_ns - NOW_NS, 1, 1000000000);
    assert_false(mprof__idle_check_holds(&check, child.pid, check.until_ns));
    end(&child);
}

static void test_intervals(void **state)
{
    (void)state;
    assert_false(mprof__idle_check_applies(1000000)); /* a tick is 1 ms at least */
    assert_false(mprof__idle_check_applies(7000000));
}

static void test_a_process_that_is_gone(void **state)
{
    mprof__idle_check check;
    echo child;

    (void)state;
    start(&child);
    mprof__idle_check_init(&check);
    wait_until_it_holds(&check, child.pid);
    end(&child);
    for (int i = 0; i < 100; i++) {
        assert_false(mprof__idle_check_holds(&check, child.pid, NOW_NS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_is_noticed),        cmocka_unit_test(test_always_at_work),
        cmocka_unit_test(test_nothing_holds_for_ever), cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_a_process_that_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
