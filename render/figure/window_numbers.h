/* The numbers from which the script of an SVG computes the legend of any part of the time, as a
 * picture of that window has it: samples of each process, calls, and the rows. Too many of them
 * are reduced to bins; what is computed from these is an estimate. Private to the folder and to
 * svg/. */
#ifndef MPROF_RENDER_WINDOW_NUMBERS_H
#define MPROF_RENDER_WINDOW_NUMBERS_H

#include "layout.h"

/* A point of a series, in seconds from the recording's start. In a bin: its middle, the mean, and
 * the highest. */
typedef struct mprof__window_point {
    double time_s, mib;
    double highest_mib;
    uint64_t count;   /* 1, but in a bin */
    bool is_call_end; /* the value at the entry or exit of a call, no sample */
} mprof__window_point;

typedef struct mprof__window_series {
    size_t first, count;    /* in the points */
    const mprof_series *of; /* during the layout only */
    double held_s;          /* its last sample counts until then; NAN: only at its own time */
    bool is_before;         /* at that moment it does not */
} mprof__window_series;

#define MPROF__NO_SERIES UINT32_MAX

typedef struct mprof__window_call {
    double start_s, end_s;
    double enter_mib, exit_mib;
    uint64_t count;
    uint32_t function; /* index in the figure */
    uint32_t series;   /* that its process has samples in; MPROF__NO_SERIES: none */
    uint32_t lane;     /* of all recordings */
    uint32_t line;     /* the curve that its values at entry and exit are points of, as `series` */
    bool is_open;
    bool is_outermost; /* else recursion: the outer call counts its time */
} mprof__window_call;

/* The calls of a function in a part of the time, one of mprof__window_numbers.bin_count. */
typedef struct mprof__call_bin {
    uint32_t function, bin;
    uint64_t starts, ends;
    double busy_s, longest_s, change_mib, peak_mib;
} mprof__call_bin;

typedef enum mprof__window_row_kind {
    MPROF__ROW_MAIN,      /* the main process */
    MPROF__ROW_PROCESS,   /* another one */
    MPROF__ROW_COMMAND,   /* the processes of a command */
    MPROF__ROW_RECORDING, /* the curve of one of several recordings */
} mprof__window_row_kind;

/* A row of the legend's table of processes, commands or recordings. */
typedef struct mprof__window_row {
    mprof__window_row_kind kind;
    char name[240];
    char end[32]; /* how it ended; "": unknown */
    double end_s; /* when; NAN: it did not end */
    int colour;
    mprof_role swatch;   /* MPROF_ROLE_COUNT: none */
    size_t first, count; /* its series, in the members */
} mprof__window_row;

struct mprof__window_numbers {
    mprof__window_series *series; /* 0: the curve of MEM */
    size_t series_count;
    mprof__window_point *points;
    size_t point_count, point_room;
    mprof__window_call *calls; /* by process, lane and start */
    size_t call_count;
    mprof__call_bin *bins; /* in place of calls, by function and bin; else NULL */
    size_t bins_used;
    size_t bin_count;
    mprof__window_row *rows;
    size_t row_count;
    uint32_t *members; /* of the rows: indices of series */
    int64_t *pids;     /* of the members; MPROF_PID_NONE: unknown */
    char **labels; /* of the members, which are all in groups, in place of pids; NULL: the recording
                      was not merged */
    size_t label_count;
    int *colours; /* of the functions of the figure */
    bool series_are_bins;
    bool is_sum;    /* the curve is the sum of all processes */
    bool is_merged; /* the series are of ranks, which were not sampled together */
    bool ends_known;
};

/* Adds them to the figure. */
void mprof__add_window_numbers(mprof__layout *layout);
void mprof__free_window_numbers(struct mprof__window_numbers *numbers);

#endif
