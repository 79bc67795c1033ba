/* Private to the folder. */
#ifndef MPROF_RENDER_TREE_DATA_H
#define MPROF_RENDER_TREE_DATA_H

#include <mprof/figure.h>
#include <mprof/output.h>

/* Of a picture that is no tree: nothing. */
void mprof__put_tree_data(mprof_output *output, const mprof_figure *figure);

#endif
