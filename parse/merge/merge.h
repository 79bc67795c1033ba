/* Merges the recordings of one job from many hosts, ranks or pods into one recording with one time
 * axis: "Merged files" in docs/dat-format.md. Every input is read twice, in blocks, so memory grows
 * by a few kilobytes for each of them, whatever their length. */
#ifndef MPROF_PARSE_MERGE_MERGE_H
#define MPROF_PARSE_MERGE_MERGE_H

#include <mprof/profile.h>

/* Seconds that are added to the times of a host's recordings. */
typedef struct mprof__host_offset {
    const char *host;
    double offset_s;
    int is_used; /* set: there is a recording of that host */
} mprof__host_offset;

typedef struct mprof__merge_options {
    mprof__host_offset *offsets; /* of some hosts; they come before `align_by` */
    size_t offset_count;
    const char *align_by; /* "start", or a function whose first calls begin together; NULL */
    /* Receives what a user should know, in one line: path is of an input, or NULL. */
    void (*note)(void *data, const char *path, const char *text);
    void *data;
} mprof__merge_options;

typedef struct mprof__merge_result {
    size_t input_count; /* of those that could be read */
    size_t failed_count;
    size_t rank_count, host_count;
    double peak_mib;         /* of the sum at any moment */
    double sum_of_peaks_mib; /* of all ranks: not less */
} mprof__merge_result;

/* Reads the inputs and writes lines to fd, which stays open. `name` is of the output, for messages.
 * An input that cannot be read is left out, with a note. MPROF_ENOTFOUND: none could be read, and
 * nothing was written; MPROF_EARGUMENT: an offset is of an unknown host; MPROF_EIO; MPROF_ENOMEM.
 */
mprof_status mprof__merge(mprof__merge_result *result, int fd, const char *name,
                          char *const paths[], size_t path_count, mprof__merge_options *options,
                          mprof_error *error);

#endif
