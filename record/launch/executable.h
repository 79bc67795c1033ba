/* What kind of file a program is: found as execvp(3) finds it, judged by its first bytes. */
#ifndef MPROF_RECORD_EXECUTABLE_H
#define MPROF_RECORD_EXECUTABLE_H

#include <stddef.h>

typedef enum mprof__executable_kind {
    MPROF__EXECUTABLE_UNKNOWN, /* not found, not readable, or no known format */
    MPROF__EXECUTABLE_DYNAMIC, /* ELF of this machine with a dynamic loader */
    MPROF__EXECUTABLE_STATIC,  /* ELF of this machine without one: nothing can be preloaded */
    MPROF__EXECUTABLE_FOREIGN, /* ELF of another machine or word size */
    MPROF__EXECUTABLE_SCRIPT,  /* #! line; its words are in `interpreter` and `argument` */
    MPROF__EXECUTABLE_TEXT, /* no magic number and no NUL byte: a shell script, as shells see it */
} mprof__executable_kind;

typedef struct mprof__executable {
    mprof__executable_kind kind;
    int privileged;        /* setuid or setgid: the loader ignores LD_PRELOAD */
    int is_musl;           /* DYNAMIC: by the loader of another libc than the agent's */
    char path[4096];       /* where it was found */
    char interpreter[256]; /* SCRIPT: first word behind #! */
    char argument[256];    /* SCRIPT: the rest of the line, as the kernel passes it on */
} mprof__executable;

/* Looks at `name` (a path, or searched in `search`, the value of PATH; NULL: the usual default).
 * Never fails: what cannot be found or read is UNKNOWN, and execve will tell. */
void mprof__executable_inspect(mprof__executable *executable, const char *name, const char *search);

#endif
