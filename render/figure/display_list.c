/* Appends to the figure's arrays, and the public accessors of a finished figure. The first failure
 * stays in the status, so that modules need not check every item. */
#include "display_list.h"

#include "call_tree_figure.h"
#include "layout.h"
#include "member_table.h"
#include "window_numbers.h"

#include <stdlib.h>
#include <string.h>

void mprof__fail(mprof_figure *figure, mprof_status status)
{
    if (figure->status == MPROF_OK) {
        figure->status = status;
    }
}

/* Returns the array with room for `needed` elements. NULL: no memory, the array is unchanged and
 * the status is set. */
static void *make_room(mprof_figure *figure, void *array, size_t *room, size_t needed, size_t size)
{
    if (figure->status != MPROF_OK) {
        return NULL;
    }
    if (needed <= *room) {
        return array;
    }
    size_t wanted = *room ? *room * 2 : 64;
    if (wanted < needed) {
        wanted = needed;
    }
    void *grown = wanted <= UINT32_MAX ? realloc(array, wanted * size) : NULL;
    if (!grown) {
        figure->status = MPROF_ENOMEM;
    } else {
        *room = wanted;
    }
    return grown;
}

static uint32_t keep_text(mprof_figure *figure, const char *text, size_t length)
{
    void *room = make_room(figure, figure->text, &figure->text_room, figure->text_size + length, 1);
    if (!room) {
        return 0;
    }
    figure->text = room;
    uint32_t at = (uint32_t)figure->text_size;
    memcpy(figure->text + at, text, length);
    figure->text_size += length;
    return at;
}

static void add_item(mprof_figure *figure, mprof_item item)
{
    void *room = make_room(figure, figure->items, &figure->item_room, figure->item_count + 1,
                           sizeof *figure->items);
    if (!room) {
        return;
    }
    figure->items = room;
    figure->items[figure->item_count++] = item;
    if (figure->group_count) {
        figure->groups[figure->group_count - 1].count++;
    }
}

void mprof__begin_group(mprof_figure *figure, mprof_group_kind kind)
{
    void *room = make_room(figure, figure->groups, &figure->group_room, figure->group_count + 1,
                           sizeof *figure->groups);
    if (!room) {
        return;
    }
    figure->groups = room;
    figure->groups[figure->group_count++] =
        (mprof_group){.kind = kind, .first = (uint32_t)figure->item_count, .count = 0};
}

void mprof__add_rect(mprof_figure *figure, mprof_role role, int colour, mprof_box box,
                     uint32_t about)
{
    add_item(figure, (mprof_item){.shape = MPROF_SHAPE_RECT,
                                  .role = (uint8_t)role,
                                  .colour = (int8_t)colour,
                                  .x = (float)box.x,
                                  .y = (float)box.y,
                                  .width = (float)box.width,
                                  .height = (float)box.height,
                                  .about = about});
}

void mprof__add_dot(mprof_figure *figure, mprof_role role, int colour, double x, double y,
                    double radius)
{
    add_item(figure, (mprof_item){.shape = MPROF_SHAPE_DOT,
                                  .role = (uint8_t)role,
                                  .colour = (int8_t)colour,
                                  .x = (float)x,
                                  .y = (float)y,
                                  .width = (float)(2 * radius),
                                  .height = (float)(2 * radius),
                                  .about = MPROF_ABOUT_NONE});
}

void mprof__add_text(mprof_figure *figure, const mprof__text_item *item)
{
    if (!item->length) {
        return;
    }
    uint32_t at = keep_text(figure, item->text, item->length);
    add_item(figure, (mprof_item){.shape = MPROF_SHAPE_TEXT,
                                  .role = (uint8_t)item->role,
                                  .colour = (int8_t)item->colour,
                                  .anchor = (uint8_t)item->anchor,
                                  .x = (float)item->x,
                                  .y = (float)item->y,
                                  .width = (float)item->width,
                                  .height = (float)mprof_figure_font(figure, item->role).size_px,
                                  .first = at,
                                  .count = (uint32_t)item->length,
                                  .about = MPROF_ABOUT_NONE});
}

void mprof__add_path_point(mprof_figure *figure, double x, double y)
{
    void *room = make_room(figure, figure->points, &figure->point_room, figure->point_count + 1,
                           sizeof *figure->points);
    if (!room) {
        return;
    }
    figure->points = room;
    figure->points[figure->point_count++] = (mprof_point){(float)x, (float)y};
}

void mprof__add_path(mprof_figure *figure, mprof_shape shape, mprof_role role, int colour,
                     size_t first, uint32_t about)
{
    if (figure->status != MPROF_OK || figure->point_count < first + 2) {
        return;
    }
    add_item(figure, (mprof_item){.shape = (uint8_t)shape,
                                  .role = (uint8_t)role,
                                  .colour = (int8_t)colour,
                                  .x = figure->points[first].x,
                                  .y = figure->points[first].y,
                                  .first = (uint32_t)first,
                                  .count = (uint32_t)(figure->point_count - first),
                                  .about = about});
}

