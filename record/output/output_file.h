/* The file of a recording: made before the program starts, never shared with another recorder,
 * never reached through a link, and not visible without its first lines. */
#ifndef MPROF_RECORD_OUTPUT_FILE_H
#define MPROF_RECORD_OUTPUT_FILE_H

#include <mprof/error.h>
#include <stdbool.h>

typedef struct mprof__output_file {
    int fd;           /* -1: closed */
    char *path;       /* owned; NULL until a default name is chosen */
    char *kept;       /* owned; new name of an older file, or NULL */
    char *wanted;     /* owned; the name that another recorder is writing to, or another rank has
                         written, so that this one got another; or NULL */
    const char *rank; /* borrowed; makes a name unique among recorders of one job; or NULL */
    bool is_visible;  /* has its name */
    bool wanted_is_finished; /* it is of another rank */
} mprof__output_file;

#define MPROF__OUTPUT_FILE_INIT                                                                    \
    {                                                                                              \
        -1, NULL, NULL, NULL, NULL, false, false                                                   \
    }

/* Makes the file, mode 0600, unnamed where the file system can. `path` NULL: a default name in the
 * working directory. MPROF_EIO, MPROF_EARGUMENT (`path` is a link, directory or device),
 * MPROF_ENOMEM. */
mprof_status mprof__output_file_open(mprof__output_file *file, const char *path,
                                     mprof_error *error);

/* Gives the file its name: by default mprofile_<YYYYmmddHHMMSS>.dat, of the next free second if the
 * name exists. A regular file at a `path` from the user is renamed to <path>.old, unless another
 * recorder is writing it, or it is of another rank: then the new one gets the rank, or else the
 * pid, in front of its suffix. Statuses as above. */
mprof_status mprof__output_file_publish(mprof__output_file *file, mprof_error *error);

/* Releases the lock (fcntl(2)) that shows others that the file is being written. */
void mprof__output_file_unlock(const mprof__output_file *file);

/* Closes and removes the file, and renames an older file back. */
void mprof__output_file_discard(mprof__output_file *file);

/* Closes the file. MPROF_EIO: the kernel reported a write error only now. */
mprof_status mprof__output_file_close(mprof__output_file *file, mprof_error *error);

#endif
