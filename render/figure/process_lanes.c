/* Calls that follow each other are a few rows of bars right below the plot. Where they overlap for
 * long, each process is a band: its memory on one scale for all, and a lane for each call at once,
 * one row a level. More than LANE_MAX lanes cannot be followed: then the band shows how many calls
 * ran at once. Where room is short, forms with less detail are tried. */
#include "process_lanes.h"

#include "annotations.h"
#include "call_bars.h"
#include "call_slots.h"
#include "calls_at_once.h"
#include "curve.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "merged_calls.h"
#include "parse/array.h"
#include "process_curves.h"
#include "process_sums.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANE_MAX 24
#define STRIP_MAX 12
#define LEVEL_MAX 8
#define ROWS_MAX 48 /* of all lanes; deeper levels are left out */
#define MARGIN_PX 3.0
#define BAND_GAP_PX 12.0
#define STRIP_GAP_PX 4.0 /* between a strip's floor and its lanes */
#define LANE_GAP_PX 3.0
#define NAME_PX 12.0 /* between two lines of text */
#define AT_ONCE_PX 4.0
#define AT_ONCE_BAND_PX 48.0
#define AT_ONCE_ALL_PX 96.0
#define HEIGHT_MAX_PX 900.0
#define GUTTER_MAX_PX 170.0
#define GUTTER_GAP_PX 10.0

/* The calls of one process, or of one recording. */
struct band {
    const mprof__figure_input *input;
    uint32_t process;                    /* MPROF__EVERY_PROCESS: of the recording */
    size_t first_slot, slot_count;       /* of the input */
    size_t levels;                       /* of its lanes with the most */
    mprof__calls_at_once *at_once;       /* made when it is needed */
    double y, strip_px, calls_y, height; /* px from the top of all bands */
    double unit_px;                      /* of calls at once */
    char name[120], peak[48];
};

/* How the bands are drawn. */
struct form {
    bool strips, names, at_once, merged; /* merged: one band for each recording */
    double strip_px, row_px, lane_gap_px, band_gap_px;
    size_t levels;     /* of a lane, at most */
    double at_once_px; /* height of the most calls at once, at most */
};

struct mprof__process_lanes {
    struct band *bands;
    size_t count, room;
    struct form form;
    bool overlap; /* calls overlap for long */
    size_t slots;
    double strip_mib; /* upper end of the scale of all strips */
    mprof_series main;
    mprof_sample *main_points;
    double height;
};

void mprof__process_lanes_free(mprof__process_lanes *lanes)
{
    if (!lanes) {
        return;
    }
    for (size_t i = 0; i < lanes->count; i++) {
        mprof__calls_at_once_free(lanes->bands[i].at_once);
    }
    free(lanes->bands);
    free(lanes->main_points);
    free(lanes);
}

/* ---- bands ---- */

static bool add_band(mprof__process_lanes *lanes, struct band band)
{
    struct band *bands = mprof__array_grow(lanes->bands, lanes->count, &lanes->room, sizeof *bands);
    if (!bands) {
        return false;
    }
    lanes->bands = bands;
    for (size_t i = 0; i < band.slot_count; i++) {
        size_t rows = band.input->slots[band.first_slot + i].rows;
        band.levels = rows > band.levels ? rows : band.levels;
    }
    bands[lanes->count++] = band;
    return true;
}

static bool add_process(mprof__process_lanes *lanes, const mprof__figure_input *input,
                        uint32_t process)
{
    size_t first = 0;
    while (first < input->slot_count && input->slots[first].process != process) {
        first++;
    }
    size_t end = first;
    while (end < input->slot_count && input->slots[end].process == process) {
        end++;
    }
    return end == first || add_band(lanes, (struct band){.input = input,
                                                         .process = process,
                                                         .first_slot = first,
                                                         .slot_count = end - first});
}

static bool any_overlap(const mprof__figure_input *input)
{
    for (size_t i = 0; i < input->process_count; i++) {
        if (input->overlapping[i]) {
            return true;
        }
    }
    return input->processes_overlap;
}

