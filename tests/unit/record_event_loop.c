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
    int is_listed; /* by the kernel, behind the first waiting */
} way;

static void prepare_nothing(mprof__event_loop *loop)
{
    assert_true(loop->epoll_fd >= 0);
}

static void take_list_away(mprof__event_loop *loop)
{
    mprof__event_loop_close(loop);
}

/* As if the kernel did not know the call: here it is refused, for what is no such list. */
static void spoil_list(mprof__event_loop *loop)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dup2(fds[0], loop->epoll_fd), loop->epoll_fd);
    close(fds[0]);
    close(fds[1]);
}

static const way ways[] = {
    {"epoll", prepare_nothing, 1},
    {"no epoll", take_list_away, 0},
    {"no waiting in nanoseconds", spoil_list, 0},
};

static void ring(const int *pair)
{
    assert_int_equal(write(pair[1], "x", 1), 1);
}

static void hear(const int *pair)
{
    char byte;

    assert_int_equal(read(pair[0], &byte, 1), 1);
}

static void check_what_wakes(const way *by, mprof__event_loop *loop, const int *bell,
                             const int *tree)
{
    mprof__event_loop_wait(loop, MOMENT_NS);
    assert_false(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_false(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_int_equal(loop->epoll_fd >= 0, by->is_listed);

    mprof__event_loop_set(loop, MPROF__SOURCE_WAKEUP, bell[0]);
    mprof__event_loop_set(loop, MPROF__SOURCE_PROCESSES, tree[0]);
    mprof__event_loop_wait(loop, MOMENT_NS);
    assert_false(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));

    ring(bell);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_false(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_idle(loop, MPROF__SOURCE_PROCESSES));

    ring(tree);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES));

    mprof__event_loop_set(loop, MPROF__SOURCE_WAKEUP, -1);
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_false(mprof__event_loop_is_ready(loop, MPROF__SOURCE_WAKEUP));
    assert_false(mprof__event_loop_is_idle(loop, MPROF__SOURCE_WAKEUP));
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES));

    hear(tree);
    mprof__event_loop_set(loop, MPROF__SOURCE_PROCESSES, bell[0]); /* another one in its place */
    mprof__event_loop_wait(loop, NEVER_NS);
    assert_true(mprof__event_loop_is_ready(loop, MPROF__SOURCE_PROCESSES));
    hear(bell);
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
    assert_int_equal(loop->epoll_fd >= 0, by->is_listed);
}

static void test_each_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        mprof__event_loop loop;
        int bell[2];
        int tree[2];

        print_message("%s\n", ways[i].name);
        assert_int_equal(pipe(bell), 0);
        assert_int_equal(pipe(tree), 0);
        mprof__event_loop_open(&loop);
        ways[i].prepare(&loop);
        check_what_wakes(&ways[i], &loop, bell, tree);
        check_signals(&ways[i], &loop, tree);
        mprof__event_loop_close(&loop);
        for (int end = 0; end < 2; end++) {
            close(bell[end]);
            close(tree[end]);
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
