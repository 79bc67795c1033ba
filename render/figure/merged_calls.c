/* One pass over the shown calls, which are sorted by lane and time. Each row of the lane keeps one
 * pending box, to which narrow neighbours are added. */
#include "merged_calls.h"

#include "call_rows.h"
#include "format_units.h"
#include "layout.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t mprof__function_bit(const mprof__figure_input *input, const mprof_span *span)
{
    uint32_t number = input->function_numbers[span->function];
    return UINT64_C(1) << (number < 63 ? number : 63);
}

static mprof__merged_call call_of(const mprof__layout *layout, const mprof__figure_input *input,
                                  size_t place)
{
    uint32_t index = input->shown[place];
    const mprof_span *span = &input->spans[index];
    double start_s = span->enter.time_s - input->start_s;
    double end_s = span->exit.time_s - input->start_s;
    return (mprof__merged_call){
        .x0 = mprof__scale_at(&layout->time, fmax(start_s, layout->from_s)),
        .x1 = mprof__scale_at(&layout->time, fmin(end_s, layout->to_s)),
        .start_s = start_s,
        .end_s = end_s,
        .span = index,
        .lane = input->span_slots ? input->span_slots[place] : mprof__lane_of(layout, span),
        .row = input->rows[place],
        .call_count = span->count ? span->count : 1,
        .functions = mprof__function_bit(input, span),
        .cut_left = (start_s < layout->from_s),
        .cut_right = (end_s > layout->to_s),
        .open = span->open != 0,
    };
}

static double duration_of(const mprof__figure_input *input, uint32_t index)
{
    return input->spans[index].exit.time_s - input->spans[index].enter.time_s;
}

static void merge(const mprof__figure_input *input, mprof__merged_call *call,
                  const mprof__merged_call *next)
{
    call->x1 = fmax(call->x1, next->x1);
    call->end_s = fmax(call->end_s, next->end_s);
    call->call_count += next->call_count;
    call->functions |= next->functions;
    call->open = call->open || next->open;
    call->cut_right = call->cut_right || next->cut_right;
    if (duration_of(input, next->span) > duration_of(input, call->span)) {
        call->span = next->span;
    }
}

/* One pending box per row of the current lane. */
struct pending {
    mprof__merged_call *calls;
    size_t count, room;
};

static void flush(struct pending *pending, double wide_px, mprof__merged_call_visitor *visit,
                  void *data)
{
    for (size_t i = 0; i < pending->count; i++) {
        mprof__merged_call *call = &pending->calls[i];
        if (!call->call_count) {
            continue;
        }
        if (call->x1 < call->x0 + wide_px) {
            call->x1 = call->x0 + wide_px;
        }
        visit(data, call);
        call->call_count = 0;
    }
}

static bool ensure_row(struct pending *pending, size_t row)
{
    if (row < pending->room) {
        if (row >= pending->count) {
            pending->count = row + 1;
        }
        return true;
    }
    size_t room = row * 2 + 16;
    mprof__merged_call *grown = realloc(pending->calls, room * sizeof *grown);
    if (!grown) {
        return false;
    }
    memset(grown + pending->room, 0, (room - pending->room) * sizeof *grown);
    pending->calls = grown;
    pending->room = room;
    pending->count = row + 1;
    return true;
}

mprof_status mprof__visit_merged_calls(const mprof__layout *layout,
                                       const mprof__figure_input *input, double wide_px,
                                       mprof__merged_call_visitor *visit, void *data)
{
    struct pending pending = {NULL, 0, 0};
    uint32_t lane = 0;
    for (size_t i = 0; i < input->barred_count; i++) {
        mprof__merged_call next = call_of(layout, input, i);
        if (next.lane != lane) {
            flush(&pending, wide_px, visit, data);
        }
        lane = next.lane;
        if (!ensure_row(&pending, next.row)) {
            free(pending.calls);
            return MPROF_ENOMEM;
        }
        mprof__merged_call *call = &pending.calls[next.row];
        bool narrow = next.x1 - next.x0 < wide_px;
        bool hidden = next.x0 < call->x1 - 1; /* no row was free: it would cover the other */
        if (call->call_count && (hidden || (narrow && call->x1 - call->x0 < 4 * wide_px &&
                                            next.x0 < call->x0 + wide_px))) {
            merge(input, call, &next);
            continue;
        }
        if (call->call_count) {
            if (call->x1 < call->x0 + wide_px) {
                call->x1 = fmin(call->x0 + wide_px, fmax(next.x0, call->x1));
            }
            /* rounded times may overlap */
            call->x1 = fmin(call->x1, fmax(next.x0, call->x0 + wide_px / 2));
            visit(data, call);
        }
        *call = next;
    }
    flush(&pending, wide_px, visit, data);
    free(pending.calls);
    return MPROF_OK;
}

