/* The line of `mprof run --live`: memory, graph, peak, slope, time, calls. */
#ifndef MPROF_RECORD_LIVE_LINE_H
#define MPROF_RECORD_LIVE_LINE_H

#include "sparkline.h"
#include "terminal_text.h"

#include <mprof/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__live_line mprof__live_line;

/* All that is shown besides the samples. Strings are the caller's. */
typedef struct mprof__live_line_view {
    int64_t peak_bytes;
    size_t processes;
    size_t calls;         /* in flight */
    const char *function; /* the one that began last, or NULL; not escaped */
    int64_t waits_ns;     /* until the recording begins; 0: it has begun */
    int64_t lasts_ns;     /* since it began */
} mprof__live_line_view;

/* fd: a terminal. MPROF_EARGUMENT with the reason if no line can be shown on it; MPROF_ENOMEM. */
mprof_status mprof__live_line_open(mprof__live_line **out, int fd, mprof_error *error);

/* Removes the line. NULL is allowed. */
void mprof__live_line_free(mprof__live_line *live);

/* Adds a sample to the graph. */
void mprof__live_line_add(mprof__live_line *live, int64_t bytes, int64_t now_ns);

/* When to draw the line next, CLOCK_MONOTONIC: a few times a second, so that it does not
 * flicker. */
int64_t mprof__live_line_due_ns(const mprof__live_line *live);

void mprof__live_line_show(mprof__live_line *live, const mprof__live_line_view *view,
                           int64_t now_ns);

/* Removes the line until it is shown again: before this process is stopped, and at the end. */
void mprof__live_line_hide(mprof__live_line *live);

/* Call when the terminal has a new size, or another program has used it: redraws the whole line at
 * the next chance. */
void mprof__live_line_redraw(mprof__live_line *live);

/* Handles a signal of the terminal (record/terminal/signals.h): TSTP removes the line, stops this
 * process, and returns when the job continues. False: not such a signal. */
bool mprof__live_line_handle_signal(mprof__live_line *live, int number);

/* Formats the line as text. */
void mprof__live_line_format(mprof__terminal_text *text, const mprof__sparkline *samples,
                             const mprof__live_line_view *view);

#endif
