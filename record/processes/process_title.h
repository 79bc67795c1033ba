/* What people call a process. */
#ifndef MPROF_RECORD_PROCESS_TITLE_H
#define MPROF_RECORD_PROCESS_TITLE_H

#include <stdbool.h>
#include <stddef.h>

/* 1 if the last part of a path names CPython 3: python, python3, python3.12, python3.13t,
 * python3-dbg ... */
bool mprof__names_python(const char *path);

/* Writes what people call a process into text[size]: from its argument vector (count bytes, each
 * argument ended by NUL, as in /proc/PID/cmdline), else from `comm`. Always terminated. */
void mprof__process_title(char *text, size_t size, const char *arguments, size_t count,
                          const char *comm);

/* The same of a program that is not running yet: argv[argc], argc > 0. */
void mprof__process_title_of(char *text, size_t size, size_t argc, char *const argv[]);

#endif
