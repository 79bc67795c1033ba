/* The table of formats: the names that `mprof export --to` takes, and what writers share. */
#include "export.h"

#include "parse/compression.h"
#include "parse/number.h"
#include "parse/plain_text.h"

#include <math.h>
#include <string.h>

const mprof__export_format *const mprof__export_formats[] = {
    &mprof__export_perfetto,    &mprof__export_chrome,
    &mprof__export_openmetrics, &mprof__export_speedscope,
    &mprof__export_collapsed,   &mprof__export_csv,
    &mprof__export_json,        NULL};

const mprof__export_format *mprof__export_format_find(const char *name)
{
    for (size_t i = 0; mprof__export_formats[i]; i++) {
        if (strcmp(mprof__export_formats[i]->name, name) == 0) {
            return mprof__export_formats[i];
        }
    }
    return NULL;
}

/* The longest extension counts: ".speedscope.json" before ".json"; that of a compression does not.
 */
const mprof__export_format *mprof__export_format_of_file(const char *path)
{
    const mprof__export_format *found = NULL;
    const char *suffix = mprof__compression_suffix(mprof_compression_of_name(path));
    size_t length = strlen(path) - strlen(suffix), longest = 0;
    for (size_t i = 0; mprof__export_formats[i]; i++) {
        const char *extension = mprof__export_formats[i]->extension;
        size_t own = strlen(extension);
        if (own > longest && length > own && strncmp(path + length - own, extension, own) == 0) {
            longest = own;
            found = mprof__export_formats[i];
        }
    }
    return found;
}

int64_t mprof__export_bytes(double mib)
{
    return llround(mprof__bytes_of_mib(mib));
}

const char *mprof__export_what_name(const mprof__export_run *run, uint32_t what)
{
    switch (what) {
    case MPROF__EXPORT_TOTAL:
    case MPROF__EXPORT_MEMORY:
        return mprof_kind_name(mprof_profile_measured_kind(run->profile));
    case MPROF__EXPORT_HIGH_WATER:
        return "high-water mark";
    case MPROF__EXPORT_GROUP:
        return "control group";
    case MPROF__EXPORT_GROUP_LIMIT:
        return "control group limit";
    default:
        return mprof_kind_name((mprof_kind)(what - MPROF__EXPORT_KIND));
    }
}

void mprof__export_process_title(char *text, size_t size, const mprof__export_out *out,
                                 const mprof__export_run *run, uint32_t process)
{
    char number[48] = "";
    bool has_others = out->options->recording_count > 1;
    const char *name =
        process == MPROF__EXPORT_NO_PROCESS ? "all processes" : run->processes[process].name;
    if (run->count > 1) {
        snprintf(number, sizeof number, ", run %zu of %zu", run->number, run->count);
    }
    mprof__text_format(text, size, "%s%s%s%s", name, number, has_others ? ", " : "",
                       has_others ? run->file : "");
}

void mprof__export_json_text(FILE *stream, const char *text)
{
    size_t left = strlen(text), size;
    putc('"', stream);
    for (; left > 0; text += size, left -= size) {
        uint32_t code = mprof__text_decode(text, left, &size);
        if (code == MPROF__NO_CHARACTER) {
            fputs("\xef\xbf\xbd", stream);
        } else if (code == '"' || code == '\\') {
            fprintf(stream, "\\%c", (int)code);
        } else if (mprof__text_is_unsafe(code)) { /* all of them have at most 16 bits */
            fprintf(stream, "\\u%04x", (unsigned)code);
        } else {
            fwrite(text, 1, size, stream);
        }
    }
    putc('"', stream);
}
