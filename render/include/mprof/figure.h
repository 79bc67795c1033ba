/** @file
 * A figure: a picture as plain numbers. Layout turns profiles into a display list of few
 * primitive shapes, each with a role: what it means, from which a theme makes colours and widths.
 * Nothing here knows Cairo, Pango, colours or files; text is measured by a callback.
 *
 * Units: pixels of a 90 dpi page (upstream's 14 x 6 inches are 1260 x 540), origin top left, y
 * downwards; drawing scales. */
#ifndef MPROF_FIGURE_H
#define MPROF_FIGURE_H

#include <mprof/profile.h>
#include <mprof/style.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a shape means. Shape and typography depend on it here, colours in the theme. */
typedef enum mprof_role {
    MPROF_ROLE_GRID,         /**< line of the grid */
    MPROF_ROLE_AXIS,         /**< line of an axis */
    MPROF_ROLE_TICK,         /**< text at a tick */
    MPROF_ROLE_TITLE,        /**< text */
    MPROF_ROLE_FACTS,        /**< text below the title */
    MPROF_ROLE_AREA,         /**< under a curve */
    MPROF_ROLE_CURVE,        /**< of samples */
    MPROF_ROLE_CURVE_FINE,   /**< the same where samples are dense */
    MPROF_ROLE_SAMPLE,       /**< dot: a measured point, where they are few */
    MPROF_ROLE_CHILD,        /**< curve of one process */
    MPROF_ROLE_CHILD_SAMPLE, /**< dot on such a curve */
    MPROF_ROLE_CHILD_NAME,   /**< text at such a curve */
    MPROF_ROLE_TOTAL,        /**< area below the sum of all processes, where the curve is of one */
    MPROF_ROLE_LAYER,        /**< area of one process in a stack */
    MPROF_ROLE_PEAK_PART,    /**< rectangle: what processes had at the peak */
    MPROF_ROLE_PEAK_PART_EDGE,     /**< its left edge */
    MPROF_ROLE_LEADER,             /**< line from a shape to its label */
    MPROF_ROLE_KIND,               /**< curve of one kind of memory */
    MPROF_ROLE_KIND_SAMPLE,        /**< dot on such a curve */
    MPROF_ROLE_KIND_NAME,          /**< text at such a curve */
    MPROF_ROLE_CONTROL_GROUP,      /**< curve of the control group's memory */
    MPROF_ROLE_CONTROL_GROUP_NAME, /**< text at it */
    MPROF_ROLE_LIMIT,              /**< of the control group: steps */
    MPROF_ROLE_LIMIT_NAME,         /**< text at it */
    MPROF_ROLE_SLOPE,              /**< line of least squares */
    MPROF_ROLE_PEAK,               /**< dashed cross */
    MPROF_ROLE_PEAK_DOT,           /**< at its centre */
    MPROF_ROLE_PEAK_NAME,          /**< text at it */
    MPROF_ROLE_DEATH,              /**< dot: the process did not end well */
    MPROF_ROLE_DEATH_NAME,         /**< text: how it ended */
    MPROF_ROLE_BRACKET,            /**< of a call */
    MPROF_ROLE_BRACKET_NAME,       /**< text at it */
    MPROF_ROLE_NOTE_LIMIT,         /**< dashed line that was asked for */
    MPROF_ROLE_NOTE_AREA,          /**< above it */
    MPROF_ROLE_NOTE_LINE,          /**< the same at another value */
    MPROF_ROLE_NOTE_MARK,          /**< the same at a moment */
    MPROF_ROLE_NOTE_NAME,          /**< text at such a line */
    MPROF_ROLE_RUG,                /**< a call as a thin bar below the plot */
    MPROF_ROLE_LANE_BAR,           /**< the same where calls of the process overlap */
    MPROF_ROLE_AT_ONCE,            /**< calls that ran at once, where they are too many for bars */
    MPROF_ROLE_STRIP,              /**< curve of one process below the plot */
    MPROF_ROLE_STRIP_AREA,         /**< under it */
    MPROF_ROLE_DENSITY,            /**< area: the share of time that a function ran */
    MPROF_ROLE_DENSITY_NAME,       /**< text left of it */
    MPROF_ROLE_WHOLE,              /**< line above it: 100 % of the time */
    MPROF_ROLE_BOX,                /**< a call in a lane */
    MPROF_ROLE_BOX_FINE,           /**< one too narrow for an edge */
    MPROF_ROLE_BOX_EDGE,           /**< where a call began */
    MPROF_ROLE_BOX_OPEN,           /**< the ragged end of a call that never returned */
    MPROF_ROLE_BOX_NAME,           /**< text in a box */
    MPROF_ROLE_LANE_RULE,          /**< line between lanes */
    MPROF_ROLE_LANE_NAME,          /**< text at a lane */
    MPROF_ROLE_LANE_GROUP,         /**< text: a process above its lanes */
    MPROF_ROLE_SWATCH,             /**< colour sample of the legend */
    MPROF_ROLE_SWATCH_LINE,        /**< the same, of a line */
    MPROF_ROLE_LEGEND_RULE,        /**< line */
    MPROF_ROLE_LEGEND_HEAD,        /**< text at the head of a column */
    MPROF_ROLE_LEGEND_NAME,        /**< text: a name */
    MPROF_ROLE_LEGEND_CELL,        /**< text: a number */
    MPROF_ROLE_LEGEND_MORE,        /**< text: what there was no room for */
    MPROF_ROLE_DIFFERENCE,         /**< area between two curves: more than before */
    MPROF_ROLE_BAND,               /**< area from the lowest to the highest of many */
    MPROF_ROLE_BAND_INNER,         /**< area in it: 10 % to 90 % of them */
    MPROF_ROLE_BAND_EDGE,          /**< curve: the lowest, the highest */
    MPROF_ROLE_WORST,              /**< curve of the one with the highest peak */
    MPROF_ROLE_MEMBER,             /**< curve of one of many, with the area under it */
    MPROF_ROLE_MEMBER_WORST,       /**< the same, of the one with the highest peak */
    MPROF_ROLE_MEMBER_MEDIAN,      /**< curve of the median of many in each panel */
    MPROF_ROLE_MEMBER_FIELD,       /**< rectangle: what belongs to a panel, or to a row */
    MPROF_ROLE_MEMBER_NAME,        /**< text above a panel, or left of a row */
    MPROF_ROLE_MEMBER_PEAK,        /**< text: its peak */
    MPROF_ROLE_MEMBER_NAME_WORST,  /**< text: the name of the worst */
    MPROF_ROLE_MEMBER_PEAK_WORST,  /**< text: its peak */
    MPROF_ROLE_MEMBER_END,         /**< dot: an abnormal end */
    MPROF_ROLE_CELLS,              /**< cells: memory as colour */
    MPROF_ROLE_BOX_RELEASE,        /**< calls in which memory was released: hollow */
    MPROF_ROLE_BOX_OWN,            /**< below a box: the part that no call within it has */
    MPROF_ROLE_BOX_ALL,            /**< all calls, and what is outside of them */
    MPROF_ROLE_BOX_WING,    /**< beside a box: its call may have run there, from the bottom on */
    MPROF_ROLE_PEAK_TICK,   /**< in a call that ran at the peak */
    MPROF_ROLE_MEMBER_AREA, /**< area under a curve that leaves its panel */
    MPROF_ROLE_MEMBER_AREA_WORST, /**< the same, of the one with the highest peak */
    MPROF_ROLE_MEMBER_LINE,       /**< what is in the panel of such a curve */
    MPROF_ROLE_MEMBER_LINE_WORST, /**< the same, of the one with the highest peak */
    MPROF_ROLE_COUNT,             /**< how many there are */
} mprof_role;

