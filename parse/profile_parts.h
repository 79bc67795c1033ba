/* The profile and its builder, for the files that make one. Private to this folder. */
#ifndef MPROF_PARSE_PROFILE_PARTS_H
#define MPROF_PARSE_PROFILE_PARTS_H

#include "buffer.h"
#include "control_group.h"
#include "curve.h"
#include "map.h"
#include "memory_kinds.h"
#include "number_map.h"
#include "process_choice.h"
#include "ticks.h"

#include <mprof/profile.h>

#include <stdbool.h>
#include <string.h>

/* Bits of mprof_span.open while the profile is built; only the first one stays. */
enum {
    MPROF__SPAN_OPEN = 1,
    MPROF__SPAN_HAS_PID = 2,   /* the recording names its process */
    MPROF__SPAN_NO_LEVEL = 4,  /* level is derived later */
    MPROF__SPAN_OUTERMOST = 8, /* its change counts for its function */
    MPROF__SPAN_SAMPLED = 16,  /* made of sampled stacks: its values were measured at other times */
};

/* While the profile is built, the place of mprof_span.sampled_s holds the order of the file. */
static inline uint32_t mprof__span_order(const mprof_span *span)
{
    uint32_t order;
    memcpy(&order, &span->sampled_s, sizeof order);
    return order;
}

static inline void mprof__span_set_order(mprof_span *span, uint32_t order)
{
    memcpy(&span->sampled_s, &order, sizeof order);
}

struct mprof_profile {
    char *file;
    const char *command_line;
    mprof_run run;    /* count 0: the whole source */
    size_t run_count; /* 0: no sample yet */
    double start_s, end_s;
    double from_s, to_s; /* the window, in unix seconds; infinite without one */
    mprof_series samples;
    mprof_series line;
    bool line_is_own;  /* line.points is not samples.points */
    bool main_is_line; /* processes[0].series shares the points of line */
    bool mem_is_main;  /* MEM is the main process alone */
    mprof_process *processes;
    size_t process_count, process_capacity;
    bool mem_is_sum;        /* MEM is the sum of the tree */
    bool mem_is_part;       /* MEM is the main process alone, and others have memory, too */
    mprof_sample peak;      /* of all processes; mib NAN: none */
    mprof_series main_rest; /* without points: the main process, where MEM is the sum */
    mprof_series others;    /* the sum of processes without curves of their own */
    size_t other_count;
    double other_kernel_peak_mib; /* of unknown processes and those without curves; NAN: none */
    mprof_ticks ticks[2];         /* MEM is the main process alone; MEM is the sum */
    mprof_rank *ranks;
    size_t rank_count, rank_capacity;
    size_t host_count;
    mprof_lane *lanes;
    size_t lane_count, lane_capacity;
    mprof_function *functions;
    size_t function_count, function_capacity;
    mprof_span *spans;
    size_t span_count, span_capacity;
    mprof_sampled_frame *frames;
    size_t frame_count, frame_capacity;
    mprof_sampled_stack *stacks;
    size_t stack_count, stack_capacity;
    mprof_fact *facts;
    size_t fact_count, fact_capacity;
    mprof_warnings warnings;
    uint64_t lost_calls;
    mprof_control_group group;
    unsigned kinds_recorded; /* 1 << mprof_kind */
    mprof_kind_series kinds[MPROF_KIND_COUNT];
    double kind_peaks_mib[2]
                         [MPROF_KIND_COUNT]; /* of the main process; of the sum of all at a tick */
    mprof__arena strings;                    /* owns all names, keys and values */
};

/* The state of reading a profile. */
struct mprof__rank_range;
typedef struct mprof__profile_builder {
    mprof_profile *profile;
    const mprof_load_options *options;
    mprof_error *error;

    /* the window, in unix seconds; infinite without one */
    double from_s, to_s;

    mprof__curve samples;
    mprof__curve *curves; /* one per process: its CHLD samples */
    size_t curve_capacity;
    mprof__group_curves group;
    mprof__kind_curves kinds;
    mprof__ticks ticks;
    double kind_tick_s; /* time of the sums; NAN: none yet */
    double kind_sums_mib[MPROF_KIND_COUNT];
    int64_t main_pid; /* from the facts read so far */
    bool has_pid_fact;
    mprof__process_choice *choice; /* NULL: all processes have curves of their own */
    bool is_crowded;               /* more processes than max_processes */
    const char *children_fact;     /* include-children; NULL: not recorded */
    const char *group_fact;        /* control-group of a merged recording; NULL: all */
    const char *format_fact;       /* not owned; NULL: upstream's file, or an old one */
    const char *command_line;      /* the last one; not owned */
    bool run_has_sample;           /* since then */
    mprof__curve early_child;      /* samples of child 0 before it has memory: perhaps no child */
    bool has_numbers;              /* a child that cannot be a pid */

    struct mprof__rank_range *ranges; /* owned; of the ranks of a merged recording */
    size_t range_count;

    mprof__map pids;          /* pid -> the latest process of that number */
    mprof__map functions;     /* name -> function */
    mprof__map lanes;         /* process and lane -> lane */
    mprof__map frame_texts;   /* names and files of frames */
    mprof__map stack_lanes;   /* lane of stacks -> the first stack of it */
    mprof__number_map frames; /* id -> the latest frame of that id in this run */
    float *sampled_s;         /* owned; by the order of the file; NULL: no call was sampled */
    size_t sampled_count, sampled_capacity;
    mprof__arena keys;
    mprof__buffer key;
} mprof__profile_builder;

