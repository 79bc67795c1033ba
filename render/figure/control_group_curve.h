/* The control group's memory and its limits, of a single recording: read it, choose the axis, then
 * draw. Private to the folder. */
#ifndef MPROF_RENDER_CONTROL_GROUP_CURVE_H
#define MPROF_RENDER_CONTROL_GROUP_CURVE_H

#include "layout.h"

/* MPROF_ENOMEM. */
mprof_status mprof__read_control_group(const mprof__layout *layout, mprof__figure_input *input);
void mprof__free_control_group(mprof__figure_input *input);
/* The range widened to the group and those limits that do not flatten the curve. */
mprof__range mprof__widen_by_control_group(mprof__layout *layout, mprof__range range);
void mprof__reserve_control_group(mprof__layout *layout, const mprof__figure_input *input);
void mprof__draw_control_group(mprof__layout *layout, const mprof__figure_input *input);
/* Before all other labels, while there is room at the lines. */
void mprof__place_limit_labels(mprof__layout *layout);
void mprof__label_control_group(mprof__layout *layout, const mprof__figure_input *input);

#endif
