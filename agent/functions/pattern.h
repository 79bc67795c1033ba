/* Which functions are to be marked without a decorator: patterns as `mprof run --func` takes them,
 *
 *     pkg.mod:Class.method     pkg.mod:Class     pkg.*:handle_*     pkg.mod
 *
 * module, colon, qualified name, either with the shell's wildcards. A class means all that its body
 * defines, a module alone all of its functions. Knows nothing of Python. */
#ifndef MPROF_AGENT_PATTERN_H
#define MPROF_AGENT_PATTERN_H

#include <stdbool.h>

/* Takes patterns, one a line. false: there is none, or no memory. */
bool mprof__pattern_set(const char *lines);

/* Whether a function of this module may match. */
bool mprof__pattern_matches_module(const char *module);

bool mprof__pattern_matches(const char *module, const char *qualname);

#endif
