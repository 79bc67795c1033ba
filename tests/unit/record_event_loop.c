/* Which descriptors wake the loop, with epoll and without. */
#include "record/session/event_loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define MOMENT_NS 1000000
#define NEVER_NS INT64_MAX

typedef struct way {
    const char *name;
    void (*prepare)(mprof__event_loop *loop);
    int uses_epoll; /* epoll is still used after the first wait */
} way;

static void prepare_nothing(mprof__event_loop *loop)
{
    assert_true(loop->epoll_fd >= 0);
}

static void close_epoll(mprof__event_loop *loop)
{
    mprof__event_loop_close(loop);
}

/* epoll_pwait2 fails as on an old kernel: the descriptor is no epoll instance. */
static void break_epoll_pwait2(mprof__event_loop *loop)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dup2(fds[0], loop->epoll_fd), loop->epoll_fd);
    close(fds[0]);
    close(fds[1]);
}

static const way ways[] = {
    {"epoll", prepare_nothing, 1},
    {"no epoll", close_epoll, 0},
    {"epoll_pwait2 fails", break_epoll_pwait2, 0},
};

static void write_pipe(const int *pair)
{
    assert_int_equal(write(pair[1], "x", 1), 1);
}

static void drain_pipe(const int *pair)
{
    char byte;

    assert_int_equal(read(pair[0], &byte, 1), 1);
}

static void check_what_wakes(const way *by, mprof__event_loop *loop, const int *wakeup,
                             const int *processes)
{
    mprof__event_loop_wait(loop, MOMENT_NS);
    assert_false(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_false(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_int_equal(loop->epoll_fd >= 0, by->uses_epoll);

    mprof__event_loop_set(loop, MPROF__SOURCE_WAKEUP, wakeup[0]);
    mprof__event_loop_set(loop, MPROF__SOURCE_PROCESSES, processes[0]);
    mprof__event_loop_wait(loop, MOMENT_NS);
    assert_false(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));

    write_pipe(wakeup);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_false(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_idle(loop, MPROF__SOURCE_PROCESSES));

    write_pipe(processes);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES));

    mprof__event_loop_set(loop, MPROF__SOURCE_WAKEUP, -1);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_false(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_false(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES));

    drain_pipe(processes);
    mprof__event_loop_set(loop, MPROF__SOURCE_PROCESSES,
                          wakeup[0]); /* another descriptor for the same source */
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES));
    drain_pipe(wakeup);
    mprof__event_loop_wait(loop, MOMENT_NS);
    assert_true(mprof__event_loop_is_idle(loop, MPROF__SOURCE_PROCESSES));
}

static void take_alarm(int number)
{
    (void)number;
}

static void check_signals(const way *by, mprof__event_loop *loop, const int *silent)
{
    struct sigaction action = {.sa_handler = take_alarm};
    struct itimerval soon = {{0, 2000}, {0, 2000}};
    struct itimerval off = {{0, 0}, {0, 0}};

    mprof__event_loop_set(loop, MPROF__SOURCE_WAKEUP, silent[0]);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
    assert_true(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_int_equal(loop->epoll_fd >= 0, by->uses_epoll);
}

static void test_each_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        mprof__event_loop loop;
        int wakeup[2];
        int processes[2];

        print_message("%s\n", ways[i].name);
        assert_int_equal(pipe(wakeup), 0);
        assert_int_equal(pipe(processes), 0);
        mprof__event_loop_open(&loop);
        ways[i].prepare(&loop);
        check_what_wakes(&ways[i], &loop, wakeup, processes);
        check_signals(&ways[i], &loop, processes);
        mprof__event_loop_close(&loop);
        for (int end = 0; end < 2; end++) {
            close(wakeup[end]);
            close(processes[end]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_way),
    };

    return cmocka_run_group_tests_name("record event loop", tests, NULL, NULL);
}
