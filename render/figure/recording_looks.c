/* Up to eight recordings have hues. Where functions have these, recordings differ in weight and
 * dash. More than eight are grey, but the highest, in ink, and the median, dashed: then a list has
 * their names. Durations that are very unlike share an axis of per cent. */
#include "recording_looks.h"

#include "colour_slots.h"
#include "heading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half of the recordings last less than this part of the longest: they would be slivers. */
#define SLIVER_SHARE 0.1

struct ranked {
    size_t input;
    double value;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value < y->value || x->value > y->value) {
        return x->value < y->value ? 1 : -1;
    }
    return x->input < y->input ? -1 : x->input > y->input;
}

static bool have_calls(const mprof__layout *layout)
{
    for (size_t i = 0; i < layout->input_count; i++) {
        if (layout->inputs[i].shown_count) {
            return true;
        }
    }
    return false;
}

static double duration_s(const mprof__figure_input *input)
{
    return mprof_profile_end_s(input->profile) - input->start_s;
}

/* Each recording is stretched over the whole axis. */
static void share_axis(mprof__layout *layout)
{
    layout->from_s = 0;
    layout->to_s = 100;
    layout->is_share = true;
    for (size_t i = 0; i < layout->input_count; i++) {
        double seconds = duration_s(&layout->inputs[i]);
        layout->inputs[i].stretch = seconds > 0 ? 100 / seconds : 1;
    }
}

static bool wants_shares(const mprof__layout *layout, const struct ranked *durations)
{
    const mprof_figure_options *options = layout->options;
    bool has_window = options->window_s[0] != 0 || options->window_s[1] != 0;
    return !has_window && !options->slope && !options->kinds && !have_calls(layout) &&
           durations[layout->input_count / 2].value < SLIVER_SHARE * durations[0].value;
}

static void colour_crowd(mprof__layout *layout, const struct ranked *peaks)
{
    for (size_t i = 0; i < layout->input_count; i++) {
        layout->crowd[i] = (uint32_t)peaks[i].input;
        layout->inputs[peaks[i].input].colour = MPROF__CROWD_SLOT;
    }
    layout->inputs[peaks[layout->input_count / 2].input].colour = MPROF__MEDIAN_SLOT;
    layout->inputs[peaks[0].input].colour = MPROF__HIGHEST_SLOT;
}

static void apply_hue_names(mprof__layout *layout)
{
    char texts[MPROF__RECORDINGS_MAX][240];
    const char *names[MPROF__RECORDINGS_MAX];
    int8_t slots[MPROF__RECORDINGS_MAX];
    for (size_t i = 0; i < layout->input_count; i++) {
        mprof__recording_name(texts[i], sizeof texts[i], layout, &layout->inputs[i]);
        names[i] = texts[i];
        slots[i] = (int8_t)layout->inputs[i].colour;
    }
    mprof__apply_hue_names(layout, slots, names, layout->input_count);
    for (size_t i = 0; i < layout->input_count; i++) {
        layout->inputs[i].colour = slots[i];
    }
}

mprof_status mprof__share_unlike_durations(mprof__layout *layout)
{
    size_t count = layout->input_count;
    struct ranked *durations = malloc(count * sizeof *durations);
    if (!durations) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        durations[i] = (struct ranked){i, duration_s(&layout->inputs[i])};
    }
    qsort(durations, count, sizeof *durations, by_value);
    if (count > MPROF__RECORDINGS_MAX && wants_shares(layout, durations)) {
        share_axis(layout);
    }
    free(durations);
    return MPROF_OK;
}

mprof_status mprof__choose_recording_looks(mprof__layout *layout)
{
    size_t count = layout->input_count;
    bool hues_are_taken = have_calls(layout) || layout->options->colours_most; /* or unseen */
    if (!mprof__is_overlay(layout)) {
        return MPROF_OK;
    }
    for (size_t i = 0; count <= MPROF__RECORDINGS_MAX && i < count; i++) {
        layout->inputs[i].colour = (int)i + (hues_are_taken ? MPROF__LINE_SLOT : 0);
    }
    if (count <= MPROF__RECORDINGS_MAX) {
        if (!hues_are_taken) {
            apply_hue_names(layout);
        }
        return MPROF_OK;
    }
    struct ranked *ranked = malloc(count * sizeof *ranked);
    layout->crowd = malloc(count * sizeof *layout->crowd);
    if (!ranked || !layout->crowd) {
        free(ranked);
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct ranked){i, layout->inputs[i].line->peak.mib};
    }
    qsort(ranked, count, sizeof *ranked, by_value);
    colour_crowd(layout, ranked);
    free(ranked);
    return mprof__share_unlike_durations(layout);
}
