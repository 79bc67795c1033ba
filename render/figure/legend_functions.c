/* One row for each function with its calls, times and memory, the longest total time first. */
#include "legend_table.h"

#include "density_rows.h"
#include "format_units.h"

#include <math.h>
#include <mprof/sums.h>
#include <stdlib.h>

/* Those with a colour come first, in the order of time. */
static size_t choose_shown(const mprof__layout *layout, mprof_function_sum *sums, size_t count)
{
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        const mprof__figure_input *input = &layout->inputs[sums[i].profile];
        if (input->function_colours[sums[i].function] != MPROF_COLOUR_NONE) {
            sums[shown++] = sums[i];
        }
    }
    return shown;
}

/* Of all recordings. MPROF_ENOMEM. */
static mprof_status sum_functions(const mprof__layout *layout, mprof_function_sum **sums,
                                  size_t *count)
{
    const mprof_profile **profiles = malloc((layout->input_count + 1) * sizeof *profiles);
    *sums = NULL;
    if (!profiles) {
        return MPROF_ENOMEM;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        profiles[r] = layout->inputs[r].profile;
    }
    mprof_status status =
        mprof_function_sums_make(sums, count, profiles, layout->input_count, 0, NULL);
    free(profiles);
    return status;
}

static void fill_row(mprof__legend *legend, const mprof__layout *layout, mprof__legend_row *row,
                     const mprof_function_sum *sum, bool with_density)
{
    const mprof__figure_input *input = &layout->inputs[sum->profile];
    bool is_merged = sum->call_count > input->functions[sum->function].call_count;
    const mprof__density *density =
        with_density && !is_merged ? mprof__density_of(input, (uint32_t)sum->function) : NULL;
    row->colour = input->function_colours[sum->function];
    row->swatch = MPROF_ROLE_SWATCH;
    mprof__legend_set_name(legend, layout, row, input->function_labels[sum->function]);
    mprof__count_text(row->cells[0], sizeof *row->cells, sum->call_count);
    mprof__duration_text(row->cells[1], sizeof *row->cells, sum->total_s);
    mprof__duration_text(row->cells[2], sizeof *row->cells, sum->longest_s);
    mprof__change_text_in(row->cells[3], sizeof *row->cells, layout->options->unit,
                          sum->change_mib);
    if (!isnan(sum->peak_mib)) { /* else nothing of it was measured in the window */
        mprof__memory_text_in(row->cells[4], sizeof *row->cells, layout->options->unit,
                              sum->peak_mib);
    }
    if (density) {
        mprof__percent_text(row->cells[5], sizeof *row->cells, density->busy);
        mprof__rate_text(row->cells[6], sizeof *row->cells, density->most_per_s);
    }
}

bool mprof__legend_add_functions(mprof__legend *legend, const mprof__layout *layout, size_t most)
{
    static const char *const heads[] = {"function", "calls",           "total",
                                        "longest",  "\xCE\x94 memory", "peak",
                                        "busy",     "at most",         NULL};
    mprof_function_sum *sums;
    size_t count;
    if (sum_functions(layout, &sums, &count) != MPROF_OK) {
        return false;
    }
    count = choose_shown(layout, sums, count);
    mprof__legend_table *table =
        count ? mprof__legend_add_table(legend, count < most ? count : most) : NULL;
    if (table) {
        mprof__legend_set_heads(table, heads);
        table->total = count;
        table->count = count < most ? count : most;
        for (size_t i = 0; i < table->count; i++) {
            /* with many functions a second block needs the room of the densities */
            fill_row(legend, layout, &table->rows[i], &sums[i], count <= most / 3);
        }
        mprof__legend_remove_empty_columns(table);
    }
    mprof_function_sums_free(sums);
    return table != NULL || !count;
}
