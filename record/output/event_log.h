/* Writes the records of a recording from bytes and monotonic times, and reports a write error once.
 */
#ifndef MPROF_RECORD_EVENT_LOG_H
#define MPROF_RECORD_EVENT_LOG_H

#include "record/kernel/clock.h"
#include "record/processes/process.h"

#include <mprof/error.h>
#include <mprof/writer.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__event_log {
    mprof_writer *writer; /* borrowed */
    mprof__clock clock;
    void (*notice)(void *data, const mprof_error *error);
    void *notice_data;
    bool failed;                      /* a write failed: nothing more is written */
    bool has_huge_pages;              /* reported already */
    uint64_t left_out;                /* processes whose memory could not be read */
    bool redact;                      /* mask secrets in names of processes */
    struct mprof__textfile *textfile; /* borrowed; NULL: none */
} mprof__event_log;

/* A call to write. Texts are borrowed. */
typedef struct mprof__event_log_call {
    int64_t pid;
    mprof_text name;
    mprof_text lane;
    int32_t level;
    int64_t enter_ns;
    int64_t enter_bytes;
    int64_t exit_ns;
    int64_t exit_bytes;
    int64_t suspended_ns;
    int64_t
        sampled_ns; /* > 0: it was seen in samples; how much earlier or later its edges may be */
    uint64_t count;
    bool open;
} mprof__event_log_call;

/* Samples of one stack, to write as one record. */
typedef struct mprof__stack_sum {
    uint32_t node; /* of its innermost frame, in the tree of stacks; 0: no frame is shown */
    uint64_t samples;
    int64_t lasted_ns;
    int64_t grown_bytes;
    int64_t released_bytes;
    int64_t peak_bytes;
    double grown_squares; /* sum of squares of its growth between regular samples */
    int64_t recent_bytes; /* growth since the last regular sample, not in the squares yet */
    uint32_t recent_at;   /* the number of that sample */
    double seen_bytes;    /* growth as seen while pages came: see fault_watch.h */
    double seen_squares;
    int64_t
        doubtful_bytes;   /* of the growth, what another stack at one of the two samples may have */
    int64_t shared_bytes; /* such growth of which only this node is sure to be around it */
} mprof__stack_sum;

/* Starts the clock. notice (may be NULL) is called at once with each problem during the recording.
 */
void mprof__event_log_init(mprof__event_log *log, mprof_writer *writer,
                           void (*notice)(void *data, const mprof_error *error), void *notice_data);

/* Records are buffered; the next commit reports the first error. */
void mprof__event_log_fact(mprof__event_log *log, const char *key, const char *value);
void mprof__event_log_number(mprof__event_log *log, const char *key, double value);
void mprof__event_log_mem(mprof__event_log *log, int64_t bytes, int64_t time_ns);
void mprof__event_log_chld(mprof__event_log *log, int64_t pid, int64_t bytes, int64_t time_ns);
/* at_least: the process may have had more. pid MPROF_PID_NONE: the process is not known. */
void mprof__event_log_peak(mprof__event_log *log, int64_t pid, int64_t bytes, bool at_least,
                           int64_t time_ns);
/* bytes[MPROF_KIND_COUNT]; -1: unknown. */
void mprof__event_log_kinds(mprof__event_log *log, int64_t pid, const int64_t *bytes,
                            int64_t time_ns);
/* limit_bytes -1: no limit. name "": unchanged. */
void mprof__event_log_group(mprof__event_log *log, int64_t bytes, int64_t limit_bytes,
                            const char *name, int64_t time_ns);
void mprof__event_log_process(mprof__event_log *log, const mprof__process *process,
                              int64_t time_ns);
void mprof__event_log_end(mprof__event_log *log, int64_t pid, const mprof__process_end *end);
void mprof__event_log_func(mprof__event_log *log, const mprof__event_log_call *call);
void mprof__event_log_lost(mprof__event_log *log, int64_t pid, uint64_t count, int64_t time_ns);
/* A node of the tree of stacks; parent 0: outermost. */
void mprof__event_log_frame(mprof__event_log *log, uint32_t node, uint32_t parent, const char *name,
                            const char *file, int32_t line);
void mprof__event_log_stack(mprof__event_log *log, int64_t pid, const char *lane, int64_t from_ns,
                            int64_t to_ns, const mprof__stack_sum *sum);

/* Writes the buffered records to the file. */
void mprof__event_log_commit(mprof__event_log *log);

/* The last commit: completes the file. */
void mprof__event_log_finish(mprof__event_log *log);

/* Reports a problem to the user. */
void mprof__event_log_notice(mprof__event_log *log, const mprof_error *error);

#endif
