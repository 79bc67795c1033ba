/* The signals of the recorder: taken in order, through a descriptor, so that none can interrupt the
 * writing of a line; and given back to the program as it would have had them without mprof. */
#ifndef MPROF_RECORD_SIGNALS_H
#define MPROF_RECORD_SIGNALS_H

#include <mprof/error.h>
#include <signal.h>
#include <sys/signalfd.h>

typedef struct mprof__signals {
    int fd;              /* signalfd(2), non-blocking; -1 if closed */
    sigset_t before;     /* mask to give to the program, and to return to */
    sigset_t to_default; /* what mprof ignores and the program shall not */
} mprof__signals;

/* with_terminal: holds back TSTP, CONT, WINCH and TTOU as well, for who shows something there.
 * Holds back SIGCHLD and those of INT, TERM, HUP, QUIT, USR1, USR2 that are not ignored (nohup).
 * Ignores PIPE and XFSZ: a write that fails is reported where it is made. MPROF_EIO. */
mprof_status mprof__signals_open(mprof__signals *signals, int with_terminal, mprof_error *error);

/* Takes the next one. 0 if there is none. */
int mprof__signals_next(mprof__signals *signals, struct signalfd_siginfo *info);

/* 1 for those that ask a program to end. */
int mprof__signal_ends(int number);

/* 1 if it came from the terminal's keys, or a hangup: the kernel has sent it to the whole
 * foreground group. */
int mprof__signal_is_of_terminal(const struct signalfd_siginfo *info);

/* Stops this process by the signal, as if it had never been held back; returns when it goes on. */
void mprof__signal_stop(int number);

/* Ends the holding back. What arrived meanwhile takes effect now. */
void mprof__signals_close(mprof__signals *signals);

/* Ends this process by the signal, as if it had never been held back. */
void mprof__signal_die(int number);

#endif