/** The word for a role: CSS class and test output.
 *
 * @param role  any value
 * @return static text such as "bracket-name"; "" for what is no role. Any thread. */
MPROF_API const char *mprof_role_name(mprof_role role);

/** Typography of a role's text. */
typedef struct mprof_font {
    double size_px; /**< 0: the role has no text */
    int strong;     /**< 1: semi-bold */
} mprof_font;

/** The typography of a role's text on a page of usual size.
 *
 * @param role  any value
 * @return its size and weight; that of MPROF_ROLE_TICK for what is no role. Any thread. */
MPROF_API mprof_font mprof_role_font(mprof_role role);

/** How an item is drawn. */
typedef enum mprof_shape {
    MPROF_SHAPE_RECT,  /**< x y width height */
    MPROF_SHAPE_LINE,  /**< open, through points */
    MPROF_SHAPE_AREA,  /**< closed, through points */
    MPROF_SHAPE_DOT,   /**< circle round x y with radius width / 2 */
    MPROF_SHAPE_TEXT,  /**< one line; x by anchor, y is the baseline, width as measured */
    MPROF_SHAPE_CELLS, /**< x y width height, divided into equal cells: mprof_cells */
} mprof_shape;

/** Which end of a text is at its x. */
typedef enum mprof_anchor {
    MPROF_ANCHOR_START,  /**< the left one */
    MPROF_ANCHOR_MIDDLE, /**< neither */
    MPROF_ANCHOR_END     /**< the right one */
} mprof_anchor;

