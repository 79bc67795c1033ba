/* Processes that share an address space, found by kcmp(2) and by their status. */
#include "record/processes/address_space.h"

#include "record/processes/process.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STATUS(peak, swap)                                                                         \
    "Name:\ta\nUmask:\t0022\nVmPeak:\t" peak " kB\nVmRSS:\t10 kB\nVmSwap:\t" swap                  \
    " kB\nThreads:\t1\n"

static const struct row {
    const char *name;
    const char *one;
    const char *other;
    int is_alike;
} rows[] = {
    {"the same memory", STATUS("12", "0"), STATUS("12", "0"), 1},
    {"another name", STATUS("12", "0"),
     "Name:\tb\n\nVmPeak:\t12 kB\nVmRSS:\t10 kB\nVmSwap:\t0 kB\n", 1},
    {"another peak", STATUS("12", "0"), STATUS("13", "0"), 0},
    {"another last line", STATUS("12", "0"), STATUS("12", "4"), 0},
    {"a longer last line", STATUS("12", "1"), STATUS("12", "10"), 0},
    {"zombies", "Name:\ta\nThreads:\t1\n", "Name:\ta\nThreads:\t1\n", 0},
    {"cut off", "Name:\ta\nVmPeak:\t12 kB\n", "Name:\ta\nVmPeak:\t12 kB\n", 0},
    {"nothing", "", "", 0},
};

static void test_same_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].name);
        assert_int_equal(mprof__address_space_same_status(rows[i].one, rows[i].other),
                         rows[i].is_alike);
        assert_int_equal(mprof__address_space_same_status(rows[i].other, rows[i].one),
                         rows[i].is_alike);
    }
}

/* A test that fails does not end its child. */
static int wait_to_be_killed(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (pause() != 0) {
    }
    return 0;
}

static char stack[65536];

/* Adds this process and a child of it. */
static mprof__process *add_child(mprof__processes *processes, pid_t pid)
{
    mprof__process *parent;
    mprof__process *child;

    mprof__processes_init(processes);
    assert_int_equal(mprof__processes_add(processes, getpid(), getppid(), &parent), MPROF_OK);
    assert_int_equal(mprof__processes_add(processes, pid, getpid(), &child), MPROF_OK);
    return child;
}

static void end_child(mprof__processes *processes, pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    mprof__processes_free(processes);
}

static void test_child_sharing_our_memory(void **state)
{
    pid_t pid = clone(wait_to_be_killed, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    mprof__processes processes;
    mprof__process *child;

    (void)state;
    assert_true(pid > 0);
    child = add_child(&processes, pid);
    assert_int_equal(child->space.owner_pid, getpid());
    assert_int_equal(mprof__address_space_is_shared(&processes, child), 1);
    /* when its owner is removed, the child itself is read */
    mprof__processes_remove(&processes, mprof__processes_find(&processes, getpid()));
    assert_int_equal(mprof__address_space_is_shared(&processes, child), 0);
    assert_int_equal(child->space.owner_pid, 0);
    end_child(&processes, pid);
}

/* A fork has its own memory; for 0.1 s only what exceeds its parent's counts. On a busy machine
 * some are older when they are looked at. */
static void test_forked_child(void **state)
{
    mprof__processes processes;
    mprof__process *child = NULL;
    pid_t pid = 0;
    int64_t own_ns = 0;
    (void)state;
    for (int attempt = 0; attempt < 50 && own_ns == 0; attempt++) {
        if (child) {
            end_child(&processes, pid);
        }
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            wait_to_be_killed(NULL);
        }
        child = add_child(&processes, pid);
        own_ns = child->space.own_ns;
    }
    assert_true(own_ns > 0);
    mprof__processes_find(&processes, getpid())->rss_bytes = 4711;
    assert_int_equal(mprof__address_space_is_shared(&processes, child), 0);
    assert_int_equal(mprof__address_space_inherited_bytes(&processes, child, own_ns - 1), 4711);
    assert_int_equal(mprof__address_space_inherited_bytes(&processes, child, own_ns), 0);
    assert_int_equal(mprof__address_space_inherited_bytes(&processes, child, own_ns - 1), 0);
    end_child(&processes, pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_status),
        cmocka_unit_test(test_child_sharing_our_memory),
        cmocka_unit_test(test_forked_child),
    };

    return cmocka_run_group_tests_name("record address_space", tests, NULL, NULL);
}
