/* Calls as boxes on the time axis. Calls too narrow to be seen are merged with their neighbours of
 * the same lane and row, so that a million calls become a few thousand boxes. Private to the
 * folder. */
#ifndef MPROF_RENDER_MERGED_CALLS_H
#define MPROF_RENDER_MERGED_CALLS_H

#include "layout.h"

typedef struct mprof__merged_call {
    double x0, x1; /* px, inside the plot */
    double start_s, end_s;
    uint32_t span; /* the longest call */
    uint32_t lane; /* as of mprof__lane_of(); in a time plot the slot */
    uint32_t row;
    uint64_t call_count;
    uint64_t functions;       /* as in mprof_about */
    bool cut_left, cut_right; /* continues outside the window */
    bool open;
} mprof__merged_call;
typedef void mprof__merged_call_visitor(void *data, const mprof__merged_call *call);
/* Visits the barred calls; merges those narrower than wide_px that are closer than that. In the
 * order of lanes, and by time within a lane and row. MPROF_ENOMEM. */
mprof_status mprof__visit_merged_calls(const mprof__layout *layout,
                                       const mprof__figure_input *input, double wide_px,
                                       mprof__merged_call_visitor *visit, void *data);
/* The function's bit in mprof_about.functions. */
uint64_t mprof__function_bit(const mprof__figure_input *input, const mprof_span *span);
/* Adds the tooltip; MPROF_ABOUT_NONE if none was asked for. */
uint32_t mprof__about_merged_call(mprof__layout *layout, const mprof__figure_input *input,
                                  const mprof__merged_call *call);
/* The process, if there are several, and the thread, greenlet or task; "" if it has no name. */
void mprof__call_place_text(char *text, size_t size, const mprof__figure_input *input,
                            const mprof_span *span);
void mprof__process_text(char *text, size_t size, const mprof__figure_input *input,
                         uint32_t process);

#endif
