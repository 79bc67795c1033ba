/* One row per function with its calls, times and memory, the longest total time first; one per
 * process; one per recording if several are overlaid or a slope is drawn. Rows without room are
 * counted in the last line. */
#include "legend.h"

#include "bounds.h"
#include "colour_slots.h"
#include "density_rows.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "layout.h"
#include "memory_kind_curves.h"
#include "merged_calls.h"
#include "process_groups.h"
#include "recording_list.h"
#include "visible_text.h"

#include "parse/plain_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_MAX (7 + MPROF_KIND_COUNT)
#define ROW_PX 19.0
#define HEAD_PX 20.0
#define COLUMN_GAP_PX 26.0
#define TABLE_GAP_PX 56.0
#define SWATCH_PX 10.0
#define SWATCH_GAP_PX 8.0
#define LINE_SWATCH_PX 14.0 /* a dashed line begins further left, so that its dash shows */
#define NAME_MAX_PX 260.0
#define TABLE_MAX 4

struct row {
    int colour;        /* of the swatch; MPROF_COLOUR_NONE: of its role */
    mprof_role swatch; /* MPROF_ROLE_COUNT: none */
    char full[240];    /* the name before it is shortened; "": name is final */
    char name[200];
    char cells[COLUMN_MAX][40];
};

struct table {
    char heads[COLUMN_MAX + 1][24]; /* the name, then numbers, aligned to the right */
    int columns;
    struct row *rows;
    size_t count; /* of rows */
    size_t total; /* rows if all had room */
    size_t shown;
    size_t blocks; /* side by side */
    double widths[COLUMN_MAX + 1];
    double width;
    bool has_spare_column; /* the last one: rows matter more */
};

struct mprof__legend {
    struct table tables[TABLE_MAX];
    size_t table_count;
    double name_most_px; /* longer names are cut */
    bool has_cut_names;
    bool is_crowded; /* a column or a table had no room */
    double width, height;
};

void mprof__legend_free(mprof__legend *legend)
{
    if (!legend) {
        return;
    }
    for (size_t i = 0; i < legend->table_count; i++) {
        free(legend->tables[i].rows);
    }
    free(legend);
}

static void set_name(mprof__legend *legend, const mprof__layout *layout, struct row *row,
                     const char *name)
{
    mprof__fit_text(layout, MPROF_ROLE_LEGEND_NAME, row->name, sizeof row->name, name,
                    legend->name_most_px);
    legend->has_cut_names = legend->has_cut_names || strcmp(row->name, name) != 0;
}

/* Of a process or a recording: the names of a table often begin alike. */
static void set_full_name(struct row *row, const char *name)
{
    mprof__text_copy(row->full, sizeof row->full, name, strlen(name));
}

/* The first rows, up to `apart`, are of another kind than the others. */
static void fit_names(mprof__legend *legend, const mprof__layout *layout, struct table *table,
                      size_t apart)
{
    mprof__name_prefix prefix = {.names = 0};
    for (size_t i = apart; i < table->count; i++) {
        mprof__add_to_prefix(&prefix, table->rows[i].full);
    }
    for (size_t i = 0; i < table->count; i++) {
        struct row *row = &table->rows[i];
        mprof__fit_name(layout, MPROF_ROLE_LEGEND_NAME, row->name, sizeof row->name, row->full,
                        &prefix, legend->name_most_px);
        legend->has_cut_names = legend->has_cut_names || strcmp(row->name, row->full) != 0;
    }
}

static struct table *add_table(mprof__legend *legend, size_t rows)
{
    struct row *list = calloc(rows ? rows : 1, sizeof *list);
    if (!list) {
        return NULL;
    }
    struct table *table = &legend->tables[legend->table_count++];
    table->rows = list;
    return table;
}

static void add_head(struct table *table, const char *head)
{
    snprintf(table->heads[table->columns++], sizeof *table->heads, "%s", head);
}

static void set_heads(struct table *table, const char *const *heads)
{
    while (heads[table->columns]) {
        add_head(table, heads[table->columns]);
    }
}

