/* The bottom line of a terminal that a program writes to as well: kept for us by a scroll region,
 * so that what the program prints scrolls above it, and given back whenever the terminal is
 * somebody else's.
 *
 * It is shown only while the terminal is ours to write on: this process's group is in its
 * foreground, and nobody reads it key by key (an editor, a pager, a prompt with line editing), who
 * would have the whole screen for himself. A process killed while the line is shown has it taken
 * away by a keeper (record/terminal/terminal_keeper.h). */
#ifndef MPROF_RECORD_STATUS_LINE_H
#define MPROF_RECORD_STATUS_LINE_H

#include <mprof/error.h>
#include <stddef.h>

typedef struct mprof__status_line {
    int fd;        /* of the terminal, our own; -1: closed */
    int keeper_fd; /* of who gives the line back if we are killed; -1: nobody */
    int is_up;     /* the scroll region is set */
    int rows;      /* of the terminal, when it was set */
    int columns;   /* the same */
} mprof__status_line;

/* Uses the terminal that `fd` is; to be opened before anything is started. MPROF_EARGUMENT with the
 * reason: it is none, or one that knows no cursor. *line is closed then. */
mprof_status mprof__status_line_open(mprof__status_line *line, int fd, mprof_error *error);

/* Columns of the terminal as it is now; 0 if nothing can be shown at this moment: takes the line
 * away then, if it is there. */
size_t mprof__status_line_room(mprof__status_line *line);

/* Shows the text in place of the one before. It has been made harmless, and is not wider than the
 * room. Never waits: a terminal that takes nothing (Ctrl-S) is left as it is. */
void mprof__status_line_show(mprof__status_line *line, const char *text);

/* Gives the line back to the terminal. */
void mprof__status_line_hide(mprof__status_line *line);

/* The terminal has another size, or was another's meanwhile: all is to be set up anew. */
void mprof__status_line_renew(mprof__status_line *line);

/* Hides and closes. */
void mprof__status_line_close(mprof__status_line *line);

#endif
