/* Reports, once and with the reason, a Python process that runs without the agent. */
#ifndef MPROF_RECORD_AGENT_CHECK_H
#define MPROF_RECORD_AGENT_CHECK_H

#include "record/output/event_log.h"
#include "record/processes/process.h"

#include <stdbool.h>

typedef struct mprof__agent_check {
    mprof__event_log *log; /* NULL: no checks */
    const char *rings;     /* expected value of MPROF_RINGS; borrowed */
    const char *no_agent;  /* why no process has the agent, or NULL; borrowed */
    bool is_reported;
} mprof__agent_check;

/* To be called when a process was born or has called exec. */
void mprof__agent_check_process(mprof__agent_check *check, const mprof__process *process);

#endif
