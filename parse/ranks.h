/* Words about the ranks of a merged recording. Private to this program. */
#ifndef MPROF_PARSE_RANKS_H
#define MPROF_PARSE_RANKS_H

#include <mprof/profile.h>

/* "8 ranks on 2 hosts"; "8 ranks" if no host is known (host_count 0). Returns text. */
char *mprof__ranks_text(char *text, size_t size, size_t rank_count, size_t host_count);

/* The process whose end is that of the recording: the main one; of a merged recording the main one
 * of the rank that ended worst. *killed: how many main processes of ranks a signal ended. */
const mprof_process *mprof__ending_process(const mprof_profile *profile, size_t *killed);

/* The index of the first process that ran: 0, or 1 in a merged recording, whose main process only
 * holds the sum of the ranks. */
size_t mprof__first_process(const mprof_profile *profile);

/* The name that a process had itself, without the label of the rank, which precedes it in merged
 * recordings; "" if unknown. A part of mprof_process.name. */
const char *mprof__own_process_name(const mprof_profile *profile, size_t process);

#endif
