/* What was running at the peak of a recording. Private to the folder. */
#ifndef MPROF_PARSE_PEAK_STACK_H
#define MPROF_PARSE_PEAK_STACK_H

#include "parse/summary.h"

/* A peak that is labelled in pictures. */
typedef struct mprof__labelled_peak {
    const char *label;
    mprof_sample sample;
    uint32_t process; /* whose calls are named, or MPROF_PROCESS_ANY */
} mprof__labelled_peak;

/* Reads the source once more; of a file with several runs, the one with the highest sample. */
mprof_status mprof__peak_profile_load(mprof_profile **out, mprof_source *source,
                                      const mprof__summary *summary, mprof_error *error);
/* The peaks of a recording. Returns how many there are. */
size_t mprof__peaks_of(mprof__labelled_peak peaks[2], const mprof_profile *profile);
/* Prints a line for each: the peak, when that was, and the calls that ran. MPROF_ENOMEM. */
mprof_status mprof__print_peak_stack(const mprof_profile *profile, mprof_error *error);

#endif