/* A band for each process with calls: the main one, then in the order of the legend; if nothing
 * overlaps or there are several recordings, one for each recording. */
static bool add_bands(mprof__process_lanes *lanes, const mprof__layout *layout, bool merged)
{
    bool good = true;
    for (size_t r = 0; good && r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        if (merged) {
            good = !input->slot_count ||
                   add_band(lanes, (struct band){.input = input,
                                                 .process = MPROF__EVERY_PROCESS,
                                                 .slot_count = input->slot_count});
            continue;
        }
        good = add_process(lanes, input, 0);
        size_t found = lanes->count;
        for (size_t i = 0; good && i < input->child_count; i++) {
            good = add_process(lanes, input, input->children[i]);
        }
        /* processes without a curve */
        for (size_t s = 0; good && found < input->slot_count && s < input->slot_count; s++) {
            uint32_t process = input->slots[s].process;
            bool known = process == 0 || (s && input->slots[s - 1].process == process);
            if (!known && !input->processes[process].series.point_count) {
                good = add_process(lanes, input, process);
            }
        }
    }
    return good;
}

static void clear_bands(mprof__process_lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++) {
        mprof__calls_at_once_free(lanes->bands[i].at_once);
    }
    lanes->count = 0;
}

mprof__process_lanes *mprof__process_lanes_new(const mprof__layout *layout)
{
    mprof__process_lanes *lanes = calloc(1, sizeof *lanes);
    if (!lanes) {
        return NULL;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        lanes->overlap = lanes->overlap || any_overlap(&layout->inputs[r]);
        lanes->slots += layout->inputs[r].slot_count;
    }
    return lanes;
}

/* ---- names ---- */

/* How many bytes at the start all names have in common, up to a space. */
static size_t common_length(const mprof__process_lanes *lanes)
{
    const char *first = lanes->bands[0].name;
    size_t common = 0;
    for (size_t at = 0; first[at]; at++) {
        for (size_t i = 1; i < lanes->count; i++) {
            if (lanes->bands[i].name[at] != first[at]) {
                return common;
            }
        }
        common = first[at] == ' ' ? at + 1 : common;
    }
    return lanes->count > 1 ? common : 0;
}

/* Of "python3 gunicorn 7" and "python3 gunicorn 8" the last word. */
static void shorten_names(mprof__process_lanes *lanes)
{
    size_t common = common_length(lanes);
    for (size_t i = 0; i < lanes->count && common; i++) {
        char rest[sizeof lanes->bands->name];
        snprintf(rest, sizeof rest, "%s", lanes->bands[i].name + common);
        bool number = strspn(rest, "0123456789") == strlen(rest);
        bool is_child = strncmp(lanes->bands[i].name, "child ", 6) == 0; /* it has no pid */
        snprintf(lanes->bands[i].name, sizeof lanes->bands[i].name, "%s%.100s",
                 !number    ? ""
                 : is_child ? "child "
                            : "pid ",
                 rest);
    }
}

static const mprof_series *series_of(const mprof__process_lanes *lanes, const struct band *band)
{
    return band->process == 0 && band->input->main_is_sum
               ? &lanes->main
               : &band->input->processes[band->process].series;
}

static double highest_of(const mprof__layout *layout, const mprof__figure_input *input,
                         const mprof_series *series)
{
    mprof__range range = {INFINITY, 0};
    mprof__widen_by_series(&range, layout, input, series);
    return range.high;
}

static void name_bands(mprof__process_lanes *lanes, const mprof__layout *layout)
{
    for (size_t i = 0; i < lanes->count; i++) {
        struct band *band = &lanes->bands[i];
        if (lanes->form.merged) {
            mprof__recording_name(band->name, sizeof band->name, layout, band->input);
            continue;
        }
        mprof__process_text(band->name, sizeof band->name, band->input, band->process);
        double peak = highest_of(layout, band->input, series_of(lanes, band));
        char memory[40];
        snprintf(band->peak, sizeof band->peak, "peak %s",
                 mprof__memory_text_in(memory, sizeof memory, layout->options->unit, peak));
    }
    if (lanes->count && !lanes->form.merged) {
        shorten_names(lanes);
    }
}

