/* What a line-by-line report is made of: per source line of one function, what its executions did
 * to memory. Pure bookkeeping: it neither measures nor knows Python. One thread at a time. */
#ifndef MPROF_AGENT_LINE_TABLE_H
#define MPROF_AGENT_LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__line {
    int64_t change_bytes; /* after minus before, summed over executions */
    int64_t most_bytes;   /* highest value right after an execution */
    int64_t peak_bytes;   /* highest value within one; 0 where that is not measured */
    uint64_t time_ns;     /* wall time within; 0 where that is not measured */
    uint64_t hits;        /* executions that ended */
    uint32_t order;       /* 1 for the line that ended first; 0: never ended */
} mprof__line;

/* Lines first .. first + count - 1. All zero is an empty one. */
typedef struct mprof__lines {
    mprof__line *lines; /* owned */
    int first;
    int count;
    uint32_t ended; /* lines with an order */
} mprof__lines;

/* Lines that lie further apart than this are not counted: generated code may claim any number. */
#define MPROF_LINES_MAX (1 << 20)

/* The counters of a line, made if need be; valid until the next call. NULL: out of memory, or too
 * far from the others. */
mprof__line *mprof__lines_at(mprof__lines *lines, int number);

/* What happened on a line since it was last looked at. */
typedef struct mprof__line_part {
    bool ended; /* or only interrupted by what it called */
    bool hit;   /* that end is one more execution of it */
    int64_t change_bytes;
    int64_t now_bytes;
    int64_t peak_bytes;
    uint64_t time_ns;
} mprof__line_part;

void mprof__lines_add(mprof__lines *lines, int number, const mprof__line_part *part);

void mprof__lines_free(mprof__lines *lines);

#endif
