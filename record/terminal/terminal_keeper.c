/* When the other end of the socket closes, mprof has ended, and the keeper cleans up. */
#include "terminal_keeper.h"

#include "record/kernel/retry.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the keeper waits for a terminal that accepts nothing (Ctrl-S), and we for the keeper. */
#define TERMINAL_WAIT_MS 60000
#define KEEPER_WAIT_MS 200

/* Other descriptors must not stay open here: the reader of a pipe waits until all are closed. */
static void close_all_but(int first, int second)
{
    unsigned low = (unsigned)(first < second ? first : second);
    unsigned high = (unsigned)(first < second ? second : first);

    if (low > 0) {
        (void)syscall(SYS_close_range, 0, low - 1, 0);
    }
    if (high > low + 1) {
        (void)syscall(SYS_close_range, low + 1, high - 1, 0);
    }
    (void)syscall(SYS_close_range, high + 1, ~0U, 0);
}

static void clean_up(int terminal_fd, const mprof__terminal_cleanup *cleanup)
{
    struct pollfd ready = {terminal_fd, POLLOUT, 0};
    size_t length = strnlen(cleanup->text, sizeof cleanup->text);

    if (length > 0 && poll(&ready, 1, TERMINAL_WAIT_MS) == 1 && (ready.revents & POLLOUT)) {
        (void)!write(terminal_fd, cleanup->text, length);
    }
    if (cleanup->has_mode) {
        (void)tcsetattr(terminal_fd, TCSANOW, &cleanup->mode);
    }
}

/* The keeper process. */
static void run_keeper(int socket_fd, int terminal_fd)
{
    mprof__terminal_cleanup cleanup = {0};
    mprof__terminal_cleanup received;
    sigset_t all;
    ssize_t got;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "mprof-terminal");
    close_all_but(socket_fd, terminal_fd);
    while ((got = TEMP_FAILURE_RETRY(recv(socket_fd, &received, sizeof received, 0))) > 0) {
        if (got == (ssize_t)sizeof received) {
            cleanup = received;
        }
    }
    clean_up(terminal_fd, &cleanup);
}

/* Whether orphans become our children: as the first process of a container, or as a subreaper since
 * before our exec. The keeper would then look like a process of the program. */
static bool adopts_orphans(void)
{
    int is_reaper = 0;

    return getpid() == 1 || prctl(PR_GET_CHILD_SUBREAPER, &is_reaper, 0, 0, 0) != 0 || is_reaper;
}

int mprof__terminal_keeper_open(int terminal_fd)
{
    int ends[2];

    if (adopts_orphans() || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    pid_t middle = fork();
    if (middle == 0) {
        pid_t keeper = fork();

        if (keeper == 0) {
            close(ends[0]);
            run_keeper(ends[1], terminal_fd);
        }
        _exit(keeper < 0);
    }
    close(ends[1]);
    if (middle < 0) {
        close(ends[0]);
        return -1;
    }
    (void)TEMP_FAILURE_RETRY(waitpid(middle, NULL, 0));
    return ends[0];
}

void mprof__terminal_keeper_set_cleanup(int keeper_fd, const mprof__terminal_cleanup *cleanup)
{
    if (keeper_fd >= 0) {
        (void)!send(keeper_fd, cleanup, sizeof *cleanup, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void mprof__terminal_keeper_close(int keeper_fd)
{
    struct pollfd gone = {keeper_fd, POLLIN, 0};

    if (keeper_fd >= 0) {
        shutdown(keeper_fd, SHUT_WR);
        (void)TEMP_FAILURE_RETRY(poll(&gone, 1, KEEPER_WAIT_MS));
        close(keeper_fd);
    }
}