/* ---- forms ---- */

static double unit_of(double mib)
{
    return mib >= 1024 * 1024 ? 1024 * 1024 : mib >= 1024 ? 1024 : mib >= 1 ? 1 : 1.0 / 1024;
}

/* The first round number that is not below. */
static double round_up(double mib)
{
    static const double steps[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
    double unit = unit_of(mib);
    double value = fmax(mib / unit, 1e-3), power = pow(10, floor(log10(value)));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (value <= steps[i] * power * (1 + 1e-9)) {
            return steps[i] * power * unit;
        }
    }
    return mib;
}

/* The main process has no strip if the plot shows its own memory. */
static bool has_strip(const struct form *form, const struct band *band)
{
    return form->strips && (band->process || band->input->main_is_sum);
}

static void place_calls(struct band *band, const struct form *form, double y)
{
    band->calls_y = y;
    band->height = y - band->y;
    if (form->at_once) {
        double most = (double)mprof__calls_at_once_most(band->at_once);
        band->unit_px = fmin(AT_ONCE_PX, form->at_once_px / fmax(1, most));
        band->height += most * band->unit_px;
        return;
    }
    for (size_t i = 0; i < band->slot_count; i++) {
        size_t rows = band->input->slots[band->first_slot + i].rows;
        rows = rows < form->levels ? rows : form->levels;
        band->height += (double)rows * form->row_px + (i ? form->lane_gap_px : 0);
    }
}

static double arrange(mprof__process_lanes *lanes, const struct form *form)
{
    double y = fmax(MARGIN_PX, form->band_gap_px);
    for (size_t i = 0; i < lanes->count; i++) {
        struct band *band = &lanes->bands[i];
        band->y = y;
        band->strip_px = has_strip(form, band) ? form->strip_px : 0;
        place_calls(band, form, y + (band->strip_px > 0 ? band->strip_px + STRIP_GAP_PX : 0));
        y += fmax(band->height, form->names ? NAME_PX : 0) + form->band_gap_px;
    }
    return lanes->count ? ceil(y - form->band_gap_px + MARGIN_PX) : 0;
}

static bool make_at_once(mprof__process_lanes *lanes, const mprof__layout *layout)
{
    for (size_t i = 0; i < lanes->count; i++) {
        struct band *band = &lanes->bands[i];
        if (!band->at_once) {
            band->at_once = mprof__calls_at_once_new(layout, band->input, band->process);
        }
        if (!band->at_once) {
            return false;
        }
    }
    return true;
}

/* Fewer levels for more lanes. */
static size_t levels_for(size_t slots)
{
    size_t levels = ROWS_MAX / (slots ? slots : 1);
    return levels < 1 ? 1 : levels > LEVEL_MAX ? LEVEL_MAX : levels;
}

static mprof_status make_main_series(mprof__process_lanes *lanes, const mprof__layout *layout)
{
    const mprof__figure_input *input = &layout->inputs[0];
    return input->main_is_sum && !lanes->main_points
               ? mprof__main_without_children(input, &lanes->main, &lanes->main_points)
               : MPROF_OK;
}

/* Tries a form; true if it fits. */
static bool try_form(mprof__process_lanes *lanes, const mprof__layout *layout, struct form form,
                     double most_px, mprof_status *status)
{
    clear_bands(lanes);
    if (!add_bands(lanes, layout, form.merged) || (form.at_once && !make_at_once(lanes, layout))) {
        *status = MPROF_ENOMEM;
        return false;
    }
    if (form.strips && lanes->count > STRIP_MAX) {
        return false;
    }
    lanes->form = form;
    lanes->height = arrange(lanes, &lanes->form);
    return lanes->height <= most_px;
}

static void mark_strips(mprof__process_lanes *lanes, mprof__layout *layout)
{
    mprof__figure_input *input = &layout->inputs[0];
    double highest = 0;
    for (size_t i = 0; i < lanes->count && lanes->form.strips; i++) {
        const struct band *band = &lanes->bands[i];
        if (band->strip_px > 0) {
            input->stripped[band->process] = true;
            highest = fmax(highest, highest_of(layout, input, series_of(lanes, band)));
        }
    }
    lanes->strip_mib = round_up(fmax(highest, 1.0 / 1024));
}

