/* --to speedscope: https://www.speedscope.app. By time, a profile for each lane with the entries
 * and exits of its calls; by growth, one profile of all stacks. */
#include "call_tree.h"

#include <math.h>
#include <stdlib.h>

typedef struct speedscope {
    mprof__call_tree tree; /* by time: only its names are used */
    bool has_profile, has_event;
    uint32_t lane, track;
    size_t run;
    double end_s; /* of the profile */
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

/* ---- by time ---- */

/* Whole microseconds from the start of the recording: rising, as they are in the file. */
static double seconds(const mprof__export_run *run, double time_s)
{
    return fmax(0, round((time_s - run->from_s) * 1e6) / 1e6);
}

static void end_profile(mprof__export_out *out)
{
    const speedscope *state = out->state;
    if (state->has_profile) {
        fprintf(out->stream, "],\"startValue\":0,\"endValue\":%.6f}", state->end_s);
    }
}

static void begin_profile(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    speedscope *state = out->state;
    const mprof__export_lane *lane = &run->lanes[call->lane];
    char title[MPROF__EXPORT_TITLE_SIZE], name[2 * MPROF__EXPORT_TITLE_SIZE], number[32] = "";
    mprof__export_process_title(title, sizeof title, out, run, lane->process);
    if (call->track > 0) {
        snprintf(number, sizeof number, " (%u)", call->track + 1);
    }
    snprintf(name, sizeof name, "%s%s%s%s", title, *lane->name ? ": " : "", lane->name, number);
    end_profile(out);
    fprintf(out->stream, "%s\n{\"type\":\"evented\",\"unit\":\"seconds\",\"name\":",
            state->has_profile ? "," : "");
    mprof__export_json_text(out->stream, name);
    fputs(",\"events\":[", out->stream);
    state->has_profile = true;
    state->has_event = false;
    state->lane = call->lane;
    state->track = call->track;
    state->run = run->ordinal;
    state->end_s = seconds(run, run->to_s);
}

static mprof_status write_event(mprof__export_out *out, const mprof__export_run *run, char kind,
                                const mprof__export_call *call, double time_s)
{
    speedscope *state = out->state;
    uint32_t frame = mprof__call_tree_name(&state->tree, run->functions[call->function]);
    fprintf(out->stream, "%s\n{\"type\":\"%c\",\"frame\":%u,\"at\":%.6f}",
            state->has_event ? "," : "", kind, frame, seconds(run, time_s));
    state->has_event = true;
    return frame == UINT32_MAX ? fail_memory(out) : MPROF_OK;
}

static mprof_status enter(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    speedscope *state = out->state;
    if (out->options->by == MPROF__EXPORT_BY_GROWTH) {
        return mprof__call_tree_enter(&state->tree, out, run, call) == 0 ? MPROF_OK
                                                                         : fail_memory(out);
    }
    if (!state->has_profile || call->lane != state->lane || call->track != state->track ||
        run->ordinal != state->run) {
        begin_profile(out, run, call);
    }
    return write_event(out, run, 'O', call, call->enter.time_s);
}

static mprof_status leave(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    speedscope *state = out->state;
    if (out->options->by == MPROF__EXPORT_BY_GROWTH) {
        mprof__call_tree_leave(&state->tree, call);
        return MPROF_OK;
    }
    return write_event(out, run, 'C', call, call->exit.time_s);
}

/* ---- by growth ---- */

/* Stacks in the order in which they were seen first. */
static mprof_status write_growth(mprof__export_out *out)
{
    speedscope *state = out->state;
    const mprof__call_tree *tree = &state->tree;
    double total = 0;
    uint32_t *stack = calloc(tree->node_count + 1, sizeof *stack);
    if (!stack) {
        return fail_memory(out);
    }
    fputs(
        "\n{\"type\":\"sampled\",\"unit\":\"bytes\",\"name\":\"growth of memory\",\"startValue\":0,"
        "\"samples\":[",
        out->stream);
    const char *separator = "";
    for (size_t i = 1; i < tree->node_count; i++) {
        size_t count = 0;
        if (mprof__call_tree_weight(tree, i, MPROF__EXPORT_BY_GROWTH) <= 0) {
            continue;
        }
        for (size_t at = i; at != 0; at = tree->nodes[at].parent) {
            stack[count++] = tree->nodes[at].name;
        }
        fprintf(out->stream, "%s\n[", separator);
        while (count-- > 0) {
            fprintf(out->stream, "%u%s", stack[count], count > 0 ? "," : "]");
        }
        separator = ",";
    }
    fputs("],\"weights\":[", out->stream);
    separator = "";
    for (size_t i = 1; i < tree->node_count; i++) {
        double weight = mprof__call_tree_weight(tree, i, MPROF__EXPORT_BY_GROWTH);
        if (weight > 0) {
            fprintf(out->stream, "%s%.0f", separator, weight);
            separator = ",";
            total += weight;
        }
    }
    fprintf(out->stream, "],\"endValue\":%.0f}", total);
    free(stack);
    return MPROF_OK;
}

static mprof_status end(mprof__export_out *out)
{
    speedscope *state = out->state;
    const mprof__call_tree *tree = &state->tree;
    mprof_status status = MPROF_OK;
    if (out->options->by == MPROF__EXPORT_BY_GROWTH) {
        status = write_growth(out);
    } else {
        end_profile(out);
    }
    fputs("],\"shared\":{\"frames\":[", out->stream);
    for (size_t i = 0; i < tree->name_count; i++) {
        fputs(i > 0 ? ",\n{\"name\":" : "\n{\"name\":", out->stream);
        mprof__export_json_text(out->stream, tree->names[i]);
        putc('}', out->stream);
    }
    fputs("]}}\n", out->stream);
    return status;
}

static void release(mprof__export_out *out)
{
    speedscope *state = out->state;
    if (state) {
        mprof__call_tree_free(&state->tree);
        free(state);
    }
}

const mprof__export_format mprof__export_speedscope = {
    .name = "speedscope",
    .extension = ".speedscope.json",
    .help = "calls for https://www.speedscope.app: a profile for each thread",
    .is_of_calls = true,
    .begin = begin,
    .enter = enter,
    .leave = leave,
    .end = end,
    .release = release,
};
