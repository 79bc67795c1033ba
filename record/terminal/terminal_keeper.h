/* Restores a terminal if this process is killed (SIGKILL cannot be caught): a process that only
 * waits for our end.
 *
 * It runs in a session of its own, so that signals to the job do not reach it; keeps only the
 * terminal open; is not our child, so that it does not count as part of the program; and ends with
 * us. Everything works without it, too. */
#ifndef MPROF_RECORD_TERMINAL_KEEPER_H
#define MPROF_RECORD_TERMINAL_KEEPER_H

#include <stdbool.h>
#include <termios.h>

#define MPROF__TERMINAL_CLEANUP_SIZE 96

/* How to restore the terminal. All zero: nothing to do. */
typedef struct mprof__terminal_cleanup {
    char text[MPROF__TERMINAL_CLEANUP_SIZE]; /* to write, up to NUL */
    bool has_mode;
    struct termios mode; /* to set, if has_mode */
} mprof__terminal_cleanup;

/* Call it before anything is started. terminal_fd stays the caller's. Returns a descriptor that the
 * caller closes by mprof__terminal_keeper_close, or -1: there is no keeper. */
int mprof__terminal_keeper_open(int terminal_fd);

/* Replaces what to do if this process is killed. Call it before the terminal is changed, and after
 * it is restored. keeper_fd may be -1. Never waits. */
void mprof__terminal_keeper_set_cleanup(int keeper_fd, const mprof__terminal_cleanup *cleanup);

/* Ends the keeper, which does the last cleanup it was given. Waits for it, but not for a terminal
 * that accepts nothing. */
void mprof__terminal_keeper_close(int keeper_fd);

#endif
