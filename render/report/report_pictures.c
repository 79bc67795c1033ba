/* A page has the title, the numbers and the tables of a recording; its picture is without them. */
#include "report_pictures.h"

#include "render/draw/draw.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_PER_MIB 1048576.0
#define WIDE_WIDTH 1116
#define WIDE_HEIGHT 400
/* Of telephones; the wide one would be too small to read. */
#define NARROW_WIDTH 448
#define NARROW_HEIGHT 320

mprof_status mprof__read_back(char **text, size_t *size, int fd, mprof_error *error)
{
    struct stat status;
    size_t used = 0;
    *text = NULL;
    if (fstat(fd, &status) != 0) {
        return mprof_error_set_errno(error, errno, "cannot read back");
    }
    char *bytes = malloc((size_t)status.st_size + 1);
    if (!bytes) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    while (used < (size_t)status.st_size) {
        ssize_t got = pread(fd, bytes + used, (size_t)status.st_size - used, (off_t)used);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            free(bytes);
            return mprof_error_set_errno(error, errno, "cannot read back");
        }
        used += got > 0 ? (size_t)got : 0;
    }
    bytes[used] = '\0';
    *text = bytes;
    *size = used;
    return MPROF_OK;
}

static mprof_status draw_figure(char **text, size_t *size, const mprof_figure *figure,
                                mprof_text_engine *engine, bool still, mprof_error *error)
{
    mprof_output *output = NULL;
    mprof_draw_options draw = MPROF_DRAW_OPTIONS_INIT;
    draw.format = MPROF_FORMAT_SVG;
    draw.still = still;
    draw.shares_script = 1;
    draw.transparent = 1;
    int fd = memfd_create("picture", MFD_CLOEXEC);
    if (fd < 0) {
        return mprof_error_set_errno(error, errno, "cannot draw into memory");
    }
    mprof_status status = mprof__output_open_fd(&output, fd, "picture", error);
    if (status == MPROF_OK) {
        status = mprof_figure_draw(figure, &draw, engine, output, error);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(output, error);
    }
    mprof_output_free(output);
    if (status == MPROF_OK) {
        status = mprof__read_back(text, size, fd, error);
    }
    close(fd);
    return status;
}

/* What both pictures are drawn from. */
struct drawing {
    const mprof_profile *profile;
    mprof_text_engine *engine;
    const mprof__picture_options *options;
};

static mprof_status lay_out(mprof_figure **figure, const struct drawing *drawing, bool is_wide,
                            bool with_calls, mprof_error *error)
{
    const mprof__picture_options *options = drawing->options;
    mprof_figure_options layout;
    mprof_figure_options_init(&layout, sizeof layout);
    mprof_note limit = {MPROF_NOTE_LIMIT, options->limit_bytes / BYTES_PER_MIB, NULL};
    layout.title = options->title;
    layout.width_px = is_wide ? WIDE_WIDTH : NARROW_WIDTH;
    layout.height_px = is_wide ? WIDE_HEIGHT : NARROW_HEIGHT;
    layout.functions = with_calls;
    layout.states = 1;
    layout.without = MPROF_PART_TITLE | MPROF_PART_FACTS | MPROF_PART_LEGEND;
    if (isfinite(options->limit_bytes)) {
        layout.notes = &limit;
        layout.note_count = 1;
    }
    mprof_measure measure = mprof_text_engine_measure(drawing->engine);
    return mprof_figure_layout(figure, &drawing->profile, 1, &layout, &measure, error);
}

static mprof_status draw_one(char **text, size_t *size, const struct drawing *drawing, bool is_wide,
                             mprof__picture_detail detail, mprof_error *error)
{
    mprof_figure *figure = NULL;
    bool is_living = is_wide && detail == MPROF__PICTURE_LIVING;
    bool with_calls = detail < (is_wide ? MPROF__PICTURE_WITHOUT_CALLS : MPROF__PICTURE_FEW_CALLS);
    mprof_status status = lay_out(&figure, drawing, is_wide, with_calls, error);
    free(*text);
    *text = NULL;
    *size = 0;
    if (status == MPROF_OK) {
        status = draw_figure(text, size, figure, drawing->engine, !is_living, error);
    }
    mprof_figure_free(figure);
    return status;
}

/* Draws with less until the pictures fit: few recordings need a second attempt. */
mprof_status mprof__report_picture_draw(mprof__report_picture *picture,
                                        const mprof_profile *profile, mprof_text_engine *engine,
                                        const mprof__picture_options *options, mprof_error *error)
{
    const struct drawing drawing = {profile, engine, options};
    mprof_status status = MPROF_OK;
    memset(picture, 0, sizeof *picture);
    for (mprof__picture_detail detail = MPROF__PICTURE_LIVING;
         detail <= MPROF__PICTURE_WITHOUT_CALLS; detail++) {
        picture->detail = detail;
        if (detail != MPROF__PICTURE_FEW_CALLS) {
            status = draw_one(&picture->wide, &picture->wide_size, &drawing, true, detail, error);
        }
        if (status == MPROF_OK &&
            (detail == MPROF__PICTURE_LIVING || detail == MPROF__PICTURE_FEW_CALLS)) {
            status =
                draw_one(&picture->narrow, &picture->narrow_size, &drawing, false, detail, error);
        }
        if (status != MPROF_OK ||
            picture->wide_size + picture->narrow_size <= options->most_bytes) {
            break;
        }
    }
    return status;
}

void mprof__report_picture_dispose(mprof__report_picture *picture)
{
    free(picture->wide);
    free(picture->narrow);
    memset(picture, 0, sizeof *picture);
}
