/* Who gives a terminal back if this process is killed (SIGKILL cannot be caught): a process that
 * waits for our end, and has nothing else to do.
 *
 * It is in a session of its own, so that nothing the job is sent reaches it; holds the terminal and
 * nothing else of ours; is no child of ours, so that it is in no way part of what we start; and
 * ends with us. Where it cannot be had, everything works without it. */
#ifndef MPROF_RECORD_TERMINAL_KEEPER_H
#define MPROF_RECORD_TERMINAL_KEEPER_H

#include <termios.h>

#define MPROF__TERMINAL_WORDS_SIZE 96

/* How the terminal is to be given back. */
typedef struct mprof__terminal_words {
    char text[MPROF__TERMINAL_WORDS_SIZE]; /* written to it, up to NUL; "": nothing */
    int has_mode;
    struct termios mode; /* set, if has_mode */
} mprof__terminal_words;

/* To be called before anything is started. terminal_fd: stays the caller's. Returns a descriptor to
 * tell the keeper by, the caller's to close by mprof__terminal_keeper_close, or -1: there is none.
 */
int mprof__terminal_keeper_open(int terminal_fd);

/* From now on that is what to do, instead of what was told before. To be told before the terminal
 * is changed, and after it is as it was. keeper_fd: -1 is fine. Never waits. */
void mprof__terminal_keeper_tell(int keeper_fd, const mprof__terminal_words *words);

/* Sends the keeper away; what it was told last is done at once. Waits for its end, but not for a
 * terminal that takes nothing. */
void mprof__terminal_keeper_close(int keeper_fd);

#endif
