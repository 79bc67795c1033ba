/* Pictures of many: what their forms have in common. Private to the folder. */
#ifndef MPROF_RENDER_MANY_FIGURE_H
#define MPROF_RENDER_MANY_FIGURE_H

#include "members.h"

/* Lays out the page of options->form, which is not MPROF_FORM_CURVES; the inputs are read, but not
 * prepared. MPROF_EARGUMENT: nothing to draw, or too small a page; MPROF_ENOMEM. */
mprof_status mprof__draw_many(mprof__layout *layout, mprof_error *error);

/* ---- for the forms ---- */

/* Where memory that most members reach ends: the highest peak, or far less if few are far above
 * the others, whose curves and colours would not be seen. `share` of the peaks are not above it. */
double mprof__most_mib(const mprof__members *members, double share);
/* Sets figure->title and so on from the members, and the table for a script. MPROF_ENOMEM. */
mprof_status mprof__describe_many(mprof__layout *layout, const mprof__members *members);
/* Sets the memory scale up to high_mib, within layout->plot. */
void mprof__scale_many(mprof__layout *layout, const mprof__members *members, double high_mib,
                       bool has_headroom);
/* A line of quiet text; returns its width. It is shortened to width_px. */
double mprof__add_caption(mprof__layout *layout, const char *text, double x, double y,
                          double width_px);
mprof_status mprof__page_is_too_small(const mprof__layout *layout, mprof_error *error);
/* Adds a member to the table for the script; what its box is, is up to the form. */
void mprof__add_place(mprof__layout *layout, const mprof__members *members, size_t item,
                      mprof_box box);

#endif
