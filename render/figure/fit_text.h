/* Measures text and shortens it to a width. Private to the folder. */
#ifndef MPROF_RENDER_FIT_TEXT_H
#define MPROF_RENDER_FIT_TEXT_H

#include "layout.h"

/* Adds a text after measuring it: item.width needs no value. Returns the width. */
double mprof__add_measured_text(mprof__layout *layout, mprof__text_item item);

/* Writes text into out[size], cut with an ellipsis if it is wider than width_px. Returns its
 * length; 0 if not even one letter fits. */
size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px);

/* The same, but the middle is cut out: commands and paths differ in their ends. */
size_t mprof__fit_text_middle(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                              const char *text, double width_px);

/* What several names have in common at their beginning, up to a blank or a sign between words.
 * Begin with zeros. */
typedef struct mprof__name_prefix {
    char first[240];
    size_t common;
    size_t names;
} mprof__name_prefix;
void mprof__add_to_prefix(mprof__name_prefix *prefix, const char *name);

/* As mprof__fit_text_middle(), for one of several names: if it is too wide, what all have in common
 * is left out first. */
size_t mprof__fit_name(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *name, const mprof__name_prefix *prefix, double width_px);

#endif
