/* Words about the ranks of a merged recording. Private to this program. */
#ifndef MPROF_PARSE_RANKS_H
#define MPROF_PARSE_RANKS_H

#include <stddef.h>

/* "8 ranks on 2 hosts"; "8 ranks" if no host is known (host_count 0). Returns text. */
char *mprof__ranks_text(char *text, size_t size, size_t rank_count, size_t host_count);

#endif
