/* --to speedscope: https://www.speedscope.app. By time, a profile for each lane: the entries and
 * exits of its calls, or its samples of stacks. By growth, one profile of all stacks. */
#include "stack_tree.h"

#include "parse/array.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a function is; of a name that was in no sampled stack the file is "". */
typedef struct place {
    char *file; /* owned; NULL: unknown */
    int64_t line;
} place;

typedef struct speedscope {
    mprof__stack_tree tree; /* by time: only its names are used */
    place *places;          /* owned; of its names, as far as known */
    size_t place_count, place_capacity;
    bool has_profile, has_event;
    bool has_samples; /* the profile is one of samples */
    uint32_t lane, track;
    size_t run;
    double end_s;    /* of the profile */
    double *seconds; /* owned; weights of its samples, which follow all of them */
    size_t seconds_count, seconds_capacity;
} speedscope;

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

static mprof_status begin(mprof__export_out *out)
{
    out->state = calloc(1, sizeof(speedscope));
    fputs("{\"$schema\":\"https://www.speedscope.app/"
          "file-format-schema.json\",\"exporter\":\"mprof " MPROF_VERSION "\",\"profiles\":[",
          out->stream);
    return out->state ? MPROF_OK : fail_memory(out);
}

/* ---- profiles of lanes ---- */

/* Whole microseconds from the start of the recording: rising, as they are in the file. */
static double from_start(const mprof__export_run *run, double time_s)
{
    return fmax(0, round((time_s - run->from_s) * 1e6) / 1e6);
}

static void end_profile(mprof__export_out *out)
{
    speedscope *state = out->state;
    if (state->has_samples) {
        double total_s = 0;
        fputs("],\"weights\":[", out->stream);
        for (size_t i = 0; i < state->seconds_count; i++) {
            fprintf(out->stream, "%s%.6f", i > 0 ? "," : "", state->seconds[i]);
            total_s += state->seconds[i];
        }
        state->end_s = total_s;
        state->seconds_count = 0;
        state->has_samples = false;
    }
    if (state->has_profile) {
        fprintf(out->stream, "],\"startValue\":0,\"endValue\":%.6f}", state->end_s);
    }
}

static void begin_profile(mprof__export_out *out, const mprof__export_run *run, uint32_t number,
                          uint32_t track)
{
    speedscope *state = out->state;
    const mprof__export_lane *lane = &run->lanes[number];
    char title[MPROF__EXPORT_TITLE_SIZE], name[2 * MPROF__EXPORT_TITLE_SIZE], suffix[32] = "";
    mprof__export_process_title(title, sizeof title, out, run, lane->process);
    if (track > 0) {
        snprintf(suffix, sizeof suffix, " (%u)", track + 1);
    }
    snprintf(name, sizeof name, "%s%s%s%s", title, *lane->name ? ": " : "", lane->name, suffix);
    end_profile(out);
    fprintf(out->stream, "%s\n{\"unit\":\"seconds\",\"name\":", state->has_profile ? "," : "");
    mprof__export_json_text(out->stream, name);
    state->has_profile = true;
    state->has_event = false;
    state->lane = number;
    state->track = track;
    state->run = run->ordinal;
    state->end_s = from_start(run, run->to_s);
}

static bool is_in_profile(const speedscope *state, const mprof__export_run *run, uint32_t lane,
                          uint32_t track)
{
    return state->has_profile && state->lane == lane && state->track == track &&
           state->run == run->ordinal;
}

/* ---- calls ---- */

static mprof_status write_event(mprof__export_out *out, const mprof__export_run *run, char kind,
                                const mprof__export_call *call, double time_s)
{
    speedscope *state = out->state;
    uint32_t frame = mprof__stack_tree_name(&state->tree, run->functions[call->function]);
    fprintf(out->stream, "%s\n{\"type\":\"%c\",\"frame\":%" PRIu32 ",\"at\":%.6f}",
            state->has_event ? "," : "", kind, frame, from_start(run, time_s));
    state->has_event = true;
    return frame == UINT32_MAX ? fail_memory(out) : MPROF_OK;
}

static mprof_status enter(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    if (!is_in_profile(out->state, run, call->lane, call->track)) {
        begin_profile(out, run, call->lane, call->track);
        fputs(",\"type\":\"evented\",\"events\":[", out->stream);
    }
    return write_event(out, run, 'O', call, call->enter.time_s);
}

static mprof_status leave(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    return write_event(out, run, 'C', call, call->exit.time_s);
}

/* ---- samples of stacks ---- */

/* Index of the frame's name, with where it is. */
static uint32_t find_name(speedscope *state, const mprof__export_frame *frame)
{
    uint32_t name = mprof__stack_tree_name(&state->tree, frame->name);
    while (name != UINT32_MAX && state->place_count <= name) {
        place *places = mprof__array_grow(state->places, state->place_count, &state->place_capacity,
                                          sizeof *places);
        if (!places) {
            return UINT32_MAX;
        }
        state->places = places;
        places[state->place_count++] = (place){0};
    }
    if (name != UINT32_MAX && !state->places[name].file && *frame->file) {
        state->places[name] = (place){strdup(frame->file), frame->line};
        name = state->places[name].file ? name : UINT32_MAX;
    }
    return name;
}

