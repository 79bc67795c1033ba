/* The short curve of a recording as the path of a small picture. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_SPARKLINE_H
#define MPROF_RENDER_REPORT_SPARKLINE_H

#include <jansson.h>

#define MPROF__SPARKLINE_WIDTH 160
#define MPROF__SPARKLINE_HEIGHT 40

/* {line, area, limit_y?, over?}: paths in whole numbers. recording: of the report; limit_bytes:
 * NAN, or the limit of the peak, to which the picture is scaled. NULL: out of memory. */
json_t *mprof__sparkline(const json_t *recording, double limit_bytes);

#endif