/** Ends of a line that are no samples: it continues beyond the window, and the end is interpolated.
 */
typedef enum mprof_cut {
    MPROF_CUT_FIRST = 1, /**< the first point */
    MPROF_CUT_LAST = 2,  /**< the last point */
} mprof_cut;

/** A place on the page. */
typedef struct mprof_point {
    float x; /**< px, from the left */
    float y; /**< px, from the top */
} mprof_point;

/** An item in the colour of its role. */
#define MPROF_COLOUR_NONE (-1)
/** An item that shows nothing when it is pointed at. */
#define MPROF_ABOUT_NONE UINT32_MAX

/** One shape of the display list. */
typedef struct mprof_item {
    uint8_t shape;  /**< mprof_shape */
    uint8_t role;   /**< mprof_role */
    uint8_t anchor; /**< mprof_anchor of a text; mprof_cut of a line's ends, or 0 */
    int8_t colour;  /**< slot of the palette, or MPROF_COLOUR_NONE */
    float x;        /**< px; of a line among the marks: the point of the curve it belongs to */
    float y;        /**< px; the same */
    float width;    /**< px */
    float height;   /**< px */
    uint32_t first; /**< line, area: first point; text: first byte of the figure's text; cells:
                         index into mprof_figure_cells() */
    uint32_t count; /**< how many of them */
    uint32_t about; /**< index into mprof_figure_abouts(), or MPROF_ABOUT_NONE */
} mprof_item;

/** A cell without a colour. */
#define MPROF_SHADE_NONE 0
/** The highest shade of the ramp; 1 is the lowest. So few stay apart in a palette of 256. */
#define MPROF_SHADE_MAX 80
/** A cell above the ramp. */
#define MPROF_SHADE_ABOVE 255

/** A table of shades, each of which a theme makes a colour. */
typedef struct mprof_cells {
    uint32_t columns;      /**< cells side by side */
    uint32_t rows;         /**< cells one below the other */
    const uint8_t *shades; /**< rows * columns, the upper left one first; owned by the figure */
} mprof_cells;

/** A function by its name, over all recordings of the figure; the longest consumer is the first. */
typedef struct mprof_figure_function {
    uint32_t name;         /**< dotted; first byte in the figure's text */
    uint32_t name_length;  /**< bytes */
    uint32_t label;        /**< the short form; first byte in the figure's text */
    uint32_t label_length; /**< bytes */
    uint64_t calls;        /**< shown */
} mprof_figure_function;

/** An mprof_about that is not about calls. */
#define MPROF_FUNCTION_NONE UINT32_MAX

/** The tooltip of a shape: of one or several calls, of a process, of a
 * recording. */
typedef struct mprof_about {
    uint32_t text;        /**< one line; first byte in the figure's text */
    uint32_t text_length; /**< bytes */
    uint32_t function;    /**< index; MPROF_FUNCTION_NONE: what follows means nothing */
    int open;             /**< 1: it never returned */
    uint64_t calls;       /**< merged into one */
    uint64_t functions;   /**< bit n: one of them is of function n; bit 63: of a later one */
    double start_s;       /**< seconds from the recording's start */
    double end_s;         /**< seconds from the recording's start */
    double enter_mib;     /**< MiB at entry of the longest */
    double exit_mib;      /**< MiB at exit of the longest */
    double sampled_s;     /**< > 0: one call made of sampled stacks, whose start and end may each be
                               that much earlier or later */
} mprof_about;