static mprof_status write_stack(mprof__export_out *out, const mprof__export_run *run,
                                uint32_t frame)
{
    speedscope *state = out->state;
    uint32_t path[MPROF__EXPORT_FRAMES_MOST];
    size_t depth = 0;
    for (; frame != MPROF__EXPORT_NO_FRAME && depth < MPROF__EXPORT_FRAMES_MOST;
         frame = run->frames[frame].parent) {
        path[depth] = find_name(state, &run->frames[frame]);
        if (path[depth++] == UINT32_MAX) {
            return fail_memory(out);
        }
    }
    fputs(state->has_event ? ",\n[" : "\n[", out->stream);
    state->has_event = true;
    while (depth-- > 0) {
        fprintf(out->stream, "%" PRIu32 "%s", path[depth], depth > 0 ? "," : "");
    }
    putc(']', out->stream);
    return MPROF_OK;
}

static mprof_status stack(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_stack *stack)
{
    speedscope *state = out->state;
    if (!is_in_profile(state, run, stack->lane, 0)) {
        begin_profile(out, run, stack->lane, 0);
        fputs(",\"type\":\"sampled\",\"samples\":[", out->stream);
        state->has_samples = true;
    }
    double *seconds = mprof__array_grow(state->seconds, state->seconds_count,
                                        &state->seconds_capacity, sizeof *seconds);
    if (!seconds) {
        return fail_memory(out);
    }
    state->seconds = seconds;
    seconds[state->seconds_count++] = stack->seconds;
    return write_stack(out, run, stack->frame);
}

/* ---- growth ---- */

static mprof_status growth(mprof__export_out *out, const mprof__export_run *run,
                           const mprof_call_tree *tree)
{
    speedscope *state = out->state;
    return mprof__stack_tree_add_growth(&state->tree, out, run, tree) == 0 ? MPROF_OK
                                                                           : fail_memory(out);
}

/* Stacks in the order in which they were seen first. */
static mprof_status write_growth(mprof__export_out *out)
{
    const speedscope *state = out->state;
    const mprof__stack_tree *tree = &state->tree;
    const char *separator = "";
    double total = 0;
    uint32_t *path = calloc(tree->node_count + 1, sizeof *path);
    if (!path) {
        return fail_memory(out);
    }
    fputs(
        "\n{\"type\":\"sampled\",\"unit\":\"bytes\",\"name\":\"growth of memory\",\"startValue\":0,"
        "\"samples\":[",
        out->stream);
    for (size_t i = 1; i < tree->node_count; i++) {
        size_t depth = 0;
        if (mprof__stack_tree_weight(tree, i, MPROF__EXPORT_BY_GROWTH) <= 0) {
            continue;
        }
        for (size_t at = i; at != 0; at = tree->nodes[at].parent) {
            path[depth++] = tree->nodes[at].name;
        }
        fprintf(out->stream, "%s\n[", separator);
        while (depth-- > 0) {
            fprintf(out->stream, "%" PRIu32 "%s", path[depth], depth > 0 ? "," : "]");
        }
        separator = ",";
    }
    fputs("],\"weights\":[", out->stream);
    separator = "";
    for (size_t i = 1; i < tree->node_count; i++) {
        double weight = mprof__stack_tree_weight(tree, i, MPROF__EXPORT_BY_GROWTH);
        if (weight > 0) {
            fprintf(out->stream, "%s%.0f", separator, weight);
            separator = ",";
            total += weight;
        }
    }
    fprintf(out->stream, "],\"endValue\":%.0f}", total);
    free(path);
    return MPROF_OK;
}

/* ---- all ---- */

static void write_frames(mprof__export_out *out)
{
    const speedscope *state = out->state;
    const mprof__stack_tree *tree = &state->tree;
    fputs("],\"shared\":{\"frames\":[", out->stream);
    for (size_t i = 0; i < tree->name_count; i++) {
        fputs(i > 0 ? ",\n{\"name\":" : "\n{\"name\":", out->stream);
        mprof__export_json_text(out->stream, tree->names[i]);
        if (i < state->place_count && state->places[i].file) {
            fputs(",\"file\":", out->stream);
            mprof__export_json_text(out->stream, state->places[i].file);
            if (state->places[i].line > 0) {
                fprintf(out->stream, ",\"line\":%" PRId64, state->places[i].line);
            }
        }
        putc('}', out->stream);
    }
    fputs("]}}\n", out->stream);
}

static mprof_status end(mprof__export_out *out)
{
    mprof_status status = MPROF_OK;
    if (out->options->by == MPROF__EXPORT_BY_GROWTH) {
        status = write_growth(out);
    } else {
        end_profile(out);
    }
    write_frames(out);
    return status;
}

static void release(mprof__export_out *out)
{
    speedscope *state = out->state;
    if (!state) {
        return;
    }
    for (size_t i = 0; i < state->place_count; i++) {
        free(state->places[i].file);
    }
    mprof__stack_tree_free(&state->tree);
    free(state->places);
    free(state->seconds);
    free(state);
}

const mprof__export_format mprof__export_speedscope = {
    .name = "speedscope",
    .extension = ".speedscope.json",
    .help = "calls for https://www.speedscope.app: a profile for each thread",
    .is_of_calls = true,
    .is_weighed = true,
    .begin = begin,
    .enter = enter,
    .leave = leave,
    .stack = stack,
    .growth = growth,
    .end = end,
    .release = release,
};
