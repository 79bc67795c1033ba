/* The line that `mprof run --live` shows of a recording while it is made. */
#ifndef MPROF_RECORD_LIVE_LINE_H
#define MPROF_RECORD_LIVE_LINE_H

#include "sparkline.h"
#include "terminal_text.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__live_line mprof__live_line;

/* What there is to show, besides the curve. Texts are the caller's. */
typedef struct mprof__live_line_view {
    int64_t peak_bytes;
    size_t processes;
    size_t calls;         /* in flight */
    const char *function; /* the last of them that began, or NULL; anything, not yet harmless */
    int64_t waits_ns;     /* until the recording begins; 0: it has */
    int64_t lasts_ns;     /* since it did */
} mprof__live_line_view;

/* Shows the line on the terminal that `fd` is. MPROF_EARGUMENT with the reason where that is none;
 * MPROF_ENOMEM. */
mprof_status mprof__live_line_open(mprof__live_line **out, int fd, mprof_error *error);

/* Takes the line away. NULL is fine. */
void mprof__live_line_free(mprof__live_line *live);

/* Takes a sample of the curve. */
void mprof__live_line_add(mprof__live_line *live, int64_t bytes, int64_t now_ns);

/* When the line is next to be drawn, CLOCK_MONOTONIC: some times a second, so as not to flicker. */
int64_t mprof__live_line_due_ns(const mprof__live_line *live);

void mprof__live_line_show(mprof__live_line *live, const mprof__live_line_view *view,
                           int64_t now_ns);

/* Takes the line away until it is shown again: before this process is stopped, and at the end. */
void mprof__live_line_hide(mprof__live_line *live);

/* The terminal has changed, or has been another's: the line is drawn anew when it is next due. */
void mprof__live_line_renew(mprof__live_line *live);

/* Takes a signal that is held back for the sake of the line (record/terminal/signals.h): TSTP stops
 * this process, without the line; it returns when the job goes on. 0 if it is none of them. */
int mprof__live_line_take_signal(mprof__live_line *live, int number);

/* The line as text. */
void mprof__live_line_format(mprof__terminal_text *text, const mprof__sparkline *trend,
                             const mprof__live_line_view *view);

#endif
