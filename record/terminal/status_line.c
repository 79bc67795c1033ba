/* Uses sequences of ECMA-48 and the VT100, which every terminal in use knows. Each change is one
 * write(2): output of the program cannot come in between. */
#include "status_line.h"

#include "terminal_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ROWS_MIN 3
#define COLUMNS_MIN 20
/* Worth waiting for: otherwise the line stays on the screen. */
#define HIDE_MS 200

/* Save and restore the cursor with its colours (DECSC, DECRC). */
#define SAVE "\0337"
#define RESTORE "\0338"

/* Sets the scroll region to all rows but the last. That moves the cursor home, so save it before;
 * IND before and CUU after it move the cursor off the last row without changing its column. */
#define SET_UP "\033D" SAVE "\033[1;%dr" RESTORE "\033[A"

/* Restores the last row. */
#define TAKE_DOWN SAVE "\033[r\033[%d;1H\033[0m\033[K" RESTORE

static bool has_cursor(void)
{
    const char *term = getenv("TERM");

    return term && *term && strcmp(term, "dumb") != 0;
}

/* Opens the terminal again: O_NONBLOCK must not apply to the program's descriptors. */
static int reopen(int fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

mprof_status mprof__status_line_open(mprof__status_line *line, int fd, mprof_error *error)
{
    memset(line, 0, sizeof *line);
    line->fd = -1;
    line->keeper_fd = -1;
    if (!isatty(fd)) {
        return mprof_error_set(error, MPROF_EARGUMENT, "standard error is not a terminal");
    }
    if (!has_cursor()) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the terminal cannot move its cursor (TERM is unset or dumb)");
    }
    line->fd = reopen(fd);
    if (line->fd < 0) {
        return mprof_error_set_errno(error, errno, "cannot open the terminal");
    }
    line->keeper_fd = mprof__terminal_keeper_open(line->fd);
    return MPROF_OK;
}

static void set_cleanup(const mprof__status_line *line, bool is_up)
{
    mprof__terminal_cleanup cleanup = {0};

    if (is_up) {
        snprintf(cleanup.text, sizeof cleanup.text, TAKE_DOWN, line->rows);
    }
    mprof__terminal_keeper_set_cleanup(line->keeper_fd, &cleanup);
}

/* All or nothing, as far as a terminal allows that. 1 if it was written. */
static int write_all(const mprof__status_line *line, const char *text, size_t length, int wait_ms)
{
    struct pollfd ready = {line->fd, POLLOUT, 0};

    return poll(&ready, 1, wait_ms) == 1 && (ready.revents & POLLOUT) &&
           write(line->fd, text, length) == (ssize_t)length;
}

/* Whether our process group is in the foreground and no program reads key by key. */
static bool is_ours(const mprof__status_line *line)
{
    struct termios mode;
    pid_t foreground = tcgetpgrp(line->fd);

    /* no foreground group: this is not our controlling terminal */
    return (foreground < 0 || foreground == getpgrp()) && tcgetattr(line->fd, &mode) == 0 &&
           (mode.c_lflag & ICANON);
}

size_t mprof__status_line_room(mprof__status_line *line)
{
    struct winsize size;

    if (line->fd < 0) {
        return 0;
    }
    if (!is_ours(line) || ioctl(line->fd, TIOCGWINSZ, &size) != 0 || size.ws_row < ROWS_MIN ||
        size.ws_col < COLUMNS_MIN) {
        mprof__status_line_hide(line);
        return 0;
    }
    if (line->is_up && (size.ws_row != line->rows || size.ws_col != line->columns)) {
        line->is_up = false;
    }
    line->rows = size.ws_row;
    line->columns = size.ws_col;
    return (size_t)line->columns;
}

void mprof__status_line_show(mprof__status_line *line, const char *text)
{
    char set_up[48] = "";
    char *all = NULL;

    if (line->fd < 0) {
        return;
    }
    if (!line->is_up) {
        snprintf(set_up, sizeof set_up, SET_UP, line->rows - 1);
        set_cleanup(line, true);
    }
    int length = asprintf(&all, "%s" SAVE "\033[%d;1H\033[0;7m\033[K%s\033[0m" RESTORE, set_up,
                          line->rows, text);
    if (length >= 0) {
        line->is_up |= write_all(line, all, (size_t)length, 0);
        free(all);
    }
    if (!line->is_up) {
        set_cleanup(line, false);
    }
}

void mprof__status_line_hide(mprof__status_line *line)
{
    char text[64];

    if (line->fd < 0 || !line->is_up) {
        return;
    }
    int length = snprintf(text, sizeof text, TAKE_DOWN, line->rows);
    line->is_up = !write_all(line, text, (size_t)length, HIDE_MS);
    if (!line->is_up) {
        set_cleanup(line, false);
    }
}

void mprof__status_line_reset(mprof__status_line *line)
{
    line->is_up = false;
}

void mprof__status_line_close(mprof__status_line *line)
{
    if (line->fd >= 0) {
        mprof__status_line_hide(line);
        mprof__terminal_keeper_close(line->keeper_fd);
        close(line->fd);
        line->keeper_fd = -1;
        line->fd = -1;
    }
}
