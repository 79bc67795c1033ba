/* One recording as the layout sees it: what of it is shown, in which order and colours. Private to
 * the folder. */
#ifndef MPROF_RENDER_FIGURE_INPUT_H
#define MPROF_RENDER_FIGURE_INPUT_H

#include <mprof/figure.h>
#include <stdbool.h>

typedef struct mprof__layout mprof__layout;

/* A limit of the control group, while it was the same; seconds from the recording's start. */
typedef struct mprof__limit {
    double mib, from_s, to_s;
    bool is_shown;                     /* it lies on the memory axis */
    double name_x, name_y, name_width; /* width 0: no room for it */
} mprof__limit;

/* The control group as it is drawn. */
typedef struct mprof__control_group {
    const mprof_control_group *recorded; /* NULL: nothing to draw */
    mprof_sample *points;                /* current memory, held until it changed; NAN: a pause */
    size_t point_count, point_room;
    mprof__limit *limits;
    size_t limit_count;
    bool is_shown; /* the memory axis reaches so far */
} mprof__control_group;

/* One recording as the layout sees it. */
typedef struct mprof__figure_input {
    const mprof_profile *profile;
    const mprof_series *line;
    const mprof_process *processes;
    size_t process_count;
    const mprof_lane *lanes;
    size_t lane_count;
    const mprof_function *functions;
    size_t function_count;
    const mprof_span *spans;
    size_t span_count;
    uint32_t *shown; /* spans to draw, by lane and time */
    size_t shown_count;
    uint16_t *rows;       /* per shown span */
    uint16_t *lane_rows;  /* how many rows a lane needs; 0: nothing of it is shown */
    uint32_t *lane_order; /* lanes of which something is shown, from top to bottom */
    size_t shown_lane_count;
    double start_s;
    double pace_s;              /* typical pause between samples; infinite if unknown */
    double gap_s;               /* a pause longer than this is not bridged */
    int8_t *function_colours;   /* slot per function, MPROF_COLOUR_NONE: left out */
    uint32_t *function_numbers; /* in the figure; not set where left out */
    char **function_labels;     /* visible form of the label, per function */
    int colour;                 /* of the curve, where several are overlaid */
    uint32_t *children;         /* processes with a curve, highest peak first */
    size_t child_count;
    const mprof_series *others; /* the sum of processes that are not among them */
    size_t other_count;
    bool main_is_sum;   /* MEM told the whole tree */
    mprof_series total; /* of all processes, where MEM is of one or they are stacked; else empty */
    mprof_sample *total_points;
    mprof__control_group group;
} mprof__figure_input;

/* MPROF_ENOMEM; what was taken until then is there to be dropped. */
mprof_status mprof__figure_input_init(mprof__figure_input *input, const mprof_profile *profile);
void mprof__figure_input_dispose(mprof__figure_input *input);
/* Colours go to names, over all recordings, the longest consumers first. MPROF_ENOTFOUND: none
 * matches; MPROF_ENOMEM. */
mprof_status mprof__choose_function_colours(mprof__layout *layout);

#endif
