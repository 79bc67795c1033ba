/* The agent's entry: started by the preload shim inside an initialised CPython, it makes `profile`
 * a builtin and from then on is told of every import. Whatever goes wrong here, the program goes on
 * as if we were not there. */
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
#include "agent/functions/function_events.h"
#include "agent/functions/mark_functions.h"
#include "agent/functions/module.h"
#include "agent/functions/pattern.h"
#include "agent/functions/pickling.h"
#include "agent/functions/sys_monitoring.h"
#include "agent/noop_profile.h"
#include "agent/python_api.h"
#include "process_name.h"

static PyObject *profile; /* owned, for the life of the process */
static bool is_marking;

/* One line on standard error, once in a recording: the link that is made says it was told. */
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

static bool is_wished(const char *name)
{
    const char *wish = getenv(name);
    return wish && *wish != '\0' && strcmp(wish, "0") != 0;
}

static void notice(const char *topic, const char *line)
{
    notice_once(getenv(MPROF_WIRE_ENV_RINGS), topic, line);
}

/* MPROF_OFF=1: the program's decorators are to cost nothing at all. */
static bool is_switched_off(void)
{
    return is_wished("MPROF_OFF");
}

/* Functions that are wanted by a pattern: mprof run --func. */
static void start_marking(void)
{
    const char *patterns = getenv("MPROF_FUNC");
    is_marking = patterns && !is_switched_off() && mprof__pattern_set(patterns);
    if (is_marking) {
        mprof__mark_functions_of_imports(notice);
    }
}

static bool add_builtin(bool hands_back)
{
    PyObject *builtins = mprof__python_module("builtins");
    profile = builtins ? mprof__decorator_new(hands_back) : NULL;
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
    if (is_wished("MPROF_LINES")) {
        mprof__module_want_lines();
    }
    mprof__context_setup(true);
    if (has_rings) {
        mprof__span_setup(directory, mprof__python.version);
    }
    /* where no calls can be recorded, programs still say @profile, and lines can be measured */
    if (!add_builtin(is_switched_off() || (!has_rings && !is_wished("MPROF_LINES")))) {
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

/* A code object, or the name of a module; borrowed. */
/* What a program looks up in libc, or imports, that is about to filter its system calls. */
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

static void be_wary(void)
{
    mprof__span_avoid_syscalls();
    mprof__stack_avoid_syscalls();
}

/* ctypes.dlsym(library, name): a function is looked up by ctypes. */
static void hear_of_function(PyObject *arguments)
{
    PyObject *name = PyTuple_Check(arguments) && PyTuple_Size(arguments) > 1
                         ? PyTuple_GetItem(arguments, 1)
                         : NULL;
    const char *text = name && PyUnicode_Check(name) ? mprof__python.utf8(name, NULL) : NULL;

    if (text && is_of_filters(text)) {
        be_wary();
    }
    PyErr_Clear();
}

static void hear(bool is_exec, PyObject *subject)
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
            be_wary();
        }
        mprof__context_imported(module);
        mprof__naming_imported(module);
        mprof__pickling_imported(module);
    }
}

bool mprof_agent_event(const char *event, PyObject *arguments)
{
    if (mprof__sys_monitoring_caused_event()) {
        return false; /* its name alone may bring 64 KiB of the interpreter into memory */
    }
    if (strcmp(event, "cpython._PySys_ClearAuditHooks") == 0) {
        mprof__function_events_flush();
        return true;
    }
    mprof__naming_event();
    if (is_marking && strncmp(event, "cpython.run_", strlen("cpython.run_")) == 0) {
        mprof__mark_functions_started();
        return false;
    }
    if (strcmp(event, "ctypes.dlsym") == 0) {
        hear_of_function(arguments);
        return false;
    }
    bool is_exec = is_marking && strcmp(event, "exec") == 0;
    if ((is_exec || strcmp(event, "import") == 0) &&
        mprof__python.interpreter_get() == mprof__python.interpreter_main()) {
        int kept_errno = errno;
        hear(is_exec, PyTuple_Check(arguments) ? PyTuple_GetItem(arguments, 0) : NULL);
        errno = kept_errno;
    }
    return false;
}
