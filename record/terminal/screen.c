/* Each frame is one write(2) if the terminal takes it, so that it does not flicker. */
#include "screen.h"

#include "terminal_keeper.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN "\033[?1049h\033[?25l"
#define CLOSE "\033[?25h\033[?1049l"
#define HOME "\033[1;1H"
#define LINE_END "\033[K\r\n"
#define CLEAR_BELOW "\033[J"

static void write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, text, length);

        if (done <= 0) {
            return;
        }
        text += done;
        length -= (size_t)done;
    }
}

static bool are_one_terminal(int left_fd, int right_fd)
{
    struct stat left;
    struct stat right;

    return fstat(left_fd, &left) == 0 && fstat(right_fd, &right) == 0 &&
           left.st_rdev == right.st_rdev;
}

static void set_cleanup(const mprof__screen *screen)
{
    mprof__terminal_cleanup cleanup = {.text = CLOSE};

    if (screen->key_fd >= 0 && are_one_terminal(screen->key_fd, screen->out_fd)) {
        cleanup.has_mode = true;
        cleanup.mode = screen->before;
    }
    mprof__terminal_keeper_set_cleanup(screen->keeper_fd, &cleanup);
}

void mprof__screen_open(mprof__screen *screen, int out_fd, int key_fd)
{
    struct termios mode;

    memset(screen, 0, sizeof *screen);
    screen->out_fd = out_fd;
    screen->key_fd = tcgetattr(key_fd, &screen->before) == 0 ? key_fd : -1;
    screen->keeper_fd = mprof__terminal_keeper_open(out_fd);
    set_cleanup(screen);
    if (screen->key_fd >= 0) {
        mode = screen->before;
        mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        mode.c_cc[VMIN] = 0;
        mode.c_cc[VTIME] = 0;
        tcsetattr(key_fd, TCSADRAIN, &mode);
    }
    write_all(out_fd, OPEN, strlen(OPEN));
    screen->is_open = true;
}

void mprof__screen_close(mprof__screen *screen)
{
    const mprof__terminal_cleanup nothing = {0};

    if (!screen->is_open) {
        return;
    }
    write_all(screen->out_fd, CLOSE, strlen(CLOSE));
    if (screen->key_fd >= 0) {
        tcsetattr(screen->key_fd, TCSADRAIN, &screen->before);
    }
    mprof__terminal_keeper_set_cleanup(screen->keeper_fd, &nothing);
    mprof__terminal_keeper_close(screen->keeper_fd);
    free(screen->frame);
    screen->frame = NULL;
    screen->used = screen->size = 0;
    screen->is_open = false;
}

static void append(mprof__screen *screen, const char *text)
{
    size_t length = strlen(text);

    if (screen->used + length > screen->size) {
        size_t size = (screen->used + length) * 2;
        char *larger = realloc(screen->frame, size);

        if (!larger) {
            return;
        }
        screen->frame = larger;
        screen->size = size;
    }
    memcpy(screen->frame + screen->used, text, length);
    screen->used += length;
}

void mprof__screen_begin(mprof__screen *screen)
{
    struct winsize size;

    screen->rows = 24;
    screen->columns = 80;
    if (ioctl(screen->out_fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        screen->rows = size.ws_row;
        screen->columns = size.ws_col;
    }
    screen->used = 0;
    append(screen, HOME);
}

void mprof__screen_line(mprof__screen *screen, const char *text)
{
    append(screen, text);
    append(screen, LINE_END);
}

void mprof__screen_end(mprof__screen *screen)
{
    append(screen, CLEAR_BELOW);
    write_all(screen->out_fd, screen->frame, screen->used);
}

char mprof__screen_key(const mprof__screen *screen)
{
    char key = 0;

    return screen->key_fd >= 0 && read(screen->key_fd, &key, 1) == 1 ? key : 0;
}