static bool is_empty(const struct table *table, int column)
{
    for (size_t i = 0; i < table->count; i++) {
        if (*table->rows[i].cells[column]) {
            return false;
        }
    }
    return true;
}

static void remove_column(struct table *table, int column)
{
    int following = table->columns - 1 - (column + 1);
    memmove(table->heads[column + 1], table->heads[column + 2],
            (size_t)following * sizeof *table->heads);
    for (size_t i = 0; i < table->count; i++) {
        memmove(table->rows[i].cells[column], table->rows[i].cells[column + 1],
                (size_t)following * sizeof *table->rows[i].cells);
    }
    table->columns--;
}

static void remove_empty_columns(struct table *table)
{
    for (int column = table->columns - 2; column >= 0; column--) {
        if (is_empty(table, column)) {
            remove_column(table, column);
        }
    }
}

/* One function, summed over all recordings. */
struct function_total {
    const char *name, *label;
    int colour;
    uint64_t calls;
    double total_s, longest_s, change_mib, peak_mib;
    const mprof__density *density; /* NULL: its calls are drawn one by one */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct function_total *)a)->name,
                  ((const struct function_total *)b)->name);
}

static int by_time(const void *a, const void *b)
{
    const struct function_total *x = a, *y = b;
    if (x->total_s != y->total_s) {
        return x->total_s < y->total_s ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

static size_t collect_functions(const mprof__layout *layout, struct function_total *totals)
{
    size_t count = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->function_count; i++) {
            const mprof_function *f = &input->functions[i];
            if (input->function_colours[i] != MPROF_COLOUR_NONE) {
                totals[count++] = (struct function_total){f->name,
                                                          input->function_labels[i],
                                                          input->function_colours[i],
                                                          f->call_count,
                                                          f->total_s,
                                                          f->longest_s,
                                                          f->change_mib,
                                                          f->peak_mib,
                                                          mprof__density_of(input, (uint32_t)i)};
            }
        }
    }
    if (layout->input_count > 1 && count) {
        size_t kept = 0;
        qsort(totals, count, sizeof *totals, by_name);
        for (size_t i = 1; i < count; i++) {
            struct function_total *into = &totals[kept];
            if (strcmp(into->name, totals[i].name) != 0) {
                totals[++kept] = totals[i];
                continue;
            }
            into->calls += totals[i].calls;
            into->density = NULL;
            into->total_s += totals[i].total_s;
            into->change_mib += totals[i].change_mib;
            into->longest_s = fmax(into->longest_s, totals[i].longest_s);
            into->peak_mib = fmax(into->peak_mib, totals[i].peak_mib);
        }
        count = kept + 1;
    }
    if (count) {
        qsort(totals, count, sizeof *totals, by_time);
    }
    return count;
}

static bool add_functions(mprof__legend *legend, const mprof__layout *layout, size_t most)
{
    static const char *const heads[] = {"function", "calls",           "total",
                                        "longest",  "\xCE\x94 memory", "peak",
                                        "busy",     "at most",         NULL};
    size_t room = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        room += layout->inputs[r].function_count;
    }
    if (!room) {
        return true;
    }
    struct function_total *totals = malloc(room * sizeof *totals);
    if (!totals) {
        return false;
    }
    size_t count = collect_functions(layout, totals);
    if (!count) {
        free(totals);
        return true;
    }
    struct table *table = add_table(legend, count < most ? count : most);
    if (table) {
        set_heads(table, heads);
        table->total = count;
        table->count = count < most ? count : most;
        for (size_t i = 0; i < table->count; i++) {
            struct row *row = &table->rows[i];
            row->colour = totals[i].colour;
            row->swatch = MPROF_ROLE_SWATCH;
            set_name(legend, layout, row, totals[i].label);
            mprof__count_text(row->cells[0], sizeof *row->cells, totals[i].calls);
            mprof__duration_text(row->cells[1], sizeof *row->cells, totals[i].total_s);
            mprof__duration_text(row->cells[2], sizeof *row->cells, totals[i].longest_s);
            mprof__change_text(row->cells[3], sizeof *row->cells, totals[i].change_mib);
            if (!isnan(totals[i].peak_mib)) { /* else nothing of it was measured in the window */
                mprof__memory_text(row->cells[4], sizeof *row->cells, totals[i].peak_mib);
            }
            if (totals[i].density && count <= most / 3) { /* else a second block needs the room */
                mprof__percent_text(row->cells[5], sizeof *row->cells, totals[i].density->busy);
                mprof__rate_text(row->cells[6], sizeof *row->cells, totals[i].density->most_per_s);
            }
        }
        remove_empty_columns(table);
    }
    free(totals);
    return table != NULL;
}

