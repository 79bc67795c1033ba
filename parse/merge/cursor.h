/* The records of one run in the order of time, one after the other, from a block of the file that
 * is in memory. */
#ifndef MPROF_PARSE_MERGE_CURSOR_H
#define MPROF_PARSE_MERGE_CURSOR_H

#include "parse/buffer.h"
#include "parse/reader_steps.h"
#include "plan.h"
#include "run.h"
#include "tick_assembly.h"

/* A sample of a process; or a line of text, if `length` is not 0; or sums of kinds. */
typedef struct mprof__merge_item {
    double time_s;
    double mib;
    int64_t pid;     /* in the merged recording; MPROF__ITEM_TEXT, MPROF__ITEM_KINDS */
    uint32_t text;   /* offset in the cursor's texts */
    uint32_t length; /* of KINDS: bytes of MPROF_KIND_COUNT doubles, NAN: not recorded */
} mprof__merge_item;

#define MPROF__ITEM_TEXT (-1)
#define MPROF__ITEM_KINDS (-2)

/* A sample that waits to be sorted. */
typedef struct mprof__raw_sample {
    mprof_sample sample;
    int64_t pid;     /* MPROF_PID_NONE: MEM */
    uint64_t number; /* in the file */
} mprof__raw_sample;

/* What a cursor of a run that is not sorted reads: its samples are sorted in parts, each found by
 * reading all of the run, and its other records are read once, by another cursor. */
typedef enum mprof__cursor_part {
    MPROF__CURSOR_ALL,
    MPROF__CURSOR_SAMPLES,
    MPROF__CURSOR_RECORDS,
} mprof__cursor_part;

typedef struct mprof__cursor {
    const mprof__merge_run *run;
    const mprof__merge_plan *plan;
    mprof__cursor_part part;
    bool rests; /* the file is closed between two blocks */
    size_t block_size;
    mprof_source *source;
    mprof__reader *reader;
    mprof_visitor visitor;
    mprof__tick_assembly assembly;
    mprof__merge_item *items; /* owned; sorted from `first` on */
    size_t first, count, capacity;
    mprof__buffer texts;
    uint64_t named; /* numbered children that have a name: 1 << number */
    double safe_s;  /* items before this time are complete */
    double last_s;  /* of the latest tick or sample */
    double taken_s; /* of the item that was handed out last */
    bool is_done;   /* all is read */
    double kinds_s; /* time of the sums below; NAN: none */
    double kinds_mib[MPROF_KIND_COUNT];
    bool kinds_exact;       /* they are those of a run that was merged before */
    const char *group;      /* the present path of the control group; owned */
    mprof__raw_sample *raw; /* owned */
    size_t raw_count;
    uint64_t raw_number;
    mprof__raw_sample raw_last; /* the last one of the part before */
    bool has_raw_last;
    mprof_error *error;
} mprof__cursor;

/* block_size: see mprof__reader_open(). */
mprof_status mprof__cursor_open(mprof__cursor *cursor, const mprof__merge_run *run,
                                const mprof__merge_plan *plan, mprof__cursor_part part,
                                size_t block_size, bool rests, mprof_error *error);
void mprof__cursor_free(mprof__cursor *cursor);

/* The next item; NULL after the last one, or on failure. Valid until the next call. */
const mprof__merge_item *mprof__cursor_next(mprof__cursor *cursor, mprof_status *status);

/* Sets the time of the next item; false at the end, or on failure. */
bool mprof__cursor_peek(mprof__cursor *cursor, double *time_s, mprof_status *status);

/* Whether mprof__cursor_next() returns without reading. */
static inline bool mprof__cursor_is_ready(const mprof__cursor *cursor)
{
    return cursor->first < cursor->count &&
           (cursor->is_done || cursor->items[cursor->first].time_s < cursor->safe_s);
}

#endif
