/* One row for each recording if several are overlaid or a slope is drawn, or for each kind of
 * memory. */
#include "legend_table.h"

#include "bounds.h"
#include "colour_slots.h"
#include "format_units.h"
#include "heading.h"
#include "memory_kind_curves.h"
#include "recording_list.h"

#include <stdio.h>
#include <string.h>

static void fill_memory_row(mprof__legend *legend, const mprof__layout *layout,
                            mprof__legend_row *row, const char *text, const mprof_series *series)
{
    mprof__legend_set_name(legend, layout, row, text);
    if (!series->sample_count) { /* no sample is in the window */
        return;
    }
    mprof__memory_text_in(row->cells[0], sizeof *row->cells, layout->options->unit,
                          series->peak.mib);
    mprof__memory_text_in(row->cells[1], sizeof *row->cells, layout->options->unit,
                          series->mean_mib);
    mprof__count_text(row->cells[2], sizeof *row->cells, series->sample_count);
}

/* The sampled memory and the kinds that were asked for. */
bool mprof__legend_add_kinds(mprof__legend *legend, const mprof__layout *layout)
{
    static const char *const heads[] = {"memory", "peak", "mean", "samples", NULL};
    const mprof__figure_input *input = &layout->inputs[0];
    mprof__kind_curve curve = {.series = NULL};
    char text[240];
    if (layout->input_count != 1 || !mprof__next_kind(layout, input, &curve)) {
        return true;
    }
    mprof__legend_table *table = mprof__legend_add_table(legend, MPROF_KIND_COUNT + 1);
    if (!table) {
        return false;
    }
    mprof__legend_set_heads(table, heads);
    mprof__legend_row *row = &table->rows[table->count++];
    row->colour = MPROF_COLOUR_NONE;
    row->swatch = MPROF_ROLE_SWATCH_LINE;
    mprof__measured_kind_text(text, sizeof text, input);
    fill_memory_row(legend, layout, row, text, mprof_profile_samples(input->profile));
    do {
        row = &table->rows[table->count++];
        row->colour = curve.colour;
        row->swatch = MPROF_ROLE_KIND;
        mprof__kind_text(text, sizeof text, input, &curve);
        fill_memory_row(legend, layout, row, text, curve.series);
    } while (mprof__next_kind(layout, input, &curve));
    table->total = table->count;
    return true;
}

/* With several recordings, a column for each kind. */
static void add_kind_columns(mprof__legend_table *table, const mprof__layout *layout)
{
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        char head[24];
        if (layout->input_count == 1 || !(layout->options->kinds & 1U << kind)) {
            continue;
        }
        for (size_t i = 0; i < table->count; i++) {
            const mprof_series *series =
                &mprof_profile_kind(layout->inputs[layout->crowd ? layout->crowd[i] : i].profile,
                                    (mprof_kind)kind)
                     ->series;
            if (series->sample_count) {
                mprof__memory_text(table->rows[i].cells[table->columns - 1],
                                   sizeof *table->rows[i].cells, series->peak.mib);
            }
        }
        snprintf(head, sizeof head, "peak %s", mprof__kind_label((mprof_kind)kind));
        mprof__legend_add_head(table, head);
    }
}

static bool has_runs_of_one_day(const mprof__layout *layout)
{
    char first[40], date[40];
    mprof__date_text(first, sizeof first, mprof_profile_start_s(layout->inputs[0].profile));
    for (size_t r = 1; r < layout->input_count; r++) {
        mprof__date_text(date, sizeof date, mprof_profile_start_s(layout->inputs[r].profile));
        if (strncmp(first, date, strcspn(first, " ")) != 0) {
            return false;
        }
    }
    return mprof__are_runs_of_one_file(layout);
}

/* The head of the column has the zone of the first recording. */
static void start_text(char *text, size_t size, double start_s, const char *usual_zone)
{
    char date[64], zone[16];
    mprof__date_text(date, sizeof date, start_s);
    mprof__zone_text(zone, sizeof zone, start_s);
    snprintf(text, size, strcmp(zone, usual_zone) == 0 ? "%s" : "%s %s", date, zone);
}

bool mprof__legend_add_recordings(mprof__legend *legend, const mprof__layout *layout)
{
    static const char *const heads[] = {"recording", "started", "lasted", "samples",
                                        "peak",      "slope",   NULL};
    bool is_alone = layout->input_count == 1 && !layout->options->slope;
    if (is_alone || mprof__has_recording_list(layout)) {
        return true;
    }
    mprof__legend_table *table = mprof__legend_add_table(legend, layout->input_count);
    if (!table) {
        return false;
    }
    char zone[16];
    mprof__legend_set_heads(table, heads);
    mprof__zone_text(zone, sizeof zone, mprof_profile_start_s(layout->inputs[0].profile));
    snprintf(table->heads[1], sizeof *table->heads, *zone ? "started (%s)" : "started", zone);
    if (!layout->options->slope) {
        table->columns--;
    }
    table->total = table->count = layout->input_count;
    bool is_one_day = has_runs_of_one_day(layout); /* their names have the time */
    for (size_t i = 0; i < table->count; i++) {
        const mprof__figure_input *input = &layout->inputs[layout->crowd ? layout->crowd[i] : i];
        mprof__legend_row *row = &table->rows[i];
        char name[240];
        mprof__recording_name(name, sizeof name, layout, input);
        row->colour = input->colour;
        row->swatch = input->colour == MPROF_COLOUR_NONE || input->colour >= MPROF__LINE_SLOT
                          ? MPROF_ROLE_SWATCH_LINE
                          : MPROF_ROLE_SWATCH;
        mprof__legend_set_full_name(row, name);
        double start_s = mprof_profile_start_s(input->profile);
        if (!is_one_day) {
            start_text(row->cells[0], sizeof *row->cells, start_s, zone);
        }
        mprof__duration_text(row->cells[1], sizeof *row->cells,
                             mprof_profile_end_s(input->profile) - start_s);
        mprof__count_text(row->cells[2], sizeof *row->cells,
                          mprof_profile_samples(input->profile)->sample_count);
        if (input->line->sample_count) {
            bool is_total = layout->options->stack && input->is_part && !mprof__is_overlay(layout);
            mprof__bound_text(row->cells[3], sizeof *row->cells, layout->options->unit,
                              is_total ? input->total_peak : input->peak);
        }
        if (layout->options->slope) {
            snprintf(row->cells[4], sizeof *row->cells, "%.5f MiB/s",
                     mprof_profile_samples(input->profile)->slope_mib_per_s);
        }
    }
    if (is_one_day) {
        mprof__legend_remove_column(table, 0);
    }
    mprof__legend_fit_names(legend, layout, table, 0);
    add_kind_columns(table, layout);
    return true;
}
