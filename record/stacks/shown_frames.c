/* A file is judged by its path alone: reading the program's sys.path from outside would depend on
 * the version of Python, and a path is the same in every worker. */
#include "shown_frames.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum code_class {
    CLASS_UNKNOWN,
    CLASS_OWN,
    CLASS_PACKAGE,   /* installed: site-packages or dist-packages; or as the next */
    CLASS_ELSEWHERE, /* outside of the directories */
    CLASS_STANDARD,  /* the standard library */
    CLASS_CALLERS,   /* made at run time, as by exec(): like the frame that runs it */
    CLASS_SHOWN,     /* the choice is not `own` */
    CLASS_HIDDEN,
};

/* ---- patterns ---- */

/* Whether the name matches, or that of a class around it. */
static bool matches_name(const char *wanted, const char *qualname)
{
    char outer[512];

    if (fnmatch(wanted, qualname, 0) == 0) {
        return true;
    }
    snprintf(outer, sizeof outer, "%s", qualname);
    for (char *dot = strrchr(outer, '.'); dot; dot = strrchr(outer, '.')) {
        *dot = '\0';
        if (fnmatch(wanted, outer, 0) == 0) {
            return true;
        }
    }
    return false;
}

bool mprof__shown_frames_match(const char *patterns, const char *module, const char *qualname)
{
    while (*patterns) {
        char one[1024];
        size_t length = strcspn(patterns, "\n");

        snprintf(one, sizeof one, "%.*s", (int)(length < sizeof one ? length : sizeof one - 1),
                 patterns);
        char *name = strchr(one, ':');
        if (name) {
            *name++ = '\0';
        }
        if (fnmatch(one, module, 0) == 0 && (!name || matches_name(name, qualname))) {
            return true;
        }
        patterns += length + (patterns[length] == '\n');
    }
    return false;
}

/* ---- own files ---- */

static bool has_component(const char *path, const char *component)
{
    size_t length = strlen(component);

    for (const char *at = strstr(path, component); at; at = strstr(at + 1, component)) {
        if ((at == path || at[-1] == '/') && at[length] == '/') {
            return true;
        }
    }
    return false;
}

