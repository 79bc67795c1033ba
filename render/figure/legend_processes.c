/* One row for each process, or for each command where processes are grouped. */
#include "legend_table.h"

#include "colour_slots.h"
#include "format_units.h"
#include "heading.h"
#include "merged_calls.h"
#include "process_groups.h"

#include <math.h>
#include <mprof/sums.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void exit_text(char *text, size_t size, const mprof__layout *layout,
                      const mprof__figure_input *input, const mprof_process *process, bool known)
{
    bool is_later = mprof__is_window(layout) && process->end_s - input->start_s > layout->to_s;
    if (!process->ended || is_later) {
        snprintf(text, size, known ? "\xE2\x80\x93" : "");
    } else {
        mprof__exit_text(text, size, process);
    }
}

void mprof__exit_text(char *text, size_t size, const mprof_process *process)
{
    if (!process->ended) {
        *text = '\0';
    } else if (process->cause == MPROF_EXIT_STATUS) {
        snprintf(text, size, "exit %lld", (long long)process->exit_value);
    } else if (process->cause == MPROF_EXIT_SIGNAL) {
        snprintf(text, size, "signal %lld", (long long)process->exit_value);
    } else if (process->cause == MPROF_EXIT_OOM) {
        snprintf(text, size, "out of memory");
    } else {
        snprintf(text, size, "ended");
    }
}

void mprof__main_row_swatch(mprof_role *swatch, int *colour, const mprof__layout *layout,
                            const mprof__figure_input *input)
{
    *colour = layout->options->stack ? mprof__main_colour(layout, input) : MPROF_COLOUR_NONE;
    *swatch = layout->options->stack ? MPROF_ROLE_SWATCH
              : input->main_is_sum   ? MPROF_ROLE_COUNT
                                     : MPROF_ROLE_SWATCH_LINE;
}

static void set_main_swatch(mprof__legend_row *row, const mprof__layout *layout,
                            const mprof__figure_input *input)
{
    mprof__main_row_swatch(&row->swatch, &row->colour, layout, input);
}

void mprof__main_row_name(char *text, size_t size, const mprof__figure_input *input)
{
    char name[200];
    mprof__process_text(name, sizeof name, input, 0);
    snprintf(text, size, strcmp(name, "main") == 0 ? "%s" : "%s (main)", name);
}

static void name_main(mprof__legend_row *row, const mprof__figure_input *input)
{
    char text[220];
    mprof__main_row_name(text, sizeof text, input);
    mprof__legend_set_full_name(row, text);
}

static void fill_main_row(const mprof__layout *layout, mprof__legend_row *row,
                          const mprof__figure_input *input, const mprof_process_sum *sum,
                          bool ends_known)
{
    name_main(row, input);
    set_main_swatch(row, layout, input);
    if (input->line->sample_count) {
        mprof__duration_text(row->cells[0], sizeof *row->cells,
                             input->line->last_s - input->line->first_s);
    }
    if (sum->sample_count) {
        mprof__memory_text_in(row->cells[1], sizeof *row->cells, layout->options->unit,
                              sum->mean_mib);
        mprof__memory_text_in(row->cells[2], sizeof *row->cells, layout->options->unit,
                              sum->peak.mib);
    }
    mprof__high_water_mark_text(row->cells[3], sizeof *row->cells, layout, &input->processes[0]);
    exit_text(row->cells[4], sizeof *row->cells, layout, input, &input->processes[0], ends_known);
}

int mprof__group_row_colour(const mprof__layout *layout, const mprof__figure_input *input,
                            size_t at)
{
    if (at < input->groups.shown) {
        return input->groups.items[at].colour;
    }
    return layout->options->stack ? MPROF__OTHERS_SLOT : MPROF_COLOUR_NONE;
}

/* A process, or those of one command, on one axis with those of other recordings. */
void mprof__group_row_name(char *text, size_t size, const mprof__layout *layout,
                           const mprof__figure_input *input, const mprof__process_group *group)
{
    char name[200], recording[240];
    mprof__group_text(name, sizeof name, input, group);
    mprof__recording_name(recording, sizeof recording, layout, input);
    if (mprof__are_runs_of_one_file(layout)) {
        snprintf(recording, sizeof recording, "run %zu", mprof_profile_run(input->profile)->number);
    }
    bool is_one = layout->input_count == 1;
    snprintf(text, size, "%s%s%s", name, is_one ? "" : ", ", is_one ? "" : recording);
}