uint8_t *mprof__add_cells(mprof_figure *figure, mprof_box box, uint32_t columns, uint32_t rows,
                          uint32_t about)
{
    void *room = make_room(figure, figure->cells, &figure->cells_room, figure->cells_count + 1,
                           sizeof *figure->cells);
    figure->cells = room ? room : figure->cells;
    void *owners = make_room(figure, figure->shades, &figure->shades_room, figure->cells_count + 1,
                             sizeof *figure->shades);
    figure->shades = owners ? owners : figure->shades;
    uint8_t *shades = owners ? calloc((size_t)columns * rows + 1, 1) : NULL;
    if (!shades) {
        mprof__fail(figure, MPROF_ENOMEM);
        return NULL;
    }
    figure->shades[figure->cells_count] = shades;
    figure->cells[figure->cells_count++] = (mprof_cells){columns, rows, shades};
    add_item(figure, (mprof_item){.shape = MPROF_SHAPE_CELLS,
                                  .role = MPROF_ROLE_CELLS,
                                  .colour = MPROF_COLOUR_NONE,
                                  .x = (float)box.x,
                                  .y = (float)box.y,
                                  .width = (float)box.width,
                                  .height = (float)box.height,
                                  .first = (uint32_t)(figure->cells_count - 1),
                                  .about = about});
    return shades;
}

void mprof__add_segment(mprof_figure *figure, mprof_role role, int colour, mprof__segment segment)
{
    size_t first = figure->point_count;
    mprof__add_path_point(figure, segment.x0, segment.y0);
    mprof__add_path_point(figure, segment.x1, segment.y1);
    mprof__add_path(figure, MPROF_SHAPE_LINE, role, colour, first, MPROF_ABOUT_NONE);
}

void mprof__set_anchor(mprof_figure *figure, double x, double y)
{
    if (figure->status != MPROF_OK || !figure->item_count) {
        return;
    }
    figure->items[figure->item_count - 1].x = (float)x;
    figure->items[figure->item_count - 1].y = (float)y;
}

void mprof__set_cut(mprof_figure *figure, uint8_t cut)
{
    if (figure->status == MPROF_OK && figure->item_count &&
        figure->items[figure->item_count - 1].shape == MPROF_SHAPE_LINE) {
        figure->items[figure->item_count - 1].anchor = cut;
    }
}

void mprof__set_about(mprof_figure *figure, uint32_t about)
{
    if (figure->status == MPROF_OK && figure->item_count) {
        figure->items[figure->item_count - 1].about = about;
    }
}

uint32_t mprof__add_about(mprof_figure *figure, mprof_about about, const char *text)
{
    about.text_length = (uint32_t)strlen(text);
    about.text = keep_text(figure, text, about.text_length);
    void *room = make_room(figure, figure->abouts, &figure->about_room, figure->about_count + 1,
                           sizeof *figure->abouts);
    if (!room) {
        return MPROF_ABOUT_NONE;
    }
    figure->abouts = room;
    figure->abouts[figure->about_count] = about;
    return (uint32_t)figure->about_count++;
}

void mprof__add_function(mprof_figure *figure, const char *name, const char *label)
{
    mprof_figure_function function = {.name_length = (uint32_t)strlen(name),
                                      .label_length = (uint32_t)strlen(label)};
    function.name = keep_text(figure, name, function.name_length);
    function.label = keep_text(figure, label, function.label_length);
    void *room = make_room(figure, figure->functions, &figure->function_room,
                           figure->function_count + 1, sizeof *figure->functions);
    if (!room) {
        return;
    }
    figure->functions = room;
    figure->functions[figure->function_count++] = function;
}

void mprof__add_member_place(mprof_figure *figure, mprof__member_place place, const char *name,
                             const char *end)
{
    struct mprof__member_table *table = figure->member_table;
    place.text_length = (uint32_t)strlen(name);
    place.text = keep_text(figure, name, place.text_length);
    place.end_length = (uint32_t)strlen(end);
    place.end_text = keep_text(figure, end, place.end_length);
    void *room =
        make_room(figure, table->places, &table->capacity, table->count + 1, sizeof *table->places);
    if (room) {
        table->places = room;
        table->places[table->count++] = place;
    }
}

void mprof__add_tick(mprof_figure *figure, mprof_figure_tick tick)
{
    void *room = make_room(figure, figure->ticks, &figure->tick_room, figure->tick_count + 1,
                           sizeof *figure->ticks);
    if (!room) {
        return;
    }
    figure->ticks = room;
    figure->ticks[figure->tick_count++] = tick;
}

