/* A figure: what is to be seen, as plain numbers. Layout turns profiles into a display list of few
 * primitive shapes, each with a role (what it means, from which a theme makes colours and widths).
 * Nothing here knows Cairo, Pango, colours or files; text is measured by a callback.
 *
 * Units: pixels of a 90 dpi page (upstream's 14 x 6 inches are 1260 x 540), origin top left,
 * y downwards; the drawing half scales. */
#ifndef MPROF_FIGURE_H
#define MPROF_FIGURE_H

#include <mprof/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a shape means. Shape and typography hang on it here, colours in the theme. */
typedef enum mprof_role {
    MPROF_ROLE_GRID,
    MPROF_ROLE_AXIS,
    MPROF_ROLE_TICK, /* text at a grid line */
    MPROF_ROLE_TITLE,
    MPROF_ROLE_FACTS,
    MPROF_ROLE_AREA, /* under a curve */
    MPROF_ROLE_CURVE,
    MPROF_ROLE_CURVE_FINE, /* the same where samples are dense */
    MPROF_ROLE_SAMPLE,     /* dot: a measured point, where they are few */
    MPROF_ROLE_CHILD,      /* curve of one process */
    MPROF_ROLE_CHILD_SAMPLE,
    MPROF_ROLE_CHILD_NAME,
    MPROF_ROLE_TOTAL, /* area below the sum of all processes, where the curve is of one */
    MPROF_ROLE_LAYER, /* area of one process in a stack */
    MPROF_ROLE_KIND,  /* curve of one kind of memory */
    MPROF_ROLE_KIND_SAMPLE,
    MPROF_ROLE_KIND_NAME,
    MPROF_ROLE_CONTROL_GROUP, /* curve of the control group's memory */
    MPROF_ROLE_CONTROL_GROUP_NAME,
    MPROF_ROLE_LIMIT, /* of the control group: steps */
    MPROF_ROLE_LIMIT_NAME,
    MPROF_ROLE_SLOPE,
    MPROF_ROLE_PEAK, /* dashed cross */
    MPROF_ROLE_PEAK_DOT,
    MPROF_ROLE_PEAK_NAME,
    MPROF_ROLE_DEATH, /* how the process ended, if badly: dot and text */
    MPROF_ROLE_DEATH_NAME,
    MPROF_ROLE_BRACKET,      /* of a call */
    MPROF_ROLE_BRACKET_FINE, /* the same where calls are dense */
    MPROF_ROLE_BRACKET_NAME,
    MPROF_ROLE_RUG,      /* a call as a thin bar below the time axis */
    MPROF_ROLE_BOX,      /* a call in a lane */
    MPROF_ROLE_BOX_FINE, /* one too narrow for an edge */
    MPROF_ROLE_BOX_EDGE,
    MPROF_ROLE_BOX_OPEN, /* the ragged end of a call that never returned */
    MPROF_ROLE_BOX_NAME,
    MPROF_ROLE_LANE_RULE,
    MPROF_ROLE_LANE_NAME,
    MPROF_ROLE_LANE_GROUP, /* text: a process above its lanes */
    MPROF_ROLE_SWATCH,
    MPROF_ROLE_LEGEND_RULE,
    MPROF_ROLE_LEGEND_HEAD,
    MPROF_ROLE_LEGEND_NAME,
    MPROF_ROLE_LEGEND_CELL,
    MPROF_ROLE_LEGEND_MORE,
    MPROF_ROLE_COUNT
} mprof_role;

/* Short lower-case word for the role ("bracket-name"): CSS class and test output. */
const char *mprof_role_name(mprof_role role);

/* Typography of a role's text. */
typedef struct mprof_font {
    double size_px;
    int strong; /* semi-bold */
} mprof_font;
mprof_font mprof_role_font(mprof_role role);

typedef enum mprof_shape {
    MPROF_SHAPE_RECT, /* x y width height */
    MPROF_SHAPE_LINE, /* open, through points */
    MPROF_SHAPE_AREA, /* closed, through points */
    MPROF_SHAPE_DOT,  /* circle round x y with radius width / 2 */
    MPROF_SHAPE_TEXT, /* one line; x by anchor, y is the baseline, width as measured */
} mprof_shape;

typedef enum mprof_anchor {
    MPROF_ANCHOR_START,
    MPROF_ANCHOR_MIDDLE,
    MPROF_ANCHOR_END
} mprof_anchor;

typedef struct mprof_point {
    float x, y;
} mprof_point;

#define MPROF_COLOUR_NONE (-1) /* the role's own */
#define MPROF_ABOUT_NONE UINT32_MAX

typedef struct mprof_item {
    uint8_t shape;             /* mprof_shape */
    uint8_t role;              /* mprof_role */
    uint8_t anchor;            /* mprof_anchor; TEXT */
    int8_t colour;             /* slot of the palette, or MPROF_COLOUR_NONE */
    float x, y, width, height; /* LINE among the marks: x y is the point of the curve it is at */
    uint32_t first, count;     /* LINE, AREA: points; TEXT: bytes of text */
    uint32_t about;            /* index into abouts, or MPROF_ABOUT_NONE */
} mprof_item;

/* A function by its name, over all recordings of the figure; the longest consumer is the first. */
typedef struct mprof_figure_function {
    uint32_t name, name_length;   /* dotted; in the figure's text */
    uint32_t label, label_length; /* the short form */
    uint64_t calls;               /* shown */
} mprof_figure_function;

#define MPROF_FUNCTION_NONE UINT32_MAX

/* What is told of a shape when somebody points at it: of a call or several, of a process, of a
 * recording. */
