/* Gathers the samples of one tick, and keeps as many ticks as a picture can show. Private to this
 * folder. */
#ifndef MPROF_PARSE_TICKS_H
#define MPROF_PARSE_TICKS_H

#include "curve.h"

#include <mprof/profile.h>

#include <stdbool.h>

/* What a sample is of, if not of a process. */
#define MPROF__TICK_OTHERS UINT32_MAX       /* processes without curves of their own */
#define MPROF__TICK_MEM (UINT32_MAX - 1)    /* MEM */
#define MPROF__TICK_KIND (UINT32_MAX - 64U) /* and the kind's number */

/* The last tick of a rank of a merged recording. It counts until the rank's next one, or its end.
 */
typedef struct mprof__rank_tick {
    double time_s; /* NAN: none yet */
    double end_s;
    double others_mib;           /* of processes without curves of their own */
    mprof_tick_process *members; /* owned */
    size_t count, capacity;
} mprof__rank_tick;

typedef struct mprof__tick_sample {
    mprof_sample sample;
    uint32_t what; /* of the above, or a process */
    uint32_t rank; /* of a process, or of OTHERS, in a merged recording */
} mprof__tick_sample;

/* Ticks for one meaning of MEM. */
typedef struct mprof__tick_list {
    mprof_tick *ticks; /* owned */
    size_t count, capacity;
    mprof_tick_process *processes; /* owned; some belong to ticks that were replaced */
    size_t process_count, process_capacity;
    size_t live;    /* processes of the ticks that are kept */
    double width_s; /* one tick is kept in each stretch of this length; 0: all are */
    mprof__curve totals;
} mprof__tick_list;

typedef struct mprof__ticks {
    size_t max_points;
    double from_s, to_s;         /* the window, in unix seconds */
    bool is_needed;              /* there are samples of more than MEM */
    mprof_sample latest;         /* of MEM, while is_needed is not set; time_s NAN: none */
    mprof__tick_sample *samples; /* owned; not yet sorted into ticks */
    size_t count, capacity;
    uint32_t *seen; /* owned; by process: the last tick that it was in */
    size_t seen_capacity;
    uint32_t number; /* of the open tick; 0: none */
    mprof_tick open;
    mprof_tick_process *members; /* owned; of the open tick */
    size_t member_capacity;
    mprof__rank_tick *ranks; /* owned; of a merged recording */
    size_t rank_count, rank_capacity;
    double kinds_mib[MPROF_KIND_COUNT]; /* of a merged recording: the latest sums; NAN: none */
    bool is_gathered;                   /* the open tick of a merged recording has its processes */
    mprof__totals rest;        /* of all ticks: MEM without all processes but the main one */
    mprof__tick_list lists[2]; /* MEM is the main process alone; MEM is the sum */
} mprof__ticks;

/* No window until it is set later. */
void mprof__ticks_init(mprof__ticks *ticks, size_t max_points);
void mprof__ticks_free(mprof__ticks *ticks);

/* Called for samples of MEM while is_needed is not set; at least for the last one before each
 * record of something else. */
void mprof__ticks_note(mprof__ticks *ticks, mprof_sample sample);

/* Adds a sample of more than MEM, or of MEM once is_needed is set. mem: all samples of MEM so far.
 * is_one_time: all samples of a tick have one time; else a tick is a sample of MEM and what follows
 * it. rank: of a process in a merged recording. 0, or -1 without memory. */
int mprof__ticks_add(mprof__ticks *ticks, const mprof__curve *mem, uint32_t what, uint32_t rank,
                     mprof_sample sample, bool is_one_time);

/* Announces a rank of a merged recording: its samples count until the next ones, or its end. Before
 * its first sample. 0, or -1 without memory. */
int mprof__ticks_add_rank(mprof__ticks *ticks, double end_s);

/* Called after the last sample. 0, or -1 without memory. */
int mprof__ticks_end(mprof__ticks *ticks, bool is_one_time);

/* Follows move_to_front() of the profile's builder. */
void mprof__ticks_move_to_front(mprof__ticks *ticks, uint32_t process);

/* Moves what was gathered into to[2]. 0, or -1 without memory; what was moved by then stays. */
int mprof__ticks_finish(mprof__ticks *ticks, mprof_ticks *to, double start_s);

#endif
