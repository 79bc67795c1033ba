/* Calls as boxes on the time axis: one pass over the shown calls, sorted by lane and time. A
 * box that would be too narrow to be seen waits for its neighbours and is told together with them.
 */
#include "merged_calls.h"

#include "call_rows.h"
#include "format_units.h"
#include "layout.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t mprof__function_bit(const mprof__figure_input *recording, const mprof_span *span)
{
    uint32_t number = recording->function_numbers[span->function];
    return UINT64_C(1) << (number < 63 ? number : 63);
}

static mprof__run run_of(const mprof__layout *layout, const mprof__figure_input *recording,
                         size_t place)
{
    uint32_t index = recording->shown[place];
    const mprof_span *span = &recording->spans[index];
    double start_s = span->enter.time_s - recording->start_s;
    double end_s = span->exit.time_s - recording->start_s;
    return (mprof__run){
        .x0 = mprof__scale_at(&layout->time, fmax(start_s, layout->from_s)),
        .x1 = mprof__scale_at(&layout->time, fmin(end_s, layout->to_s)),
        .start_s = start_s,
        .end_s = end_s,
        .span = index,
        .lane = mprof__lane_of(layout, span),
        .row = recording->rows[place],
        .calls = span->count ? span->count : 1,
        .functions = mprof__function_bit(recording, span),
        .cut_left = start_s<layout->from_s, .cut_right = end_s> layout->to_s,
        .open = span->open != 0,
    };
}

static double length_of(const mprof__figure_input *recording, uint32_t index)
{
    return recording->spans[index].exit.time_s - recording->spans[index].enter.time_s;
}

static void absorb(const mprof__figure_input *recording, mprof__run *run, const mprof__run *next)
{
    run->x1 = fmax(run->x1, next->x1);
    run->end_s = fmax(run->end_s, next->end_s);
    run->calls += next->calls;
    run->functions |= next->functions;
    run->open = run->open || next->open;
    run->cut_right = run->cut_right || next->cut_right;
    if (length_of(recording, next->span) > length_of(recording, run->span)) {
        run->span = next->span;
    }
}

/* One waiting box per row of the current lane. */
struct waiting {
    mprof__run *runs;
    size_t count, room;
};

static void flush(struct waiting *waiting, double wide_px, mprof__run_visitor *visit, void *data)
{
    for (size_t i = 0; i < waiting->count; i++) {
        mprof__run *run = &waiting->runs[i];
        if (!run->calls) {
            continue;
        }
        if (run->x1 < run->x0 + wide_px) {
            run->x1 = run->x0 + wide_px;
        }
        visit(data, run);
        run->calls = 0;
    }
}

static int make_room(struct waiting *waiting, size_t row)
{
    if (row < waiting->room) {
        if (row >= waiting->count) {
            waiting->count = row + 1;
        }
        return 1;
    }
    size_t room = row * 2 + 16;
    mprof__run *grown = realloc(waiting->runs, room * sizeof *grown);
    if (!grown) {
        return 0;
    }
    memset(grown + waiting->room, 0, (room - waiting->room) * sizeof *grown);
    waiting->runs = grown;
    waiting->room = room;
    waiting->count = row + 1;
    return 1;
}

mprof_status mprof__each_run(const mprof__layout *layout, const mprof__figure_input *recording,
                             double wide_px, mprof__run_visitor *visit, void *data)
{
    struct waiting waiting = {NULL, 0, 0};
    uint32_t lane = 0;
    for (size_t i = 0; i < recording->shown_count; i++) {
        mprof__run next = run_of(layout, recording, i);
        if (next.lane != lane) {
            flush(&waiting, wide_px, visit, data);
        }
        lane = next.lane;
        if (!make_room(&waiting, next.row)) {
            free(waiting.runs);
            return MPROF_ENOMEM;
        }
        mprof__run *run = &waiting.runs[next.row];
        bool narrow = next.x1 - next.x0 < wide_px;
        bool hidden = next.x0 < run->x1 - 1; /* no row was free for it: it would lie on the other */
        if (run->calls && (hidden || (narrow && run->x1 - run->x0 < 4 * wide_px &&
                                      next.x0 < run->x0 + wide_px))) {
            absorb(recording, run, &next);
            continue;
        }
        if (run->calls) {
            if (run->x1 < run->x0 + wide_px) {
                run->x1 = fmin(run->x0 + wide_px, fmax(next.x0, run->x1));
            }
            visit(data, run);
        }
        *run = next;
    }
    flush(&waiting, wide_px, visit, data);
    free(waiting.runs);
    return MPROF_OK;
}

void mprof__process_text(char *text, size_t size, const mprof__figure_input *recording,
                         uint32_t process)
{
    const mprof_process *p = &recording->processes[process];
    char *name = mprof__visible(p->name, strlen(p->name), 60);
    if (p->pid != MPROF_PID_NONE) {
        snprintf(text, size, "%s %lld",
                 name && *name ? name
                 : process     ? "pid"
                               : "main",
                 (long long)p->pid);
    } else {
        snprintf(text, size, "%s", name && *name ? name : "main");
    }
    free(name);
}

uint32_t mprof__about_run(mprof__layout *layout, const mprof__figure_input *recording,
                          const mprof__run *run)
{
    if (!layout->options->states) {
        return MPROF_ABOUT_NONE;
    }
    const mprof_span *span = &recording->spans[run->span];
    const mprof_function *function = &recording->functions[span->function];
    char *name = mprof__visible(function->name, strlen(function->name), 240);
    char text[800], duration[32], start[32], change[32], enter[32], leave[32], count[32];
    char where[200] = ""; /* two names of 60 bytes, made visible, and a pid */
    if (!name) {
        return MPROF_ABOUT_NONE;
    }
    if (recording->process_count > 1) {
        mprof__process_text(where, sizeof where, recording, span->process);
    }
    if (*recording->lanes[span->lane].name) {
        const char *lane_name = recording->lanes[span->lane].name;
        char *lane = mprof__visible(lane_name, strlen(lane_name), 60);
        size_t used = strlen(where);
        snprintf(where + used, sizeof where - used, "%s%s", used ? ", " : "", lane ? lane : "");
        free(lane);
    }
    mprof__duration_text(duration, sizeof duration, length_of(recording, run->span));
    mprof__duration_text(start, sizeof start, span->enter.time_s - recording->start_s);
    mprof__change_text(change, sizeof change, span->exit.mib - span->enter.mib);
    mprof__memory_text(enter, sizeof enter, span->enter.mib);
    mprof__memory_text(leave, sizeof leave, span->exit.mib);
    if (run->calls > 1) {
        snprintf(text, sizeof text, "%s calls, the longest %s: %s, %s at %s%s%s",
                 mprof__count_text(count, sizeof count, run->calls), name, duration, change, start,
                 *where ? " \xC2\xB7 " : "", where);
    } else {
        snprintf(text, sizeof text, "%s: %s%s, %s (%s \xE2\x86\x92 %s) at %s%s%s", name, duration,
                 span->open ? ", never returned" : "", change, enter, leave, start,
                 *where ? " \xC2\xB7 " : "", where);
    }
    free(name);
    mprof_about about = {.function = recording->function_numbers[span->function],
                         .open = run->open,
                         .calls = run->calls,
                         .functions = run->functions,
                         .start_s = run->start_s,
                         .end_s = run->end_s,
                         .enter_mib = span->enter.mib,
                         .exit_mib = span->exit.mib};
    return mprof__add_about(layout->figure, about, text);
}
