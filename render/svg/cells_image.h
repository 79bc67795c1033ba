/* Cells as a PNG within a document. Private to the folder. */
#ifndef MPROF_RENDER_CELLS_IMAGE_H
#define MPROF_RENDER_CELLS_IMAGE_H

#include "render/draw/theme.h"

#include <mprof/draw.h>
#include <mprof/figure.h>

/* Writes the cells as base64 of a PNG with a palette of these looks, in which each row of cells is
 * row_px pixels high: programs that smooth what they enlarge then need not. Cells without a shade
 * are transparent. After a failure the output is empty text. */
void mprof__put_cells_image(mprof_output *output, const mprof_cells *cells, uint32_t row_px,
                            const mprof__looks *looks);

#endif
