/* --textfile: the current values in a file for Prometheus' node exporter, whose textfile collector
 * reads DIR/<name>.prom. */
#ifndef MPROF_RECORD_TEXTFILE_H
#define MPROF_RECORD_TEXTFILE_H

#include "record/processes/process.h"

#include <mprof/error.h>
#include <mprof/record.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mprof__textfile mprof__textfile;

/* What is written. Borrowed during the call. */
typedef struct mprof__textfile_view {
    int64_t memory_bytes; /* the last sample; 0: none yet */
    int64_t peak_bytes;   /* of the samples so far */
    int64_t lasted_ns;
    int64_t group_bytes;               /* 0: not recorded */
    int64_t group_limit_bytes;         /* -1: none */
    const mprof__processes *processes; /* with their memory at this tick */
    int64_t main_pid;
    bool has_children; /* those of all processes are written; else of the main one alone */
} mprof__textfile_view;

/* Makes sure that files can be written into the directory, and removes those of recorders of this
 * host that were killed. MPROF_EIO; MPROF_ENOMEM. */
mprof_status mprof__textfile_open(mprof__textfile **out, const char *directory, mprof_error *error);

/* Sets the name of the recording's file, which is copied. MPROF_ENOMEM. */
mprof_status mprof__textfile_set_recording(mprof__textfile *textfile, const char *recording,
                                           mprof_error *error);

/* Removes the file. NULL is allowed. */
void mprof__textfile_free(mprof__textfile *textfile);

/* Keeps what was read of a process, for the next time. bytes[MPROF_KIND_COUNT]; -1: unknown. */
void mprof__textfile_note_kinds(mprof__textfile *textfile, int64_t pid, const int64_t *bytes,
                                int64_t time_ns);

/* Replaces the file, once a second at most. The first failure is set in *error: MPROF_EIO; later
 * ones are not reported, and it is tried again. Times: CLOCK_MONOTONIC. */
mprof_status mprof__textfile_write(mprof__textfile *textfile, const mprof__textfile_view *view,
                                   int64_t now_ns, mprof_error *error);

/* Removes the file, since the recording is complete. */
void mprof__textfile_end(mprof__textfile *textfile);

#endif
