/* The most memory that one call of a function added: the highest of its process within the call,
 * less that at its entry. Private to the program. */
#ifndef MPROF_PARSE_CHECK_MOST_ADDED_H
#define MPROF_PARSE_CHECK_MOST_ADDED_H

#include <mprof/profile.h>
#include <stdbool.h>

/* Sets most[] of each function of the profile: MiB, and the moment; NAN without a call. is_wanted:
 * only these functions; NULL: all. 0, or -1 without memory. */
int mprof__most_added_find(mprof_sample *most, const bool *is_wanted, const mprof_profile *profile);

#endif
