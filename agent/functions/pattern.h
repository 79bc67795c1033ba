/* The patterns of `mprof run --func`, for functions that are recorded without a decorator:
 *
 *     pkg.mod:Class.method     pkg.mod:Class     pkg.*:handle_*     pkg.mod
 *
 * module, colon, qualified name, both with the shell's wildcards. A class stands for all functions
 * in its body, a module alone for all of its functions. Needs no Python. */
#ifndef MPROF_AGENT_PATTERN_H
#define MPROF_AGENT_PATTERN_H

#include <stdbool.h>

/* Replaces the patterns by these, one a line. false: no pattern, or no memory. */
bool mprof__pattern_set(const char *lines);

/* Whether a function of this module can match. */
bool mprof__pattern_matches_module(const char *module);

bool mprof__pattern_matches(const char *module, const char *qualname);

#endif