/* lib/python3.12/, lib64/python3.12/, python312.zip/ */
static bool is_standard_library(const char *path)
{
    for (const char *at = strstr(path, "/python"); at; at = strstr(at + 1, "/python")) {
        const char *version = at + strlen("/python");
        size_t digits = strspn(version, "0123456789.");
        bool is_below_lib = (at - path >= 4 && strncmp(at - 4, "/lib", 4) == 0) ||
                            (at - path >= 6 && strncmp(at - 6, "/lib64", 6) == 0);

        if (digits > 0 && is_below_lib && (version[digits] == '/' || version[digits] == 't')) {
            return true;
        }
        if (digits > 0 && strncmp(version + digits - 1, ".zip/", 5) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = directory ? strlen(directory) : 0;

    return length > 0 && strncmp(path, directory, length) == 0 &&
           (directory[length - 1] == '/' || path[length] == '/');
}

static bool is_main(const char *module)
{
    return strcmp(module, "__main__") == 0 || strcmp(module, "__mp_main__") == 0;
}

static enum code_class class_of_file(const mprof__shown_frames *shown, const char *file)
{
    if (strncmp(file, "<frozen", strlen("<frozen")) == 0) {
        return CLASS_STANDARD;
    }
    if (file[0] == '<' || file[0] == '\0') {
        return CLASS_CALLERS;
    }
    if (has_component(file, "site-packages") || has_component(file, "dist-packages")) {
        return CLASS_PACKAGE;
    }
    if (is_standard_library(file)) {
        return CLASS_STANDARD;
    }
    return file[0] != '/' || is_below(file, shown->directories[0]) ||
                   is_below(file, shown->directories[1])
               ? CLASS_OWN
               : CLASS_ELSEWHERE;
}

static enum code_class classify(const mprof__shown_frames *shown, const mprof__python_code *code)
{
    if (strcmp(shown->chosen, "all") == 0) {
        return CLASS_SHOWN;
    }
    if (strcmp(shown->chosen, "own") != 0) {
        return mprof__shown_frames_match(shown->chosen, code->module, code->qualname)
                   ? CLASS_SHOWN
                   : CLASS_HIDDEN;
    }
    enum code_class result = class_of_file(shown, code->file);
    bool is_own = is_main(code->module) &&
                  (result == CLASS_CALLERS || result == CLASS_ELSEWHERE); /* a notebook's cell */
    return is_own ? CLASS_OWN : result == CLASS_ELSEWHERE ? CLASS_PACKAGE : result;
}

/* The main script names a directory of own files. What was judged before is judged again. */
static void note_main_script(mprof__shown_frames *shown, const mprof__python_code *code)
{
    const char *slash = strrchr(code->file, '/');

    if (shown->directories[0] || !slash || code->file[0] != '/' || !is_main(code->module) ||
        class_of_file(shown, code->file) != CLASS_ELSEWHERE) {
        return;
    }
    shown->directories[0] =
        strndup(code->file, (size_t)(slash - code->file) + (slash == code->file));
    if (shown->class_count > 0) {
        memset(shown->classes, CLASS_UNKNOWN, shown->class_count);
    }
}

static enum code_class class_of(mprof__shown_frames *shown, const mprof__python_code *code)
{
    if (code->id >= shown->class_count) {
        size_t count = ((size_t)code->id + 1) * 2;
        uint8_t *classes = realloc(shown->classes, count);

        if (!classes) {
            return classify(shown, code);
        }
        memset(classes + shown->class_count, CLASS_UNKNOWN, count - shown->class_count);
        shown->classes = classes;
        shown->class_count = count;
    }
    if (shown->classes[code->id] == CLASS_UNKNOWN) {
        note_main_script(shown, code);
        shown->classes[code->id] = (uint8_t)classify(shown, code);
    }
    return shown->classes[code->id];
}

/* ---- stacks ---- */

void mprof__shown_frames_open(mprof__shown_frames *shown, const char *chosen, int64_t pid)
{
    char link[64], path[PATH_MAX];

    memset(shown, 0, sizeof *shown);
    shown->chosen = chosen;
    snprintf(link, sizeof link, "/proc/%lld/cwd", (long long)pid);
    ssize_t length = readlink(link, path, sizeof path);
    if (length > 0 && length < (ssize_t)sizeof path) {
        shown->directories[1] = strndup(path, (size_t)length);
    }
}

void mprof__shown_frames_close(mprof__shown_frames *shown)
{
    free(shown->directories[0]);
    free(shown->directories[1]);
    free(shown->classes);
    memset(shown, 0, sizeof *shown);
}

static const mprof__python_frame *stand_in(mprof__shown_frames *shown,
                                           const mprof__python_frame *frames, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        if (class_of(shown, frames[i].code) == CLASS_PACKAGE) {
            return &frames[i];
        }
    }
    return &frames[0];
}

size_t mprof__shown_frames_select(mprof__shown_frames *shown, const mprof__python_frame **out,
                                  const mprof__python_frame *frames, size_t count)
{
    bool is_below_own = false;
    bool may_stand_in = false;
    size_t found = 0;

    for (size_t i = count; i-- > 0 && found < MPROF__SHOWN_FRAMES_MAX;) {
        enum code_class kind = class_of(shown, frames[i].code);
        bool is_own = kind == CLASS_OWN || (kind == CLASS_CALLERS && is_below_own);

        may_stand_in |= kind != CLASS_HIDDEN;
        if (is_own || kind == CLASS_SHOWN || is_below_own) {
            out[found++] = &frames[i];
        }
        is_below_own = is_own;
    }
    if (found == 0 && may_stand_in) {
        out[found++] = stand_in(shown, frames, count);
    }
    return found;
}
