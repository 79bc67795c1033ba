/* Corrects to whom sampled growth is credited, by what was seen while pages came. Private to this
 * folder. */
#ifndef MPROF_PARSE_SEEN_GROWTH_H
#define MPROF_PARSE_SEEN_GROWTH_H

#include "call_paths.h"

/* Spreads the sampled growth of each path over its own part and its callees anew, where what was
 * seen contradicts. 0, or -1 without memory. */
int mprof__spread_seen_growth(mprof__paths *paths);

#endif
