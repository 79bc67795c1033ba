/* Any bytes as recordings that are checked and compared: one up to the first line `%%', one behind
 * it, or the same twice. Verdicts follow from their numbers, and each format is text that its
 * readers accept. The first byte chooses options. */
#include "parse/check/check.h"
#include "parse/check/comparison.h"
#include "parse/formats/formats.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool is_json(const char *name)
{
    return strcmp(name, "json") == 0 || strcmp(name, "github-benchmark") == 0 ||
           strcmp(name, "bencher") == 0;
}

/* Parsed as JSON, or text without control characters. */
static void check_document(const char *name, const char *text, size_t size)
{
    json_error_t error;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == 0x7f || (byte < 0x20 && byte != '\n' && byte != '\t')) {
            fprintf(stderr, "%s: character %#x at byte %zu\n", name, byte, i);
            abort();
        }
    }
    if (is_json(name)) {
        json_t *document = json_loadb(text, size, 0, &error);
        if (!document) {
            fprintf(stderr, "%s: line %d: %s\n", name, error.line, error.text);
            abort();
        }
        json_decref(document);
    }
}

static void write_documents(const mprof__format_input *input)
{
    for (const mprof__format *format = mprof__formats; format->name; format++) {
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        assert(stream);
        assert(!format->write || format->write(stream, input) == 0);
        assert(fclose(stream) == 0);
        check_document(format->name, text, size);
        free(text);
    }
}

static void check_results(const mprof__results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const mprof__result *one = &results->results[i];
        assert(one->subject < results->subject_count && *one->key && one->reason);
        assert(one->verdict < MPROF__VERDICT_COUNT);
        if (one->verdict == MPROF__PASSED || one->verdict == MPROF__FAILED) {
            assert(isfinite(one->measured) && isfinite(one->limit) && isfinite(one->margin));
        }
        /* a limit that the value itself crosses */
        if (one->kind == MPROF__LIMIT_PEAK || one->kind == MPROF__LIMIT_TIME) {
            assert(one->verdict != MPROF__FAILED || one->measured > one->limit);
            assert(one->verdict != MPROF__PASSED || one->measured <= one->limit);
        }
        assert(one->running_count <= MPROF__RUNNING_MOST);
    }
}

static void check_limits(const char *const *paths, size_t count, uint8_t choice)
{
    static const char *const limits[][2] = {
        {"max", "100MiB"},  {"max-child", "10MiB"}, {"min", "1MiB"},       {"max-growth", "1MiB/s"},
        {"max-time", "2s"}, {"func", "f:1MiB"},     {"kind", "pss:50MiB"}, {"kind", "group:1GiB"},
    };
    mprof__check_options options = {.report_only = choice & 1};
    mprof__results results = {0};
    mprof_error error = MPROF_ERROR_INIT;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert(mprof__limits_set(&options.limits, limits[i][0], limits[i][1], NULL) == MPROF_OK);
    }
    if (choice & 2) { /* the first recording is known to be good */
        assert(mprof__limits_set(&options.limits, "baseline", paths[0], NULL) == MPROF_OK);
    }
    mprof_status status = mprof__check(&results, paths, count, &options, &error);
    assert((status == MPROF_OK) == (error.status == MPROF_OK));
    if (status == MPROF_OK) {
        int code = mprof__results_exit_code(&results);
        assert(code == 0 || code == 1 || code == 3);
        check_results(&results);
        write_documents(&(mprof__format_input){.command = "check", .results = &results});
    }
    mprof__results_free(&results);
    mprof__check_options_free(&options);
}

static void check_comparison(const mprof__comparison *one)
{
    for (size_t kind = 0; kind < MPROF__CHANGE_KIND_COUNT; kind++) {
        const mprof__change *change = &one->changes[kind];
        double difference = change->values[MPROF__NOW] - change->values[MPROF__BEFORE];
        assert(isnan(difference)
                   ? isnan(change->difference)
                   : fabs(change->difference - difference) <= 1e-9 * (1 + fabs(difference)));
        assert(isnan(change->p_value) || (change->p_value >= 0 && change->p_value <= 1));
    }
    for (size_t i = 0; i < one->point_count; i++) {
        const mprof__compared_point *point = &one->points[i];
        for (int side = 0; side < 2; side++) {
            assert(isnan(point->mib[side]) ||
                   (point->low[side] <= point->mib[side] && point->mib[side] <= point->high[side]));
        }
        assert(i == 0 || one->points[i - 1].at_s <= point->at_s);
    }
    assert(*one->headline && !strchr(one->headline, '\n'));
}

static void check_diff(const char *const paths[2], uint8_t choice)
{
    mprof__compare_options options = {
        .by = (mprof__alignment)(choice >> 2 & 3),
        .tolerance = MPROF__DEFAULT_TOLERANCE,
        .floor_mib = MPROF__DEFAULT_FLOOR_MIB,
        .has_limits = choice >> 4 & 1,
    };
    mprof__comparisons comparisons = {0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status = mprof__compare(&comparisons, paths, &options, &error);
    assert((status == MPROF_OK) == (error.status == MPROF_OK));
    if (status == MPROF_OK) {
        for (size_t i = 0; i < comparisons.count; i++) {
            check_comparison(&comparisons.items[i]);
        }
        int code = mprof__comparisons_exit_code(&comparisons);
        assert(code == 0 || code == 1 || code == 3);
        write_documents(&(mprof__format_input){
            .command = "diff", .results = &comparisons.results, .comparisons = &comparisons});
    }
    mprof__comparisons_free(&comparisons);
}

static int file_of(const uint8_t *bytes, size_t size, char *path, size_t path_size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, path_size, "/proc/self/fd/%d", fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char names[2][40];
    if (size < 1) {
        return 0;
    }
    uint8_t choice = *bytes++;
    size--;
    const uint8_t *second = size > 0 ? memmem(bytes, size, "\n%%\n", 4) : NULL;
    size_t first_size = second ? (size_t)(second - bytes) + 1 : size;
    second = second ? second + 4 : bytes;
    int first_fd = file_of(bytes, first_size, names[0], sizeof *names);
    int second_fd = file_of(second, (size_t)(bytes + size - second), names[1], sizeof *names);
    const char *const paths[2] = {names[0], names[1]};
    check_limits(paths, 2, choice);
    check_diff(paths, choice);
    close(first_fd);
    close(second_fd);
    return 0;
}
