/* Where `mprof check` and `diff` write their results, and how: --format, --json, --color. Private
 * to the commands. */
#ifndef MPROF_PARSE_RESULT_OUTPUT_H
#define MPROF_PARSE_RESULT_OUTPUT_H

#include "parse/formats/formats.h"

#include <argp.h>
#include <stdbool.h>

#define MPROF__OUTPUTS_MOST 16

typedef enum mprof__color_choice {
    MPROF__COLOR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is "dumb" */
    MPROF__COLOR_ALWAYS,
    MPROF__COLOR_NEVER,
} mprof__color_choice;

/* All zero: text on standard output. */
typedef struct mprof__result_output {
    struct {
        const mprof__format *format;
        const char *path; /* of the command line; NULL: standard output */
    } items[MPROF__OUTPUTS_MOST];
    size_t count;
    mprof__color_choice color;
} mprof__result_output;

/* A parser for struct argp_child; its input is a mprof__result_output. */
extern const struct argp mprof__result_output_argp;

/* Whether standard output is a document for programs, so that nothing else may be written to it. */
bool mprof__result_output_is_document(const mprof__result_output *output);

/* "auto", "always" or "never". False: none of them. */
bool mprof__color_parse(mprof__color_choice *choice, const char *text);

/* Whether text on the stream has colours. */
bool mprof__color_used(mprof__color_choice choice, FILE *stream);

/* Writes the results in all formats that were requested; inside GitHub Actions also annotations, on
 * standard error, and the summary of the step, unless the format `github' or `markdown' was
 * requested. write_text writes text for people. MPROF_EXIT_OK, or MPROF_EXIT_FAILED with the reason
 * printed. */
int mprof__result_output_write(const mprof__result_output *output, const mprof__format_input *input,
                               void (*write_text)(FILE *stream, bool is_coloured, void *data),
                               void *data);

#endif
