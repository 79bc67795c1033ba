/* The line that `mprof run --live` shows of a recording while it is made. */
#ifndef MPROF_RECORD_LIVE_LINE_H
#define MPROF_RECORD_LIVE_LINE_H

#include "sparkline.h"
#include "terminal_text.h"

#include <mprof/error.h>
#include <stdint.h>

typedef struct mprof__live mprof__live;

/* What there is to show, besides the curve. Texts are the caller's. */
typedef struct mprof__live_view {
    int64_t peak_bytes;
    size_t processes;
    size_t calls;         /* in flight */
    const char *function; /* the last of them that began, or NULL; anything, not yet harmless */
    int64_t waits_ns;     /* until the recording begins; 0: it has */
    int64_t lasts_ns;     /* since it did */
} mprof__live_view;

/* Shows the line on the terminal that `fd` is. MPROF_EARGUMENT with the reason where that is none;
 * MPROF_ENOMEM. */
mprof_status mprof__live_open(mprof__live **out, int fd, mprof_error *error);

/* Takes the line away. NULL is fine. */
void mprof__live_free(mprof__live *live);

/* Takes a sample of the curve. */
void mprof__live_add(mprof__live *live, int64_t bytes, int64_t now_ns);

/* When the line is next to be drawn, CLOCK_MONOTONIC: some times a second, so as not to flicker. */
int64_t mprof__live_due_ns(const mprof__live *live);

void mprof__live_show(mprof__live *live, const mprof__live_view *view, int64_t now_ns);

/* Takes the line away until it is shown again: before this process is stopped, and at the end. */
void mprof__live_hide(mprof__live *live);

/* The terminal has changed, or has been another's: the line is drawn anew when it is next due. */
void mprof__live_renew(mprof__live *live);

/* Takes a signal that is held back for the sake of the line (record/terminal/signals.h): TSTP stops
 * this process, without the line; it returns when the job goes on. 0 if it is none of them. */
int mprof__live_take_signal(mprof__live *live, int number);

/* The line as text. */
void mprof__live_format(mprof__screen_text *text, const mprof__trend *trend,
                        const mprof__live_view *view);

#endif
