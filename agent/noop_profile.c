/* See noop_profile.h. Programs with @profile must run in an unsupported Python too. There the size
 * of objects, and the effect of the macros of our headers, are unknown: so the definition is Python
 * code, run by a function that every version has. */
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
