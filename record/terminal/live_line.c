#include "live_line.h"

#include "parse/plain_text.h"
#include "signals.h"
#include "status_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDRAW_NS INT64_C(200000000)
#define GRAPH_CELLS 20
#define GRAPH_SIZE (GRAPH_CELLS * 3 + 4)
/* Fewer columns: no graph. Fewer columns left: no function name. */
#define GRAPH_ROOM 60
#define NAME_MIN 24
#define MIB (1024.0 * 1024.0)

struct mprof__live_line {
    mprof__status_line line;
    mprof__sparkline graph;
    int64_t due_ns;
    bool utf8;
};

mprof_status mprof__live_line_open(mprof__live_line **out, int fd, mprof_error *error)
{
    mprof__live_line *live = calloc(1, sizeof *live);

    *out = NULL;
    if (!live) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_status status = mprof__status_line_open(&live->line, fd, error);
    if (status != MPROF_OK) {
        free(live);
        return status;
    }
    live->utf8 = mprof__locale_is_utf8();
    *out = live;
    return MPROF_OK;
}

void mprof__live_line_free(mprof__live_line *live)
{
    if (live) {
        mprof__status_line_close(&live->line);
        free(live);
    }
}

void mprof__live_line_add(mprof__live_line *live, int64_t bytes, int64_t now_ns)
{
    mprof__sparkline_add(&live->graph, bytes, now_ns);
}

int64_t mprof__live_line_due_ns(const mprof__live_line *live)
{
    return live->due_ns;
}

/* "1:02:03", or "02:03". */
static void put_duration(mprof__terminal_text *text, int64_t ns)
{
    long long seconds = ns / 1000000000;

    if (seconds >= 3600) {
        (void)mprof__terminal_text_put(text, " %lld:%02lld:%02lld", seconds / 3600,
                                       seconds / 60 % 60, seconds % 60);
    } else {
        (void)mprof__terminal_text_put(text, " %02lld:%02lld", seconds / 60, seconds % 60);
    }
}

static void put_calls(mprof__terminal_text *text, const mprof__live_line_view *view)
{
    char more[32] = "";

    if (view->calls == 0) {
        return;
    }
    if (view->calls > 1) {
        snprintf(more, sizeof more, " +%zu", view->calls - 1);
    }
    size_t most = text->room - text->columns;
    if (most > NAME_MIN && mprof__terminal_text_put(text, "  in ")) {
        mprof__terminal_text_put_foreign(text, view->function ? view->function : "?",
                                         most - strlen("  in ") - strlen(more));
        (void)mprof__terminal_text_put(text, "%s", more);
    }
}

void mprof__live_line_format(mprof__terminal_text *text, const mprof__sparkline *samples,
                             const mprof__live_line_view *view)
{
    char graph[GRAPH_SIZE] = "";

    if (view->waits_ns > 0) {
        (void)mprof__terminal_text_put(text, " mprof: recording begins in");
        put_duration(text, view->waits_ns + 999999999);
        return;
    }
    (void)mprof__terminal_text_put(text, " %.1f MiB", (double)samples->bytes / MIB);
    if (text->utf8 && text->room >= GRAPH_ROOM) {
        mprof__sparkline_draw(samples, text->room >= 2 * GRAPH_ROOM ? GRAPH_CELLS : GRAPH_CELLS / 2,
                              graph, sizeof graph);
        (void)mprof__terminal_text_put(text, " %s", graph);
    }
    (void)mprof__terminal_text_put(text, "  peak %.1f", (double)view->peak_bytes / MIB);
    (void)mprof__terminal_text_put(text, "  %+.2f MiB/s", mprof__sparkline_slope(samples) / MIB);
    put_duration(text, view->lasts_ns);
    if (view->processes > 1) {
        (void)mprof__terminal_text_put(text, "  %zu processes", view->processes);
    }
    put_calls(text, view);
}

void mprof__live_line_show(mprof__live_line *live, const mprof__live_line_view *view,
                           int64_t now_ns)
{
    mprof__terminal_text text;
    size_t room = mprof__status_line_room(&live->line);

    live->due_ns = now_ns + REDRAW_NS;
    if (room == 0) {
        return;
    }
    mprof__terminal_text_init(&text, room, live->utf8);
    mprof__live_line_format(&text, &live->graph, view);
    mprof__status_line_show(&live->line, text.bytes);
}

void mprof__live_line_hide(mprof__live_line *live)
{
    mprof__status_line_hide(&live->line);
}

void mprof__live_line_redraw(mprof__live_line *live)
{
    mprof__status_line_reset(&live->line);
    live->due_ns = 0;
}

bool mprof__live_line_handle_signal(mprof__live_line *live, int number)
{
    switch (number) {
    case SIGTSTP:
        mprof__live_line_hide(live);
        mprof__signal_stop(number);
        mprof__live_line_redraw(live);
        return true;
    case SIGCONT:
    case SIGWINCH:
        mprof__live_line_redraw(live);
        return true;
    case SIGTTOU:
        return true;
    default:
        return false;
    }
}
