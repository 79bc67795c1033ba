/* The grammar of mprof.ini and of a file of baselines: [section], name = value, comments after # or
 * ;. Also that of style files. Private to the program. */
#ifndef MPROF_PARSE_CHECK_INI_H
#define MPROF_PARSE_CHECK_INI_H

#include <mprof/error.h>
#include <stddef.h>

/* Text is terminated and valid during the call only. A callback that returns other than MPROF_OK
 * ends the reading. */
typedef struct mprof__ini_visitor {
    void *data;
    mprof_status (*section)(void *data, const char *name, mprof_error *error);
    mprof_status (*value)(void *data, const char *name, const char *value, mprof_error *error);
    unsigned long *line;  /* receives the number of each line before it is read; NULL: nothing */
    const char *expected; /* a line, for the message; NULL: a limit */
    int keeps_hashes;     /* 1: values may have #, so that comments have lines of their own */
} mprof__ini_visitor;

/* Reads bytes[size]. The error names `file` and the line. MPROF_EFORMAT: a line that is neither;
 * MPROF_ENOMEM; or what a callback returned. */
mprof_status mprof__ini_read(const char *bytes, size_t size, const char *file,
                             const mprof__ini_visitor *visitor, mprof_error *error);

/* Reads a whole file, up to 16 MiB, into *bytes, the caller's to free. MPROF_ENOTFOUND, MPROF_EIO,
 * MPROF_EFORMAT: too long, or not a regular file; MPROF_ENOMEM. */
mprof_status mprof__ini_load(char **bytes, size_t *size, const char *file, mprof_error *error);

#endif
