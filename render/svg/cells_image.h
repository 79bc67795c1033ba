/* Cells as a PNG within a document. Private to the folder. */
#ifndef MPROF_RENDER_CELLS_IMAGE_H
#define MPROF_RENDER_CELLS_IMAGE_H

#include "render/draw/theme.h"

#include <mprof/draw.h>
#include <mprof/figure.h>

/* Writes the cells as base64 of a PNG, a pixel for each cell, with a palette of these looks; cells
 * without a shade are transparent. After a failure the output is empty text. */
void mprof__put_cells_image(mprof_output *output, const mprof_cells *cells,
                            const mprof__looks *looks);

#endif
