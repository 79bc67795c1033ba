/* What pictures of many compare: processes, hosts, recordings or commands, each as numbers for the
 * columns of the time axis. Private to the folder. */
#ifndef MPROF_RENDER_MEMBERS_H
#define MPROF_RENDER_MEMBERS_H

#include "layout.h"

#define MPROF__MEMBER_WORDS 40 /* bytes of the text that says how it ended */

typedef struct mprof__member {
    char *name;                         /* visible text, owned */
    uint32_t input;                     /* its recording, or that of its first process */
    uint32_t process_count;             /* whose sum it is */
    double first_s, last_s;             /* s of the axis: when it was sampled first and last */
    double peak_mib, peak_s;            /* in the window; the time is of the axis */
    double end_s;                       /* s of the axis: an abnormal end; NAN: none */
    char end_text[MPROF__MEMBER_WORDS]; /* of that: "killed: out of memory" */
    char host[MPROF__MEMBER_WORDS];     /* of a rank; "" if unknown */
    size_t row;                         /* in the tables below, which are in the order of reading */
} mprof__member;

/* All members at a column of the time axis. */
typedef struct mprof__member_column {
    size_t count;             /* members that ran; 0: what follows means nothing */
    double low_mib, high_mib; /* of all samples */
    double mean_mib;          /* of the members' means over the time of the column */
    double tenth_mib, median_mib, ninetieth_mib; /* the same: 10 %, 50 %, 90 % are below */
} mprof__member_column;

typedef struct mprof__members {
    mprof__member *items; /* the highest peak first */
    size_t count;
    size_t unseen; /* processes that the profile keeps no curve of */
    mprof_member_kind kind;
    size_t column_count;
    double from_s, step_s; /* s of the axis; of a column */
    /* of members at columns: NAN while it does not run; over the time of the column that it ran */
    float *low, *high, *mean;
    mprof__member_column *columns;
    double highest_mib; /* of all */
    double lowest_mib;  /* above 0; infinite: none is */
    size_t host_count;  /* of the recordings; 0: unknown */
} mprof__members;

/* The numbers of a member at all columns. */
static inline const float *mprof__member_row(const mprof__members *members, const float *table,
                                             size_t item)
{
    return table + members->items[item].row * members->column_count;
}

/* Reads the members that ran within the time that is shown. Dispose of it also after a failure.
 * MPROF_EARGUMENT: no member; MPROF_ENOMEM. */
mprof_status mprof__members_init(mprof__members *members, const mprof__layout *layout,
                                 size_t column_count, mprof_error *error);
void mprof__members_dispose(mprof__members *members);

/* "process" or "processes" of the kind. */
const char *mprof__member_noun(mprof_member_kind kind, size_t count);
/* The member kind that the options mean for these recordings. */
mprof_member_kind mprof__member_kind(const mprof__layout *layout);
/* The name, shortened to width_px: what is behind its last blank, as a pid is, stays. Returns the
 * length; 0 if not even that fits. */
size_t mprof__fit_member_name(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                              const char *name, double width_px);
/* Of the members' peaks; there is at least one. */
double mprof__member_peak_median(const mprof__members *members);
/* The value that `share` of the members' peaks are not above. */
double mprof__member_peak_quantile(const mprof__members *members, double share);

#endif
