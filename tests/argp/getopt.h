/* What gnulib's configure makes: the system's getopt.h, and gnulib's functions under other names.
 */
#include_next <getopt.h>

#include <getopt-cdefs.h>
#include <getopt-pfx-core.h>
#include <getopt-pfx-ext.h>
