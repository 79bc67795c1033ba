/* What the layout modules share: the figure under construction, two linear scales, and the modules'
 * entry points. Private to the folder. */
#ifndef MPROF_RENDER_LAYOUT_H
#define MPROF_RENDER_LAYOUT_H

#include <mprof/figure.h>
#include <stdbool.h>

struct mprof_figure {
    double width_px, height_px;
    mprof_frame frame;
    mprof_item *items;
    size_t item_count, item_room;
    mprof_point *points;
    size_t point_count, point_room;
    mprof_about *abouts;
    size_t about_count, about_room;
    mprof_figure_function *functions;
    size_t function_count, function_room;
    mprof_state *states;
    size_t state_count;
    uint32_t *state_members;
    size_t state_member_count;
    mprof_group *groups;
    size_t group_count, group_room;
    char *text;
    size_t text_size, text_room;
    char *title;
    char *facts;
    char *source;
    mprof_status status; /* the first failure sticks; looked at once, at the end of layout */
};

/* display_list.c: the display list. Each does nothing once the status is bad. */
void mprof__group(mprof_figure *figure, mprof_group_kind kind);
void mprof__add_rect(mprof_figure *figure, mprof_role role, int colour, mprof_box box,
                     uint32_t about);
void mprof__add_segment(mprof_figure *figure, mprof_role role, int colour, double x0, double y0,
                        double x1, double y1);
void mprof__add_dot(mprof_figure *figure, mprof_role role, int colour, double x, double y,
                    double radius);
void mprof__add_text(mprof_figure *figure, mprof_role role, int colour, mprof_anchor anchor,
                     double x, double y, double width, const char *text, size_t length);
void mprof__add_path_point(mprof_figure *figure, double x, double y);
/* Ends the path of all points from index `first` on. */
void mprof__add_path(mprof_figure *figure, mprof_shape shape, mprof_role role, int colour,
                     size_t first, uint32_t about);
/* The last item stands at this place of the curve, or of this call or process. */
void mprof__set_anchor(mprof_figure *figure, double x, double y);
void mprof__set_about(mprof_figure *figure, uint32_t about);
/* With this text; returns the index, or MPROF_ABOUT_NONE. */
uint32_t mprof__add_about(mprof_figure *figure, mprof_about about, const char *text);
void mprof__add_function(mprof_figure *figure, const char *name, const char *label);

/* A linear map of a value to a coordinate. */
typedef struct mprof__scale {
    double from, to;      /* values */
    double start, extent; /* px; a negative extent turns the direction */
} mprof__scale;
double mprof__scale_at(const mprof__scale *scale, double value);

typedef struct mprof__range {
    double low, high;
} mprof__range;

/* A limit of the control group, while it was the same; seconds from the recording's start. */
typedef struct mprof__limit {
    double mib, from_s, to_s;
    bool is_shown;                     /* it lies on the memory axis */
    double name_x, name_y, name_width; /* width 0: no room for it */
} mprof__limit;

/* The control group as it is drawn. */
typedef struct mprof__control_group {
    const mprof_control_group *told; /* NULL: nothing to draw */
    mprof_sample *points;            /* current memory, held until it changed; NAN: a pause */
    size_t point_count, point_room;
    mprof__limit *limits;
    size_t limit_count;
    bool is_shown; /* the memory axis reaches so far */
} mprof__control_group;

/* One recording as the layout sees it. */
typedef struct mprof__recording {
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
    bool main_is_sum;   /* MEM told the whole tree */
    mprof_series total; /* of all processes, where MEM is of one or they are stacked; else empty */
    mprof_sample *total_points;
    mprof__control_group group;
} mprof__recording;

/* All that layout knows while it works. */
typedef struct mprof__layout {
    mprof_figure *figure;
    const mprof_figure_options *options;
    const mprof_measure *measure;
    mprof__recording *recordings;
    size_t recording_count;
    double from_s, to_s; /* shown, from each recording's start */
    mprof__scale time;   /* seconds from start -> x */
    mprof__scale memory; /* MiB -> y */
    mprof_box plot, lanes;
    double legend_px; /* 0: no room for it */
    bool without_legend;
    struct mprof__space *space; /* what of the plot is taken */
} mprof__layout;

