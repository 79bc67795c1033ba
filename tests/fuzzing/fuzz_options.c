/* Any bytes as the values of options that have a grammar of their own: ranges of time, colours, and
 * style files, which hold such options. */
#include "parse/time_range.h"
#include "render/plot_style.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_error(mprof_status status, const mprof_error *error)
{
    assert((status == MPROF_OK) == (error->status == MPROF_OK));
    assert(status == MPROF_OK || (error->message[0] && !strchr(error->message, '\n')));
}

static void check_range(const char *text)
{
    mprof__time_range range;
    double window_s[2];
    mprof_error error = MPROF_ERROR_INIT;
    if (!mprof__time_range_read(&range, text)) {
        return;
    }
    if (mprof__time_range_resolve(window_s, &range, 1.7e9, 1.7e9 + 1e5, &error) == MPROF_OK) {
        assert(!(window_s[0] > window_s[1]));
    } else {
        assert(error.message[0]);
    }
}

static void check_colours(const char *text)
{
    mprof__plot_colours colours;
    mprof_figure_options figure;
    mprof_draw_options draw = MPROF_DRAW_OPTIONS_INIT;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_figure_options_init(&figure, sizeof figure);
    mprof__plot_colours_init(&colours);
    mprof_status status = mprof__plot_colours_add(&colours, text, &error);
    check_error(status, &error);
    if (status == MPROF_OK) {
        assert(colours.named + colours.ordered <= MPROF_STYLE_HUE_COUNT);
        mprof__plot_colours_apply(&colours, &figure, &draw);
    }
    mprof__plot_colours_free(&colours);
}

static bool set_option(struct mprof__plot *plot, const char *name, char *value)
{
    (void)plot;
    assert(*name && !strchr(name, '\n') && (!value || !strchr(value, '\n')));
    if (strcmp(name, "colors") == 0) {
        check_colours(value ? value : "");
    } else if (strcmp(name, "window") == 0) {
        check_range(value ? value : "");
    }
    return strlen(name) < 16;
}

static void check_style(const uint8_t *bytes, size_t size)
{
    struct mprof__plot plot = {0};
    mprof_error error = MPROF_ERROR_INIT;
    char path[64];
    int fd = memfd_create("style", 0);
    assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    mprof_status status = mprof__style_read(&plot, path, set_option, &error);
    check_error(status, &error);
    mprof__style_texts_free(&plot.style_texts);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, bytes, size);
    text[size] = '\0';
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    check_range(text);
    check_colours(text);
    check_style(bytes, size);
    free(text);
    return 0;
}
