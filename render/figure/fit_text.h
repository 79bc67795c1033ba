/* Shortens text to a width. Private to the folder. */
#ifndef MPROF_RENDER_FIT_TEXT_H
#define MPROF_RENDER_FIT_TEXT_H

#include "layout.h"

/* Writes text into out[size], cut with an ellipsis if it is wider than width_px. Returns its
 * length; 0 if not even one letter fits. */
size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px);

/* The same, but the middle is cut: commands and paths differ in their ends. */
size_t mprof__fit_text_middle(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                              const char *text, double width_px);

#endif