static void exit_text(char *text, size_t size, const mprof__layout *layout,
                      const mprof__figure_input *input, const mprof_process *process, bool known)
{
    bool is_later = mprof__is_window(layout) && process->end_s - input->start_s > layout->to_s;
    if (!process->ended || is_later) {
        snprintf(text, size, known ? "\xE2\x80\x93" : "");
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

/* A row that is of the curve itself, or of nothing that is drawn by itself. */
static void set_main_swatch(struct row *row, const mprof__layout *layout,
                            const mprof__figure_input *input)
{
    row->colour = layout->options->stack ? mprof__main_colour(layout, input) : MPROF_COLOUR_NONE;
    row->swatch = layout->options->stack ? MPROF_ROLE_SWATCH
                  : input->main_is_sum   ? MPROF_ROLE_COUNT
                                         : MPROF_ROLE_SWATCH_LINE;
}

/* The memory of the main process alone, in the window. False: it is not known. */
static bool measure_main(double *mean_mib, double *peak_mib, const mprof__layout *layout,
                         const mprof__figure_input *input)
{
    const mprof_series *own = &input->processes[0].series;
    double from = input->start_s + layout->from_s, to = input->start_s + layout->to_s, sum = 0;
    size_t count = 0;
    if (!input->main_is_sum && own->sample_count) {
        *mean_mib = own->mean_mib;
        *peak_mib = own->peak.mib;
        return true;
    }
    *peak_mib = 0;
    for (size_t i = 0; i < input->moment_count; i++) {
        if (input->moments[i] >= from && input->moments[i] <= to) {
            sum += input->main_mib[i];
            *peak_mib = fmax(*peak_mib, input->main_mib[i]);
            count++;
        }
    }
    *mean_mib = count ? sum / (double)count : 0;
    /* upstream samples the sum and its parts at different moments */
    return count && mprof_profile_fact(input->profile, "include-children");
}

static void name_main(struct row *row, const mprof__figure_input *input)
{
    char name[200], text[220];
    mprof__process_text(name, sizeof name, input, 0);
    snprintf(text, sizeof text, strcmp(name, "main") == 0 ? "%s" : "%s (main)", name);
    set_full_name(row, text);
}

static void fill_main_row(const mprof__layout *layout, struct row *row,
                          const mprof__figure_input *input, bool ends_known)
{
    double mean_mib, peak_mib;
    name_main(row, input);
    set_main_swatch(row, layout, input);
    if (input->line->sample_count) {
        mprof__duration_text(row->cells[0], sizeof *row->cells,
                             input->line->last_s - input->line->first_s);
    }
    if (measure_main(&mean_mib, &peak_mib, layout, input)) {
        mprof__memory_text(row->cells[1], sizeof *row->cells, mean_mib);
        mprof__memory_text(row->cells[2], sizeof *row->cells, peak_mib);
    }
    mprof__high_water_mark_text(row->cells[3], sizeof *row->cells, layout, &input->processes[0]);
    exit_text(row->cells[4], sizeof *row->cells, layout, input, &input->processes[0], ends_known);
}

static int colour_of_group(const mprof__layout *layout, const mprof__figure_input *input, size_t at)
{
    if (at < input->groups.shown) {
        return input->groups.items[at].colour;
    }
    return layout->options->stack ? MPROF__OTHERS_SLOT : MPROF_COLOUR_NONE;
}

/* A process, or those of one command, on one axis with those of other recordings. */
static void fill_process_row(const mprof__layout *layout, struct row *row,
                             const mprof__figure_input *input, size_t at, bool ends_known)
{
    const mprof__process_group *group = &input->groups.items[at];
    const mprof_process *process = &input->processes[group->members[0]];
    char name[200], text[500], recording[240];
    mprof__group_text(name, sizeof name, input, group);
    mprof__recording_name(recording, sizeof recording, layout, input);
    if (mprof__are_runs_of_one_file(layout)) {
        snprintf(recording, sizeof recording, "run %zu", mprof_profile_run(input->profile)->number);
    }
    bool is_one = layout->input_count == 1;
    snprintf(text, sizeof text, "%s%s%s", name, is_one ? "" : ", ", is_one ? "" : recording);
    row->colour = colour_of_group(layout, input, at);
    row->swatch = MPROF_ROLE_SWATCH;
    set_full_name(row, text);
    if (group->count > 1) {
        mprof__memory_text(row->cells[1], sizeof *row->cells, group->mean_mib);
        mprof__memory_text(row->cells[2], sizeof *row->cells, group->peak.mib);
        return;
    }
    if (process->series.sample_count) { /* else no sample is in the window */
        mprof__duration_text(row->cells[0], sizeof *row->cells,
                             process->series.last_s - process->series.first_s);
        mprof__memory_text(row->cells[1], sizeof *row->cells, process->series.mean_mib);
        mprof__memory_text(row->cells[2], sizeof *row->cells, process->series.peak.mib);
    }
    mprof__high_water_mark_text(row->cells[3], sizeof *row->cells, layout, process);
    exit_text(row->cells[4], sizeof *row->cells, layout, input, process, ends_known);
}

/* The processes of all recordings on one axis. */
static bool add_processes(mprof__legend *legend, const mprof__layout *layout, size_t most)
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
    if (mprof__is_overlay(layout) || !count || (is_alone && layout->inputs[0].groups.by_command)) {
        return true;
    }
    struct table *table = add_table(legend, count < most ? count : most);
    if (!table) {
        return false;
    }
    set_heads(table, heads);
    table->total = count + others;
    if (is_alone) {
        fill_main_row(layout, &table->rows[table->count++], &layout->inputs[0], ends_known);
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->groups.count && table->count < most; i++) {
            fill_process_row(layout, &table->rows[table->count++], input, i, ends_known);
        }
    }
    fit_names(legend, layout, table, is_alone);
    remove_empty_columns(table);
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
static void fill_peak_cells(char cells[][40], const mprof__figure_input *input, double mib)
{
    const char *about = input->groups.is_estimate ? "\xE2\x89\x88 " : "";
    char memory[36];
    snprintf(cells[0], sizeof *cells, "%s%s", about,
             mprof__memory_text(memory, sizeof memory, mib));
    snprintf(cells[1], sizeof *cells, "%s%.0f %%", about, mib / input->groups.peak.mib * 100);
}

static void fill_group_row(const mprof__layout *layout, struct row *row,
                           const mprof__figure_input *input, const struct ranked_group *ranked)
{
    const mprof__process_group *group = ranked->group;
    const mprof_process *largest = &input->processes[group->members[0]];
    char text[200], memory[40], time[40];
    mprof__group_text(text, sizeof text, input, group);
    set_full_name(row, text);
    row->colour = colour_of_group(layout, input, ranked->at);
    row->swatch = MPROF_ROLE_SWATCH;
    if (group->peak.mib > 0) { /* else it has no sample in the window */
        mprof__memory_text(row->cells[0], sizeof *row->cells, group->mean_mib);
        mprof__memory_text(row->cells[1], sizeof *row->cells, group->peak.mib);
    }
    if (group->at_peak_count) {
        fill_peak_cells(&row->cells[2], input, group->at_peak_mib);
    } else {
        snprintf(row->cells[2], sizeof *row->cells, "not running");
    }
    if (largest->series.sample_count && largest->pid != MPROF_PID_NONE) {
        snprintf(
            row->cells[4], sizeof *row->cells, "%s pid %lld at %s",
            mprof__memory_text(memory, sizeof memory, largest->series.peak.mib),
            (long long)largest->pid,
            mprof__duration_text(time, sizeof time, largest->series.peak.time_s - input->start_s));
    }
}

/* What each command had in all, and at the peak. */
static bool add_commands(mprof__legend *legend, const mprof__layout *layout, size_t most)
{
    static const char *const heads[] = {"command",         "mean", "peak", "at the peak", "share",
                                        "largest process", NULL};
    const mprof__figure_input *input = &layout->inputs[0];
    const mprof__process_groups *groups = &input->groups;
    size_t count = groups->count + 1;
    double mean_mib, peak_mib;
    if (layout->input_count != 1 || !groups->by_command) {
        return true;
    }
    struct table *table = add_table(legend, count < most ? count : most);
    struct ranked_group *ranked = malloc(count * sizeof *ranked);
    if (!table || !ranked) {
        free(ranked);
        return false;
    }
    for (size_t i = 0; i < groups->count; i++) {
        ranked[i] = (struct ranked_group){&groups->items[i], i};
    }
    qsort(ranked, groups->count, sizeof *ranked, by_part_of_peak);
    set_heads(table, heads);
    table->total = count + (input->other_count > 0);
    table->count = count < most ? count : most;
    name_main(&table->rows[0], input);
    set_main_swatch(&table->rows[0], layout, input);
    if (measure_main(&mean_mib, &peak_mib, layout, input)) {
        mprof__memory_text(table->rows[0].cells[0], sizeof *table->rows[0].cells, mean_mib);
        mprof__memory_text(table->rows[0].cells[1], sizeof *table->rows[0].cells, peak_mib);
    }
    if (groups->main_at_peak_mib > 0) {
        fill_peak_cells(&table->rows[0].cells[2], input, groups->main_at_peak_mib);
    }
    for (size_t i = 1; i < table->count; i++) {
        fill_group_row(layout, &table->rows[i], input, &ranked[i - 1]);
    }
    free(ranked);
    fit_names(legend, layout, table, 1);
    remove_empty_columns(table);
    table->has_spare_column = table->columns > 4;
    return true;
}

static void fill_memory_row(mprof__legend *legend, const mprof__layout *layout, struct row *row,
                            const char *text, const mprof_series *series)
{
    set_name(legend, layout, row, text);
    if (!series->sample_count) { /* no sample is in the window */
        return;
    }
    mprof__memory_text(row->cells[0], sizeof *row->cells, series->peak.mib);
    mprof__memory_text(row->cells[1], sizeof *row->cells, series->mean_mib);
    mprof__count_text(row->cells[2], sizeof *row->cells, series->sample_count);
}

/* The sampled memory and the kinds that were asked for. */
static bool add_kinds(mprof__legend *legend, const mprof__layout *layout)
{
    static const char *const heads[] = {"memory", "peak", "mean", "samples", NULL};
    const mprof__figure_input *input = &layout->inputs[0];
    mprof__kind_curve curve = {.series = NULL};
    char text[240];
    if (layout->input_count != 1 || !mprof__next_kind(layout, input, &curve)) {
        return true;
    }
    struct table *table = add_table(legend, MPROF_KIND_COUNT + 1);
    if (!table) {
        return false;
    }
    set_heads(table, heads);
    struct row *row = &table->rows[table->count++];
    row->colour = MPROF_COLOUR_NONE;
    row->swatch = MPROF_ROLE_SWATCH_LINE;
    mprof__measured_text(text, sizeof text, input);
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
static void add_kind_columns(struct table *table, const mprof__layout *layout)
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
        add_head(table, head);
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

static bool add_recordings(mprof__legend *legend, const mprof__layout *layout)
{
    static const char *const heads[] = {"recording", "started", "lasted", "samples",
                                        "peak",      "slope",   NULL};
    bool is_alone = layout->input_count == 1 && !layout->options->slope;
    if (is_alone || mprof__has_recording_list(layout)) {
        return true;
    }
    struct table *table = add_table(legend, layout->input_count);
    if (!table) {
        return false;
    }
    char zone[16];
    set_heads(table, heads);
    mprof__zone_text(zone, sizeof zone, mprof_profile_start_s(layout->inputs[0].profile));
    snprintf(table->heads[1], sizeof *table->heads, *zone ? "started (%s)" : "started", zone);
    if (!layout->options->slope) {
        table->columns--;
    }
    table->total = table->count = layout->input_count;
    bool is_one_day = has_runs_of_one_day(layout); /* their names have the time */
    for (size_t i = 0; i < table->count; i++) {
        const mprof__figure_input *input = &layout->inputs[layout->crowd ? layout->crowd[i] : i];
        struct row *row = &table->rows[i];
        char name[240];
        mprof__recording_name(name, sizeof name, layout, input);
        row->colour = input->colour;
        row->swatch = input->colour == MPROF_COLOUR_NONE || input->colour >= MPROF__LINE_SLOT
                          ? MPROF_ROLE_SWATCH_LINE
                          : MPROF_ROLE_SWATCH;
        set_full_name(row, name);
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
            mprof__bound_text(row->cells[3], sizeof *row->cells,
                              is_total ? input->total_peak : input->peak);
        }
        if (layout->options->slope) {
            snprintf(row->cells[4], sizeof *row->cells, "%.5f MiB/s",
                     mprof_profile_samples(input->profile)->slope_mib_per_s);
        }
    }
    if (is_one_day) {
        remove_column(table, 0);
    }
    fit_names(legend, layout, table, 0);
    add_kind_columns(table, layout);
    return true;
}

/* Drops the last columns if the page is too narrow for them. */
static void measure_table(struct table *table, const mprof__layout *layout, double width_px)
{
    table->width = SWATCH_PX + SWATCH_GAP_PX;
    for (int c = 0; c < table->columns; c++) {
        double width = mprof__text_width(layout, MPROF_ROLE_LEGEND_HEAD, table->heads[c],
                                         strlen(table->heads[c]));
        for (size_t i = 0; i < table->count; i++) {
            const char *text = c ? table->rows[i].cells[c - 1] : table->rows[i].name;
            mprof_role role = c ? MPROF_ROLE_LEGEND_CELL : MPROF_ROLE_LEGEND_NAME;
            width = fmax(width, mprof__text_width(layout, role, text, strlen(text)));
        }
        table->widths[c] = fmax(width, c ? 48 : 110);
        double width_with = table->width + table->widths[c] + (c ? COLUMN_GAP_PX : 0);
        if (width_with > width_px && c) {
            table->columns = c;
            break;
        }
        table->width = width_with;
    }
}

/* Leaves the last column out where that makes room for a second block of rows. */
static void trade_column(struct table *table, size_t rows, double width_px)
{
    double without = table->width - table->widths[table->columns - 1] - COLUMN_GAP_PX;
    if (table->has_spare_column && table->total > rows &&
        2 * table->width + TABLE_GAP_PX > width_px && 2 * without + TABLE_GAP_PX <= width_px) {
        table->width = without;
        table->columns--;
    }
}

/* Tables are side by side; a long one is split into blocks where there is room. */
static void arrange(mprof__legend *legend, double width_px, double most_height_px)
{
    size_t rows = (size_t)fmax(1, floor((most_height_px - HEAD_PX) / ROW_PX));
    size_t highest = 0;
    double used = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        if (legend->table_count == 1) {
            trade_column(&legend->tables[i], rows, width_px);
        }
        used += legend->tables[i].width + (i ? TABLE_GAP_PX : 0);
    }
    for (size_t i = 0; i < legend->table_count; i++) {
        struct table *table = &legend->tables[i];
        size_t blocks = 1;
        while (table->total > rows * blocks && used + table->width + TABLE_GAP_PX <= width_px) {
            used += table->width + TABLE_GAP_PX;
            blocks++;
        }
        table->blocks = blocks;
        size_t room = rows * blocks;
        /* the last line counts the rows that are left out */
        table->shown = table->total <= room ? table->total : room - 1;
        if (table->shown > table->count) {
            table->shown = table->count;
        }
        size_t lines = table->shown + (table->shown < table->total);
        size_t height = (lines + blocks - 1) / blocks;
        highest = height > highest ? height : highest;
    }
    legend->width = used;
    legend->height = legend->table_count ? HEAD_PX + (double)highest * ROW_PX : 0;
}

