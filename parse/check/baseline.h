/* A file of baselines: peaks of known-good runs, by program, machine architecture and kind of
 * memory. It is kept with the source of what is checked, so a change of one value is a change of
 * one line. Private to the program. */
#ifndef MPROF_PARSE_CHECK_BASELINE_H
#define MPROF_PARSE_CHECK_BASELINE_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct mprof__baseline_entry {
    char *name;        /* owned; of a program or test */
    char *machine;     /* owned; as of uname(2) */
    char *memory;      /* owned; kind of memory: "rss", "rss of all processes" */
    double *peaks_mib; /* owned; at least one; each a run */
    size_t count, capacity;
} mprof__baseline_entry;

/* All zero: empty. */
typedef struct mprof__baseline {
    mprof__baseline_entry *entries; /* owned; sorted where the file was written by us */
    size_t count, capacity;
} mprof__baseline;

/* Whether these are the first bytes of a file of baselines, not of a recording. */
bool mprof__baseline_is_file(const char *bytes, size_t size);

/* Reads bytes[size]. MPROF_EFORMAT or MPROF_EARGUMENT: the error names file and line; MPROF_ENOMEM.
 * Free the baseline even so. */
mprof_status mprof__baseline_read(mprof__baseline *baseline, const char *bytes, size_t size,
                                  const char *file, mprof_error *error);

/* What an entry is found by; not owned. */
typedef struct mprof__baseline_key {
    const char *name, *machine, *memory; /* as in mprof__baseline_entry */
} mprof__baseline_key;

/* NULL if the file has no entry of this key. */
const mprof__baseline_entry *mprof__baseline_find(const mprof__baseline *baseline,
                                                  const mprof__baseline_key *key);

/* Replaces the runs of an entry, or adds the entry. MPROF_ENOMEM. */
mprof_status mprof__baseline_set(mprof__baseline *baseline, const mprof__baseline_key *key,
                                 const double *peaks_mib, size_t count, mprof_error *error);

/* Writes the text of a file, in a stable order. The stream's own error flag reports failures. */
void mprof__baseline_write(mprof__baseline *baseline, FILE *stream);

/* Writes the file. It is replaced at once: a reader sees the old or the new one.
 * MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__baseline_save(mprof__baseline *baseline, const char *file, mprof_error *error);

void mprof__baseline_free(mprof__baseline *baseline);

#endif
