/* One row for each function with its calls, times and memory, the longest total time first. */
#include "legend_table.h"

#include "density_rows.h"
#include "format_units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

bool mprof__legend_add_functions(mprof__legend *legend, const mprof__layout *layout, size_t most)
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
    mprof__legend_table *table = mprof__legend_add_table(legend, count < most ? count : most);
    if (table) {
        mprof__legend_set_heads(table, heads);
        table->total = count;
        table->count = count < most ? count : most;
        for (size_t i = 0; i < table->count; i++) {
            mprof__legend_row *row = &table->rows[i];
            row->colour = totals[i].colour;
            row->swatch = MPROF_ROLE_SWATCH;
            mprof__legend_set_name(legend, layout, row, totals[i].label);
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
        mprof__legend_remove_empty_columns(table);
    }
    free(totals);
    return table != NULL;
}