/* Measures again without the rows that are left out. */
static void measure_shown(mprof__legend *legend, const mprof__layout *layout, double width_px)
{
    legend->width = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        struct table *table = &legend->tables[i];
        if (table->shown < table->count) {
            table->count = table->shown;
            remove_empty_columns(table);
            measure_table(table, layout, width_px);
        }
        legend->width +=
            (double)table->blocks * (table->width + TABLE_GAP_PX) - (i ? 0 : TABLE_GAP_PX);
    }
}

static mprof__legend *legend_with_names(const mprof__layout *layout, double width_px,
                                        double most_height_px, double name_most_px)
{
    mprof__legend *legend = calloc(1, sizeof *legend);
    if (!legend) {
        return NULL;
    }
    legend->name_most_px = name_most_px;
    size_t most = (size_t)fmax(2, most_height_px / ROW_PX * 3);
    if (!add_recordings(legend, layout) || !add_kinds(legend, layout) ||
        !add_functions(legend, layout, most) || !add_processes(legend, layout, most) ||
        !add_commands(legend, layout, most)) {
        mprof__legend_free(legend);
        return NULL;
    }
    for (size_t i = 0; i < legend->table_count; i++) {
        int columns = legend->tables[i].columns;
        measure_table(&legend->tables[i], layout, width_px);
        legend->is_crowded = legend->is_crowded || legend->tables[i].columns < columns;
    }
    /* drop tables that have no room, the last first */
    double used = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        used += legend->tables[i].width + (i ? TABLE_GAP_PX : 0);
        if (used > width_px && i > 0) {
            legend->is_crowded = true;
            while (legend->table_count > i) {
                free(legend->tables[--legend->table_count].rows);
            }
        }
    }
    arrange(legend, width_px, most_height_px);
    measure_shown(legend, layout, width_px);
    return legend;
}

