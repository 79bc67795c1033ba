/* The pictures of a recording, as SVG for a page. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_PICTURES_H
#define MPROF_RENDER_REPORT_PICTURES_H

#include <mprof/draw.h>
#include <stdbool.h>

/* What was left out of pictures that would be too large. */
typedef enum mprof__picture_detail {
    MPROF__PICTURE_LIVING,       /* nothing */
    MPROF__PICTURE_STILL,        /* the numbers for tooltips and zoom */
    MPROF__PICTURE_FEW_CALLS,    /* and the calls of the narrow one */
    MPROF__PICTURE_WITHOUT_CALLS /* and those of the wide one */
} mprof__picture_detail;

typedef struct mprof__report_picture {
    char *wide, *narrow; /* owned */
    size_t wide_size, narrow_size;
    mprof__picture_detail detail;
} mprof__report_picture;

typedef struct mprof__picture_options {
    const char *title;  /* for screen readers */
    double limit_bytes; /* a line across it; NAN: none */
    size_t most_bytes;  /* of both pictures; only without calls they may have more */
} mprof__picture_options;

/* Draws both. Dispose of them also after a failure. Returns what mprof_figure_layout() and
 * mprof_figure_draw() return. */
mprof_status mprof__report_picture_draw(mprof__report_picture *picture,
                                        const mprof_profile *profile, mprof_text_engine *engine,
                                        const mprof__picture_options *options, mprof_error *error);
void mprof__report_picture_dispose(mprof__report_picture *picture);

/* Reads back all that was written to an output on `fd`. text: the caller's to free. */
mprof_status mprof__read_back(char **text, size_t *size, int fd, mprof_error *error);

#endif
