/* Shows a finished picture: in a terminal as pixels or letters, else with xdg-open. */
#include "plot.h"

#include "parse/commands/command.h"
#include "render/draw/terminal_picture.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
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

static void show_in_terminal(const mprof__terminal *terminal, const struct mprof__plot *options,
                             mprof_text_engine *engine, const char *const *recordings, size_t count)
{
    struct mprof__plot plot = *options;
    mprof_figure *figure = NULL;
    mprof_output *output = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    plot.format_count = 0;
    if (plot.draw.theme == MPROF_THEME_AUTO && is_dark()) {
        plot.draw.theme = MPROF_THEME_DARK;
    }
    mprof__terminal_fit(terminal, &plot.figure, &plot.draw);
    mprof_measure pixels = mprof_text_engine_measure(engine);
    const mprof_measure *measure = mprof__terminal_measure(terminal);
    fflush(stdout);
    if (mprof__plot_figure(&figure, &plot, measure ? measure : &pixels, recordings, count,
                           &error) == MPROF_OK &&
        mprof_output_open(&output, "-", &error) == MPROF_OK &&
        mprof__terminal_draw(terminal, figure, &plot.draw, engine, output, &error) == MPROF_OK) {
        mprof_output_commit(output, &error);
    }
    mprof_output_free(output);
    mprof_figure_free(figure);
}

void mprof__plot_show(const struct mprof__plot *plot, mprof_text_engine *engine,
                      const char *const *recordings, size_t count, const char *path)
{
    mprof__terminal terminal;
    mprof__terminal_detect(&terminal, STDOUT_FILENO);
    if (terminal.mode != MPROF__TERMINAL_NONE) {
        show_in_terminal(&terminal, plot, engine, recordings, count);
    } else if (has_desktop()) {
        open_viewer(path);
    }
    mprof__print_plain(stdout, path);
    putchar('\n');
}
