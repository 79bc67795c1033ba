/* Lists of arguments and files, for the commands of this folder. */
#ifndef MPROF_PARSE_COMMAND_PARTS_H
#define MPROF_PARSE_COMMAND_PARTS_H

#include "parse/map.h"

#include <argp.h>
#include <mprof/recordings.h>

/* The arguments of a command line that are not options. All zero: none. */
typedef struct mprof__arguments {
    char **items; /* owned; the strings are not */
    size_t count, capacity;
} mprof__arguments;

/* 0, or ENOMEM: what a parser of argp returns. */
error_t mprof__arguments_add(mprof__arguments *arguments, char *argument);
void mprof__arguments_free(mprof__arguments *arguments);

/* The files a command works on: each once, in the order they were named. */
typedef struct mprof__file_list {
    const char **paths; /* owned; the strings are the arena's */
    size_t count, capacity;
    mprof__map known;
    mprof__arena strings;
} mprof__file_list;

/* Adds a path unless it is in the list. 0, or MPROF_EXIT_FAILED with the reason printed. */
int mprof__file_list_add(mprof__file_list *list, const char *path);
void mprof__file_list_free(mprof__file_list *list);

/* Refuses names that ask for a compression that is not written. Does not return then. */
void mprof__command_check_output(struct argp_state *state, const char *output);
/* Refuses names of compressed files for what an option writes as plain text. Ends the program then.
 */
void mprof__command_check_plain(struct argp_state *state, const char *option, const char *path);

/* The recordings of the working directory; NULL, with the reason printed, on failure. */
mprof_recordings *mprof__recordings_here(void);

#endif
