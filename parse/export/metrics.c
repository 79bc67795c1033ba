/* `check --format gitlab-metrics` writes peaks and durations under the same names. */
#include "metrics.h"

#include "parse/plain_text.h"

#include <string.h>

const mprof__metric_family mprof__metric_families[MPROF__METRIC_COUNT] = {
    [MPROF__METRIC_MEMORY] = {"mprof_memory_bytes", "bytes",
                              "Memory of the program, with its children if they were included.",
                              false},
    [MPROF__METRIC_PROCESS] = {"mprof_process_memory_bytes", "bytes", "Memory of a process.",
                               false},
    [MPROF__METRIC_KIND] = {"mprof_kind_bytes", "bytes", "A kind of memory of a process.", false},
    [MPROF__METRIC_HIGH_WATER] = {"mprof_process_high_water_bytes", "bytes",
                                  "The kernel's high-water mark of a process.", false},
    [MPROF__METRIC_GROUP] = {"mprof_control_group_bytes", "bytes", "Memory of the control group.",
                             false},
    [MPROF__METRIC_GROUP_LIMIT] = {"mprof_control_group_limit_bytes", "bytes",
                                   "Limit of the control group.", false},
    [MPROF__METRIC_PEAK] = {"mprof_peak_bytes", "bytes", "Highest value of mprof_memory_bytes.",
                            false},
    [MPROF__METRIC_DURATION] = {"mprof_duration_seconds", "seconds", "Time recorded.", false},
    [MPROF__METRIC_FUNCTION_CALLS] = {"mprof_function_calls", "", "Calls of a function that ended.",
                                      true},
    [MPROF__METRIC_FUNCTION_TIME] = {"mprof_function_seconds", "seconds",
                                     "Time in calls of a function that ended.", true},
};

void mprof__metric_label(FILE *stream, const char *name, const char *value)
{
    size_t left = strlen(value), size;
    fprintf(stream, "%s=\"", name);
    for (; left > 0; value += size, left -= size) {
        uint32_t code = mprof__text_decode(value, left, &size);
        if (code == '\n') {
            fputs("\\n", stream);
        } else if (code == '"' || code == '\\') {
            fprintf(stream, "\\%c", (int)code);
        } else if (mprof__text_is_unsafe(code)) {
            fputs("\xef\xbf\xbd", stream);
        } else {
            fwrite(value, 1, size, stream);
        }
    }
    putc('"', stream);
}
