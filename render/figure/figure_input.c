/* What the layout knows of a recording: its parts, which of its functions are drawn, in what colour
 * and by what name. */
#include "figure_input.h"

#include "call_rows.h"
#include "colour_slots.h"
#include "control_group_curve.h"
#include "curve.h"
#include "layout.h"
#include "process_curves.h"
#include "visible_text.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_BYTES_MAX 240

/* A pattern without wildcards is found anywhere in the dotted name. */
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
    mprof__figure_input *recording;
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

/* Functions of all recordings are one by their name, the longest consumers first. */
static mprof_status add_functions(mprof_figure *figure, const struct ranked_name *functions,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ranked_name *f = &functions[i];
        char *name = mprof__visible(f->name, strlen(f->name), FUNCTION_BYTES_MAX);
        if (!name) {
            return MPROF_ENOMEM;
        }
        mprof__add_function(figure, name, f->recording->function_labels[f->function]);
        free(name);
    }
    return figure->status;
}

/* Colours go to names, over all recordings, the longest consumers first. */
mprof_status mprof__colour_functions(mprof__layout *layout)
{
    size_t room = 0, count = 0;
    for (size_t r = 0; r < layout->recording_count; r++) {
        room += layout->recordings[r].function_count;
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
    for (size_t r = 0; r < layout->recording_count; r++) {
        mprof__figure_input *recording = &layout->recordings[r];
        for (size_t i = 0; i < recording->function_count; i++) {
            const mprof_function *f = &recording->functions[i];
            if (name_matches(layout->options->function, f->name, f->label)) {
                all[count++] = (struct ranked_name){
                    .name = f->name, .total_s = f->total_s, .recording = recording, .function = i};
            }
        }
    }
    status = count ? MPROF_OK : MPROF_ENOTFOUND;
    if (!count) {
        goto out;
    }
    qsort(all, count, sizeof *all, by_name);
    size_t different = 0;
    for (size_t i = 0; i < count; i++) {
        if (!different || strcmp(unique[different - 1].name, all[i].name) != 0) {
            unique[different++] = all[i];
        } else {
            unique[different - 1].total_s += all[i].total_s;
        }
    }
    qsort(unique, different, sizeof *unique, by_total);
    for (size_t i = 0; i < different; i++) {
        names[i] = unique[i].name;
    }
    mprof__palette_assign(slots, names, different);
    status = add_functions(layout->figure, unique, different);
    for (uint32_t i = 0; i < different; i++) {
        unique[i].slot = slots[i];
        unique[i].number = i;
    }
    qsort(unique, different, sizeof *unique, by_name);
    for (size_t i = 0, u = 0; i < count; i++) {
        while (strcmp(unique[u].name, all[i].name) != 0) {
            u++;
        }
        all[i].recording->function_colours[all[i].function] = unique[u].slot;
        all[i].recording->function_numbers[all[i].function] = unique[u].number;
    }
out:
    free(all);
    free(unique);
    free(names);
    free(slots);
    return status;
}

/* What the recording says of itself; infinite if nothing. */
static double told_pace_s(const mprof_profile *profile)
{
    const char *text = mprof_profile_fact(profile, "interval");
    double pace_s = text ? strtod(text, NULL) : 0;
    return pace_s > 0 ? pace_s : INFINITY;
}

mprof_status mprof__take_recording(mprof__figure_input *recording, const mprof_profile *profile)
{
    recording->profile = profile;
    recording->line = mprof_profile_line(profile);
    recording->processes = mprof_profile_processes(profile, &recording->process_count);
    recording->others = mprof_profile_other_processes(profile, &recording->other_count);
    recording->lanes = mprof_profile_lanes(profile, &recording->lane_count);
    recording->functions = mprof_profile_functions(profile, &recording->function_count);
    recording->spans = mprof_profile_spans(profile, &recording->span_count);
    recording->start_s = mprof_profile_start_s(profile);
    recording->pace_s = mprof__pace_s(mprof_profile_samples(profile), told_pace_s(profile));
    recording->gap_s = recording->pace_s * MPROF__GAP_FACTOR;
    recording->colour = MPROF_COLOUR_NONE;
    recording->function_colours = malloc(recording->function_count + 1);
    recording->function_numbers =
        calloc(recording->function_count + 1, sizeof *recording->function_numbers);
    recording->function_labels =
        calloc(recording->function_count + 1, sizeof *recording->function_labels);
    if (!recording->function_colours || !recording->function_numbers ||
        !recording->function_labels) {
        return MPROF_ENOMEM;
    }
    memset(recording->function_colours, MPROF_COLOUR_NONE, recording->function_count + 1);
    for (size_t i = 0; i < recording->function_count; i++) {
        const char *label = recording->functions[i].label;
        recording->function_labels[i] = mprof__visible(label, strlen(label), MPROF__LABEL_BYTES);
        if (!recording->function_labels[i]) {
            return MPROF_ENOMEM;
        }
    }
    return MPROF_OK;
}

void mprof__drop_recording(mprof__figure_input *recording)
{
    for (size_t i = 0; recording->function_labels && i < recording->function_count; i++) {
        free(recording->function_labels[i]);
    }
    free(recording->function_labels);
    free(recording->function_colours);
    free(recording->function_numbers);
    mprof__drop_calls(recording);
    mprof__drop_children(recording);
    mprof__drop_group(recording);
}
