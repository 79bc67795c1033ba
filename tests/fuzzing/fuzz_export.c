/* Any bytes as a recording: what is exported of it is valid in every format. */
#include "parse/export/export.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_json(const char *text, size_t size)
{
    json_error_t error;
    json_t *document = json_loadb(text, size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    if (!document) {
        fprintf(stderr, "line %d, column %d: %s\n", error.line, error.column, error.text);
        abort();
    }
    json_decref(document);
}

static uint64_t read_varint(const unsigned char **at, const unsigned char *end)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert(*at < end && shift < 64);
        value |= (uint64_t)(**at & 0x7f) << shift;
        if (*(*at)++ < 0x80) {
            return value;
        }
    }
}

/* Fields of numbers and lengths only, up to the end; returns the number of the first one. */
static unsigned check_message(const unsigned char *at, size_t size)
{
    const unsigned char *end = at + size;
    unsigned first = 0;
    while (at < end) {
        uint64_t tag = read_varint(&at, end);
        assert(tag >> 3 > 0 && ((tag & 7) == 0 || (tag & 7) == 2));
        first = first ? first : (unsigned)(tag >> 3);
        uint64_t value = read_varint(&at, end);
        if ((tag & 7) == 2) {
            assert(value <= (uint64_t)(end - at));
            at += value;
        }
    }
    return first;
}

static void check_perfetto(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        assert(read_varint(&at, end) == (1 << 3 | 2));
        uint64_t length = read_varint(&at, end);
        assert(length <= (uint64_t)(end - at));
        check_message(at, (size_t)length);
        at += length;
    }
}

/* Lines of a comment, or of a series, a value and a time. */
static void check_openmetrics(const char *text, size_t size)
{
    static const char last[] = "# EOF\n";
    assert(size >= sizeof last - 1 && strcmp(text + size - (sizeof last - 1), last) == 0);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        if (*line == '#') {
            continue;
        }
        assert(strncmp(line, "mprof_", 6) == 0);
        const char *end = strchr(line, '\n'), *at = end;
        assert(end);
        while (at > line && (isdigit((unsigned char)at[-1]) || at[-1] == '.')) {
            at--;
        }
        assert(at < end && at[-1] == ' ');
    }
}

/* Fields of rows: a quoted one may have anything. */
static void check_csv(const char *text, size_t size)
{
    size_t fields = 1;
    bool is_quoted = false;
    for (size_t i = 0; i < size; i++) {
        is_quoted ^= text[i] == '"';
        fields += !is_quoted && text[i] == ',';
        if (!is_quoted && text[i] == '\n') {
            assert(fields == 9 && i > 0 && text[i - 1] == '\r');
            fields = 1;
        }
    }
    assert(!is_quoted && fields == 1);
}

/* Lines that end in a blank and digits. */
static void check_collapsed(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            size_t at = i;
            while (at > 0 && isdigit((unsigned char)text[at - 1])) {
                at--;
            }
            assert(at < i && at > 1 && text[at - 1] == ' ');
        }
    }
    assert(size == 0 || text[size - 1] == '\n');
}

static void check_output(const char *name, const char *text, size_t size)
{
    if (strcmp(name, "perfetto") == 0) {
        check_perfetto(text, size);
    } else if (strcmp(name, "openmetrics") == 0) {
        check_openmetrics(text, size);
    } else if (strcmp(name, "csv") == 0) {
        check_csv(text, size);
    } else if (strcmp(name, "collapsed") == 0) {
        check_collapsed(text, size);
    } else {
        check_json(text, size);
    }
}

static void export_as(const mprof__export_format *format, mprof__export_by by,
                      const mprof__time_range *window, const uint8_t *bytes, size_t size)
{
    char *text = NULL;
    size_t length = 0;
    mprof_source *source;
    mprof_error error = MPROF_ERROR_INIT, own = MPROF_ERROR_INIT;
    mprof__export_options options = {.by = by, .window = window, .recording_count = 2};
    mprof__export_out out = {
        .stream = open_memstream(&text, &length), .options = &options, .error = &own};
    mprof__export_reader reader = {.format = format, .out = &out};
    assert(out.stream &&
           mprof_source_open_memory(&source, bytes, size, "fuzz", &error) == MPROF_OK);
    mprof_status status = format->begin ? format->begin(&out) : MPROF_OK;
    assert(status == MPROF_OK);
    mprof_status read = mprof__export_read_source(&reader, source, &error);
    assert(!reader.has_failed && (read == MPROF_OK || error.message[0]));
    status = format->end ? format->end(&out) : MPROF_OK;
    assert(status == MPROF_OK);
    if (format->release) {
        format->release(&out);
    }
    fclose(out.stream);
    mprof_source_free(source);
    check_output(format->name, text, length);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mprof__time_range window;
    bool has_window = mprof__time_range_read(&window, "0.5,2");
    assert(has_window);
    for (size_t i = 0; mprof__export_formats[i]; i++) {
        export_as(mprof__export_formats[i], MPROF__EXPORT_BY_TIME, NULL, bytes, size);
        export_as(mprof__export_formats[i], MPROF__EXPORT_BY_GROWTH, &window, bytes, size);
    }
    return 0;
}
