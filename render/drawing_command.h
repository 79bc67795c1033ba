/* The command that draws a picture, as text for a shell. Private to the command. */
#ifndef MPROF_RENDER_DRAWING_COMMAND_H
#define MPROF_RENDER_DRAWING_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* Text that grows; after a failure nothing is appended. */
typedef struct mprof__command_text {
    char *text; /* owned by the caller; NULL: nothing was appended */
    size_t used, room;
    bool failed;
} mprof__command_text;

/* Appends a blank, unless the text is empty, and the word: quoted where a shell would not take it
 * as it is; control characters, bytes that are not UTF-8 and controls of the direction of text as
 * octal numbers, so that a terminal into which the command is pasted does not obey them. */
void mprof__command_add_word(mprof__command_text *command, const char *word);

/* Appends --NAME, or --NAME=VALUE if the value is not NULL. */
void mprof__command_add_option(mprof__command_text *command, const char *name, const char *value);

/* Appends the names of files; one that begins with a dash does not become an option. */
void mprof__command_add_files(mprof__command_text *command, const char *const *files, size_t count);

#endif
