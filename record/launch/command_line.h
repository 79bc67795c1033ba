/* The argument vector to execute for what the user typed, and whether it runs Python. */
#ifndef MPROF_RECORD_COMMAND_LINE_H
#define MPROF_RECORD_COMMAND_LINE_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum mprof__command_line_mode {
    MPROF__PROGRAM_AUTO,     /* decide by the file */
    MPROF__PROGRAM_PYTHON,   /* --python: a script, a module, or an interpreter with its script */
    MPROF__PROGRAM_NOPYTHON, /* --nopython: exactly as given, without functions */
} mprof__command_line_mode;

typedef struct mprof__command_line {
    char **argv; /* owned, ends with NULL; the strings are the caller's */
    size_t argc;
    bool python;               /* a Python interpreter will run */
    const char *agent_refusal; /* why functions cannot be recorded, or NULL; static text */
} mprof__command_line;

/* argv[argc], argc > 0: what the user typed. `search`: the value of PATH. MPROF_ENOMEM. */
mprof_status mprof__command_line_init(mprof__command_line *program, size_t argc, char *const argv[],
                                      mprof__command_line_mode mode, const char *search,
                                      mprof_error *error);

void mprof__command_line_free(mprof__command_line *program);

#endif