static size_t shown_cells(const mprof__legend *legend)
{
    size_t cells = 0;
    for (size_t i = 0; i < legend->table_count; i++) {
        cells += legend->tables[i].shown * (size_t)legend->tables[i].columns;
    }
    return cells;
}

/* Shortens names if that makes room for all tables; else keeps the usual length. */
static mprof__legend *legend_with_all_tables(const mprof__layout *layout, double width_px,
                                             double most_height_px, double usual_px)
{
    static const double shares[] = {0.75, 0.55};
    mprof__legend *legend = legend_with_names(layout, width_px, most_height_px, usual_px);
    for (size_t i = 0; legend && legend->is_crowded && i < sizeof shares / sizeof *shares; i++) {
        mprof__legend *other =
            legend_with_names(layout, width_px, most_height_px, usual_px * shares[i]);
        if (other && !other->is_crowded) {
            mprof__legend_free(legend);
            return other;
        }
        mprof__legend_free(other);
    }
    return legend;
}

mprof__legend *mprof__legend_new(mprof__layout *layout, double width_px, double most_height_px)
{
    double usual = fmin(NAME_MAX_PX, layout->options->width_px * 0.3);
    mprof__legend *legend = legend_with_all_tables(layout, width_px, most_height_px, usual);
    if (!legend || !legend->has_cut_names || legend->width >= width_px) {
        return legend;
    }
    /* names may differ in their ends only: widen them as long as no cell is lost */
    double widest = 0, spare = width_px - legend->width;
    for (size_t i = 0; i < legend->table_count; i++) {
        widest = fmax(widest, legend->tables[i].widths[0]);
    }
    for (size_t share = 1; share <= legend->table_count; share++) {
        mprof__legend *wide = legend_with_names(layout, width_px, most_height_px,
                                                widest + floor(spare / (double)share));
        if (wide && shown_cells(wide) >= shown_cells(legend)) {
            mprof__legend_free(legend);
            return wide;
        }
        mprof__legend_free(wide);
    }
    return legend;
}

