/* The recorder reads its signals from a descriptor, in order, so that none interrupts the writing
 * of a line. The program gets the mask and dispositions that it would have without mprof. */
#ifndef MPROF_RECORD_SIGNALS_H
#define MPROF_RECORD_SIGNALS_H

#include <mprof/error.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>

typedef struct mprof__signals {
    int fd;              /* signalfd(2), non-blocking; -1 if closed */
    sigset_t before;     /* mask of the program, and of mprof once closed */
    sigset_t to_default; /* ignored by mprof, but not by the program */
} mprof__signals;

/* Blocks SIGCHLD, and INT, TERM, HUP, QUIT, USR1, USR2 unless they are ignored (nohup).
 * with_terminal: TSTP, CONT, WINCH and TTOU as well, for a command that draws on the terminal.
 * Ignores PIPE and XFSZ: a failed write is reported by its caller. MPROF_EIO. */
mprof_status mprof__signals_open(mprof__signals *signals, bool with_terminal, mprof_error *error);

/* Reads the next signal. False: none. */
bool mprof__signals_next(mprof__signals *signals, struct signalfd_siginfo *info);

/* Whether the signal asks a program to end. */
bool mprof__signal_ends(int number);

/* Whether it comes from a key of the terminal or a hangup: then the kernel has sent it to the whole
 * foreground process group. */
bool mprof__signal_is_of_terminal(const struct signalfd_siginfo *info);

/* Stops this process by a signal that is blocked; returns when the process continues. */
void mprof__signal_stop(int number);

/* Restores the mask. Signals that are pending take effect now. */
void mprof__signals_close(mprof__signals *signals);

/* Ends this process by the signal, blocked or not. */
void mprof__signal_die(int number);

#endif
