/* Limits and verdicts in words. Private to the reports.
 *
 * A limit of a recording is what mprof__json_result() makes of it. */
#ifndef MPROF_RENDER_REPORT_LIMITS_VIEW_H
#define MPROF_RENDER_REPORT_LIMITS_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Ranks of verdicts, the worst first. */
enum {
    MPROF__RANK_FAILED,
    MPROF__RANK_NOT_MEASURED,
    MPROF__RANK_INCONCLUSIVE,
    MPROF__RANK_PASSED,
    MPROF__RANK_NONE, /* no limit was given */
    MPROF__RANK_COUNT
};

/* {class, word, head, is_bad, sign}; NULL: out of memory. */
json_t *mprof__verdict_view(const char *verdict);

/* The worst limit in a clause: "peak 463.9 MiB, 43.9 MiB over the limit of 420 MiB". False: the
 * recording has no limits. */
bool mprof__limits_headline(const json_t *recording, char *text, size_t size);

/* What ran when the worst limit was crossed: "At the peak, 7.64 s after the start, build_index had
 * run for 0.98 s and added 205.3 MiB." False: it is not known. */
bool mprof__running_sentence(const json_t *recording, char *text, size_t size);

/* "1 crossed, 3 passed"; "" if there are none. */
void mprof__verdict_counts(char *text, size_t size, const size_t ranks[MPROF__RANK_COUNT]);

/* The clause of all recordings, and the verdict; JSON null: there are no limits. */
json_t *mprof__summary_headline(const size_t ranks[MPROF__RANK_COUNT], size_t count, char *text,
                                size_t size);

/* {rows, count}: failures first; JSON null without limits. NULL: out of memory. */
json_t *mprof__limits_view(const json_t *recording);

#endif
