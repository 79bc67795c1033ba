/* JSON by jansson: this file adds what the documents of all commands have in common. */
#include "json.h"

#include "parse/number.h"
#include "parse/plain_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DECIMALS 1e6
/* Enough for a time since 1970 with six decimals. */
#define DIGITS 16

json_t *mprof__json_document(const char *kind, json_t *body)
{
    json_t *document = json_pack("{s:s+, s:i, s:s}", "format", "mprof-", kind, "version",
                                 MPROF__JSON_VERSION, "mprof", MPROF_VERSION);
    if (!document || !body || json_object_update(document, body) != 0) {
        json_decref(document);
        document = NULL;
    }
    json_decref(body);
    return document;
}

json_t *mprof__json_text(const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t left = text ? strlen(text) : 0, used = 0, size;
    if (!text) {
        return json_null();
    }
    char *valid = malloc(left * (sizeof replacement - 1) + 1);
    if (!valid) {
        return NULL;
    }
    for (const char *at = text; left > 0; at += size, left -= size) {
        bool is_valid = mprof__text_decode(at, left, &size) != MPROF__NO_CHARACTER;
        size_t length = is_valid ? size : sizeof replacement - 1;
        memcpy(valid + used, is_valid ? at : replacement, length);
        used += length;
    }
    json_t *string = json_stringn(valid, used);
    free(valid);
    return string;
}

json_t *mprof__json_bytes(double mib)
{
    double bytes = mprof__bytes_of_mib(mib);
    /* 2^63 is the first value that does not fit */
    return fabs(bytes) < 0x1p63 ? json_integer((json_int_t)bytes) : json_null();
}

json_t *mprof__json_number(double value)
{
    double rounded = round(value * DECIMALS) / DECIMALS;
    return isfinite(rounded) ? json_real(rounded == 0 ? 0 : rounded) : json_null();
}

void mprof__json_append(json_t **array, json_t *item)
{
    if (!*array) {
        json_decref(item);
    } else if (json_array_append_new(*array, item) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}

json_t *mprof__json_kinds(const double kinds_mib[MPROF_KIND_COUNT])
{
    json_t *kinds = json_object();
    for (int kind = 0; kinds && kind < MPROF_KIND_COUNT; kind++) {
        if (!isnan(kinds_mib[kind]) && json_object_set_new(kinds, mprof_kind_name((mprof_kind)kind),
                                                           mprof__json_bytes(kinds_mib[kind]))) {
            json_decref(kinds);
            return NULL;
        }
    }
    return kinds;
}

json_t *mprof__json_end(mprof_exit_cause cause, int64_t value)
{
    static const char *const names[] = {[MPROF_EXIT_UNKNOWN] = "unknown",
                                        [MPROF_EXIT_STATUS] = "status",
                                        [MPROF_EXIT_SIGNAL] = "signal",
                                        [MPROF_EXIT_OOM] = "out of memory"};
    return json_pack("{s:s, s:o}", "cause", names[cause], "value",
                     cause == MPROF_EXIT_UNKNOWN ? json_null() : json_integer(value));
}

static int write_bytes(const char *bytes, size_t size, void *stream)
{
    (void)fwrite(bytes, 1, size, stream);
    return 0;
}

mprof_status mprof__json_print(FILE *stream, json_t *document, bool on_one_line, mprof_error *error)
{
    size_t flags = JSON_REAL_PRECISION(DIGITS) | (on_one_line ? JSON_COMPACT : JSON_INDENT(2));
    /* a terminal may obey C1 controls, and reorders text by bidirectional ones */
    flags |= isatty(fileno(stream)) ? JSON_ENSURE_ASCII : 0;
    int result = document ? json_dump_callback(document, write_bytes, stream, flags) : -1;
    json_decref(document);
    if (result != 0) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    putc('\n', stream);
    return MPROF_OK;
}