static void fill_process_row(const mprof__layout *layout, mprof__legend_row *row,
                             const mprof__figure_input *input, const mprof_process_sum *sums,
                             size_t at, bool ends_known)
{
    const mprof__process_group *group = &input->groups.items[at];
    const mprof_process *process = &input->processes[group->members[0]];
    const mprof_process_sum *sum = &sums[group->members[0]];
    char text[500];
    mprof__group_row_name(text, sizeof text, layout, input, group);
    row->colour = mprof__group_row_colour(layout, input, at);
    row->swatch = MPROF_ROLE_SWATCH;
    mprof__legend_set_full_name(row, text);
    if (group->count > 1) {
        mprof__memory_text_in(row->cells[1], sizeof *row->cells, layout->options->unit,
                              group->mean_mib);
        mprof__memory_text_in(row->cells[2], sizeof *row->cells, layout->options->unit,
                              group->peak.mib);
        return;
    }
    if (sum->sample_count) { /* else no sample is in the window */
        mprof__duration_text(row->cells[0], sizeof *row->cells, sum->last_s - sum->first_s);
        mprof__memory_text_in(row->cells[1], sizeof *row->cells, layout->options->unit,
                              sum->mean_mib);
        mprof__memory_text_in(row->cells[2], sizeof *row->cells, layout->options->unit,
                              sum->peak.mib);
    }
    mprof__high_water_mark_text(row->cells[3], sizeof *row->cells, layout, process);
    exit_text(row->cells[4], sizeof *row->cells, layout, input, process, ends_known);
}

/* The processes of all recordings on one axis. */
bool mprof__legend_add_processes(mprof__legend *legend, const mprof__layout *layout, size_t most)
{
    static const char *const heads[] = {"process",    "lasted", "mean", "peak",
                                        "exact peak", "end",    NULL};
    bool ends_known = false; /* upstream's files do not record it */
    bool is_alone = layout->input_count == 1;
    size_t count = 0, others = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        count += input->groups.count;
        others += input->other_count;
        for (size_t i = 0; i < input->child_count; i++) {
            ends_known = ends_known || input->processes[input->children[i]].ended;
        }
    }
    count += count && is_alone;
    if (mprof__is_overlay(layout) || !count || (is_alone && layout->inputs[0].groups.is_by_key)) {
        return true;
    }
    mprof__legend_table *table = mprof__legend_add_table(legend, count < most ? count : most);
    if (!table) {
        return false;
    }
    mprof__legend_set_heads(table, heads);
    table->total = count + others;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        mprof_process_sum *sums;
        size_t sum_count;
        if (mprof_process_sums_make(&sums, &sum_count, input->profile, NULL) != MPROF_OK) {
            return false;
        }
        if (is_alone && mprof__is_merged(input)) {
            table->total--;
        } else if (is_alone) {
            fill_main_row(layout, &table->rows[table->count++], input, &sums[0], ends_known);
        }
        for (size_t i = 0; i < input->groups.count && table->count < most; i++) {
            fill_process_row(layout, &table->rows[table->count++], input, sums, i, ends_known);
        }
        mprof_process_sums_free(sums);
    }
    mprof__legend_fit_names(legend, layout, table, is_alone);
    mprof__legend_remove_empty_columns(table);
    return true;
}

/* Groups by what they had at the peak. */
struct ranked_group {
    const mprof__process_group *group;
    size_t at;
};

