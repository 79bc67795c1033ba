/* A table over the whole terminal: the alternate screen, keys without Enter, and everything
 * restored at the end. */
#ifndef MPROF_RECORD_SCREEN_H
#define MPROF_RECORD_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

typedef struct mprof__screen {
    int out_fd;
    int key_fd;    /* -1: no keys can be read */
    int keeper_fd; /* restores the terminal if we are killed; -1: none */
    struct termios before;
    bool is_open;
    size_t rows, columns;
    char *frame; /* being drawn */
    size_t used, size;
} mprof__screen;

/* Takes over the terminal out_fd; reads keys from key_fd if that is a terminal, too. */
void mprof__screen_open(mprof__screen *screen, int out_fd, int key_fd);

/* Restores the terminal. It may be opened again, as after a stop of the job. */
void mprof__screen_close(mprof__screen *screen);

/* To draw: begin, the lines from top to bottom, end. begin sets rows and columns to those of the
 * terminal. A line must be escaped and no wider than the columns. */
void mprof__screen_begin(mprof__screen *screen);
void mprof__screen_line(mprof__screen *screen, const char *text);
void mprof__screen_end(mprof__screen *screen);

/* The next key pressed, or 0. */
char mprof__screen_key(const mprof__screen *screen);

#endif
