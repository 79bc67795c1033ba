/* The numbers of a line-by-line report: for each source line of a function, what its executions did
 * to memory. Independent of Python and of how memory is measured. Not thread-safe. */
#ifndef MPROF_AGENT_LINE_TABLE_H
#define MPROF_AGENT_LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__line {
    int64_t change_bytes;  /* after minus before, summed over executions */
    int64_t highest_bytes; /* highest value right after an execution */
    int64_t peak_bytes;    /* highest value within an execution; 0 if not measured */
    uint64_t time_ns;      /* wall time; 0 if not measured */
    uint64_t hits;         /* executions that ended */
    uint32_t order;        /* 1 for the line that ended first; 0: has not ended yet */
} mprof__line;

/* Lines first .. first + count - 1. All zero is an empty table. */
typedef struct mprof__lines {
    mprof__line *lines; /* owned */
    int first;
    int count;
    uint32_t ended; /* number of lines that have ended */
} mprof__lines;

/* Lines further apart than this are not counted: generated code may have any line number. */
#define MPROF_LINES_MAX (1 << 20)

/* The numbers of a line, added if missing; valid until the next call. NULL: out of memory, or too
 * far from the other lines. */
mprof__line *mprof__lines_at(mprof__lines *lines, int number);

/* What happened on a line since its last measurement. */
typedef struct mprof__line_part {
    bool ended; /* false: interrupted by a call */
    bool hit;   /* its end counts as an execution */
    int64_t change_bytes;
    int64_t now_bytes;
    int64_t peak_bytes;
    uint64_t time_ns;
} mprof__line_part;

void mprof__lines_add(mprof__lines *lines, int number, const mprof__line_part *part);

void mprof__lines_free(mprof__lines *lines);

#endif