static int by_part_of_peak(const void *a, const void *b)
{
    const struct ranked_group *x = a, *y = b;
    if (x->group->at_peak_mib != y->group->at_peak_mib) {
        return x->group->at_peak_mib < y->group->at_peak_mib ? 1 : -1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

/* What was measured when the sum of all processes was highest. */
static void fill_peak_cells(char cells[][MPROF__LEGEND_CELL_BYTES], const mprof__layout *layout,
                            const mprof__figure_input *input, double mib)
{
    const char *about = input->groups.is_estimate ? "\xE2\x89\x88 " : "";
    char memory[36];
    snprintf(cells[0], sizeof *cells, "%s%s", about,
             mprof__memory_text_in(memory, sizeof memory, layout->options->unit, mib));
    snprintf(cells[1], sizeof *cells, "%s%.0f %%", about, mib / input->groups.peak.mib * 100);
}

static void fill_group_row(const mprof__layout *layout, mprof__legend_row *row,
                           const mprof__figure_input *input, const struct ranked_group *ranked)
{
    const mprof__process_group *group = ranked->group;
    const mprof_process *largest = &input->processes[group->members[0]];
    char text[200], memory[40], time[40];
    mprof__group_text(text, sizeof text, input, group);
    mprof__legend_set_full_name(row, text);
    row->colour = mprof__group_row_colour(layout, input, ranked->at);
    row->swatch = MPROF_ROLE_SWATCH;
    if (group->peak.mib > 0) { /* else it has no sample in the window */
        mprof__memory_text_in(row->cells[0], sizeof *row->cells, layout->options->unit,
                              group->mean_mib);
        mprof__memory_text_in(row->cells[1], sizeof *row->cells, layout->options->unit,
                              group->peak.mib);
    }
    if (group->at_peak_count) {
        fill_peak_cells(&row->cells[2], layout, input, group->at_peak_mib);
    } else {
        snprintf(row->cells[2], sizeof *row->cells, "not running");
    }
    char which[48];
    if (largest->series.sample_count &&
        mprof__member_of_group_text(which, sizeof which, input, group->members[0])) {
        snprintf(
            row->cells[4], sizeof *row->cells, "%s %s at %s",
            mprof__memory_text_in(memory, sizeof memory, layout->options->unit,
                                  largest->series.peak.mib),
            which,
            mprof__duration_text(time, sizeof time, largest->series.peak.time_s - input->start_s));
    }
}

static void fill_main_group_row(const mprof__layout *layout, mprof__legend_row *row,
                                const mprof__figure_input *input, const mprof_process_sum *sum)
{
    name_main(row, input);
    set_main_swatch(row, layout, input);
    if (sum->sample_count) {
        mprof__memory_text_in(row->cells[0], sizeof *row->cells, layout->options->unit,
                              sum->mean_mib);
        mprof__memory_text_in(row->cells[1], sizeof *row->cells, layout->options->unit,
                              sum->peak.mib);
    }
    if (input->groups.main_at_peak_mib > 0) {
        fill_peak_cells(&row->cells[2], layout, input, input->groups.main_at_peak_mib);
    }
}

/* What each command, rank or host had in all, and at the peak. */
bool mprof__legend_add_commands(mprof__legend *legend, const mprof__layout *layout, size_t most)
{
    const mprof__figure_input *input = &layout->inputs[0];
    const mprof__process_groups *groups = &input->groups;
    const char *const heads[] = {groups->noun,      "mean", "peak", "at the peak", "share",
                                 "largest process", NULL};
    size_t first = mprof__is_merged(input) ? 0 : 1, count = groups->count + first;
    mprof_process_sum *sums = NULL;
    size_t sum_count;
    if (layout->input_count != 1 || !groups->is_by_key) {
        return true;
    }
    mprof__legend_table *table = mprof__legend_add_table(legend, count < most ? count : most);
    struct ranked_group *ranked = malloc((count + 1) * sizeof *ranked);
    if (!table || !ranked ||
        mprof_process_sums_make(&sums, &sum_count, input->profile, NULL) != MPROF_OK) {
        free(ranked);
        return false;
    }
    for (size_t i = 0; i < groups->count; i++) {
        ranked[i] = (struct ranked_group){&groups->items[i], i};
    }
    qsort(ranked, groups->count, sizeof *ranked, by_part_of_peak);
    mprof__legend_set_heads(table, heads);
    table->total = count + (input->other_count > 0);
    table->count = count < most ? count : most;
    if (first == 1) {
        fill_main_group_row(layout, &table->rows[0], input, &sums[0]);
    }
    for (size_t i = first; i < table->count; i++) {
        fill_group_row(layout, &table->rows[i], input, &ranked[i - first]);
    }
    free(ranked);
    mprof_process_sums_free(sums);
    mprof__legend_fit_names(legend, layout, table, 1);
    mprof__legend_remove_empty_columns(table);
    table->has_spare_column = table->columns > 4;
    return true;
}
