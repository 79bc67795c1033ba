/* libFuzzer target: logs of other tools, by their content and as each format that a user may force.
 * Whatever a log says, reading ends, its samples are valid, and each warning has a line of the log.
 */
#include "parse/import/import.h"

#include <assert.h>
#include <math.h>
#include <mprof/profile.h>
#include <stdint.h>
#include <string.h>

typedef struct counts {
    size_t lines, samples;
    double highest_mib;
} counts;

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    counts *seen = data;
    for (size_t i = 0; i < count; i++) {
        assert(isfinite(samples[i].mib) && samples[i].mib >= 0);
        assert(isfinite(samples[i].time_s) && samples[i].time_s >= 0);
        seen->highest_mib = fmax(seen->highest_mib, samples[i].mib);
    }
    seen->samples += count;
    return MPROF_OK;
}

static void add_warning(void *data, mprof_warning warning, unsigned long line)
{
    const counts *seen = data;
    assert((unsigned)warning < MPROF_WARNING_COUNT);
    assert(line <= seen->lines + 1);
}

static size_t count_lines(const uint8_t *bytes, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += bytes[i] == '\n' || bytes[i] == '\r'; /* the reader knows old Macs */
    }
    return count + 1;
}

static void read_log(const uint8_t *bytes, size_t size, const mprof__import_options *options)
{
    counts seen = {count_lines(bytes, size), 0, 0};
    const mprof_visitor visitor = {&seen, add_samples, NULL, add_warning};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_source *source;
    mprof_profile *profile;
    assert(mprof_source_open_memory(&source, bytes, size, "input", NULL) == MPROF_OK);
    mprof__source_translate(source, &mprof__import_translation, options);
    mprof_status status = mprof_read(source, &visitor, &error);
    assert(status == error.status);
    assert(error.line <= seen.lines);
    if (status == MPROF_OK) {
        /* a second reading of the same source gives the same */
        assert(mprof_source_rewind(source, NULL) == MPROF_OK);
        status = mprof_profile_load(&profile, source, NULL, &error);
        assert(status == (seen.samples > 0 ? MPROF_OK : MPROF_EEMPTY));
        if (status == MPROF_OK) {
            assert(mprof_profile_samples(profile)->sample_count == seen.samples);
            assert(mprof_profile_samples(profile)->peak.mib == seen.highest_mib);
            mprof_profile_free(profile);
        }
    }
    mprof_source_free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const bool is_packed = size >= 4 && (memcmp(bytes, "\x1f\x8b", 2) == 0 ||
                                         memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0);
    if (is_packed || (size >= 4 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0)) {
        return 0; /* its lines cannot be counted here */
    }
    read_log(bytes, size, NULL);
    for (size_t i = 0; mprof__import_format_name(i); i++) {
        const mprof__import_options options = {.format = mprof__import_format_name(i)};
        read_log(bytes, size, &options);
    }
    const mprof__import_options columns = {
        .time_column = "1", .memory_column = "2", .unit_bytes = 1024};
    read_log(bytes, size, &columns);
    return 0;
}
