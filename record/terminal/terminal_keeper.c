/* Owns the life of the keeper. */
#include "terminal_keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A terminal that takes nothing (Ctrl-S) is waited for that long by the keeper, and by us. */
#define KEEPER_WAIT_MS 60000
#define OWN_WAIT_MS 200

/* Whatever else is open here is somebody's: the reader of a pipe waits for the last one to close
 * it.
 */
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

static void give_back(int terminal_fd, const mprof__terminal_words *words)
{
    struct pollfd ready = {terminal_fd, POLLOUT, 0};
    size_t length = strnlen(words->text, sizeof words->text);

    if (length > 0 && poll(&ready, 1, KEEPER_WAIT_MS) == 1 && (ready.revents & POLLOUT)) {
        (void)!write(terminal_fd, words->text, length);
    }
    if (words->has_mode) {
        (void)tcsetattr(terminal_fd, TCSANOW, &words->mode);
    }
}

/* The keeper's life, in a process of its own. */
static void keep(int socket_fd, int terminal_fd)
{
    mprof__terminal_words words = {0};
    mprof__terminal_words told;
    sigset_t all;
    ssize_t got;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "mprof-terminal");
    close_all_but(socket_fd, terminal_fd);
    while ((got = TEMP_FAILURE_RETRY(recv(socket_fd, &told, sizeof told, 0))) > 0) {
        if (got == (ssize_t)sizeof told) {
            words = told;
        }
    }
    give_back(terminal_fd, &words);
}

/* Orphans come to us only if we are the first process of a container, or were made a reaper by who
 * was here before the exec: then the keeper would be taken for one of the program's. */
static int orphans_come_to_us(void)
{
    int is_reaper = 0;

    return getpid() == 1 || prctl(PR_GET_CHILD_SUBREAPER, &is_reaper, 0, 0, 0) != 0 || is_reaper;
}

int mprof__terminal_keeper_open(int terminal_fd)
{
    int ends[2];
    pid_t middle;

    if (orphans_come_to_us() || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    middle = fork();
    if (middle == 0) {
        pid_t keeper = fork();

        if (keeper == 0) {
            close(ends[0]);
            keep(ends[1], terminal_fd);
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

void mprof__terminal_keeper_tell(int keeper_fd, const mprof__terminal_words *words)
{
    if (keeper_fd >= 0) {
        (void)!send(keeper_fd, words, sizeof *words, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void mprof__terminal_keeper_close(int keeper_fd)
{
    struct pollfd gone = {keeper_fd, POLLIN, 0};

    if (keeper_fd >= 0) {
        shutdown(keeper_fd, SHUT_WR);
        (void)TEMP_FAILURE_RETRY(poll(&gone, 1, OWN_WAIT_MS));
        close(keeper_fd);
    }
}
