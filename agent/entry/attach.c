/* Starts the agent when a recorder attaches to a running interpreter: records the functions that
 * the patterns select, and undoes all changes when that recorder has gone. It adds no audit hook
 * and no builtin, because these could not be removed. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/events/execution_context.h"
#include "agent/events/span.h"
#include "agent/events/wire.h"
#include "agent/functions/decorator.h"
#include "agent/functions/direct_calls.h"
#include "agent/functions/function_events.h"
#include "agent/functions/mark_functions.h"
#include "agent/functions/pattern.h"
#include "agent/functions/stand_in.h"
#include "agent/python_api.h"
#include "process_name.h"

typedef struct request {
    char *directory;
    char *patterns;
} request;

static bool is_attached;

/* Each request gets one answer. A pending call that runs too late finds the answer, or no directory
 * of rings. */
static bool is_answered(const char *directory)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/" MPROF_WIRE_BELL, directory) >= (int)sizeof path ||
        access(path, W_OK) != 0) {
        return true;
    }
    snprintf(path, sizeof path, "%s/" MPROF_WIRE_ANSWER, directory);
    return access(path, F_OK) == 0;
}

static void answer(const char *directory, const char *kind, const char *text)
{
    char path[PATH_MAX];
    char line[256];
    int length = snprintf(line, sizeof line, "%s%s\n", kind, text);

    snprintf(path, sizeof path, "%s/" MPROF_WIRE_ANSWER, directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        ssize_t written = write(fd, line, (size_t)length);
        (void)written;
        close(fd);
    }
}

/* The reason why this interpreter cannot be recorded; NULL: it can. */
static const char *refusal(void)
{
    static char text[80] = "it runs in ";
    const size_t length = strlen("it runs in ");
    mprof__python_fit fit = mprof__python_load();

    if (fit == MPROF_PYTHON_FITS) {
        return NULL;
    }
    mprof__python_unfit(text + length, sizeof text - length, fit);
    return text;
}

static void detach(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    is_attached = false;
    mprof__span_on_recorder_gone(NULL);
    mprof__mark_functions_undo();
    mprof__function_events_release();
    mprof__span_close();
    mprof__lane_forget();
    mprof__context_forget_shell();
    mprof__context_restart();
    PyErr_Restore(type, value, traceback);
}

static void ignore_notice(const char *topic, const char *line)
{
    (void)topic;
    (void)line;
}

/* Called with the GIL, in the main interpreter. Returns why nothing is recorded; NULL: *found
 * functions are marked. */
static const char *start(unsigned *found, const char *directory, const char *patterns,
                         bool is_main_thread)
{
    if (is_attached && mprof__span_is_orphaned()) {
        detach();
    }
    const char *reason = is_attached || mprof_agent_is_started() ? MPROF_WIRE_BUSY : refusal();
    if (reason) {
        return reason;
    }
    if (!mprof__stand_in_setup() || (!mprof__pattern_set(patterns) && *patterns != '\0')) {
        PyErr_Clear();
        return "out of memory";
    }
    is_attached = true;
    mprof__context_setup(is_main_thread);
    mprof__span_setup(directory, mprof__python.version);
    mprof__span_on_recorder_gone(detach);
    mprof__direct_calls_expect_module(NULL);
    mprof__process_name_report();
    *found = mprof__mark_functions_loaded(ignore_notice);
    return NULL;
}

static void attach(const request *wanted, bool is_main_thread)
{
    char text[32];
    unsigned found = 0;
    const char *reason = start(&found, wanted->directory, wanted->patterns, is_main_thread);

    snprintf(text, sizeof text, "%u", found);
    answer(wanted->directory, reason ? MPROF_WIRE_ANSWER_NO : MPROF_WIRE_ANSWER_YES,
           reason ? reason : text);
}

static void attach_unless_answered(const request *wanted, bool is_main_thread)
{
    int kept_errno = errno;

    if (!is_answered(wanted->directory)) {
        PyObject *type;
        PyObject *value;
        PyObject *traceback;

        PyErr_Fetch(&type, &value, &traceback);
        attach(wanted, is_main_thread);
        PyErr_Restore(type, value, traceback);
    }
    errno = kept_errno;
}

static void free_request(request *wanted)
{
    if (wanted) {
        free(wanted->directory);
        free(wanted->patterns);
        free(wanted);
    }
}

/* The recorder unmaps the page with the original. */
static request *copy_request(const char *directory, const char *patterns)
{
    request *copy = calloc(1, sizeof *copy);

    if (copy) {
        copy->directory = strdup(directory);
        copy->patterns = strdup(patterns);
        if (!copy->directory || !copy->patterns) {
            free_request(copy);
            copy = NULL;
        }
    }
    return copy;
}

static void *attach_with_gil(void *data)
{
    request *wanted = data;

    if (Py_IsInitialized()) {
        PyGILState_STATE state = PyGILState_Ensure();
        attach_unless_answered(wanted, false);
        PyGILState_Release(state);
    }
    free_request(wanted);
    return NULL;
}

/* The thread blocks all signals: they belong to the program. */
static void start_thread(request *wanted)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t kept;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &kept);
    if (pthread_create(&thread, &attributes, attach_with_gil, wanted) != 0) {
        free_request(wanted);
    }
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    pthread_attr_destroy(&attributes);
}

void mprof_agent_attach(const char *directory, const char *patterns, int has_gil)
{
    int kept_errno = errno;
    request *wanted = copy_request(directory, patterns);

    if (wanted && has_gil) {
        attach_unless_answered(wanted, true);
        free_request(wanted);
    } else if (wanted) {
        start_thread(wanted);
    }
    errno = kept_errno;
}

PyObject *mprof_agent_join(const char *directory, const char *patterns)
{
    static PyObject *profile; /* owned, never freed */
    unsigned found;
    const char *reason = start(&found, directory, patterns, syscall(SYS_gettid) == getpid());

    if (!reason && !profile) {
        profile = mprof__decorator_new(false);
        reason = profile ? NULL : "out of memory";
    }
    if (reason) {
        PyErr_Clear();
        PyErr_SetString(PyExc_RuntimeError, reason);
        return NULL;
    }
    mprof__context_set_shell();
    Py_INCREF(profile);
    return profile;
}

void mprof_agent_report_name(void)
{
    if (is_attached) {
        mprof__process_name_report();
    }
}

void mprof_agent_leave(void)
{
    if (is_attached) {
        detach();
    }
}
