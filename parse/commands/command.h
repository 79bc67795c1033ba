/* The table of commands, options that behave alike, and messages. Private to the program; not
 * installed. */
#ifndef MPROF_PARSE_COMMAND_H
#define MPROF_PARSE_COMMAND_H

#include <argp.h>
#include <mprof/error.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes of mprof itself; `run -E` passes on the program's. */
enum {
    MPROF_EXIT_OK = 0,
    MPROF_EXIT_FAILED = 1,       /* the input or the output could not be used */
    MPROF_EXIT_USAGE = 2,        /* the command line could not be used; nothing was started */
    MPROF_EXIT_INCONCLUSIVE = 3, /* `check', `diff': unclear, or not measured */
    MPROF_EXIT_LIMIT = 124,      /* a limit set by the user was reached, as timeout(1) returns it */
    MPROF_EXIT_NOT_EXECUTABLE = 126,
    MPROF_EXIT_NOT_FOUND = 127,
};

typedef struct mprof_command {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
    const char *summary;                /* one line for `mprof --help` */
} mprof_command;

/* Runs the command that argv[1] names. An unknown name: usage on standard output, one line of
 * error, and exit code 1, as upstream. Returns the exit code. */
int mprof__command_main(const mprof_command *commands, int argc, char **argv);

/* Replaces this process by libexec/mprof/mprof-draw with the same arguments;
 * returns MPROF_EXIT_FAILED with one line of reason if it is not installed. */
int mprof_draw_command(int argc, char **argv);

/* Parses options as every command does: -h/--help, --version, exit 2 on a bad option, and an
 * argument that is a negative number is an argument (`mprof plot -1`).
 * flags: those of argp_parse (ARGP_IN_ORDER where options end at the program). */
void mprof__command_parse(const struct argp *argp, int argc, char **argv, unsigned flags,
                          void *input);

/* An option's argument as the user wrote it. Parsers of struct argp_child use it; others get such
 * arguments only. NULL stays NULL. */
char *mprof__command_argument(char *argument);

/* Prints "mprof: file:line: reason" on standard error. Returns MPROF_EXIT_FAILED. */
int mprof__command_fail(const mprof_error *error);

/* Makes what libraries print on stderr safe for a terminal, as our own messages are: they may
 * repeat the environment. With glibc only. */
void mprof__command_plain_errors(void);

/* Prints the warnings of a file as one line on standard error; nothing if there are none. */
struct mprof_profile;
struct mprof_warnings;
void mprof__command_warn(const struct mprof_profile *profile);
void mprof__command_warn_file(const char *file, const struct mprof_warnings *warnings);
void mprof__command_warn_text(const char *file, const char *text);

/* Flushes standard output, and keeps the reason of a failure for mprof__command_finish. */
void mprof__command_flush(void);

/* Ends a command that printed its result: MPROF_EXIT_OK, or MPROF_EXIT_FAILED with a reason if
 * standard output did not take all of it. */
int mprof__command_finish(void);

/* Resolves arguments (numbers or paths) to files, each once; without arguments the newest recording
 * of the working directory. *paths and its strings are the caller's. MPROF_EXIT_OK, or
 * MPROF_EXIT_FAILED with the reasons printed; then *paths holds the good ones. */
int mprof__command_inputs(char ***paths, size_t *path_count, char *const arguments[],
                          size_t argument_count);
/* The same; of a directory all *.dat files, in natural order. */
int mprof__command_inputs_and_directories(char ***paths, size_t *path_count,
                                          char *const arguments[], size_t argument_count);
void mprof__command_inputs_free(char **paths, size_t path_count);

/* Prints text with everything that a terminal could obey escaped. */
void mprof__print_plain(FILE *stream, const char *text);

/* Finds a file of this installation (mprof-draw, the agent): in the program's directory or in
 * ../libexec/mprof. Returns 0 and the absolute path in path[size], or -1. */
int mprof__installed_file(const char *name, char *path, size_t size);

int mprof_list_command(int argc, char **argv);
int mprof_rm_command(int argc, char **argv);
int mprof_clean_command(int argc, char **argv);
int mprof_peak_command(int argc, char **argv);
int mprof_functions_command(int argc, char **argv);
int mprof_check_command(int argc, char **argv);
int mprof_diff_command(int argc, char **argv);
int mprof_export_command(int argc, char **argv);
int mprof_merge_command(int argc, char **argv);
int mprof_import_command(int argc, char **argv);

#endif