/* Around everything that is drawn on the page. */
#define MPROF__MARGIN_PX 24.0

/* recording.c */
/* MPROF_ENOMEM; what was taken until then is there to be dropped. */
mprof_status mprof__take_recording(mprof__recording *recording, const mprof_profile *profile);
void mprof__drop_recording(mprof__recording *recording);
/* Colours go to names, over all recordings, the longest consumers first. MPROF_ENOTFOUND: none
 * matches; MPROF_ENOMEM. */
mprof_status mprof__colour_functions(mprof__layout *layout);

/* view.c */
/* The time that is shown. MPROF_EARGUMENT: the window is none. */
mprof_status mprof__choose_time(mprof__layout *layout, mprof_error *error);
/* The memory that is shown then, once the plot's height is known. */
void mprof__choose_memory(mprof__layout *layout);

/* scales.c */
/* From where to where the axis goes if it is to show this. */
mprof__range mprof__memory_axis(const mprof__layout *layout, mprof__range range);
void mprof__widen(mprof__range *range, double mib);
/* By what is shown of the series. */
void mprof__widen_by_series(mprof__range *range, const mprof__layout *layout,
                            const mprof__recording *recording, const mprof_series *series);

/* heading.c. Texts are the caller's; NULL: no memory. */
char *mprof__title_text(const mprof__layout *layout);
char *mprof__facts_text(const mprof__layout *layout);
char *mprof__source_text(const mprof__layout *layout);
void mprof__draw_head(mprof__layout *layout);
/* How a process ended, where it did not end well; else empty. */
void mprof__death_text(char *text, size_t size, const mprof_process *process);
/* The kernel's own peak of a process, where samples have missed it; else empty. */
void mprof__exact_peak_text(char *text, size_t size, const mprof__layout *layout,
                            const mprof_process *process);

/* axes.c */
/* Room for the labels of the memory axis. */
double mprof__memory_gutter(const mprof__layout *layout);
void mprof__draw_memory_axis(mprof__layout *layout);
void mprof__draw_time_axis(mprof__layout *layout, double label_y);

/* marks.c */
/* Names must not stand on the cross, which is drawn after the curves. */
void mprof__reserve_cross(mprof__layout *layout);
void mprof__draw_peaks(mprof__layout *layout);
void mprof__draw_child_peak(mprof__layout *layout);
void mprof__draw_death(mprof__layout *layout);
void mprof__draw_slope(mprof__layout *layout, const mprof__recording *recording);

static inline double mprof__text_width(const mprof__layout *layout, mprof_role role,
                                       const char *text, size_t length)
{
    return layout->measure->width_px(layout->measure->data, mprof_role_font(role), text, length);
}

/* fit.c: text cut to a width, with an ellipsis where something is missing. Returns the length of
 * what stands in out[size]; 0 if not even a letter fits. */
size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px);

/* visible.c: text that can be shown: valid UTF-8, one line, control characters as symbols, no
 * direction overrides, at most `most` bytes (then with an ellipsis). The caller frees. NULL: no
 * memory. */
#define MPROF__ISOLATE "\xE2\x81\xA8"
#define MPROF__ISOLATE_END "\xE2\x81\xA9"
char *mprof__visible(const char *bytes, size_t length, size_t most);

/* units.c: numbers as people read them. Each returns text. */
char *mprof__duration_text(char *text, size_t size, double seconds);
char *mprof__memory_text(char *text, size_t size, double mib);
char *mprof__change_text(char *text, size_t size, double mib);    /* with a sign */
char *mprof__count_text(char *text, size_t size, uint64_t count); /* 12,345 */
char *mprof__date_text(char *text, size_t size, double unix_s);

/* axis_time.c, axis_memory.c */
typedef struct mprof__tick {
    double value;
    char text[48];
} mprof__tick;
#define MPROF__TICK_MAX 32
size_t mprof__time_ticks(mprof__tick ticks[MPROF__TICK_MAX], double from_s, double to_s,
                         double origin_s, double width_px, const mprof_measure *measure);
