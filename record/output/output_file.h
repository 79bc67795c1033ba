/* The file a recording goes into: made before anything is started, never shared with another run,
 * never reached through a planted link, and never seen without its first lines. */
#ifndef MPROF_RECORD_OUTPUT_FILE_H
#define MPROF_RECORD_OUTPUT_FILE_H

#include <mprof/error.h>
#include <stdbool.h>

typedef struct mprof__output_file {
    int fd;          /* -1 if closed */
    char *path;      /* owned; NULL until a default name is decided on */
    char *kept;      /* owned; where an older file of that name went, or NULL */
    bool is_visible; /* it has its name */
} mprof__output_file;

#define MPROF__OUTPUT_FILE_INIT                                                                    \
    {                                                                                              \
        -1, NULL, NULL, false                                                                      \
    }

/* Makes the file, 0600, without a name where the file system can do that.
 * `path` NULL: a name of the default shape in the working directory.
 * MPROF_EIO, MPROF_EARGUMENT (a link, a directory, a device in the way), MPROF_ENOMEM. */
mprof_status mprof__output_file_open(mprof__output_file *file, const char *path,
                                     mprof_error *error);

/* Gives the file its name. By default that is mprofile_<YYYYmmddHHMMSS>.dat, of the next free
 * second if that name is taken; a regular file at a path that was asked for is renamed to
 * <path>.old. Statuses as above. */
mprof_status mprof__output_file_publish(mprof__output_file *file, mprof_error *error);

/* The file holds a lock (fcntl(2)) as long as it is written, so that others can tell. Gives it up.
 */
void mprof__output_file_unlock(const mprof__output_file *file);

/* Closes and removes the file, and puts an older one of that name back. */
void mprof__output_file_discard(mprof__output_file *file);

/* Closes the file. MPROF_EIO if the kernel had kept a write error until now. */
mprof_status mprof__output_file_close(mprof__output_file *file, mprof_error *error);

#endif
