/* The last row of a terminal that the program writes to as well. A scroll region reserves it:
 * output of the program scrolls above it.
 *
 * It is shown only while this process's group is in the foreground and no program reads key by key
 * (an editor, a pager, a prompt with line editing): such a program expects the whole screen. If
 * this process is killed, a keeper removes the line (record/terminal/terminal_keeper.h). */
#ifndef MPROF_RECORD_STATUS_LINE_H
#define MPROF_RECORD_STATUS_LINE_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct mprof__status_line {
    int fd;        /* of the terminal, owned; -1: closed */
    int keeper_fd; /* removes the line if we are killed; -1: none */
    bool is_up;    /* the scroll region is set */
    int rows;      /* of the terminal, when it was set */
    int columns;   /* the same */
} mprof__status_line;

/* fd: a terminal; not kept. Call it before anything is started. MPROF_EARGUMENT with the reason: it
 * is not a terminal, or one that cannot move its cursor. *line is closed then. */
mprof_status mprof__status_line_open(mprof__status_line *line, int fd, mprof_error *error);

/* Columns of the terminal now. 0: nothing can be shown at the moment; the line is removed. */
size_t mprof__status_line_room(mprof__status_line *line);

/* Replaces the text. It must be escaped and no wider than mprof__status_line_room. Never waits: a
 * terminal that accepts nothing (Ctrl-S) keeps the old text. */
void mprof__status_line_show(mprof__status_line *line, const char *text);

/* Removes the line and the scroll region. */
void mprof__status_line_hide(mprof__status_line *line);

/* Call when the terminal has a new size or another program has used it: the next text sets the
 * scroll region again. */
void mprof__status_line_reset(mprof__status_line *line);

/* Hides and closes. */
void mprof__status_line_close(mprof__status_line *line);

#endif