/* Also widens *high_mib a little where that ends the axis better; low_mib is never negative. */
size_t mprof__memory_ticks(mprof__tick ticks[MPROF__TICK_MAX], double low_mib, double high_mib,
                           double height_px);

/* palette.c */
#define MPROF__PALETTE_SIZE 8
/* Slots for names[count], most important first: by hash of the name, so that a function has its
 * colour in every picture, moved to a free slot where two would share one. */
void mprof__palette_assign(int8_t *slots, const char *const *names, size_t count);

/* space.c: which places of a rectangle are taken. */
typedef struct mprof__space mprof__space;
mprof__space *mprof__space_new(mprof_box area);
void mprof__space_free(mprof__space *space);
void mprof__space_take(mprof__space *space, mprof_box box);
void mprof__space_take_segment(mprof__space *space, double x0, double y0, double x1, double y1,
                               double margin);
/* 1 if the box lies in the area and nothing of it is taken. */
int mprof__space_is_free(const mprof__space *space, mprof_box box);

/* curve.c */
typedef struct mprof__stroke {
    mprof_role line; /* MPROF_ROLE_COUNT: none; without an area, too, it only takes its space */
    mprof_role area; /* the same */
    mprof_role dot;  /* of a point that stands alone */
    bool dots;       /* of every point, where they are few */
    int colour;
    uint32_t about;
    bool take;    /* enter it into layout->space */
    double gap_s; /* a pause longer than this is not bridged; 0: the recording's */
} mprof__stroke;
void mprof__draw_series(mprof__layout *layout, const mprof__recording *recording,
                        const mprof_series *series, const mprof__stroke *stroke);
/* The first point of a series that is not before a moment; their count where all are. */
size_t mprof__first_from(const mprof_series *series, double time_s);
/* Typical pause between samples; where they are too few, `otherwise`. */
double mprof__pace_s(const mprof_series *series, double otherwise);
#define MPROF__GAP_FACTOR 8 /* so many times the pace is a gap */

/* children.c. First ranks, then sums, then the drawing. */
/* Processes with a curve, highest peak first. MPROF_ENOMEM. */
mprof_status mprof__rank_children(mprof__recording *recording);
/* Finds out whether MEM is the sum already, and sums up if not. MPROF_ENOMEM. */
mprof_status mprof__sum_processes(const mprof__layout *layout, mprof__recording *recording);
/* The recording itself says that MEM is the sum of a tree. */
bool mprof__is_told_sum(const mprof_profile *profile);
void mprof__drop_children(mprof__recording *recording);
/* Colour of the process of this rank. */
int mprof__child_colour(const mprof__layout *layout, const mprof__recording *recording,
                        size_t rank);
void mprof__draw_children(mprof__layout *layout, const mprof__recording *recording);
void mprof__name_children(mprof__layout *layout, const mprof__recording *recording);
/* A name somewhere along a curve, if there is room for it anywhere: at its peak, else at the first
 * place from its beginning or end on. */
void mprof__name_series(mprof__layout *layout, const mprof__recording *recording,
                        const mprof_series *series, mprof_role role, int colour, const char *text);
void mprof__name_series_at_end(mprof__layout *layout, const mprof__recording *recording,
                               const mprof_series *series, mprof_role role, int colour,
                               const char *text);

/* control_group.c. First the taking, then the axis, then the drawing; of a single recording. */
/* MPROF_ENOMEM. */
mprof_status mprof__take_group(const mprof__layout *layout, mprof__recording *recording);
void mprof__drop_group(mprof__recording *recording);
/* The range that is to be shown, with as much of the group as leaves the rest its height. */
mprof__range mprof__widen_by_group(mprof__layout *layout, mprof__range range);
void mprof__reserve_group(mprof__layout *layout, const mprof__recording *recording);
void mprof__draw_group(mprof__layout *layout, const mprof__recording *recording);
/* Limits are named where there is still room, before anything else is. */
void mprof__place_limit_names(mprof__layout *layout);
void mprof__name_group(mprof__layout *layout, const mprof__recording *recording);

