/* One recording prepared for the layout: which of its calls and processes are shown, in which order
 * and colours. Private to the folder. */
#ifndef MPROF_RENDER_FIGURE_INPUT_H
#define MPROF_RENDER_FIGURE_INPUT_H

#include "parse/pauses.h"

#include <mprof/figure.h>
#include <stdbool.h>
#include <string.h>

typedef struct mprof__layout mprof__layout;

/* A limit of the control group and when it applied, in seconds from the recording's start. */
typedef struct mprof__limit {
    double mib, from_s, to_s;
    bool is_shown;                        /* the memory axis reaches it */
    double label_x, label_y, label_width; /* width 0: no room for a label */
} mprof__limit;

typedef struct mprof__control_group {
    const mprof_control_group *recorded; /* NULL: there is nothing to draw */
    mprof_sample *points;                /* memory in use, constant between changes; NAN: a pause */
    size_t point_count, point_room;
    mprof__limit *limits;
    size_t limit_count;
    bool is_shown; /* the memory axis reaches it */
} mprof__control_group;

/* Processes that share a line or a layer: those of one command, or a single one. */
typedef struct mprof__process_group {
    const char *key;         /* the command; "": a single process, by its own name */
    const uint32_t *members; /* processes, the one with the highest peak first */
    size_t count;            /* of them */
    double mean_mib;         /* of the sum, while one of them runs */
    mprof_sample peak;       /* of the sum */
    double share_mib;        /* mean over the whole time */
    double deviation_mib;    /* standard deviation over the whole time */
    double at_peak_mib;      /* when the sum of all processes is highest */
    size_t at_peak_count;    /* how many run then */
    int colour;              /* MPROF_COLOUR_NONE: grey */
    bool is_named;           /* the label of its peak has its name */
    mprof_series series;     /* of the line */
    mprof_sample *points;    /* of the series; NULL: those of the process */
    uint32_t *running;       /* how many run at each moment; NULL for a single process */
} mprof__process_group;

typedef struct mprof__process_groups {
    mprof__process_group *items; /* the most important first */
    size_t count;
    size_t shown;      /* the first ones: named in the plot, a layer each in a stack */
    uint32_t *members; /* of all groups */
    char *keys;
    bool is_by_key;       /* of several processes each; else each process is by itself */
    const char *noun;     /* of a key: "command", "rank", "host"; static text */
    size_t command_count; /* of all processes that have a name */
    size_t *layers;       /* [shown], from the bottom up: the steadiest first */
    mprof_sample peak;    /* of the sum of all processes */
    double main_at_peak_mib, others_at_peak_mib; /* others: groups that are not shown */
    bool is_estimate; /* these parts were not sampled together with the peak, and exceeded it */
    size_t others_at_peak_count, others_count; /* processes */
} mprof__process_groups;

/* A peak as far as it is known. */
typedef struct mprof__bound {
    double mib;          /* 0: nothing is known */
    bool is_at_least;    /* the true peak may be higher */
    bool is_kernel_mark; /* the kernel's, of that process itself */
} mprof__bound;

typedef struct mprof__figure_input {
    const mprof_profile *profile;
    const mprof_series *line; /* mprof_profile_line(), or raised_line */

    const mprof_process *processes;
    size_t process_count;
    const mprof_lane *lanes;
    size_t lane_count;
    const mprof_function *functions;
    size_t function_count;
    const mprof_span *spans;
    size_t span_count;
    /* Spans to draw, by lane and time. In a time plot those of crowded functions come last; the
     * others are sorted by slot and time. */
    uint32_t *shown;
    size_t shown_count;
    size_t barred_count;              /* shown spans that are drawn one by one */
    bool *crowded;                    /* per function, of a time plot; NULL: none is */
    struct mprof__density *densities; /* rows of crowded functions, longest total time first */
    size_t density_count;
    uint16_t *rows;       /* per shown span */
    uint16_t *sublanes;   /* per barred span, where lanes had to be split; else NULL */
    uint32_t *span_slots; /* per barred span, in a time plot: its slot; NULL in a flame chart */
    struct mprof__call_slot *slots; /* by process */
    size_t slot_count;
    bool *overlapping;      /* per process, in a time plot: its calls overlap for long */
    bool processes_overlap; /* calls of several processes do */
    bool *stripped;         /* per process, in a time plot: it has a strip of its own below */
    uint16_t *lane_rows;    /* rows that a lane needs; 0: none of its calls is shown */
    uint32_t *lane_order;   /* lanes with shown calls, from top to bottom */
    size_t shown_lane_count;
    double start_s;             /* unix seconds at 0 s of the time axis */
    mprof__pauses pauses;       /* how it was sampled */
    int8_t *function_colours;   /* slot per function, MPROF_COLOUR_NONE: left out */
    uint32_t *function_numbers; /* index in the figure; 0 where left out */
    char **function_labels;     /* per function, as visible text */
    int colour;                 /* of the curve, where several recordings are overlaid */
    bool is_named;              /* a label at the curve has its name */
    double stretch;             /* of its time: 1, unless the axis is the share of each recording */
    uint32_t *children;         /* processes with a curve, highest peak first */
    size_t child_count;
    const mprof_series *others; /* sum of the processes without a curve */
    size_t other_count;
    double *moments; /* ticks at which processes are added up; none without processes */
    size_t moment_count;
    double bridged_s;     /* moments less far apart than this are connected */
    double *main_mib;     /* at each moment; of the main process alone */
    double *children_mib; /* the sum of all others */
    mprof__process_groups groups;
    bool main_is_sum;     /* MEM is the sum of the tree */
    bool is_part;         /* MEM is the main process alone, and there is memory of others */
    mprof_series total;   /* all processes, if MEM is of one; else empty */
    mprof_series outline; /* of the stack; else empty */
    mprof_sample *outline_points;
    mprof_series raised_line; /* line or total, raised by what single processes prove */
    mprof_sample *raised_points;
    mprof__bound peak;       /* of the processes in MEM */
    mprof__bound total_peak; /* of all processes, if is_part */
    mprof__control_group group;
} mprof__figure_input;

/* Whether MEM is the sum of ranks, and of nothing else: there is no main process. */
static inline bool mprof__is_merged(const mprof__figure_input *input)
{
    size_t count;
    mprof_profile_ranks(input->profile, &count);
    return count > 0;
}

/* Dispose of it also after a failure. MPROF_ENOMEM. */
mprof_status mprof__figure_input_init(mprof__figure_input *input, const mprof_profile *profile);
void mprof__figure_input_dispose(mprof__figure_input *input);
/* Functions of one name share a colour in all recordings; those with the longest total time choose
 * first. MPROF_ENOTFOUND: none matches; MPROF_ENOMEM. */
mprof_status mprof__choose_function_colours(mprof__layout *layout);

#endif
