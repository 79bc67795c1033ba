/* Limits in mprof.ini: for all programs before the first section, then for those that a section
 * names. Private to the program. */
#ifndef MPROF_PARSE_CHECK_CONFIG_H
#define MPROF_PARSE_CHECK_CONFIG_H

#include "limits.h"

#include <mprof/error.h>
#include <stddef.h>

#define MPROF__CONFIG_FILE "mprof.ini"

typedef struct mprof__config_section {
    char *pattern; /* owned; a name, with * and ? as wildcards; NULL: all */
    mprof__limits limits;
} mprof__config_section;

/* All zero: empty. */
typedef struct mprof__config {
    mprof__config_section *sections; /* owned */
    size_t count, capacity;
} mprof__config;

/* Reads bytes[size]. `file`: for messages, and its directory is where a baseline's relative name
 * begins. MPROF_EFORMAT, MPROF_ENOTFOUND, MPROF_EARGUMENT: a line that cannot be used; the error
 * names it. MPROF_ENOMEM. Free the config even so. */
mprof_status mprof__config_read(mprof__config *config, const char *bytes, size_t size,
                                const char *file, mprof_error *error);

/* Reads a file. Statuses as above, and MPROF_EIO. */
mprof_status mprof__config_load(mprof__config *config, const char *file, mprof_error *error);

/* Adds the limits of all sections that match one of names[count], later ones over earlier ones. */
mprof_status mprof__config_apply(const mprof__config *config, const char *const *names,
                                 size_t count, mprof__limits *limits, mprof_error *error);

void mprof__config_free(mprof__config *config);

#endif
