/* Lines and marks that the reader asked for. Private to the folder. */
#ifndef MPROF_RENDER_NOTES_H
#define MPROF_RENDER_NOTES_H

#include "layout.h"

/* So that the axis reaches the lines. */
mprof__range mprof__widen_by_notes(const mprof__layout *layout, mprof__range range);
/* The label of a line, or its value; the caller frees it. NULL: no memory. */
char *mprof__note_text(const mprof__layout *layout, const mprof_note *note);
/* Among the marks, with their labels where there is room. */
void mprof__draw_notes(mprof__layout *layout);

#endif
