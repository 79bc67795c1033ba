/* The SVG format. Private to the library. */
#ifndef MPROF_RENDER_DRAW_SVG_H
#define MPROF_RENDER_DRAW_SVG_H

#include <mprof/draw.h>

/* Returns MPROF_OK; a failed write is reported when the output is committed. */
mprof_status mprof__draw_svg(const mprof_figure *figure, const mprof_draw_options *options,
                             mprof_text_engine *engine, mprof_output *output, mprof_error *error);

#endif
