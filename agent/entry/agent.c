/* See agent.h. Makes `profile` a builtin, and then gets an event of every import. If anything fails
 * here, the program runs on as without mprof. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/events/execution_context.h"
#include "agent/events/span.h"
#include "agent/events/stack.h"
#include "agent/events/wire.h"
#include "agent/functions/decorator.h"
#include "agent/functions/direct_calls.h"
#include "agent/functions/function_events.h"
#include "agent/functions/mark_functions.h"
#include "agent/functions/module.h"
#include "agent/functions/pattern.h"
#include "agent/functions/pickling.h"
#include "agent/functions/sys_monitoring.h"
#include "agent/noop_profile.h"
#include "agent/python_api.h"
#include "process_name.h"

static PyObject *profile; /* owned, never freed */
static bool is_marking;

/* Writes a line to standard error, once per recording: a link in the directory of rings shows that
 * it was written. */
static void notice_once(const char *directory, const char *topic, const char *line)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/" MPROF_WIRE_NOTICE "%s", directory, topic) >=
        (int)sizeof path) {
        return;
    }
    if (symlink(line, path) == 0) {
        ssize_t written = write(STDERR_FILENO, line, strlen(line));
        (void)written;
    }
}

static bool python_fits(const char *directory)
{
    char python[64];
    char line[128];
    mprof__python_fit fit = mprof__python_load();

    if (fit == MPROF_PYTHON_FITS) {
        return true;
    }
    mprof__python_unfit(python, sizeof python, fit);
    snprintf(line, sizeof line, "mprof: functions are not recorded in %s\n", python);
    if (directory) {
        notice_once(directory, "python", line);
    }
    return false;
}

static bool is_variable_on(const char *name)
{
    const char *value = getenv(name);
    return value && *value != '\0' && strcmp(value, "0") != 0;
}

static void notice(const char *topic, const char *line)
{
    notice_once(getenv(MPROF_WIRE_ENV_RINGS), topic, line);
}

/* MPROF_OFF=1: decorators return the function itself, so calls cost nothing. */
static bool is_switched_off(void)
{
    return is_variable_on("MPROF_OFF");
}

/* Functions that patterns select: mprof run --func. */
static void start_marking(void)
{
    const char *patterns = getenv("MPROF_FUNC");
    is_marking = patterns && !is_switched_off() && mprof__pattern_set(patterns);
    if (is_marking) {
        mprof__mark_functions_of_imports(notice);
    }
}

static bool add_builtin(bool is_off)
{
    PyObject *builtins = mprof__python_module("builtins");
    profile = builtins ? mprof__decorator_new(is_off) : NULL;
    bool added = profile && PyObject_SetAttrString(builtins, "profile", profile) == 0;
    PyErr_Clear();
    Py_XDECREF(builtins);
    return added;
}

bool mprof_agent_start(void)
{
    const char *directory = getenv(MPROF_WIRE_ENV_RINGS);

    bool has_rings = directory && *directory == '/';
    if (!python_fits(has_rings ? directory : NULL)) {
        mprof__noop_profile_provide();
        return false;
    }
    if (is_variable_on("MPROF_LINES")) {
        mprof__module_want_lines();
    }
    mprof__context_setup(true);
    if (has_rings) {
        mprof__span_setup(directory, mprof__python.version);
    }
    /* without rings no calls are recorded, but @profile must work and lines can be measured */
    if (!add_builtin(is_switched_off() || (!has_rings && !is_variable_on("MPROF_LINES")))) {
        mprof__noop_profile_provide();
        return false;
    }
    if (has_rings) {
        start_marking();
    }
    return true;
}

bool mprof_agent_is_started(void)
{
    return profile != NULL;
}

/* Whether this name, of a module or of a function of libc, shows that the program may install a
 * filter of system calls. */
static bool is_of_filters(const char *name)
{
    static const char *const names[] = {"prctl", "syscall", "pyseccomp", "landlock"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return strncmp(name, "seccomp", strlen("seccomp")) == 0;
}

static void avoid_syscalls(void)
{
    mprof__span_avoid_syscalls();
    mprof__stack_avoid_syscalls();
}

/* ctypes.dlsym(library, name): ctypes looks up a function. */
static void handle_dlsym(PyObject *arguments)
{
    PyObject *name = PyTuple_Check(arguments) && PyTuple_Size(arguments) > 1
                         ? PyTuple_GetItem(arguments, 1)
                         : NULL;
    const char *text = name && PyUnicode_Check(name) ? mprof__python.utf8(name, NULL) : NULL;

    if (text && is_of_filters(text)) {
        avoid_syscalls();
    }
    PyErr_Clear();
}

/* import(module, file, ...): with a file, an extension module is loaded from it. */
static void handle_extension_module(PyObject *arguments)
{
    PyObject *file = PyTuple_Check(arguments) && PyTuple_Size(arguments) > 1
                         ? PyTuple_GetItem(arguments, 1)
                         : NULL;
    const char *path = file && PyUnicode_Check(file) ? mprof__python.utf8(file, NULL) : NULL;

    if (path) {
        mprof__direct_calls_expect_module(path);
    }
    PyErr_Clear();
}

/* `subject`: the code object that is executed, or the name of the module; borrowed. */
static void handle_exec_or_import(bool is_exec, PyObject *subject)
{
    const char *module =
        subject && PyUnicode_Check(subject) ? mprof__python.utf8(subject, NULL) : NULL;

    if (is_exec) {
        if (subject && Py_TYPE(subject) == mprof__python.code_type) {
            mprof__mark_functions_executing(subject);
        }
    } else if (!module) {
        PyErr_Clear();
    } else if (strcmp(module, "memory_profiler") == 0) {
        mprof__module_provide(profile);
    } else if (strcmp(module, "importlib") == 0) {
        mprof__module_hook_importlib(profile);
    } else {
        if (is_of_filters(module)) {
            avoid_syscalls();
        }
        mprof__context_imported(module);
        mprof__process_name_imported(module);
        mprof__pickling_imported(module);
    }
}

bool mprof_agent_event(const char *event, PyObject *arguments)
{
    if (mprof__sys_monitoring_caused_event()) {
        return false; /* first: even to read its name may bring another 64 KiB into memory */
    }
    if (strcmp(event, "cpython._PySys_ClearAuditHooks") == 0) {
        mprof__function_events_flush();
        return true;
    }
    mprof__process_name_event();
    if (is_marking && strncmp(event, "cpython.run_", strlen("cpython.run_")) == 0) {
        mprof__mark_functions_started();
        return false;
    }
    if (strcmp(event, "ctypes.dlsym") == 0) {
        handle_dlsym(arguments);
        return false;
    }
    bool is_exec = is_marking && strcmp(event, "exec") == 0;
    if ((is_exec || strcmp(event, "import") == 0) &&
        mprof__python.interpreter_get() == mprof__python.interpreter_main()) {
        int kept_errno = errno;
        handle_extension_module(arguments);
        handle_exec_or_import(is_exec,
                              PyTuple_Check(arguments) ? PyTuple_GetItem(arguments, 0) : NULL);
        errno = kept_errno;
    }
    return false;
}