void mprof__add_tick_value(mprof_figure *figure, uint32_t track, double mib, uint32_t count)
{
    void *room = make_room(figure, figure->tick_values, &figure->tick_value_room,
                           figure->tick_value_count + 1, sizeof *figure->tick_values);
    if (!room || !figure->tick_count) {
        return;
    }
    figure->tick_values = room;
    figure->tick_values[figure->tick_value_count++] = (mprof_tick_value){
        .track = track, .tick = (uint32_t)figure->tick_count - 1, .mib = mib, .count = count};
}

uint32_t mprof__add_track(mprof_figure *figure, mprof_track_kind kind, const char *name)
{
    mprof_track track = {.kind = kind, .name_length = (uint32_t)strlen(name)};
    track.name = keep_text(figure, name, track.name_length);
    void *room = make_room(figure, figure->tracks, &figure->track_room, figure->track_count + 1,
                           sizeof *figure->tracks);
    if (!room) {
        return UINT32_MAX;
    }
    figure->tracks = room;
    figure->tracks[figure->track_count] = track;
    return (uint32_t)figure->track_count++;
}

void mprof__set_track_recording(mprof_figure *figure, const char *name)
{
    uint32_t length = (uint32_t)strlen(name), at = keep_text(figure, name, length);
    if (figure->status == MPROF_OK) {
        figure->tracks[figure->track_count - 1].recording = at;
        figure->tracks[figure->track_count - 1].recording_length = length;
    }
}

void mprof_figure_free(mprof_figure *figure)
{
    if (!figure) {
        return;
    }
    free(figure->items);
    free(figure->points);
    free(figure->abouts);
    free(figure->groups);
    free(figure->functions);
    free(figure->states);
    free(figure->state_members);
    free(figure->ticks);
    free(figure->tick_values);
    free(figure->tracks);
    free(figure->text);
    free(figure->title);
    free(figure->peak_words);
    free(figure->facts);
    free(figure->source);
    for (size_t i = 0; i < figure->cells_count; i++) {
        free(figure->shades[i]);
    }
    free(figure->cells);
    free(figure->shades);
    mprof__tree_table_free(figure->tree_table);
    if (figure->member_table) {
        free(figure->member_table->places);
    }
    free(figure->member_table);
    mprof__free_window_numbers(figure->window_numbers);
    free(figure);
}

double mprof_figure_width_px(const mprof_figure *figure)
{
    return figure->width_px;
}

double mprof_figure_height_px(const mprof_figure *figure)
{
    return figure->height_px;
}

mprof_font mprof_figure_font(const mprof_figure *figure, mprof_role role)
{
    return mprof__role_font(role, figure && figure->sizes.small);
}

const mprof_frame *mprof_figure_frame(const mprof_figure *figure)
{
    return &figure->frame;
}

const mprof_item *mprof_figure_items(const mprof_figure *figure, size_t *count)
{
    *count = figure->item_count;
    return figure->items;
}

const mprof_point *mprof_figure_points(const mprof_figure *figure, size_t *count)
{
    *count = figure->point_count;
    return figure->points;
}

const mprof_cells *mprof_figure_cells(const mprof_figure *figure, size_t *count)
{
    *count = figure->cells_count;
    return figure->cells;
}

const mprof_about *mprof_figure_abouts(const mprof_figure *figure, size_t *count)
{
    *count = figure->about_count;
    return figure->abouts;
}

const mprof_group *mprof_figure_groups(const mprof_figure *figure, size_t *count)
{
    *count = figure->group_count;
    return figure->groups;
}

const mprof_figure_function *mprof_figure_functions(const mprof_figure *figure, size_t *count)
{
    *count = figure->function_count;
    return figure->functions;
}

const mprof_state *mprof_figure_states(const mprof_figure *figure, size_t *count)
{
    *count = figure->state_count;
    return figure->states;
}

const uint32_t *mprof_figure_state_members(const mprof_figure *figure, size_t *count)
{
    *count = figure->state_member_count;
    return figure->state_members;
}

const mprof_figure_tick *mprof_figure_ticks(const mprof_figure *figure, size_t *count)
{
    *count = figure->tick_count;
    return figure->ticks;
}

const mprof_tick_value *mprof_figure_tick_values(const mprof_figure *figure, size_t *count)
{
    *count = figure->tick_value_count;
    return figure->tick_values;
}

const mprof_track *mprof_figure_tracks(const mprof_figure *figure, size_t *count)
{
    *count = figure->track_count;
    return figure->tracks;
}

const char *mprof_figure_text(const mprof_figure *figure, size_t *size)
{
    *size = figure->text_size;
    return figure->text;
}

const char *mprof_figure_title(const mprof_figure *figure)
{
    return figure->title;
}

const char *mprof_figure_facts(const mprof_figure *figure)
{
    return figure->facts;
}

const char *mprof_figure_source(const mprof_figure *figure)
{
    return figure->source;
}
