/* The figure under construction. After a failure each function does nothing: check the status once,
 * at the end. Private to the folder. */
#ifndef MPROF_RENDER_DISPLAY_LIST_H
#define MPROF_RENDER_DISPLAY_LIST_H

#include "page_sizes.h"

#include <mprof/figure.h>
#include <stdbool.h>

struct mprof_figure {
    double width_px, height_px;
    mprof__page_sizes sizes;
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
    mprof_figure_tick *ticks;
    size_t tick_count, tick_room;
    mprof_tick_value *tick_values;
    size_t tick_value_count, tick_value_room;
    mprof_track *tracks;
    size_t track_count, track_room;
    mprof_cells *cells;
    uint8_t **shades; /* of the cells, owned */
    size_t cells_count, cells_room, shades_room;
    struct mprof__tree_table *tree_table;     /* for the script; NULL: none was asked for */
    struct mprof__member_table *member_table; /* for the script; NULL: none was asked for */
    mprof_group *groups;
    size_t group_count, group_room;
    char *text;
    size_t text_size, text_room;
    char *title;
    char *peak_words; /* "peak in main"; NULL: no single peak is labelled */
    double peak_s;    /* seconds from the recording's start */
    char *facts;
    char *source;
    struct mprof__window_numbers *window_numbers; /* NULL: none were asked for */
    mprof_status status;                          /* the first failure */
};

/* A straight line, in px. */
typedef struct mprof__segment {
    double x0, y0, x1, y1;
} mprof__segment;

/* One line of text. */
typedef struct mprof__text_item {
    mprof_role role;
    int colour;
    mprof_anchor anchor; /* MPROF_ANCHOR_START unless set */
    double x, y;         /* y: the baseline */
    double width;        /* px, as measured */
    const char *text;
    size_t length;
} mprof__text_item;

/* roles.c: the typography of small pages, or the usual one. */
mprof_font mprof__role_font(mprof_role role, bool small);

/* Sets the status, unless a failure came first or this is MPROF_OK. */
void mprof__fail(mprof_figure *figure, mprof_status status);
/* Items that are added from here on belong to the group. */
void mprof__begin_group(mprof_figure *figure, mprof_group_kind kind);
void mprof__add_rect(mprof_figure *figure, mprof_role role, int colour, mprof_box box,
                     uint32_t about);
void mprof__add_segment(mprof_figure *figure, mprof_role role, int colour, mprof__segment segment);
void mprof__add_dot(mprof_figure *figure, mprof_role role, int colour, double x, double y,
                    double radius);
void mprof__add_text(mprof_figure *figure, const mprof__text_item *item);
void mprof__add_path_point(mprof_figure *figure, double x, double y);
/* A path through all points from index `first` on. */
void mprof__add_path(mprof_figure *figure, mprof_shape shape, mprof_role role, int colour,
                     size_t first, uint32_t about);
/* Cells, all of them MPROF_SHADE_NONE: the caller fills what is returned. NULL after a failure. */
uint8_t *mprof__add_cells(mprof_figure *figure, mprof_box box, uint32_t columns, uint32_t rows,
                          uint32_t about);
/* The point of the curve to which the last item belongs. */
void mprof__set_anchor(mprof_figure *figure, double x, double y);
/* Of the last item, if it is a line: mprof_cut. */
void mprof__set_cut(mprof_figure *figure, uint8_t cut);
/* Of the last item. */
void mprof__set_about(mprof_figure *figure, uint32_t about);
/* Returns the index, or MPROF_ABOUT_NONE after a failure. */
uint32_t mprof__add_about(mprof_figure *figure, mprof_about about, const char *text);
void mprof__add_tick(mprof_figure *figure, mprof_figure_tick tick);
/* Belongs to the last tick. */
void mprof__add_tick_value(mprof_figure *figure, uint32_t track, double mib, uint32_t count);
/* Returns the index; UINT32_MAX after a failure. */
uint32_t mprof__add_track(mprof_figure *figure, mprof_track_kind kind, const char *name);
/* Names the recording of the track that was added last. */
void mprof__set_track_recording(mprof_figure *figure, const char *name);
void mprof__add_function(mprof_figure *figure, const char *name, const char *label);

#endif