static size_t count_processes(const mprof__figure_input *input)
{
    size_t count = 0;
    for (size_t i = 0; i < input->slot_count; i++) {
        count += !i || input->slots[i].process != input->slots[i - 1].process;
    }
    return count;
}

/* The forms from the most detail to the least. */
static mprof_status choose_form(mprof__process_lanes *lanes, const mprof__layout *layout,
                                double most_px)
{
    mprof_status status = MPROF_OK;
    bool alone = layout->input_count == 1;
    bool at_once = lanes->slots > LANE_MAX;
    bool several = alone && layout->inputs[0].process_count > 1 && lanes->overlap;
    bool strips = several && !layout->options->stack && layout->inputs[0].child_count;
    size_t levels = levels_for(lanes->slots);
    bool few = alone && count_processes(&layout->inputs[0]) <= 2;
    double row = few ? 4 : 3;
    double all = AT_ONCE_ALL_PX, own = AT_ONCE_BAND_PX;
    double left = (most_px - 2 * MARGIN_PX) / (double)layout->input_count - MARGIN_PX;
    bool named = !alone && lanes->overlap;
    const struct form forms[] = {
        {strips, several, at_once, false, 44, 4, LANE_GAP_PX, BAND_GAP_PX, levels, own},
        {strips, several, at_once, false, 30, row, LANE_GAP_PX, BAND_GAP_PX, levels, own},
        {strips, several, true, false, 24, row, LANE_GAP_PX, 8, levels, own},
        {false, several, at_once, false, 0, 3, LANE_GAP_PX, 8, levels, own},
        {false, named, at_once, true, 0, 3, LANE_GAP_PX, named ? 8 : MARGIN_PX, levels, all},
        {false, false, at_once, true, 0, 3, LANE_GAP_PX, MARGIN_PX, levels, all},
        {false, false, at_once, true, 0, 3, 1, MARGIN_PX, levels > 2 ? 2 : levels, all},
        {false, false, true, true, 0, 3, 1, MARGIN_PX, 1, fmax(1, fmin(all, left))},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        bool skipped = (i == 0 && (!strips || !few)) || (i < 3 && i && !strips) ||
                       (i == 3 && !several) || (i == 4 && !named);
        skipped = skipped || (forms[i].names && layout->figure->sizes.small);
        if (!skipped && try_form(lanes, layout, forms[i], most_px, &status)) {
            return MPROF_OK;
        }
        if (status != MPROF_OK) {
            return status;
        }
    }
    clear_bands(lanes);
    lanes->height = 0;
    return MPROF_OK;
}

/* Without overlap: rows of bars right below the plot. */
static bool fit_simple(mprof__process_lanes *lanes, const mprof__layout *layout, double most_px,
                       mprof_status *status)
{
    size_t levels = levels_for(lanes->slots);
    bool good = false;
    for (; levels && !good && lanes->slots <= LANE_MAX && *status == MPROF_OK; levels /= 2) {
        struct form form = {.merged = true,
                            .row_px = 4,
                            .lane_gap_px = 0,
                            .band_gap_px = layout->input_count > 1 ? 0 : MARGIN_PX,
                            .levels = levels};
        good = try_form(lanes, layout, form, most_px, status);
    }
    return good;
}

mprof_status mprof__process_lanes_fit(mprof__process_lanes *lanes, mprof__layout *layout,
                                      double most_px)
{
    mprof_status status = MPROF_OK;
    most_px = fmin(most_px, HEIGHT_MAX_PX);
    for (size_t r = 0; r < layout->input_count; r++) {
        mprof__figure_input *input = &layout->inputs[r];
        memset(input->stripped, 0, input->process_count * sizeof *input->stripped);
    }
    if (!lanes->slots) {
        return MPROF_OK;
    }
    if (!lanes->overlap && fit_simple(lanes, layout, most_px, &status)) {
        return MPROF_OK;
    }
    if (status == MPROF_OK) {
        status = make_main_series(lanes, layout);
    }
    if (status == MPROF_OK) {
        status = choose_form(lanes, layout, most_px);
    }
    if (status == MPROF_OK && lanes->form.names) {
        name_bands(lanes, layout);
        mark_strips(lanes, layout);
    }
    return status;
}