/* kinds.c */
typedef struct mprof__kind_curve {
    mprof_kind kind;
    const mprof_series *series; /* NULL: begin with the first one */
    size_t process_count;       /* as in mprof_kind_series */
    int colour;
} mprof__kind_curve;
/* The next kind that was asked for and recorded; false: there is no other. */
bool mprof__next_kind(const mprof__layout *layout, const mprof__recording *recording,
                      mprof__kind_curve *curve);
const char *mprof__kind_label(mprof_kind kind);
/* What was sampled, and whose it is. */
void mprof__measured_text(char *text, size_t size, const mprof__recording *recording);
/* The same of a kind. */
void mprof__kind_text(char *text, size_t size, const mprof__recording *recording,
                      const mprof__kind_curve *curve);
void mprof__reserve_kinds(mprof__layout *layout, const mprof__recording *recording);
void mprof__draw_kinds(mprof__layout *layout, const mprof__recording *recording);
void mprof__name_kinds(mprof__layout *layout, const mprof__recording *recording);

/* brackets.c, labels.c */
void mprof__draw_brackets(mprof__layout *layout);

/* rows.c: which calls are drawn, in which lane and row. MPROF_ENOMEM. */
mprof_status mprof__place_calls(mprof__layout *layout, mprof__recording *recording);
void mprof__drop_calls(mprof__recording *recording);
/* Index of a lane, or of a function where lanes are for those. */
uint32_t mprof__lane_of(const mprof__layout *layout, const mprof_span *span);

/* runs.c: calls as boxes on the time axis. What is too narrow to be seen alone is told together
 * with its neighbours of the same lane and level, so that a million calls become some thousand
 * boxes. */
typedef struct mprof__run {
    double x0, x1; /* px, inside the plot */
    double start_s, end_s;
    uint32_t span; /* the longest */
    uint32_t lane; /* as mprof__lane_of */
    uint32_t row;
    uint64_t calls;
    uint64_t functions;       /* as in mprof_about */
    bool cut_left, cut_right; /* goes on outside of what is shown */
    bool open;
} mprof__run;
typedef void mprof__run_visitor(void *data, const mprof__run *run);
/* Calls shorter than wide_px or closer than that to each other are merged.
 * Order: by lane, then within a lane and row by time. */
mprof_status mprof__each_run(const mprof__layout *layout, const mprof__recording *recording,
                             double wide_px, mprof__run_visitor *visit, void *data);
/* The function's bit in mprof_about.functions. */
uint64_t mprof__function_bit(const mprof__recording *recording, const mprof_span *span);
/* What is told of a call, or of several, when somebody points at it. */
uint32_t mprof__about_run(mprof__layout *layout, const mprof__recording *recording,
                          const mprof__run *run);
void mprof__process_text(char *text, size_t size, const mprof__recording *recording,
                         uint32_t process);

/* rug.c */
double mprof__rug_height(const mprof__layout *layout);
void mprof__draw_rug(mprof__layout *layout, double y);

/* lanes.c */
typedef struct mprof__lane_plan mprof__lane_plan;
/* NULL: no memory. */
mprof__lane_plan *mprof__lane_plan_new(mprof__layout *layout);
/* Fits the lanes into a height. 0 where that leaves some out or takes their captions. */
int mprof__lane_plan_fit(mprof__lane_plan *plan, double most_px);
void mprof__lane_plan_free(mprof__lane_plan *plan);
double mprof__lane_plan_height(const mprof__lane_plan *plan);
double mprof__lane_plan_gutter(const mprof__lane_plan *plan);
void mprof__draw_lanes(mprof__layout *layout, const mprof__lane_plan *plan);

/* states.c: counts the calls shown of each function, and gathers the figure's states. */
void mprof__gather_states(mprof__layout *layout);

/* legend.c */
typedef struct mprof__legend mprof__legend;
mprof__legend *mprof__legend_new(mprof__layout *layout, double width_px, double most_height_px);
void mprof__legend_free(mprof__legend *legend);
double mprof__legend_width(const mprof__legend *legend);
double mprof__legend_height(const mprof__legend *legend);
void mprof__draw_legend(mprof__layout *layout, const mprof__legend *legend, double x, double y);

#endif
