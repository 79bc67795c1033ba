/* When the kernel's events are lost, new processes are found by a scan. */
#include "record/processes/process_tree.h"

#include "record/kernel/clock.h"
#include "record/kernel/process_events.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 400

static void take(void *data, mprof__process *process, int64_t time_ns)
{
    (void)data;
    (void)process;
    (void)time_ns;
}

static void take_end(void *data, mprof__process *process, const mprof__process_end *end)
{
    (void)data;
    (void)process;
    (void)end;
}

/* As small as the kernel allows. */
static void shrink_buffer(int fd)
{
    int bytes = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
}

static pid_t start_child(int lives)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also if the test fails */
        while (lives) {
            pause();
        }
        _exit(0);
    }
    return pid;
}

/* More events than the buffer holds. */
static void make_events(void)
{
    for (int i = 0; i < MANY; i++) {
        pid_t pid = start_child(0);

        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
}

static void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_lost_events_are_reported(void **state)
{
    mprof__process_events *events = mprof__process_events_open();
    mprof__process_event event;
    int unsure = 0;

    (void)state;
    if (!events) {
        print_message("process events are not permitted here\n");
        skip();
    }
    while (mprof__process_events_next(events, &event)) {
    }
    shrink_buffer(mprof__process_events_fd(events));
    make_events();
    while (mprof__process_events_next(events, &event)) {
        unsure += event.kind == MPROF__PROCESS_UNSURE;
    }
    assert_true(unsure > 0);
    mprof__process_events_free(events);
}

static void test_births_in_lost_events(void **state)
{
    mprof__process_tree_hooks hooks = {NULL, take, take, NULL, take_end};
    mprof__process_tree *tree;
    pid_t child;

    (void)state;
    assert_int_equal(mprof__process_tree_open(&tree, 1, &hooks, NULL), MPROF_OK);
    if (mprof__process_tree_fd(tree) < 0) {
        mprof__process_tree_free(tree);
        print_message("process events are not permitted here\n");
        skip();
    }
    assert_int_equal(mprof__process_tree_set_root(tree, getpid(), mprof__clock_now_ns(), NULL),
                     MPROF_OK);
    assert_int_equal(mprof__process_tree_update(tree, mprof__clock_now_ns()), MPROF_OK);
    shrink_buffer(mprof__process_tree_fd(tree));
    make_events();
    child = start_child(1); /* the event of its birth is lost */
    assert_int_equal(mprof__process_tree_update(tree, mprof__clock_now_ns()), MPROF_OK);
    assert_non_null(mprof__processes_find(mprof__process_tree_processes(tree), child));
    end_child(child);
    mprof__process_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_events_are_reported),
        cmocka_unit_test(test_births_in_lost_events),
    };

    return cmocka_run_group_tests_name("record process_tree", tests, NULL, NULL);
}
