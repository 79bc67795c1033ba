/* Which frames of a stack a recording shows: those of the program's own files, all, or those that
 * match a pattern. */
#ifndef MPROF_RECORD_SHOWN_FRAMES_H
#define MPROF_RECORD_SHOWN_FRAMES_H

#include "python_stacks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deeper frames are not shown; what they do counts for the deepest one shown. */
#define MPROF__SHOWN_FRAMES_MAX 255

/* One for each process. All zero, and `chosen`: nothing known yet. */
typedef struct mprof__shown_frames {
    const char *chosen;   /* borrowed: "own", "all", or patterns as those of --func, one a line */
    char *directories[2]; /* owned: of the main script, and where the process works; or NULL */
    uint8_t *classes;     /* owned; by the id of a code */
    size_t class_count;
} mprof__shown_frames;

/* Notes the working directory of the process. */
void mprof__shown_frames_open(mprof__shown_frames *shown, const char *chosen, int64_t pid);
void mprof__shown_frames_close(mprof__shown_frames *shown);

/* Sets out[MPROF__SHOWN_FRAMES_MAX] to the shown ones of a stack, outermost first, and returns how
 * many. frames: innermost first. Where `own` finds no own frame, one frame stands for the stack:
 * the outermost that is not of the standard library, else the innermost. */
size_t mprof__shown_frames_select(mprof__shown_frames *shown, const mprof__python_frame **out,
                                  const mprof__python_frame *frames, size_t count);

/* Whether one of the patterns matches: module:qualname, both with wildcards; a class stands for
 * its functions, a module alone for all in it. */
bool mprof__shown_frames_match(const char *patterns, const char *module, const char *qualname);

#endif
