/* Makes a short name for a process from its command line. */
#ifndef MPROF_RECORD_PROCESS_TITLE_H
#define MPROF_RECORD_PROCESS_TITLE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the last component of a path names CPython 3: python, python3, python3.12, python3.13t,
 * python3-dbg ... */
bool mprof__names_python(const char *path);

/* Writes the title into text[size]: from the argument vector (count bytes, each argument ended by
 * NUL, as in /proc/PID/cmdline), else from `comm`. Always terminated. */
void mprof__process_title(char *text, size_t size, const char *arguments, size_t count,
                          const char *comm);

/* The same for a program before it starts: argv[argc], argc > 0. */
void mprof__process_title_of(char *text, size_t size, size_t argc, char *const argv[]);

#endif
