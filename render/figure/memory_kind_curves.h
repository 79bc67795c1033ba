/* Curves of kinds of memory: PSS, USS, swap … Private to the folder. */
#ifndef MPROF_RENDER_MEMORY_KIND_CURVES_H
#define MPROF_RENDER_MEMORY_KIND_CURVES_H

#include "layout.h"

typedef struct mprof__kind_curve {
    mprof_kind kind;
    const mprof_series *series; /* NULL: start with the first kind */
    size_t process_count;       /* as in mprof_kind_series */
    int colour;
} mprof__kind_curve;
/* The next kind that was asked for and recorded; false: none is left. */
bool mprof__next_kind(const mprof__layout *layout, const mprof__figure_input *input,
                      mprof__kind_curve *curve);
const char *mprof__kind_label(mprof_kind kind);
/* The sampled kind of memory and its process. */
void mprof__measured_kind_text(char *text, size_t size, const mprof__figure_input *input);
/* The kind and its process, or the number of processes summed. */
void mprof__kind_text(char *text, size_t size, const mprof__figure_input *input,
                      const mprof__kind_curve *curve);
void mprof__reserve_kinds(mprof__layout *layout, const mprof__figure_input *input);
void mprof__draw_kinds(mprof__layout *layout, const mprof__figure_input *input);
void mprof__label_kinds(mprof__layout *layout, const mprof__figure_input *input);

#endif