/** For how long just these functions were running, at the same moments, over all recordings. The
 * share of time of any selection of functions follows from these alone: nothing is counted twice,
 * and nothing is lost where calls were drawn as one. */
typedef struct mprof_state {
    uint32_t first; /**< first of mprof_figure_state_members() */
    uint32_t count; /**< how many of them */
    double seconds; /**< how long */
} mprof_state;

/** What a track of numbers is of. */
typedef enum mprof_track_kind {
    MPROF_TRACK_MAIN,    /**< the main process: without numbers, it is the rest of each sum */
    MPROF_TRACK_PROCESS, /**< another process */
    MPROF_TRACK_MEMORY,  /**< a kind of memory, which is no part of the sum */
    MPROF_TRACK_COMMAND, /**< the processes of a command, which are counted */
} mprof_track_kind;

/** What is sampled at ticks. */
typedef struct mprof_track {
    mprof_track_kind kind; /**< what it is of */
    uint32_t name;         /**< first byte in the figure's text */
    uint32_t name_length;  /**< bytes */
    uint32_t recording;    /**< of a main process, if there are several recordings: the name of its
                                own; first byte in the figure's text */
    uint32_t recording_length; /**< bytes */
} mprof_track;

/** What the main process is at a tick. */
typedef enum mprof_rest {
    MPROF_REST_MAIN,    /**< the rest of the sum */
    MPROF_REST_UNKNOWN, /**< unknown, since the others, sampled slightly later, are above MEM: the
                           sum is at least theirs */
    MPROF_REST_ABSENT,  /**< it was not sampled */
} mprof_rest;

/** A number of a track at a tick. */
typedef struct mprof_tick_value {
    uint32_t track; /**< index into mprof_figure_tracks() */
    uint32_t tick;  /**< index into mprof_figure_ticks() */
    double mib;     /**< as sampled */
    uint32_t count; /**< processes whose sum it is */
} mprof_tick_value;

/** What was sampled at one moment: of each pixel column, the tick with the highest sum. */
typedef struct mprof_figure_tick {
    double time_s;    /**< seconds from the recording's start */
    double total_mib; /**< sum of all processes */
    mprof_rest rest;  /**< the main process */
    int is_first;     /**< 1: the first one of a recording, whose main process is the next track of
                           that kind */
    int is_after_gap; /**< 1: curves are interrupted between the tick before and this one */
} mprof_figure_tick;

/** Items that belong together, in drawing order. Groups on the time scale follow the time axis. */
typedef enum mprof_group_kind {
    MPROF_GROUP_PAGE,        /**< title and facts */
    MPROF_GROUP_MEMORY_AXIS, /**< grid and ticks */
    MPROF_GROUP_TIME_AXIS,   /**< grid and ticks */
    MPROF_GROUP_CURVES,      /**< on the time scale, inside the plot */
    MPROF_GROUP_MARKS,       /**< on the time scale: brackets, peak, dots; they keep their size */
    MPROF_GROUP_NAMES,       /**< on the time scale: labels of the marks */
    MPROF_GROUP_STRIPS,      /**< on the time scale, below the plot: curves and areas */
    MPROF_GROUP_RUG,         /**< on the time scale, below the plot: calls */
    MPROF_GROUP_LANES,       /**< on the time scale, inside the lanes */
    MPROF_GROUP_LANE_NAMES,  /**< left of the lanes */
    MPROF_GROUP_LEGEND,      /**< tables */
    MPROF_GROUP_PEAK_PARTS,  /**< right of the plot, on the memory scale */
    MPROF_GROUP_TREE,        /**< boxes of a tree of calls, below the plot */
    MPROF_GROUP_PEAK_TICKS,  /**< on calls that ran at the peak */
    MPROF_GROUP_PANELS,      /**< small multiples: a curve for each of many */
    MPROF_GROUP_HEAT,        /**< rows of cells, on the time scale */
} mprof_group_kind;

/** A group of the display list. */
typedef struct mprof_group {
    mprof_group_kind kind; /**< what it holds */
    uint32_t first;        /**< first item */
    uint32_t count;        /**< how many items */
} mprof_group;