double mprof__process_lanes_height(const mprof__process_lanes *lanes)
{
    return lanes->height;
}

double mprof__process_lanes_gutter(const mprof__process_lanes *lanes, const mprof__layout *layout)
{
    double width = 0;
    for (size_t i = 0; i < lanes->count && lanes->form.names; i++) {
        const struct band *band = &lanes->bands[i];
        width = fmax(width, mprof__text_width(layout, MPROF_ROLE_LANE_GROUP, band->name,
                                              strlen(band->name)));
        if (band->strip_px > 0) {
            width = fmax(width, mprof__text_width(layout, MPROF_ROLE_LANE_NAME, band->peak,
                                                  strlen(band->peak)));
        }
    }
    return width > 0 ? fmin(width, GUTTER_MAX_PX) + GUTTER_GAP_PX : 0;
}

double mprof__strip_mib_per_px(const mprof__process_lanes *lanes)
{
    return lanes->count && lanes->form.strips ? lanes->strip_mib / lanes->form.strip_px : 0;
}

/* ---- drawing ---- */

static void draw_rule(mprof__layout *layout, double y)
{
    mprof__add_segment(layout->figure, MPROF_ROLE_LANE_RULE, MPROF_COLOUR_NONE,
                       (mprof__segment){layout->plot.x, floor(y) + 0.5,
                                        layout->plot.x + layout->plot.width, floor(y) + 0.5});
}

/* The curve of one process in a plot of its own. */
static void draw_strip(mprof__layout *layout, const mprof__process_lanes *lanes,
                       const struct band *band, double y)
{
    mprof__layout strip = *layout;
    char name[200];
    strip.plot.y = y;
    strip.plot.height = band->strip_px;
    strip.memory = (mprof__scale){
        .to = lanes->strip_mib, .start = y + band->strip_px, .extent = -band->strip_px};
    mprof__process_text(name, sizeof name, band->input, band->process);
    draw_rule(layout, y);
    draw_rule(layout, y + band->strip_px);
    mprof__stroke stroke = {
        .line = MPROF_ROLE_STRIP,
        .area = MPROF_ROLE_STRIP_AREA,
        .dot = MPROF_ROLE_COUNT,
        .colour = MPROF_COLOUR_NONE,
        .about =
            mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, name)};
    mprof__draw_series(&strip, band->input, series_of(lanes, band), &stroke);
}

void mprof__draw_strips(mprof__layout *layout, const mprof__process_lanes *lanes, double y)
{
    bool any = false;
    double x;
    for (size_t i = 0; i < lanes->count; i++) {
        const struct band *band = &lanes->bands[i];
        if (band->strip_px > 0) {
            draw_strip(layout, lanes, band, y + band->y);
            any = true;
        }
    }
    if (any && mprof__find_peak(layout, &x)) {
        mprof__add_segment(layout->figure, MPROF_ROLE_PEAK, MPROF_COLOUR_NONE,
                           (mprof__segment){x, y, x, y + lanes->height});
    }
}

/* Sets y and rows of the slots of one recording. */
static void locate_slots(const mprof__process_lanes *lanes, const mprof__figure_input *input,
                         double top, double *slot_y, uint16_t *slot_rows)
{
    const struct form *form = &lanes->form;
    for (size_t i = 0; i < input->slot_count; i++) {
        slot_y[i] = -1;
        slot_rows[i] = 0;
    }
    for (size_t b = 0; b < lanes->count; b++) {
        const struct band *band = &lanes->bands[b];
        double y = top + band->calls_y;
        for (size_t i = 0; band->input == input && i < band->slot_count; i++) {
            size_t slot = band->first_slot + i, rows = input->slots[slot].rows;
            rows = rows < form->levels ? rows : form->levels;
            slot_y[slot] = y;
            slot_rows[slot] = (uint16_t)rows;
            y += (double)rows * form->row_px + form->lane_gap_px;
        }
    }
}

