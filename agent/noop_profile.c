/* See noop_profile.h. Programs that say @profile are not to fail because their Python is one that
 * we know too little of. How large its objects are, or what our copy of its macros would do to
 * them, is among the unknown; so it is told in its own language, through a function that every
 * Python has.
 */
#include "noop_profile.h"

#include "noop_profile_text.h"

#include <dlfcn.h>
#include <stddef.h>

typedef int run_text(const char *text);

void mprof__noop_profile_provide(void)
{
    run_text *run = __extension__(run_text *) dlsym(RTLD_DEFAULT, "PyRun_SimpleString");
    if (run) {
        run(mprof__noop_profile_text);
    }
}
