/* A file that replaces an older one only when it is complete. Private to the program. */
#ifndef MPROF_PARSE_EXPORT_REPLACED_FILE_H
#define MPROF_PARSE_EXPORT_REPLACED_FILE_H

#include <mprof/compression.h>
#include <mprof/error.h>

#include <stdio.h>

struct mprof__encoder;

/* Must not move while it is open. */
typedef struct mprof__replaced_file {
    FILE *stream;
    int fd;           /* owned */
    int failure;      /* the first failure of writing: an errno; 0: none */
    const char *path; /* as given */
    char *target;     /* owned; NULL: the stream writes to the path itself */
    char *temporary;  /* owned; a name in the same directory; NULL: the file has none yet */
    struct mprof__encoder *encoder; /* owned; NULL: what the stream receives is written as it is */
} mprof__replaced_file;

/* "-": standard output. MPROF_EIO; MPROF_ENOMEM. */
mprof_status mprof__replaced_file_open(mprof__replaced_file *file, const char *path,
                                       mprof_error *error);

/* From now on packs what the stream receives, before anything was written to it. MPROF_EFORMAT: not
 * in this build; MPROF_ENOMEM. */
mprof_status mprof__replaced_file_compress(mprof__replaced_file *file,
                                           mprof_compression compression, mprof_error *error);

/* Gives the file its name, or leaves the older one after a failure of writing. MPROF_EIO. */
mprof_status mprof__replaced_file_commit(mprof__replaced_file *file, mprof_error *error);

/* Drops what was written, unless it was committed. */
void mprof__replaced_file_discard(mprof__replaced_file *file);

#endif
