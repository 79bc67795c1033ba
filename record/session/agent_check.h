/* Whether the Python processes of a recording have the agent: the first one that has not is
 * reported, with the reason, once. */
#ifndef MPROF_RECORD_AGENT_CHECK_H
#define MPROF_RECORD_AGENT_CHECK_H

#include "record/output/event_log.h"
#include "record/processes/process.h"

#include <stdbool.h>

typedef struct mprof__agent_check {
    mprof__event_log *log; /* NULL: nothing is checked */
    const char *rings;     /* what MPROF_RINGS should be; the caller's */
    bool is_reported;
} mprof__agent_check;

/* The process has begun, or executed another program. */
void mprof__agent_check_process(mprof__agent_check *check, const mprof__process *process);

#endif
