/* Owns which signals the recorder takes for itself, and how it dies by one. */
#include "signals.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int passes[] = {SIGUSR1, SIGUSR2};
static const int terminal[] = {SIGTSTP, SIGCONT, SIGWINCH, SIGTTOU};
static const int silenced[] = {SIGPIPE, SIGXFSZ};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void hold(sigset_t *set, const int *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_ignored(numbers[i])) {
            sigaddset(set, numbers[i]);
        }
    }
}

mprof_status mprof__signals_open(mprof__signals *signals, int with_terminal, mprof_error *error)
{
    sigset_t held;

    sigemptyset(&signals->to_default);
    for (size_t i = 0; i < COUNT(silenced); i++) {
        if (!is_ignored(silenced[i])) {
            signal(silenced[i], SIG_IGN);
            sigaddset(&signals->to_default, silenced[i]);
        }
    }
    /* an ignored SIGCHLD would have the kernel reap the program behind our back */
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&held);
    sigaddset(&held, SIGCHLD);
    hold(&held, ends, COUNT(ends));
    hold(&held, passes, COUNT(passes));
    if (with_terminal) {
        hold(&held, terminal, COUNT(terminal));
    }
    if (sigprocmask(SIG_BLOCK, &held, &signals->before) != 0) {
        return mprof_error_set_errno(error, errno, "cannot hold back signals");
    }
    signals->fd = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals->fd < 0) {
        mprof_error_set_errno(error, errno, "cannot wait for signals");
        sigprocmask(SIG_SETMASK, &signals->before, NULL);
        return MPROF_EIO;
    }
    return MPROF_OK;
}

int mprof__signals_next(mprof__signals *signals, struct signalfd_siginfo *info)
{
    return read(signals->fd, info, sizeof *info) == (ssize_t)sizeof *info;
}

int mprof__signal_ends(int number)
{
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (ends[i] == number) {
            return 1;
        }
    }
    return 0;
}

int mprof__signal_is_of_terminal(const struct signalfd_siginfo *info)
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

    /* dying of QUIT must not leave a core of the recorder where the program's belongs */
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}