/** A rectangle on the page, in px. */
typedef struct mprof_box {
    double x;      /**< left edge */
    double y;      /**< upper edge */
    double width;  /**< to the right */
    double height; /**< downwards */
} mprof_box;

/** Units of memory. */
typedef enum mprof_unit {
    MPROF_UNIT_AUTO, /**< the one that suits each value, from KiB to TiB */
    MPROF_UNIT_B,    /**< bytes */
    MPROF_UNIT_KIB,  /**< 1024 bytes */
    MPROF_UNIT_MIB,  /**< 1024 KiB */
    MPROF_UNIT_GIB,  /**< 1024 MiB */
    MPROF_UNIT_TIB,  /**< 1024 GiB */
    MPROF_UNIT_KB,   /**< 1000 bytes */
    MPROF_UNIT_MB,   /**< 1000 kB */
    MPROF_UNIT_GB,   /**< 1000 MB */
    MPROF_UNIT_TB,   /**< 1000 GB */
    MPROF_UNIT_COUNT /**< how many there are */
} mprof_unit;

/** The name of a unit, as it is written behind a number.
 *
 * @param unit  any value
 * @return static text, "auto" for MPROF_UNIT_AUTO; NULL if there is no such unit. Any thread. */
MPROF_API const char *mprof_unit_name(mprof_unit unit);

/** The size of a unit.
 *
 * @param unit  any value
 * @return MiB; 0 for MPROF_UNIT_AUTO, and if there is no such unit. Any thread. */
MPROF_API double mprof_unit_mib(mprof_unit unit);

/** Where the two scales lie: time runs over plot.x .. plot.x + plot.width from from_s to to_s,
 * memory over plot.y + plot.height .. plot.y from low_mib to high_mib. */
typedef struct mprof_frame {
    mprof_box plot;   /**< of curves */
    mprof_box lanes;  /**< of calls; height 0: there are none */
    double bottom;    /**< px: lower edge of all that is on the time scale */
    double row_px;    /**< px: height of a function that ran all of the time */
    double strip_mib; /**< MiB of one px of the strips below the plot; 0: there are none */
    double from_s;    /**< seconds from the recording's start */
    double to_s;      /**< seconds from the recording's start */
    double low_mib;   /**< MiB at the lower edge */
    double high_mib;  /**< MiB at the upper edge */
    double origin_s;  /**< unix seconds at 0 s; 0 where several recordings begin there */
    int all_ticks;    /**< 1: every tick is there: a point of the curve between two is of a call */
    int curve_is_sum; /**< 1: the first curve is the sum of the ticks; 0: it is their main process
                       */
    int group;        /**< 1: the axis goes up to the control group and its limit, however far */
    int share;        /**< 1: time is the share of each recording, in per cent */
    int log; /**< 1: the memory scale is logarithmic: equal distances are equal factors; what is
                below low_mib is at its lower edge */
    mprof_unit unit; /**< of all memory that is written */
    int clipped;     /**< 1: the memory axis was given; curves end at the edges of the plot */
} mprof_frame;

/** A figure. Several threads may read one at the same time. */
typedef struct mprof_figure mprof_figure;

/** Measures text. One thread at a time may use it. */
typedef struct mprof_measure {
    void *data; /**< handed to both functions */
    /** Width in px of the first `length` bytes of a text. */
    double (*width_px)(void *data, mprof_font font, const char *text, size_t length);
    /** How many bytes from the start fit into width_px, at a place where text may be cut. */
    size_t (*fit)(void *data, mprof_font font, const char *text, size_t length, double width_px);
} mprof_measure;

/** What the lanes of a flame chart stand for. */
typedef enum mprof_order {
    MPROF_BY_PROCESS, /**< processes, and their threads, greenlets and tasks */
    MPROF_BY_FUNCTION /**< functions */
} mprof_order;

