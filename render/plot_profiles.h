/* The recordings of a picture: a file with several runs of a program is several. Private to the
 * command. */
#ifndef MPROF_RENDER_PLOT_PROFILES_H
#define MPROF_RENDER_PLOT_PROFILES_H

#include "plot.h"

#include <stdbool.h>

typedef struct mprof__plot_profiles {
    mprof_profile **items; /* owned */
    size_t count;
    bool as_one;     /* at their own time on one axis */
    double origin_s; /* of this axis: unix seconds; 0: where the first one begins */
} mprof__plot_profiles;

/* Loads all of recordings[count] and prints their warnings. Runs without a sample in the window are
 * left out where others of the file have some. Dispose of it also after a failure. Returns what
 * mprof_profile_load_file returns; MPROF_ENOTFOUND: a kind of memory was not recorded. */
mprof_status mprof__plot_profiles_load(mprof__plot_profiles *profiles,
                                       const struct mprof__plot *plot,
                                       const char *const *recordings, size_t count,
                                       mprof_error *error);
void mprof__plot_profiles_dispose(mprof__plot_profiles *profiles);

#endif
