/* Reads a profile into the layout's input and chooses colours and labels of its functions. */
#include "figure_input.h"

#include "bounds.h"
#include "call_rows.h"
#include "colour_slots.h"
#include "control_group_curve.h"
#include "curve.h"
#include "layout.h"
#include "process_curves.h"
#include "process_groups.h"
#include "process_sums.h"
#include "visible_text.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_BYTES_MAX 240

/* A pattern without wildcards matches anywhere in the dotted name. */
static bool name_matches(const char *pattern, const char *name, const char *label)
{
    if (!pattern) {
        return true;
    }
    if (!strpbrk(pattern, "*?[")) {
        return strstr(name, pattern);
    }
    return fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, label, 0) == 0;
}

struct ranked_name {
    const char *name;
    double total_s;
    mprof__figure_input *input;
    size_t function;
    int8_t slot;
    uint32_t number;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ranked_name *)a)->name, ((const struct ranked_name *)b)->name);
}

static int by_total(const void *a, const void *b)
{
    const struct ranked_name *x = a, *y = b;
    if (x->total_s != y->total_s) {
        return x->total_s < y->total_s ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

/* In the order of the list: the longest total time first. */
static mprof_status add_functions(mprof_figure *figure, const struct ranked_name *functions,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ranked_name *f = &functions[i];
        char *name = mprof__visible_text(f->name, strlen(f->name), FUNCTION_BYTES_MAX);
        if (!name) {
            return MPROF_ENOMEM;
        }
        mprof__add_function(figure, name, f->input->function_labels[f->function]);
        free(name);
    }
    return figure->status;
}

static size_t collect_names(struct ranked_name *all, const mprof__layout *layout)
{
    size_t count = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->function_count; i++) {
            const mprof_function *f = &input->functions[i];
            if (name_matches(layout->options->function, f->name, f->label)) {
                all[count++] = (struct ranked_name){
                    .name = f->name, .total_s = f->total_s, .input = input, .function = i};
            }
        }
    }
    return count;
}

/* Sorts all[count] by name; unique[] receives one of each name with the total of all. */
static size_t merge_by_name(struct ranked_name *unique, struct ranked_name *all, size_t count)
{
    size_t different = 0;
    qsort(all, count, sizeof *all, by_name);
    for (size_t i = 0; i < count; i++) {
        if (!different || strcmp(unique[different - 1].name, all[i].name) != 0) {
            unique[different++] = all[i];
        } else {
            unique[different - 1].total_s += all[i].total_s;
        }
    }
    return different;
}

/* Both are sorted by name. */
static void store_colours(const struct ranked_name *unique, const struct ranked_name *all,
                          size_t count)
{
    for (size_t i = 0, u = 0; i < count; i++) {
        while (strcmp(unique[u].name, all[i].name) != 0) {
            u++;
        }
        all[i].input->function_colours[all[i].function] = unique[u].slot;
        all[i].input->function_numbers[all[i].function] = unique[u].number;
    }
}

mprof_status mprof__choose_function_colours(mprof__layout *layout)
{
    size_t room = 0;
    for (size_t r = 0; r < layout->input_count; r++) {
        room += layout->inputs[r].function_count;
    }
    if (layout->options->function && !room) {
        return MPROF_ENOTFOUND;
    }
    if (!room || !layout->options->functions) {
        return MPROF_OK;
    }
    struct ranked_name *all = malloc(room * sizeof *all), *unique = malloc(room * sizeof *unique);
    const char **names = malloc(room * sizeof *names);
    int8_t *slots = malloc(room);
    mprof_status status = MPROF_ENOMEM;
    if (!all || !unique || !names || !slots) {
        goto out;
    }
    size_t count = collect_names(all, layout);
    status = count ? MPROF_OK : MPROF_ENOTFOUND;
    if (!count) {
        goto out;
    }
    size_t different = merge_by_name(unique, all, count);
    qsort(unique, different, sizeof *unique, by_total);
    for (size_t i = 0; i < different; i++) {
        names[i] = unique[i].name;
    }
    mprof__choose_hues(layout, slots, names, different);
    size_t most = (size_t)layout->options->colours_most;
    for (size_t i = 0; most && i < different; i++) {
        slots[i] = (int8_t)(i < most ? i : MPROF__REST_SLOT);
    }
    status = add_functions(layout->figure, unique, different);
    for (uint32_t i = 0; i < different; i++) {
        unique[i].slot = slots[i];
        unique[i].number = i;
    }
    qsort(unique, different, sizeof *unique, by_name);
    store_colours(unique, all, count);
out:
    free(all);
    free(unique);
    free(names);
    free(slots);
    return status;
}

mprof_status mprof__figure_input_init(mprof__figure_input *input, const mprof_profile *profile)
{
    input->profile = profile;
    input->line = mprof_profile_line(profile);
    input->processes = mprof_profile_processes(profile, &input->process_count);
    input->others = mprof_profile_other_processes(profile, &input->other_count);
    input->lanes = mprof_profile_lanes(profile, &input->lane_count);
    input->functions = mprof_profile_functions(profile, &input->function_count);
    input->spans = mprof_profile_spans(profile, &input->span_count);
    input->start_s = mprof_profile_start_s(profile);
    mprof__pauses_init(&input->pauses, profile);
    input->main_is_sum = mprof_profile_mem_is_sum(profile) != 0;
    input->colour = MPROF_COLOUR_NONE;
    input->stretch = 1;
    input->function_colours = malloc(input->function_count + 1);
    input->function_numbers = calloc(input->function_count + 1, sizeof *input->function_numbers);
    input->function_labels = calloc(input->function_count + 1, sizeof *input->function_labels);
    if (!input->function_colours || !input->function_numbers || !input->function_labels) {
        return MPROF_ENOMEM;
    }
    memset(input->function_colours, MPROF_COLOUR_NONE, input->function_count + 1);
    for (size_t i = 0; i < input->function_count; i++) {
        const char *label = input->functions[i].label;
        input->function_labels[i] = mprof__visible_text(label, strlen(label), MPROF__LABEL_BYTES);
        if (!input->function_labels[i]) {
            return MPROF_ENOMEM;
        }
    }
    return MPROF_OK;
}

void mprof__figure_input_dispose(mprof__figure_input *input)
{
    for (size_t i = 0; input->function_labels && i < input->function_count; i++) {
        free(input->function_labels[i]);
    }
    free(input->function_labels);
    free(input->function_colours);
    free(input->function_numbers);
    mprof__free_call_rows(input);
    mprof__free_process_curves(input);
    mprof__free_process_groups(input);
    mprof__free_process_sums(input);
    mprof__free_control_group(input);
    mprof__free_bounds(input);
}