static void draw_bars(mprof__layout *layout, const mprof__process_lanes *lanes,
                      const mprof__figure_input *input, double y)
{
    double *slot_y = malloc((input->slot_count + 1) * sizeof *slot_y);
    uint16_t *slot_rows = malloc((input->slot_count + 1) * sizeof *slot_rows);
    if (slot_y && slot_rows) {
        locate_slots(lanes, input, y, slot_y, slot_rows);
        bool lanes_apart = lanes->form.lane_gap_px > 0;
        mprof__bar_rows rows = {slot_y, slot_rows, lanes->form.row_px,
                                lanes->form.row_px - (lanes_apart ? 0 : 1),
                                lanes_apart ? MPROF_ROLE_LANE_BAR : MPROF_ROLE_RUG};
        mprof__draw_call_bars(layout, input, &rows);
    } else {
        mprof__fail(layout->figure, MPROF_ENOMEM);
    }
    free(slot_y);
    free(slot_rows);
}

void mprof__draw_process_lanes(mprof__layout *layout, const mprof__process_lanes *lanes, double y)
{
    if (!lanes->count) {
        return;
    }
    for (size_t i = 0; i < lanes->count && lanes->form.at_once; i++) {
        const struct band *band = &lanes->bands[i];
        mprof__draw_calls_at_once(layout, band->at_once, y + band->calls_y, band->unit_px);
    }
    for (size_t r = 0; r < layout->input_count && !lanes->form.at_once; r++) {
        draw_bars(layout, lanes, &layout->inputs[r], y);
    }
}

static void add_line(mprof__layout *layout, mprof_role role, const char *name, double y)
{
    char text[200];
    double right = layout->plot.x - GUTTER_GAP_PX;
    size_t length = mprof__fit_text(layout, role, text, sizeof text, name, right - 4);
    mprof__add_measured_text(layout, (mprof__text_item){.role = role,
                                                        .colour = MPROF_COLOUR_NONE,
                                                        .anchor = MPROF_ANCHOR_END,
                                                        .x = right,
                                                        .y = y,
                                                        .text = text,
                                                        .length = length});
}

/* Left of a strip: the upper end of its scale, the process, its peak; in a second line below the
 * lanes the calls at once. */
void mprof__draw_process_lane_names(mprof__layout *layout, const mprof__process_lanes *lanes,
                                    double y)
{
    for (size_t i = 0; i < lanes->count && lanes->form.names; i++) {
        const struct band *band = &lanes->bands[i];
        double top = y + band->y;
        if (band->strip_px <= 0) {
            add_line(layout, MPROF_ROLE_LANE_GROUP, band->name, top + 9);
            continue;
        }
        char scale[40];
        double step = floor(band->strip_px / 2.5);
        step = fmin(fmax(step, NAME_PX), 15);
        double unit = unit_of(lanes->strip_mib);
        snprintf(scale, sizeof scale, "%.4g %s", lanes->strip_mib / unit,
                 unit < 1      ? "KiB"
                 : unit < 2    ? "MiB"
                 : unit < 2048 ? "GiB"
                               : "TiB");
        add_line(layout, MPROF_ROLE_TICK, scale, top + 4);
        add_line(layout, MPROF_ROLE_LANE_GROUP, band->name, top + 4 + step);
        if (band->height >= 4 + 2 * step) {
            add_line(layout, MPROF_ROLE_LANE_NAME, band->peak, top + 4 + 2 * step);
        }
        if (lanes->form.at_once && band->height >= 4 + 3 * step) {
            char text[64];
            snprintf(text, sizeof text, "%zu calls at once",
                     mprof__calls_at_once_most(band->at_once));
            add_line(layout, MPROF_ROLE_LANE_NAME, text, top + 4 + 3 * step);
        }
    }
}
