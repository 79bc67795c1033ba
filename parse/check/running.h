/* What was running at a moment, for people: functions by how much they had added, processes without
 * functions by their memory. Private to the folder. */
#ifndef MPROF_PARSE_CHECK_RUNNING_H
#define MPROF_PARSE_CHECK_RUNNING_H

#include "verdict.h"

#include <mprof/profile.h>
#include <stddef.h>

/* Sets the first of them in calls[MPROF__RUNNING_MOST], with names in the arena. time_s: unix
 * seconds. 0, or -1 without memory. */
int mprof__running_find(mprof__running_call *calls, size_t *count, mprof__arena *arena,
                        const mprof_profile *profile, double time_s);

#endif
