/* Files with options of `mprof plot`. Private to the command. */
#ifndef MPROF_RENDER_STYLE_FILE_H
#define MPROF_RENDER_STYLE_FILE_H

#include "plot.h"

/* Sets an option by its long name; value may be kept. False: there is no such option. */
typedef bool mprof__style_setter(struct mprof__plot *plot, const char *name, char *value);

/* Reads the user's style file, if it exists, and then `style`, unless NULL; "none": no file. What
 * cannot be read ends the program: file:line: reason. */
void mprof__style_read(struct mprof__plot *plot, const char *style, mprof__style_setter *set);
void mprof__style_texts_free(mprof__style_texts *texts);
/* Prints "mprof: file:line: reason" and ends the program. */
void mprof__style_file_fail(const struct mprof__plot *plot, const char *reason)
    __attribute__((noreturn));

#endif
