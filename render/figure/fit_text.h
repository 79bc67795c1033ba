/* Text cut to a width. Private to the folder. */
#ifndef MPROF_RENDER_FIT_TEXT_H
#define MPROF_RENDER_FIT_TEXT_H

#include "layout.h"

/* Cuts text to a width, with an ellipsis where something is missing. Returns the length of
 * what stands in out[size]; 0 if not even a letter fits. */
size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px);

#endif
