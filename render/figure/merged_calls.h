/* Calls as boxes on the time axis. Calls too narrow to be seen alone are merged with their
 * neighbours of the same lane and level, so that a million calls become some thousand boxes.
 * Private to the folder. */
#ifndef MPROF_RENDER_MERGED_CALLS_H
#define MPROF_RENDER_MERGED_CALLS_H

#include "layout.h"

typedef struct mprof__merged_call {
    double x0, x1; /* px, inside the plot */
    double start_s, end_s;
    uint32_t span; /* the longest */
    uint32_t lane; /* as mprof__lane_of */
    uint32_t row;
    uint64_t call_count;
    uint64_t functions;       /* as in mprof_about */
    bool cut_left, cut_right; /* goes on outside of what is shown */
    bool open;
} mprof__merged_call;
typedef void mprof__merged_call_visitor(void *data, const mprof__merged_call *call);
/* Calls shorter than wide_px or closer than that to each other are merged.
 * Order: by lane, then within a lane and row by time. */
mprof_status mprof__visit_merged_calls(const mprof__layout *layout,
                                       const mprof__figure_input *input, double wide_px,
                                       mprof__merged_call_visitor *visit, void *data);
/* The function's bit in mprof_about.functions. */
uint64_t mprof__function_bit(const mprof__figure_input *input, const mprof_span *span);
/* What is told of a call, or of several, when somebody points at it. */
uint32_t mprof__about_merged_call(mprof__layout *layout, const mprof__figure_input *input,
                                  const mprof__merged_call *call);
void mprof__process_text(char *text, size_t size, const mprof__figure_input *input,
                         uint32_t process);

#endif
