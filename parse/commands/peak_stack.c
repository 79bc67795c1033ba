/* The words are those of pictures, which label the same peaks with them. */
#include "peak_stack.h"

#include "command.h"

#include <mprof/moment.h>
#include <stdbool.h>
#include <stdio.h>

/* Of a file with several runs, the one with the highest sample. */
static const mprof_run *highest_run(const mprof__run_finder *finder)
{
    size_t highest = 0;
    for (size_t i = 1; i < finder->count; i++) {
        highest = finder->runs[i].peak_mib > finder->runs[highest].peak_mib ? i : highest;
    }
    return finder->count > 1 ? &finder->runs[highest] : NULL;
}

/* Where MEM is the main process alone, the peak of all processes is another one. */
size_t mprof__peaks_of(mprof__labelled_peak peaks[2], const mprof_profile *profile)
{
    mprof_sample peak = mprof_profile_peak(profile);
    if (!mprof_profile_mem_is_part(profile)) {
        peaks[0] = (mprof__labelled_peak){"peak", peak, MPROF_PROCESS_ANY};
        return 1;
    }
    peaks[0] =
        (mprof__labelled_peak){"peak of the main process", mprof_profile_line(profile)->peak, 0};
    peaks[1] = (mprof__labelled_peak){"peak of all processes", peak, MPROF_PROCESS_ANY};
    return 2;
}

static mprof_status print_one(const mprof__labelled_peak *peak, const mprof_profile *profile,
                              mprof_error *error)
{
    char text[MPROF_MOMENT_TEXT_SIZE];
    const mprof_run *run = mprof_profile_run(profile);
    mprof_moment *moment;
    size_t function_count;
    mprof_status status = mprof_moment_find(&moment, profile, peak->sample.time_s, error);
    if (status != MPROF_OK) {
        return status;
    }
    (void)mprof_profile_functions(profile, &function_count);
    printf("  %s %.3f MiB at %.3f s", peak->label, peak->sample.mib,
           peak->sample.time_s - mprof_profile_start_s(profile));
    if (run) {
        printf(" of run %zu", run->number);
    }
    if (mprof_moment_phrase(text, sizeof text, moment, profile, peak->process) > 0) {
        mprof__print_plain(stdout, text);
    } else {
        fputs(function_count > 0 ? ", outside of all recorded calls" : ", no calls were recorded",
              stdout);
    }
    putchar('\n');
    mprof_moment_free(moment);
    return MPROF_OK;
}

mprof_status mprof__print_peak_stack(const mprof_profile *profile, mprof_error *error)
{
    mprof__labelled_peak peaks[2];
    size_t count = mprof__peaks_of(peaks, profile);
    mprof_status status = MPROF_OK;
    for (size_t i = 0; i < count && status == MPROF_OK; i++) {
        status = print_one(&peaks[i], profile, error);
    }
    return status;
}

mprof_status mprof__peak_profile_load(mprof_profile **out, mprof_source *source,
                                      const mprof__summary *summary, mprof_error *error)
{
    mprof_load_options options = MPROF_LOAD_OPTIONS_INIT;
    options.run = highest_run(&summary->runs);
    *out = NULL;
    mprof_status status = mprof_source_rewind(source, error);
    return status == MPROF_OK ? mprof_profile_load(out, source, &options, error) : status;
}
