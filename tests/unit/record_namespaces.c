/* A process in a PID namespace of its own is found by its pid there, by a user who may not read
 * those of others. */
#include "record/processes/namespaces.h"

#include "record/processes/process.h"

#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { FOUND, NOT_FOUND, NOT_PERMITTED };

/* It is pid 1 in its namespace, as the first process of the system is in ours. */
static int find_first_process(void)
{
    mprof__processes none = {0};
    struct stat status;
    char path[64];
    pid_t pid;
    if ((geteuid() == 0 && setuid(65534) != 0) || prctl(PR_SET_DUMPABLE, 1) != 0 ||
        unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0 || (pid = fork()) < 0) {
        return NOT_PERMITTED;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    int result = NOT_PERMITTED;
    if (stat(path, &status) == 0) {
        int64_t found = mprof__namespaces_find_pid(&none, 1, (uint64_t)status.st_ino);
        if (found != pid) {
            printf("found %" PRId64 ", not %d\n", found, (int)pid);
        }
        result = found == pid ? FOUND : NOT_FOUND;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

static void test_first_process_of_a_namespace(void **state)
{
    (void)state;
    int status;
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int result = find_first_process();
        fflush(stdout);
        _exit(result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_PERMITTED) {
        print_message("no namespace can be made here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_process_of_a_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