/** Which processes share a line, a layer and a row of the legend. */
typedef enum mprof_process_grouping {
    MPROF_PROCESSES_AUTO,       /**< by command if there are many, else each by itself */
    MPROF_PROCESSES_BY_COMMAND, /**< those of one command */
    MPROF_PROCESSES_BY_PID,     /**< each process by itself */
    MPROF_PROCESSES_TOGETHER,   /**< all: only their sum is drawn */
    MPROF_PROCESSES_BY_RANK,    /**< those of one rank of a merged recording */
    MPROF_PROCESSES_BY_HOST     /**< those of one host of a merged recording */
} mprof_process_grouping;

/** How a picture shows what it is of. */
typedef enum mprof_form {
    MPROF_FORM_CURVES, /**< curves on one pair of axes */
    MPROF_FORM_BAND,   /**< of many, the lowest, mean and highest, and the worst by name */
    MPROF_FORM_PANELS, /**< of many, a small panel for each, on common axes */
    MPROF_FORM_HEAT,   /**< of many, a row for each, whose colour is the memory */
    MPROF_FORM_TREE    /**< of one recording, its calls by path: who made memory grow */
} mprof_form;

/** What the width of a call is in a tree. */
typedef enum mprof_tree_measure {
    MPROF_TREE_GROWTH,     /**< growth to the right, release to the left */
    MPROF_TREE_TIME,       /**< time */
    MPROF_TREE_MEMORY_TIME /**< memory of the process, added up over its time */
} mprof_tree_measure;

/** What a picture of many compares. */
typedef enum mprof_member_kind {
    MPROF_MEMBERS_AUTO,         /**< recordings; of one recording ranks, or processes */
    MPROF_MEMBERS_BY_PROCESS,   /**< processes */
    MPROF_MEMBERS_BY_RANK,      /**< what `mprof merge` merged, each the sum of its processes */
    MPROF_MEMBERS_BY_HOST,      /**< hosts, each the sum of its processes */
    MPROF_MEMBERS_BY_RECORDING, /**< recordings, each the sum of its processes */
    MPROF_MEMBERS_BY_COMMAND    /**< commands, each the sum of its processes */
} mprof_member_kind;

/** Page size where none is given: 14 inches at 90 dpi. */
#define MPROF_DEFAULT_WIDTH_PX 1260.0
/** Page size where none is given: 6 inches at 90 dpi. */
#define MPROF_DEFAULT_HEIGHT_PX 540.0

/** Parts that can be left out. */
typedef enum mprof_part {
    MPROF_PART_TITLE = 1,    /**< above the plot */
    MPROF_PART_FACTS = 2,    /**< the line below the title */
    MPROF_PART_LEGEND = 4,   /**< tables, lists and the key */
    MPROF_PART_PEAK = 8,     /**< its cross, its dot and its label */
    MPROF_PART_BRACKETS = 16 /**< of calls, on the curve */
} mprof_part;

/** All parts: axes and data are left. */
#define MPROF_PARTS_ALL 31U

/** What a note is. */
typedef enum mprof_note_kind {
    MPROF_NOTE_LIMIT, /**< a dashed line at a value of memory, and a tint above it */
    MPROF_NOTE_LINE,  /**< a line at a value of memory */
    MPROF_NOTE_MARK   /**< a line at a moment */
} mprof_note_kind;

/** A line across the plot. */
typedef struct mprof_note {
    mprof_note_kind kind; /**< what it is */
    double at;            /**< MiB, or seconds from the start */
    const char *text;     /**< its label; NULL: the value, of a mark nothing */
} mprof_note;

/** A name for a recording, in place of that of its file. */
typedef struct mprof_label {
    const char *file; /**< as it was loaded, or without its directories */
    const char *name; /**< not NULL */
} mprof_label;