void mprof__process_text(char *text, size_t size, const mprof__figure_input *input,
                         uint32_t process)
{
    const mprof_process *p = &input->processes[process];
    char *name = mprof__visible_text(p->name, strlen(p->name), 60);
    if (p->own_pid != MPROF_PID_NONE) {
        snprintf(text, size, "%s %lld",
                 name && *name ? name
                 : process     ? "pid"
                               : "main",
                 (long long)p->own_pid);
    } else {
        snprintf(text, size, "%s", name && *name ? name : "main");
    }
    free(name);
}

void mprof__call_place_text(char *text, size_t size, const mprof__figure_input *input,
                            const mprof_span *span)
{
    const char *lane_name = input->lanes[span->lane].name;
    *text = '\0';
    if (input->process_count > 1) {
        mprof__process_text(text, size, input, span->process);
    }
    if (*lane_name) {
        char *lane = mprof__visible_text(lane_name, strlen(lane_name), 60);
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", used ? ", " : "", lane ? lane : "");
        free(lane);
    }
}

uint32_t mprof__about_merged_call(mprof__layout *layout, const mprof__figure_input *input,
                                  const mprof__merged_call *call)
{
    if (!layout->options->states) {
        return MPROF_ABOUT_NONE;
    }
    const mprof_span *span = &input->spans[call->span];
    const mprof_function *function = &input->functions[span->function];
    char *name = mprof__visible_text(function->name, strlen(function->name), 240);
    char text[800], duration[64], start[32], change[32], enter[32], leave[32], count[32];
    char where[200]; /* two names of up to 60 bytes as visible text, and a pid */
    if (!name) {
        return MPROF_ABOUT_NONE;
    }
    mprof__call_place_text(where, sizeof where, input, span);
    mprof__unsure_duration_text(duration, sizeof duration, duration_of(input, call->span),
                                2 * (double)span->sampled_s);
    mprof__duration_text(start, sizeof start, span->enter.time_s - input->start_s);
    mprof__change_text_in(change, sizeof change, layout->options->unit,
                          span->exit.mib - span->enter.mib);
    mprof__memory_text_in(enter, sizeof enter, layout->options->unit, span->enter.mib);
    mprof__memory_text_in(leave, sizeof leave, layout->options->unit, span->exit.mib);
    if (call->call_count > 1) {
        snprintf(text, sizeof text, "%s calls, the longest %s: %s, %s at %s%s%s",
                 mprof__count_text(count, sizeof count, call->call_count), name, duration, change,
                 start, *where ? " \xC2\xB7 " : "", where);
    } else {
        snprintf(text, sizeof text, "%s: %s%s, %s (%s \xE2\x86\x92 %s) at %s%s%s", name, duration,
                 span->open ? ", never returned" : "", change, enter, leave, start,
                 *where ? " \xC2\xB7 " : "", where);
    }
    free(name);
    mprof_about about = {.function = input->function_numbers[span->function],
                         .open = call->open,
                         .calls = call->call_count,
                         .functions = call->functions,
                         .start_s = call->start_s,
                         .end_s = call->end_s,
                         .enter_mib = span->enter.mib,
                         .exit_mib = span->exit.mib,
                         .sampled_s = call->call_count == 1 ? (double)span->sampled_s : 0};
    return mprof__add_about(layout->figure, about, text);
}