void mprof__profile_builder_init(mprof__profile_builder *builder, mprof_profile *profile,
                                 const mprof_load_options *options, mprof_error *error);
void mprof__profile_builder_free(mprof__profile_builder *builder);

/* Reads the source and adds everything within the window. */
mprof_status mprof__profile_builder_read(mprof__profile_builder *builder, mprof_source *source);

/* Reads the source for start_s and end_s of the profile only. */
mprof_status mprof__profile_builder_read_range(mprof__profile_builder *builder,
                                               mprof_source *source);

/* Moves the main process to index 0. */
void mprof__profile_builder_choose_main(mprof__profile_builder *builder);

/* Replaces the order of a call by how uncertain its entry and exit are. */
void mprof__profile_builder_set_sampled(const mprof__profile_builder *builder, mprof_span *span);

/* Gives children that upstream numbered a name in place of a pid. MPROF_ENOMEM. */
mprof_status mprof__profile_builder_name_children(mprof__profile_builder *builder);

/* The pids of a rank. */
typedef struct mprof__rank_range {
    int64_t first_pid, last_pid;
    uint32_t rank; /* index */
} mprof__rank_range;

/* The ranges of ranks, sorted, the caller's to free; NULL without memory. */
mprof__rank_range *mprof__rank_ranges(const mprof_rank *ranks, size_t count);

/* The rank of a process, an index; MPROF_RANK_NONE. */
uint32_t mprof__rank_of_pid(const mprof__rank_range *ranges, size_t count, int64_t pid);

/* Adds one of the recordings that the file was merged of. MPROF_ENOMEM. */
mprof_status mprof__profile_add_rank(mprof__profile_builder *builder,
                                     const mprof_rank_record *record);

/* Finds the rank of each process, and puts it into the process's name. MPROF_ENOMEM. */
mprof_status mprof__profile_name_ranks(mprof__profile_builder *builder);

/* A text as a C string of the profile; a NUL becomes U+FFFD. NULL without memory. */
const char *mprof__profile_keep_text(mprof__profile_builder *builder, mprof_text text);

/* True if MEM measured what the values of this call did; else they belong to the curve of its
 * process. */
bool mprof__span_fits_line(const mprof_profile *profile, const mprof_span *span);

/* True if its values are points of a curve. While the profile is built. */
static inline bool mprof__span_is_measured(const mprof_span *span)
{
    return !(span->open & MPROF__SPAN_SAMPLED);
}

/* Sorts the spans, derives missing levels, and sums up the functions. MPROF_ENOMEM. */
mprof_status mprof__profile_nest(mprof_profile *profile, mprof_error *error);

/* Takes what happened outside of the window from the changes of functions. Needs finished curves.
 */
void mprof__profile_clip_changes(mprof_profile *profile);

/* Whether MEM is the sum of the tree. Needs finished ticks. */
bool mprof__profile_find_whether_sum(const mprof_profile *profile);
/* Whether MEM is the sum of several processes of which none has samples of its own. */
bool mprof__profile_has_sum_alone(const mprof_profile *profile);

/* Finds the peak of all processes, and whether MEM is a part. Needs all of the above. */
void mprof__profile_find_peak(mprof_profile *profile);

/* Sets labels[count] to the ends of names[count] that are not ambiguous. 0, or -1 without memory.
 */
int mprof__label_names(const char **labels, const char *const *names, size_t count);

/* Sets labels: the shortest names that are not ambiguous. MPROF_ENOMEM. */
mprof_status mprof__profile_label(mprof_profile *profile, mprof_error *error);

/* Finds the peaks of all functions; reads the source again if the curves were thinned. */
mprof_status mprof__profile_find_peaks(mprof_profile *profile, mprof__profile_builder *builder,
                                       mprof_source *source, mprof_error *error);
/* Functions that were sampled have the peaks of their samples: as the tree of calls says. */
mprof_status mprof__profile_use_stack_peaks(mprof_profile *profile, mprof_error *error);

#endif
