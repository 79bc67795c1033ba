/* The file a recording goes into: made before anything is started, never shared with another run,
 * never reached through a planted link. */
#ifndef MPROF_RECORD_OUTPUT_FILE_H
#define MPROF_RECORD_OUTPUT_FILE_H

#include <mprof/error.h>

typedef struct mprof__output_file {
    int fd;     /* -1 if closed */
    char *path; /* owned */
    char *kept; /* owned; where an older file of that name went, or NULL */
} mprof__output_file;

#define MPROF__OUTPUT_FILE_INIT                                                                    \
    {                                                                                              \
        -1, NULL, NULL                                                                             \
    }

/* Makes the file, 0600. `path` NULL: mprofile_<YYYYmmddHHMMSS>.dat in the working directory, the
 * next free second if that name is taken. A regular file at `path` is renamed to <path>.old first.
 * MPROF_EIO, MPROF_EARGUMENT (a link, a directory, a device in the way), MPROF_ENOMEM. */
mprof_status mprof__output_file_open(mprof__output_file *file, const char *path,
                                     mprof_error *error);

/* Closes and removes the file, and puts an older one of that name back. */
void mprof__output_file_discard(mprof__output_file *file);

/* Closes the file. MPROF_EIO if the kernel had kept a write error until now. */
mprof_status mprof__output_file_close(mprof__output_file *file, mprof_error *error);

#endif