double mprof__legend_rows_height(size_t rows)
{
    return HEAD_PX + ROW_PX * (double)rows;
}

double mprof__legend_width(const mprof__legend *legend)
{
    return legend->width;
}

double mprof__legend_height(const mprof__legend *legend)
{
    return legend->height;
}

static void draw_cells(mprof__layout *layout, const struct table *table, const struct row *row,
                       double x, double baseline)
{
    for (int c = 0; c < table->columns; c++) {
        const char *text = !row ? table->heads[c] : c ? row->cells[c - 1] : row->name;
        mprof_role role = !row ? MPROF_ROLE_LEGEND_HEAD
                          : c  ? MPROF_ROLE_LEGEND_CELL
                               : MPROF_ROLE_LEGEND_NAME;
        mprof__add_measured_text(
            layout, (mprof__text_item){.role = role,
                                       .colour = MPROF_COLOUR_NONE,
                                       .anchor = c ? MPROF_ANCHOR_END : MPROF_ANCHOR_START,
                                       .x = c ? x + table->widths[c] : x,
                                       .y = baseline,
                                       .text = text,
                                       .length = strlen(text)});
        x += table->widths[c] + COLUMN_GAP_PX;
    }
}

static void draw_table(mprof__layout *layout, const struct table *table, double x, double y)
{
    size_t lines = table->shown + (table->shown < table->total);
    size_t per_block = (lines + table->blocks - 1) / table->blocks;
    for (size_t b = 0; b * per_block < lines; b++) {
        double left = x + (double)b * (table->width + TABLE_GAP_PX);
        double text_x = left + SWATCH_PX + SWATCH_GAP_PX;
        draw_cells(layout, table, NULL, text_x, y + 11);
        mprof__add_segment(
            layout->figure, MPROF_ROLE_LEGEND_RULE, MPROF_COLOUR_NONE,
            (mprof__segment){left, y + HEAD_PX - 2.5, left + table->width, y + HEAD_PX - 2.5});
        for (size_t i = 0; i < per_block && b * per_block + i < lines; i++) {
            size_t n = b * per_block + i;
            double top = y + HEAD_PX + (double)i * ROW_PX;
            if (n == table->shown) {
                char text[40], count[32];
                snprintf(text, sizeof text, "+ %s more",
                         mprof__count_text(count, sizeof count, table->total - table->shown));
                mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_LEGEND_MORE,
                                                                    .colour = MPROF_COLOUR_NONE,
                                                                    .x = text_x,
                                                                    .y = top + 13.5,
                                                                    .text = text,
                                                                    .length = strlen(text)});
                continue;
            }
            const struct row *row = &table->rows[n];
            if (row->swatch == MPROF_ROLE_SWATCH) {
                mprof__add_rect(layout->figure, row->swatch, row->colour,
                                (mprof_box){left, top + 4.5, SWATCH_PX, SWATCH_PX},
                                MPROF_ABOUT_NONE);
            } else if (row->swatch != MPROF_ROLE_COUNT) {
                mprof__add_segment(
                    layout->figure, row->swatch, row->colour,
                    (mprof__segment){left - (row->colour >= MPROF__LINE_SLOT ? LINE_SWATCH_PX : 0),
                                     top + 9.5, left + SWATCH_PX, top + 9.5});
            }
            draw_cells(layout, table, row, text_x, top + 13.5);
        }
    }
}

void mprof__draw_legend(mprof__layout *layout, const mprof__legend *legend, double x, double y)
{
    mprof__begin_group(layout->figure, MPROF_GROUP_LEGEND);
    for (size_t i = 0; i < legend->table_count; i++) {
        const struct table *table = &legend->tables[i];
        draw_table(layout, table, x, y);
        x += (double)table->blocks * (table->width + TABLE_GAP_PX);
    }
}
