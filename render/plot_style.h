/* Files with options of `mprof plot`. Private to the command. */
#ifndef MPROF_RENDER_PLOT_STYLE_H
#define MPROF_RENDER_PLOT_STYLE_H

#include "plot.h"

/* Sets an option by its long name; value may be kept. False: there is no such option. */
typedef bool mprof__style_setter(struct mprof__plot *plot, const char *name, char *value);

/* Reads the user's style file, if it exists, and then `style`, unless NULL; "none": no file.
 * MPROF_EFORMAT, MPROF_EIO, MPROF_ENOTFOUND, MPROF_ENOMEM, with file and line. */
mprof_status mprof__style_read(struct mprof__plot *plot, const char *style,
                               mprof__style_setter *set, mprof_error *error);
/* A copy that lives as long as the options; NULL: no memory. */
char *mprof__style_texts_keep(mprof__style_texts *texts, const char *text);
void mprof__style_texts_free(mprof__style_texts *texts);

#endif
