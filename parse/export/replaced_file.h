/* A file that replaces an older one only when it is complete. Private to the program. */
#ifndef MPROF_PARSE_EXPORT_REPLACED_FILE_H
#define MPROF_PARSE_EXPORT_REPLACED_FILE_H

#include <mprof/error.h>

#include <stdio.h>

/* Must not move while it is open. */
typedef struct mprof__replaced_file {
    FILE *stream;
    int fd;           /* owned */
    int failure;      /* the first failure of writing: an errno; 0: none */
    const char *path; /* as given */
    char *target;     /* owned; NULL: the stream writes to the path itself */
    char *temporary;  /* owned; a name in the same directory; NULL: the file has none yet */
} mprof__replaced_file;

/* "-": standard output. MPROF_EIO; MPROF_ENOMEM. */
mprof_status mprof__replaced_file_open(mprof__replaced_file *file, const char *path,
                                       mprof_error *error);

/* Gives the file its name, or leaves the older one after a failure of writing. MPROF_EIO. */
mprof_status mprof__replaced_file_commit(mprof__replaced_file *file, mprof_error *error);

/* Drops what was written, unless it was committed. */
void mprof__replaced_file_discard(mprof__replaced_file *file);

#endif