/** What to lay out. Begin with MPROF_FIGURE_OPTIONS_INIT: members may be added at the end. */
typedef struct mprof_figure_options {
    size_t size;           /**< sizeof(mprof_figure_options) as the caller was compiled */
    double width_px;       /**< of the page */
    double height_px;      /**< of the page */
    int grow;              /**< 1: the page may become higher where lanes need it */
    const char *title;     /**< NULL: the command line */
    int flame;             /**< 1: lanes of calls below the curve */
    int functions;         /**< 0: no calls at all */
    int states;            /**< 1: with mprof_about of every call, mprof_figure_states() and
                                mprof_figure_ticks() */
    int slope;             /**< 1: with the line of least squares */
    int stack;             /**< 1: processes on top of each other */
    double window_s[2];    /**< time axis from .. to; both 0: everything */
    double min_duration_s; /**< shorter calls are left out */
    const char *function;  /**< only functions that match this glob; NULL: all */
    mprof_order order;     /**< of the lanes */
    unsigned kinds;        /**< 1 << mprof_kind: with their curves, where the profile kept them */
    int group;             /**< 1: with the control group and its limit, however far above */
    int as_one;            /**< 1: several recordings at their own time on one axis, not from a
                                common start */
    double origin_s;       /**< of as_one: unix seconds at 0 s; 0: where the first one begins */
    mprof_process_grouping processes; /**< what is one line, or one layer of a stack */
    int name_file;                    /**< 1: the title begins with the name of the file */
    int colours_most; /**< functions with a colour of their own, the longest consumers; 0: all */
    unsigned without; /**< bits of mprof_part */
    const mprof_note *notes;   /**< lines across the plot */
    size_t note_count;         /**< how many */
    const mprof_label *labels; /**< names of recordings */
    size_t label_count;        /**< how many */
    double memory_mib[2];      /**< memory axis from .. to; both 0: as the data need */
    mprof_unit unit;           /**< of all memory that is written */
    const char *range;         /**< a window as people write it, which mprof_profiles_load() turns
                                    into window_s: "5,10", "14:05,14:30:15", "2026-11-22 14:05,",
                                    in local time; NULL: window_s */
    const char *const *hue_names; /**< eight: the function, command or recording that has this
                                       hue, by its name or the end of it; NULL: any other. NULL:
                                       none has a hue of its own */
    int hues_in_order;            /**< 1: the longest consumer has the first hue; 0: names decide */
    int log;                      /**< 1: a logarithmic memory axis; not with stack or slope */
    const mprof_style *style;     /**< its parts are left out, too; NULL: none */
    mprof_form form;              /**< how; other than curves: without calls, notes and kinds */
    mprof_member_kind members;    /**< of a picture of many */
    mprof_tree_measure tree;      /**< of MPROF_FORM_TREE */
} mprof_figure_options;

/** A page of usual size with the usual contents. */
#define MPROF_FIGURE_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(mprof_figure_options), MPROF_DEFAULT_WIDTH_PX, MPROF_DEFAULT_HEIGHT_PX, 1, NULL, 0, \
            1, 0, 0, 0, {0, 0}, 0, NULL, MPROF_BY_PROCESS, 0, 0, 0, 0, MPROF_PROCESSES_AUTO, 0, 0, \
            0, NULL, 0, NULL, 0, {0, 0}, MPROF_UNIT_AUTO, NULL, NULL, 0, 0, NULL,                  \
            MPROF_FORM_CURVES, MPROF_MEMBERS_AUTO, MPROF_TREE_GROWTH                               \
    }

/** Sets MPROF_FIGURE_OPTIONS_INIT, for languages that cannot use it.
 *
 * @param options  not NULL
 * @param size     sizeof(mprof_figure_options) as the caller knows it. Any thread. */
MPROF_API void mprof_figure_options_init(mprof_figure_options *options, size_t size);

/** Sets the form for recordings that too many curves would fill: MPROF_FORM_BAND for one of `mprof
 * merge` with more than eight ranks, if the options ask for nothing that a band does not show.
 *
 * @param options   not NULL
 * @param profiles  as for mprof_figure_layout()
 * @param count     how many. Any thread. */
MPROF_API void mprof_figure_options_choose_form(mprof_figure_options *options,
                                                const mprof_profile *const *profiles, size_t count);

/** Lays out one recording, or several overlaid from a common start, or each at its own time. Runs
 * of one file are several recordings.
 *
 * @param out       receives the figure, the caller's to free; NULL on failure. It keeps nothing of
 *                  the profiles
 * @param profiles  read only
 * @param count     how many, at least 1
 * @param options   NULL: MPROF_FIGURE_OPTIONS_INIT
 * @param measure   not NULL; used during the call only
 * @param error     receives the first failure; may be NULL
 * @return MPROF_OK; MPROF_ENOMEM; MPROF_EARGUMENT: no profile, a page that is too small, an empty
 *         window, no function that matches, or options or a style of an unknown
 *         size. Any thread, if it has a
 *         measure of its own. */
