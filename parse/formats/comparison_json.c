/* Pairs of numbers are objects with before, now and difference, so that a reader needs no order. */
#include "comparison_json.h"

#include "parse/check/comparison_text.h"

#include <math.h>

#define S_PER_MIN 60.0

static json_t *amount(double value, mprof__change_kind kind)
{
    switch (kind) {
    case MPROF__CHANGE_DURATION:
        return mprof__json_number(value);
    case MPROF__CHANGE_GROWTH:
        return mprof__json_bytes(value / S_PER_MIN);
    default:
        return mprof__json_bytes(value);
    }
}

static json_t *both(const double values[2], mprof__change_kind kind)
{
    return json_pack("{s:o, s:o, s:o}", "before", amount(values[0], kind), "now",
                     amount(values[1], kind), "difference", amount(values[1] - values[0], kind));
}

static json_t *change_of(const mprof__change *change, mprof__change_kind kind)
{
    static const char *const units[] = {[MPROF__CHANGE_PEAK] = "bytes",
                                        [MPROF__CHANGE_MEAN] = "bytes",
                                        [MPROF__CHANGE_AREA] = "bytes*s",
                                        [MPROF__CHANGE_DURATION] = "s",
                                        [MPROF__CHANGE_GROWTH] = "bytes/s"};
    json_t *item = both(change->values, kind);
    json_t *more = json_pack(
        "{s:s, s:b, s:b, s:s?, s:o, s:o, s:b, s:o}", "unit", units[kind], "before_is_lower_bound",
        change->is_at_least[0], "now_is_lower_bound", change->is_at_least[1], "verdict",
        change->is_judged ? mprof__verdict_text(change->verdict) : NULL, "allowed",
        amount(change->allowed, kind), "p_value", mprof__json_number(change->p_value), "is_lower",
        change->is_lower, "reason", mprof__json_text(change->reason));
    if (!item || !more || json_object_update(item, more) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    return item;
}

static json_t *changes_of(const mprof__comparison *comparison)
{
    static const char *const keys[] = {[MPROF__CHANGE_PEAK] = "peak",
                                       [MPROF__CHANGE_MEAN] = "mean",
                                       [MPROF__CHANGE_AREA] = "area",
                                       [MPROF__CHANGE_DURATION] = "duration",
                                       [MPROF__CHANGE_GROWTH] = "growth"};
    json_t *changes = json_object();
    for (mprof__change_kind kind = 0; kind < MPROF__CHANGE_KIND_COUNT && changes; kind++) {
        if (json_object_set_new(changes, keys[kind], change_of(&comparison->changes[kind], kind)) !=
            0) {
            json_decref(changes);
            return NULL;
        }
    }
    return changes;
}

static json_t *counts(const double values[2])
{
    return json_pack("{s:o, s:o, s:o}", "before", mprof__json_number(values[0]), "now",
                     mprof__json_number(values[1]), "difference",
                     mprof__json_number(values[1] - values[0]));
}

static json_t *functions_of(const mprof__comparison *comparison)
{
    json_t *items = json_array();
    for (size_t i = 0; i < comparison->function_count; i++) {
        const mprof__function_change *f = &comparison->functions[i];
        mprof__json_append(&items,
                           json_pack("{s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "name",
                                     mprof__json_text(f->name), "label", mprof__json_text(f->label),
                                     "is_before", f->is_there[0], "is_now", f->is_there[1], "calls",
                                     counts(f->calls), "total_s", counts(f->time_s), "change_bytes",
                                     both(f->change_mib, MPROF__CHANGE_PEAK), "peak_bytes",
                                     both(f->peak_mib, MPROF__CHANGE_PEAK), "most_added_bytes",
                                     both(f->added_mib, MPROF__CHANGE_PEAK)));
    }
    return items;
}

static json_t *processes_of(const mprof__comparison *comparison)
{
    json_t *items = json_array();
    for (size_t i = 0; i < comparison->process_count; i++) {
        const mprof__process_change *p = &comparison->processes[i];
        mprof__json_append(&items, json_pack("{s:o, s:o, s:o, s:o}", "name",
                                             mprof__json_text(p->name), "count", counts(p->count),
                                             "peak_bytes", both(p->peak_mib, MPROF__CHANGE_PEAK),
                                             "mean_bytes", both(p->mean_mib, MPROF__CHANGE_PEAK)));
    }
    return items;
}

static json_t *sustained_of(const mprof__sustained *sustained)
{
    if (isnan(sustained->window_s)) {
        return json_null();
    }
    bool is_one = sustained->mib != 0;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "difference_bytes", mprof__json_bytes(sustained->mib),
        "from_s", mprof__json_number(is_one ? sustained->from_s : NAN), "to_s",
        mprof__json_number(is_one ? sustained->to_s : NAN), "window_s",
        mprof__json_number(sustained->window_s), "running", mprof__json_text(sustained->running));
}

static json_t *side_of(const mprof__comparison *comparison, int side)
{
    return json_pack("{s:o, s:I, s:o, s:I}", "name", mprof__json_text(comparison->names[side]),
                     "run_count", (json_int_t)comparison->run_counts[side], "typical_file",
                     mprof__json_text(comparison->files[side]), "typical_run",
                     (json_int_t)comparison->run_numbers[side]);
}

json_t *mprof__json_comparisons(const mprof__comparisons *comparisons)
{
    static const char *const alignments[] = {"auto", "calls", "start", "fraction"};
    json_t *items = json_array();
    for (size_t i = 0; i < comparisons->count; i++) {
        const mprof__comparison *c = &comparisons->items[i];
        char verdict[1200];
        mprof__comparison_verdict(c, verdict, sizeof verdict);
        mprof__json_append(
            &items,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o}", "before",
                      side_of(c, MPROF__BEFORE), "now", side_of(c, MPROF__NOW), "command_line",
                      mprof__json_text(c->command_line), "headline", mprof__json_text(c->headline),
                      "verdict", mprof__json_text(verdict), "aligned_by", alignments[c->by],
                      "matched_calls", (json_int_t)c->matched_calls, "sustained",
                      sustained_of(&c->sustained), "changes", changes_of(c), "functions",
                      functions_of(c), "processes", processes_of(c)));
    }
    return items;
}
