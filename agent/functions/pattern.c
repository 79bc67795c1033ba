/* See pattern.h. */
#include "pattern.h"

#include <fnmatch.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct pattern {
    const char *module;
    const char *qualname; /* NULL: every function */
} pattern;

static pattern *patterns;  /* the last has no module */
static char *pattern_text; /* that they point into */

bool mprof__pattern_set(const char *lines)
{
    size_t most = 1;
    size_t count = 0;
    char *rest = NULL;

    for (const char *at = lines; *at != '\0'; at++) {
        most += *at == '\n';
    }
    char *text = strdup(lines);
    pattern *list = calloc(most + 1, sizeof *list);
    if (!text || !list) {
        free(text);
        free(list);
        return false;
    }
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line, ':');
        list[count].module = line;
        if (colon) {
            *colon = '\0';
            list[count].qualname = colon + 1;
        }
        count++;
    }
    free(patterns);
    free(pattern_text);
    patterns = list;
    pattern_text = text;
    return count > 0;
}

bool mprof__pattern_matches_module(const char *module)
{
    for (const pattern *one = patterns; one && one->module; one++) {
        if (fnmatch(one->module, module, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the name matches, or that of a class around it. */
static bool matches_name(const char *wanted, const char *qualname)
{
    if (!wanted || fnmatch(wanted, qualname, 0) == 0) {
        return true;
    }
    char *outer = strdup(qualname);
    char *dot = outer ? strrchr(outer, '.') : NULL;
    bool result = false;
    while (dot && !result) {
        *dot = '\0';
        result = fnmatch(wanted, outer, 0) == 0;
        dot = strrchr(outer, '.');
    }
    free(outer);
    return result;
}

bool mprof__pattern_matches(const char *module, const char *qualname)
{
    for (const pattern *one = patterns; one && one->module; one++) {
        if (fnmatch(one->module, module, 0) == 0 && matches_name(one->qualname, qualname)) {
            return true;
        }
    }
    return false;
}