MPROF_API mprof_status mprof_figure_layout(mprof_figure **out, const mprof_profile *const *profiles,
                                           size_t count, const mprof_figure_options *options,
                                           const mprof_measure *measure, mprof_error *error);

/** Frees a figure and all that was returned of it.
 *
 * @param figure  may be NULL. Not while another thread uses it. */
MPROF_API void mprof_figure_free(mprof_figure *figure);

/** The width of the page.
 *
 * @param figure  not NULL
 * @return px. Any thread. */
MPROF_API double mprof_figure_width_px(const mprof_figure *figure);

/** The height of the page; more than was asked for where it may grow.
 *
 * @param figure  not NULL
 * @return px. Any thread. */
MPROF_API double mprof_figure_height_px(const mprof_figure *figure);

/** The typography of a role's text in this figure: smaller on a small page.
 *
 * @param figure  NULL: a page of usual size
 * @param role    any value
 * @return as mprof_role_font(). Any thread. */
MPROF_API mprof_font mprof_figure_font(const mprof_figure *figure, mprof_role role);

/** Where the scales lie.
 *
 * @param figure  not NULL
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_frame *mprof_figure_frame(const mprof_figure *figure);

/** The display list, in drawing order.
 *
 * @param figure  not NULL
 * @param count   receives how many items there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_item *mprof_figure_items(const mprof_figure *figure, size_t *count);

/** The points of lines and areas.
 *
 * @param figure  not NULL
 * @param count   receives how many points there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_point *mprof_figure_points(const mprof_figure *figure, size_t *count);

/** The cells of its items of that shape.
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_cells *mprof_figure_cells(const mprof_figure *figure, size_t *count);

/** What items show when they are pointed at.
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_about *mprof_figure_abouts(const mprof_figure *figure, size_t *count);

/** The groups of the display list, in drawing order.
 *
 * @param figure  not NULL
 * @param count   receives how many groups there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_group *mprof_figure_groups(const mprof_figure *figure, size_t *count);

/** The functions shown, the longest consumer first.
 *
 * @param figure  not NULL
 * @param count   receives how many functions there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_figure_function *mprof_figure_functions(const mprof_figure *figure,
                                                              size_t *count);

/** For how long which functions were running at the same time; none if they were not asked for or
 * are too many.
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_state *mprof_figure_states(const mprof_figure *figure, size_t *count);

/** The members of all states: indices into mprof_figure_functions().
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const uint32_t *mprof_figure_state_members(const mprof_figure *figure, size_t *count);

/** The ticks of the recordings on one axis, in time order; none of an overlay, and none if there is
 * nothing but one curve, or if they were not asked for.
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_figure_tick *mprof_figure_ticks(const mprof_figure *figure, size_t *count);

/** The numbers of all tracks, by track and tick.
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_tick_value *mprof_figure_tick_values(const mprof_figure *figure,
                                                           size_t *count);

/** What the numbers are of.
 *
 * @param figure  not NULL
 * @param count   receives how many there are
 * @return owned by the figure. Any thread. */
MPROF_API const mprof_track *mprof_figure_tracks(const mprof_figure *figure, size_t *count);

/** All text, one piece behind the other: valid UTF-8 without control characters, not terminated.
 *
 * @param figure  not NULL
 * @param size    receives how many bytes there are
 * @return owned by the figure. Any thread. */
MPROF_API const char *mprof_figure_text(const mprof_figure *figure, size_t *size);

/** The title, for the document's metadata.
 *
 * @param figure  not NULL
 * @return terminated text, owned by the figure. Any thread. */
MPROF_API const char *mprof_figure_title(const mprof_figure *figure);

/** The line below the title, for the document's metadata.
 *
 * @param figure  not NULL
 * @return terminated text, owned by the figure. Any thread. */
MPROF_API const char *mprof_figure_facts(const mprof_figure *figure);

/** Names of the recordings' files, for the document's metadata.
 *
 * @param figure  not NULL
 * @return terminated text, owned by the figure. Any thread. */
MPROF_API const char *mprof_figure_source(const mprof_figure *figure);

#ifdef __cplusplus
}
#endif
#endif
