/* The table of formats: the names that --format takes. */
#include "formats.h"

#include <string.h>

const mprof__format mprof__formats[] = {
    {"text", NULL},
    {"json", mprof__format_json},
    {"junit", mprof__format_junit},
    {"markdown", mprof__format_markdown},
    {"github", mprof__format_github},
    {"gitlab-metrics", mprof__format_gitlab_metrics},
    {"github-benchmark", mprof__format_github_benchmark},
    {"bencher", mprof__format_bencher},
    {"benchstat", mprof__format_benchstat},
    {"teamcity", mprof__format_teamcity},
    {NULL, NULL},
};

const mprof__format *mprof__format_find(const char *name)
{
    for (const mprof__format *format = mprof__formats; format->name; format++) {
        if (strcmp(format->name, name) == 0) {
            return format;
        }
    }
    return NULL;
}
