/* A whole terminal for a table that is drawn again and again: the alternate screen, keys one by
 * one, and everything as it was at the end. */
#ifndef MPROF_RECORD_SCREEN_H
#define MPROF_RECORD_SCREEN_H

#include <stddef.h>
#include <termios.h>

typedef struct mprof__screen {
    int out_fd;
    int key_fd;    /* -1: no keys can be read */
    int keeper_fd; /* of who gives the terminal back if we are killed; -1: nobody */
    struct termios before;
    int is_open;
    size_t rows, columns;
    char *frame; /* what is being drawn */
    size_t used, size;
} mprof__screen;

/* Takes the terminal out_fd over; keys come from key_fd if that is one, too. */
void mprof__screen_open(mprof__screen *screen, int out_fd, int key_fd);

/* Gives it back; it may be opened again (after the job was stopped). */
void mprof__screen_close(mprof__screen *screen);

/* Draws: begin, the lines from top to bottom, end. A line is harmless and fits the columns, which
 * begin sets to what the terminal has now. */
void mprof__screen_begin(mprof__screen *screen);
void mprof__screen_line(mprof__screen *screen, const char *text);
void mprof__screen_end(mprof__screen *screen);

/* The next key that was pressed, or 0. */
char mprof__screen_key(const mprof__screen *screen);

#endif
