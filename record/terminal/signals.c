#include "signals.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int forwarded[] = {SIGUSR1, SIGUSR2};
static const int terminal[] = {SIGTSTP, SIGCONT, SIGWINCH, SIGTTOU};
static const int ignored[] = {SIGPIPE, SIGXFSZ};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void add_unless_ignored(sigset_t *set, const int *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_ignored(numbers[i])) {
            sigaddset(set, numbers[i]);
        }
    }
}

mprof_status mprof__signals_open(mprof__signals *signals, bool with_terminal, mprof_error *error)
{
    sigset_t held;

    sigemptyset(&signals->to_default);
    for (size_t i = 0; i < COUNT(ignored); i++) {
        if (!is_ignored(ignored[i])) {
            signal(ignored[i], SIG_IGN);
            sigaddset(&signals->to_default, ignored[i]);
        }
    }
    /* if SIGCHLD were ignored, the kernel would reap the program: there were no wait status */
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&held);
    sigaddset(&held, SIGCHLD);
    add_unless_ignored(&held, ending, COUNT(ending));
    add_unless_ignored(&held, forwarded, COUNT(forwarded));
    if (with_terminal) {
        add_unless_ignored(&held, terminal, COUNT(terminal));
    }
    if (sigprocmask(SIG_BLOCK, &held, &signals->before) != 0) {
        return mprof_error_set_errno(error, errno, "cannot block signals");
    }
    signals->fd = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals->fd < 0) {
        mprof_error_set_errno(error, errno, "cannot open a descriptor for signals");
        sigprocmask(SIG_SETMASK, &signals->before, NULL);
        return MPROF_EIO;
    }
    return MPROF_OK;
}

bool mprof__signals_next(mprof__signals *signals, struct signalfd_siginfo *info)
{
    return read(signals->fd, info, sizeof *info) == (ssize_t)sizeof *info;
}

bool mprof__signal_ends(int number)
{
    for (size_t i = 0; i < COUNT(ending); i++) {
        if (ending[i] == number) {
            return true;
        }
    }
    return false;
}

bool mprof__signal_is_of_terminal(const struct signalfd_siginfo *info)
{
    return info->ssi_code == SI_KERNEL;
}

void mprof__signal_stop(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void mprof__signals_close(mprof__signals *signals)
{
    if (signals->fd >= 0) {
        close(signals->fd);
        signals->fd = -1;
        sigprocmask(SIG_SETMASK, &signals->before, NULL);
    }
}

void mprof__signal_die(int number)
{
    const struct rlimit none = {0, 0};
    sigset_t set;

    /* QUIT must not leave a core dump of the recorder over the program's */
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}
