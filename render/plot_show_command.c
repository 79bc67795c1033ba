/* Shows a finished picture: in a terminal as pixels or letters, else with xdg-open. */
#include "plot.h"

#include "parse/commands/command.h"
#include "parse/plain_text.h"
#include "render/draw/terminal_letters.h"
#include "render/draw/terminal_picture.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Starts the viewer in a session of its own, so that it outlives this process and its terminal. */
static void open_viewer(const char *path)
{
    char program[] = "xdg-open", *file = strdup(path);
    char *arguments[] = {program, file, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    if (!file || posix_spawn_file_actions_init(&actions) != 0) {
        free(file);
        return;
    }
    if (posix_spawnattr_init(&attributes) == 0) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
        for (int fd = 0; fd < 3; fd++) {
            posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
        }
        posix_spawnp(&pid, program, &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    free(file);
}

static bool has_desktop(void)
{
    const char *wayland = getenv("WAYLAND_DISPLAY"), *x11 = getenv("DISPLAY");
    return (wayland && *wayland) || (x11 && *x11);
}

/* Some terminals set COLORFGBG to "foreground;background", as colour numbers. */
static bool is_dark(void)
{
    const char *colours = getenv("COLORFGBG"), *last = colours ? strrchr(colours, ';') : NULL;
    if (!last || last[1] < '0' || last[1] > '9') {
        return false;
    }
    long background = strtol(last + 1, NULL, 10);
    return background <= 6 || background == 8;
}

static void show_pixels(const mprof__terminal *terminal, const struct mprof__plot *plot,
                        mprof_text_engine *engine, const char *const *recordings, size_t count)
{
    mprof_figure *figure = NULL;
    mprof_output *output = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_draw_options draw = plot->draw;
    mprof__terminal_fit(terminal, &plot->figure, &draw);
    mprof_measure measure = mprof_text_engine_measure(engine);
    if (mprof__plot_figure(&figure, plot, &measure, recordings, count, &error) == MPROF_OK &&
        mprof_output_open(&output, "-", &error) == MPROF_OK &&
        mprof__terminal_draw(terminal, figure, &draw, engine, output, &error) == MPROF_OK) {
        mprof_output_commit(output, &error);
    }
    mprof_output_free(output);
    mprof_figure_free(figure);
}

static void show_letters(const mprof__terminal *terminal, const struct mprof__plot *plot,
                         const char *const *recordings, size_t count)
{
    mprof__terminal_chart chart;
    mprof_output *output = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    const mprof__terminal_room room = {
        .columns = terminal->columns,
        .rows = mprof__terminal_usable_rows(terminal),
        .utf8 = mprof__locale_is_utf8(),
        .letter_columns = mprof__letter_columns,
    };
    if (room.columns < MPROF__TERMINAL_COLUMNS_LEAST || room.rows < MPROF__TERMINAL_ROWS_LEAST ||
        mprof__plot_chart(&chart, plot, &room, recordings, count, &error) != MPROF_OK) {
        return;
    }
    if (mprof_output_open(&output, "-", &error) == MPROF_OK) {
        mprof__terminal_letters_write(&chart, &plot->draw, mprof__terminal_colours(), output);
        mprof_output_commit(output, &error);
    }
    mprof_output_free(output);
    mprof__terminal_chart_free(&chart);
}

static void show_in_terminal(const mprof__terminal *terminal, const struct mprof__plot *options,
                             mprof_text_engine *engine, const char *const *recordings, size_t count)
{
    struct mprof__plot plot = *options;
    plot.format_count = 0;
    plot.is_shown_again = 1;
    if (plot.draw.theme == MPROF_THEME_AUTO && is_dark()) {
        plot.draw.theme = MPROF_THEME_DARK;
    }
    fflush(stdout);
    if (terminal->mode == MPROF__TERMINAL_LETTERS) {
        show_letters(terminal, &plot, recordings, count);
    } else {
        show_pixels(terminal, &plot, engine, recordings, count);
    }
}

/* Creates DIRECTORY/mprof/NAME, and its directories. False: it exists, or cannot be created. */
static bool leave_mark(const char *directory, const char *rest, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s%s/mprof/%s", directory, rest, name);
    if (length < 0 || (size_t)length >= sizeof path || *path != '/') {
        return false;
    }
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* Once for each user: a file in the directory of states remembers it. */
static void hint_at_library(void)
{
    static const char mark[] = "hint-libchafa";
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state ? leave_mark(state, "", mark)
                        : home && *home && leave_mark(home, "/.local/state", mark)) {
        fputs("mprof: where the terminal can show pixels, install libchafa (Debian's package "
              "libchafa0) for sharp pictures; this is said once\n",
              stderr);
    }
}

void mprof__plot_show(const struct mprof__plot *plot, mprof_text_engine *engine,
                      const char *const *recordings, size_t count, const char *path)
{
    mprof__terminal terminal;
    mprof__terminal_detect(&terminal, STDOUT_FILENO);
    if (terminal.mode != MPROF__TERMINAL_NONE) {
        show_in_terminal(&terminal, plot, engine, recordings, count);
        if (terminal.lacks_library) {
            hint_at_library();
        }
    } else if (has_desktop()) {
        open_viewer(path);
    }
    mprof__print_plain(stdout, path);
    putchar('\n');
}
