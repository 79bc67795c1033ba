/* Writes results in a format, for tests that read them with other programs:
 *
 *     write-results FORMAT [--report-only] [--limit BYTES] NAME...
 *
 * Each name is that of a subject, of its function and of a call that was running. Its six limits
 * have every verdict; the last subject could not be read. */
#include "parse/formats/formats.h"
#include "parse/formats/markdown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static mprof__result *add(mprof__results *results, mprof__limit_kind kind, const char *key,
                          const char *name, double measured, double limit)
{
    mprof__result *result = mprof__results_add(results, results->subject_count - 1, kind);
    if (!result) {
        abort();
    }
    result->key = mprof__results_text(results, key);
    result->name = mprof__results_text(results, name);
    if (!result->key || !result->name) {
        abort();
    }
    result->measured = measured;
    result->limit = limit;
    result->margin = measured - limit;
    result->margin_share = (measured - limit) / limit;
    result->verdict = isnan(measured)    ? MPROF__NOT_MEASURED
                      : measured > limit ? MPROF__FAILED
                                         : MPROF__PASSED;
    return result;
}

static void add_subject(mprof__results *results, const char *name)
{
    char key[8192], words[8192];
    mprof__subject *subject = mprof__results_add_subject(results);
    if (!subject) {
        abort();
    }
    subject->name = subject->file = subject->command_line = mprof__results_text(results, name);
    if (!subject->name) {
        abort();
    }
    subject->program = "program";
    subject->run_count = 1;
    subject->peak_mib = 463.9;
    subject->peak_at_s = 7.64;
    subject->duration_s = 8.76;
    subject->ending = MPROF__ENDING_STATUS;
    mprof__result *failed = add(results, MPROF__LIMIT_PEAK, "max", "peak", 463.9, 420);
    failed->at_s = 7.64;
    failed->running_count = 2;
    failed->running[0] = (mprof__running_call){.name = subject->name,
                                               .since_s = 6.66,
                                               .added_mib = 205.3,
                                               .before_mib = 142.2,
                                               .process_count = 1};
    failed->running[1] = (mprof__running_call){
        .name = "compress", .since_s = 7, .added_mib = 67.6, .before_mib = NAN, .process_count = 2};
    mprof__result *unclear = add(results, MPROF__LIMIT_GROWTH, "max-growth", "growth", 0.5, 1);
    unclear->unit = MPROF__UNIT_MIB_PER_MIN;
    unclear->verdict = MPROF__INCONCLUSIVE;
    unclear->low = -3.1;
    unclear->high = 9.4;
    unclear->confidence = 0.95;
    unclear->reason = "too short: 4 windows of 8";
    add(results, MPROF__LIMIT_TIME, "max-time", "duration", 8.76, 30)->unit = MPROF__UNIT_S;
    snprintf(key, sizeof key, "func:%s", name);
    snprintf(words, sizeof words, "%s, most a call added", name);
    add(results, MPROF__LIMIT_FUNCTION, key, words, 40, 120);
    add(results, MPROF__LIMIT_KIND, "kind:pss", "pss", NAN, 300)->reason =
        "recorded without --memory pss";
    add(results, MPROF__LIMIT_KIND, "kind:uss", "uss", 0, 300);
}

static int write_results(const char *format, mprof__results *results, size_t limit)
{
    const mprof__format_input input = {.command = "check", .results = results};
    const mprof__format *found = mprof__format_find(format);
    if (limit > 0) {
        return mprof__markdown_write(stdout, &input, limit);
    }
    return found && found->write ? found->write(stdout, &input) : -1;
}

int main(int argc, char **argv)
{
    mprof__results results = {0};
    size_t limit = 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--report-only") == 0) {
            results.report_only = true;
        } else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc) {
            limit = strtoul(argv[++i], NULL, 10);
        } else {
            add_subject(&results, argv[i]);
        }
    }
    if (results.subject_count > 0) {
        mprof__subject *bad = mprof__results_add_subject(&results);
        if (!bad) {
            abort();
        }
        bad->name = bad->file = "bad.dat";
        bad->error = "is not a recording";
        results.has_error = true;
    }
    mprof__results_count(&results);
    int status = argc > 1 ? write_results(argv[1], &results, limit) : -1;
    mprof__results_free(&results);
    return status == 0 && fflush(stdout) == 0 ? 0 : 1;
}