typedef struct mprof_about {
    uint32_t text, text_length; /* one line, in the figure's text */
    uint32_t function;     /* MPROF_FUNCTION_NONE: not of calls, and what follows says nothing */
    int open;              /* never returned */
    uint64_t calls;        /* told as one */
    uint64_t functions;    /* bit n: one of them is of function n; bit 63: of a later one */
    double start_s, end_s; /* from the recording's start */
    double enter_mib, exit_mib; /* of the longest */
} mprof_about;

/* For how long just these functions were running, at the same moments, over all recordings. What
 * share of the time any selection of functions has follows from these alone: nothing is counted
 * twice, and nothing is lost where calls were drawn as one. */
typedef struct mprof_state {
    uint32_t first, count; /* members: indices of functions */
    double seconds;
} mprof_state;

/* Items that belong together, in drawing order. Time-scaled groups follow the time axis. */
typedef enum mprof_group_kind {
    MPROF_GROUP_PAGE, /* title and facts */
    MPROF_GROUP_MEMORY_AXIS,
    MPROF_GROUP_TIME_AXIS,
    MPROF_GROUP_CURVES, /* time-scaled, inside the plot */
    MPROF_GROUP_MARKS,  /* time-scaled: brackets, peak, dots: they move but keep their size */
    MPROF_GROUP_NAMES,  /* time-scaled: their labels */
    MPROF_GROUP_RUG,    /* time-scaled, below the plot */
    MPROF_GROUP_LANES,  /* time-scaled, inside the lanes */
    MPROF_GROUP_LANE_NAMES,
    MPROF_GROUP_LEGEND,
} mprof_group_kind;

typedef struct mprof_group {
    mprof_group_kind kind;
    uint32_t first, count; /* items */
} mprof_group;

typedef struct mprof_box {
    double x, y, width, height;
} mprof_box;

/* Where the two scales lie: time runs over plot.x .. plot.x + plot.width from `from_s` to `to_s`,
 * memory over plot.y + plot.height .. plot.y from `low_mib` to `high_mib`. */
typedef struct mprof_frame {
    mprof_box plot;
    mprof_box lanes; /* height 0 where there are none */
    double from_s, to_s;
    double low_mib, high_mib;
    double origin_s; /* unix time of 0 s; of the first recording */
    int group;       /* memory goes up to the control group and its limit, however far above */
} mprof_frame;

typedef struct mprof_figure mprof_figure;

/* Measures text: *width_px of the first `length` bytes of text in the font. */
typedef struct mprof_measure {
    void *data;
    double (*width_px)(void *data, mprof_font font, const char *text, size_t length);
    /* How many bytes from the start fit into width_px, at a place where text may be cut. */
    size_t (*fit)(void *data, mprof_font font, const char *text, size_t length, double width_px);
} mprof_measure;

typedef enum mprof_order { MPROF_BY_PROCESS, MPROF_BY_FUNCTION } mprof_order;

typedef struct mprof_figure_options {
    double width_px, height_px; /* of the page */
    int grow;                   /* the page may become higher where lanes need it */
    const char *title;          /* NULL: the command line */
    int flame;                  /* lanes of calls below the curve */
    int functions;              /* calls at all */
    int states; /* also tell of every call (mprof_about) and gather mprof_figure_states:
                   for a picture that answers; the others do without */
    int slope;
    int stack;             /* processes on top of each other */
    double window_s[2];    /* time axis from .. to; both 0: everything */
    double min_duration_s; /* shorter calls are left out */
    const char *function;  /* only functions that match this glob; NULL: all */
    mprof_order order;
    unsigned kinds; /* 1 << mprof_kind: their curves as well, where the profile has kept them */
    int group;      /* the control group and its limit even where they press the curve flat */
} mprof_figure_options;

#define MPROF_DEFAULT_WIDTH_PX 1260.0
#define MPROF_DEFAULT_HEIGHT_PX 540.0

void mprof_figure_options_init(mprof_figure_options *options);

/* Lays out profiles[count], overlaid from a common start if there are several. The figure is the
 * caller's and keeps nothing of the profiles. options may be NULL.
 * MPROF_ENOMEM; MPROF_EARGUMENT if the page is too small, the window empty, or no function matches.
 */
mprof_status mprof_figure_layout(mprof_figure **out, const mprof_profile *const *profiles,
                                 size_t count, const mprof_figure_options *options,
                                 const mprof_measure *measure, mprof_error *error);

void mprof_figure_free(mprof_figure *figure);

/* All that follows: views that live as long as the figure; safe to use from several threads. */

double mprof_figure_width_px(const mprof_figure *figure);
double mprof_figure_height_px(const mprof_figure *figure);
const mprof_frame *mprof_figure_frame(const mprof_figure *figure);
const mprof_item *mprof_figure_items(const mprof_figure *figure, size_t *count);
const mprof_point *mprof_figure_points(const mprof_figure *figure, size_t *count);
const mprof_about *mprof_figure_abouts(const mprof_figure *figure, size_t *count);
const mprof_group *mprof_figure_groups(const mprof_figure *figure, size_t *count);
const mprof_figure_function *mprof_figure_functions(const mprof_figure *figure, size_t *count);
/* None if not asked for, or if there are too many to be told. */
const mprof_state *mprof_figure_states(const mprof_figure *figure, size_t *count);
const uint32_t *mprof_figure_state_members(const mprof_figure *figure, size_t *count);
/* All text, one piece behind the other, valid UTF-8 without control characters. */
const char *mprof_figure_text(const mprof_figure *figure, size_t *size);
/* For the document's metadata: terminated. */
const char *mprof_figure_title(const mprof_figure *figure);
const char *mprof_figure_facts(const mprof_figure *figure);
const char *mprof_figure_source(const mprof_figure *figure); /* names of the recordings' files */

#ifdef __cplusplus
}
#endif
#endif
