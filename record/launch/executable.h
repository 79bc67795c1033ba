/* The kind of a program's file: found as execvp(3) finds it, classified by its first bytes. */
#ifndef MPROF_RECORD_EXECUTABLE_H
#define MPROF_RECORD_EXECUTABLE_H

#include <features.h>
#include <stdbool.h>
#include <stddef.h>

/* The libc that this build is for. Programs with another one cannot load the agent. */
#ifdef __GLIBC__
#define MPROF__LIBC_IS_MUSL false
#else
#define MPROF__LIBC_IS_MUSL true
#endif

typedef enum mprof__executable_kind {
    MPROF__EXECUTABLE_UNKNOWN, /* not found, not readable, or no known format */
    MPROF__EXECUTABLE_DYNAMIC, /* ELF of this machine with a dynamic loader */
    MPROF__EXECUTABLE_STATIC,  /* ELF of this machine without one: nothing can be preloaded */
    MPROF__EXECUTABLE_FOREIGN, /* ELF of another machine or word size */
    MPROF__EXECUTABLE_SCRIPT,  /* a #! line: `interpreter` and `argument` hold its words */
    MPROF__EXECUTABLE_TEXT,    /* no magic number, no NUL byte: shells run it as a script */
} mprof__executable_kind;

typedef struct mprof__executable {
    mprof__executable_kind kind;
    bool privileged;       /* setuid or setgid: the loader ignores LD_PRELOAD */
    bool is_musl;          /* DYNAMIC: its libc */
    char path[4096];       /* where it was found */
    char interpreter[256]; /* SCRIPT: first word after #! */
    char argument[256];    /* SCRIPT: the rest of the line, as the kernel passes it on */
} mprof__executable;

/* name: a path, or a name to search in `search`, the value of PATH (NULL: the default path). Never
 * fails: a file that cannot be found or read is UNKNOWN; execve(2) will give the reason. */
void mprof__executable_inspect(mprof__executable *executable, const char *name, const char *search);

#endif
