/* The control group's memory and its limits, of a single recording. Take it first, then choose
 * the axis, then draw. Private to the folder. */
#ifndef MPROF_RENDER_CONTROL_GROUP_CURVE_H
#define MPROF_RENDER_CONTROL_GROUP_CURVE_H

#include "layout.h"

/* MPROF_ENOMEM. */
mprof_status mprof__take_group(const mprof__layout *layout, mprof__figure_input *recording);
void mprof__drop_group(mprof__figure_input *recording);
/* The range that is to be shown, with as much of the group as leaves the rest its height. */
mprof__range mprof__widen_by_group(mprof__layout *layout, mprof__range range);
void mprof__reserve_group(mprof__layout *layout, const mprof__figure_input *recording);
void mprof__draw_group(mprof__layout *layout, const mprof__figure_input *recording);
/* Limits are named where there is still room, before anything else is. */
void mprof__place_limit_names(mprof__layout *layout);
void mprof__name_group(mprof__layout *layout, const mprof__figure_input *recording);

#endif
