/* See execution_context.h. Greenlets and asyncio tasks take turns in one thread: a level counted
 * per thread would nest calls that only alternate. */
#include "execution_context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/python_api.h"

/* Of one thread. A later call of another thread frees it, because an ending thread does not hold
 * the GIL. */
typedef struct thread_lane {
    mprof__lane lane;          /* of its calls outside of greenlets and tasks; owner NULL */
    const void *main_greenlet; /* borrowed: the thread's root greenlet; NULL: not known yet */
    uint32_t image;            /* that it belongs to: a child does not reuse its parent's */
    char *name;                /* owned; NULL: not read yet, or none */
    mprof__lane_slot *usual;   /* the slot it had last */
    uint32_t usual_renamed;    /* .renamed of that slot while it was ours */
    struct thread_lane *next;  /* in `finished` or `left` */
} thread_lane;

static __thread thread_lane *here;
static thread_lane *finished; /* ending threads push here, atomically */
static thread_lane *left;     /* ended, but generators that began there are still suspended */
static pthread_key_t at_exit;
static pthread_t main_thread;
static bool main_is_known;
static uint32_t image = 1; /* counts forks and restarts */

/* Index of PyGreenlet_GetCurrent in the table that greenlet exports as "greenlet._C_API". */
#define GREENLET_GET_CURRENT 4
#define GREENLET_TRIES 1000

static struct {
    int tries; /* left to find its C API after its import was announced */
    PyObject *(*current)(void);
} greenlet;

static struct {
    bool imported;
    PyObject *running_loop;  /* owned: _asyncio._get_running_loop */
    PyObject *current_tasks; /* owned: the dict {loop: task}, before 3.12 */
    PyObject *current_task;  /* owned: _asyncio.current_task, from 3.12 on */
    PyObject *shell;         /* owned: the task that counts as its thread; NULL: none */
} asyncio;

static void thread_exited(void *value)
{
    thread_lane *thread = value;
    thread->next = __atomic_load_n(&finished, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&finished, &thread->next, thread, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
}

void mprof__context_setup(bool is_main_thread)
{
    static bool is_set_up;

    if (!is_set_up) {
        is_set_up = true;
        pthread_key_create(&at_exit, thread_exited);
    }
    if (is_main_thread) {
        main_thread = pthread_self();
        main_is_known = true;
    }
}

static bool is_main(void)
{
    if (!main_is_known && syscall(SYS_gettid) == getpid()) {
        main_thread = pthread_self();
        main_is_known = true;
    }
    return main_is_known && pthread_equal(pthread_self(), main_thread);
}

void mprof__context_restart(void)
{
    image++;
}

void mprof__context_forked(void)
{
    image++;
    main_thread = pthread_self();
    main_is_known = true;
    finished = NULL;
    left = NULL;
    if (here) {
        here->lane = (mprof__lane){0};
        here->usual = NULL;
        here->image = image;
    }
}

void mprof__context_imported(const char *module)
{
    if (strcmp(module, "greenlet") == 0 || strcmp(module, "greenlet._greenlet") == 0) {
        greenlet.tries = GREENLET_TRIES;
    } else if (strcmp(module, "_asyncio") == 0 || strcmp(module, "asyncio.tasks") == 0) {
        asyncio.imported = true;
    }
}

/* A module the program has loaded, or NULL without an exception. New reference. */
static PyObject *loaded_module(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *module = modules ? PyDict_GetItemString(modules, name) : NULL;
    Py_XINCREF(module);
    return module;
}

/* An attribute of such a module, or NULL without an exception. New reference. */
static PyObject *loaded_attribute(const char *module_name, const char *name)
{
    PyObject *module = loaded_module(module_name);
    PyObject *value = module ? PyObject_GetAttrString(module, name) : NULL;
    if (!value) {
        PyErr_Clear();
    }
    Py_XDECREF(module);
    return value;
}

static void find_greenlet(void)
{
    greenlet.tries--;
    PyObject *capsule = loaded_attribute("greenlet", "_C_API");
    if (!capsule) {
        return;
    }
    void **table = PyCapsule_GetPointer(capsule, "greenlet._C_API");
    if (table) {
        memcpy(&greenlet.current, &table[GREENLET_GET_CURRENT], sizeof greenlet.current);
    } else {
        PyErr_Clear();
    }
    greenlet.tries = 0;
    Py_DECREF(capsule);
}

/* The root of a greenlet's tree, which is the thread's main greenlet. Borrowed. */
static const void *root_greenlet(PyObject *start)
{
    PyObject *current = start;
    Py_INCREF(current);
    for (;;) {
        PyObject *parent = PyObject_GetAttrString(current, "parent");
        if (!parent || parent == Py_None) {
            PyErr_Clear();
            Py_XDECREF(parent);
            Py_DECREF(current);
            return current;
        }
        Py_DECREF(current);
        current = parent;
    }
}

/* The running greenlet, or NULL if it is the thread's main one. Borrowed: it exists while it
 * runs. */
static const void *current_greenlet(thread_lane *thread)
{
    if (!greenlet.current) {
        if (greenlet.tries == 0) {
            return NULL;
        }
        find_greenlet();
        if (!greenlet.current) {
            return NULL;
        }
    }
    PyObject *current = greenlet.current();
    if (!current) {
        PyErr_Clear();
        return NULL;
    }
    if (!thread->main_greenlet) {
        thread->main_greenlet = root_greenlet(current);
    }
    const void *result = current == thread->main_greenlet ? NULL : current;
    Py_DECREF(current);
    return result;
}

static bool find_asyncio(void)
{
    if (!asyncio.running_loop) {
        asyncio.running_loop = loaded_attribute("_asyncio", "_get_running_loop");
    }
    if (!asyncio.current_task && mprof__python.version >= 0x030c0000) {
        asyncio.current_task = loaded_attribute("_asyncio", "current_task");
    }
    if (!asyncio.current_tasks && !asyncio.current_task) {
        asyncio.current_tasks = loaded_attribute("asyncio.tasks", "_current_tasks");
    }
    return asyncio.running_loop && (asyncio.current_task || asyncio.current_tasks);
}

/* Calls the C function directly. PyObject_Call counts against the recursion limit, and 3.8 and 3.9
 * would abort a program that has reached the limit if we exceed it. */
static PyObject *call_running_loop(void)
{
    PyObject *function = asyncio.running_loop;

    if (PyCFunction_Check(function) && PyCFunction_GetFlags(function) == METH_NOARGS) {
        return PyCFunction_GetFunction(function)(PyCFunction_GetSelf(function), NULL);
    }
    return PyObject_CallObject(function, NULL);
}

/* The running task, or NULL. Borrowed: its loop holds it. */
static PyObject *current_task(void)
{
    if (!asyncio.imported || !find_asyncio()) {
        return NULL;
    }
    PyObject *task = NULL;
    PyObject *loop = call_running_loop();
    if (!loop || loop == Py_None) {
        PyErr_Clear();
    } else if (asyncio.current_task) {
        task = PyObject_CallFunctionObjArgs(asyncio.current_task, loop, NULL);
        PyErr_Clear();
        Py_XDECREF(task);
    } else {
        task = PyDict_GetItem(asyncio.current_tasks, loop);
    }
    Py_XDECREF(loop);
    return task == Py_None ? NULL : task;
}

void mprof__context_set_shell(void)
{
    PyObject *task = current_task();

    Py_XINCREF(task);
    mprof__context_forget_shell();
    asyncio.shell = task;
}

void mprof__context_forget_shell(void)
{
    PyObject *task = asyncio.shell;

    asyncio.shell = NULL;
    Py_XDECREF(task);
}

/* "Task-12" is asyncio's name for a task without a name of its own. */
static bool is_default_task_name(const char *name)
{
    return strncmp(name, "Task-", 5) == 0 && name[5 + strspn(name + 5, "0123456789")] == '\0';
}

static mprof__lane *add_task_lane(PyObject *task)
{
    PyObject *value = PyObject_CallMethod(task, "get_name", NULL);
    char *name = mprof__python_text(value);
    PyErr_Clear();
    Py_XDECREF(value);

    bool is_named = name && *name != '\0' && !is_default_task_name(name);
    mprof__lane *lane = mprof__lane_add(task, is_named ? MPROF_LANE_NAMED : MPROF_LANE_TASK,
                                        is_named ? name : NULL);
    free(name);
    return lane;
}

/* This thread's name in threading's table; current_thread() would add an entry. The caller frees
 * it; NULL: threading does not know the thread. */
static char *thread_name(void)
{
    char *name = NULL;
    PyObject *active = loaded_attribute("threading", "_active");
    PyObject *ident = PyLong_FromUnsignedLong(PyThread_get_thread_ident());

    if (active && ident && PyDict_Check(active)) {
        PyObject *thread = PyDict_GetItem(active, ident); /* borrowed */
        PyObject *value = thread ? PyObject_GetAttrString(thread, "name") : NULL;
        name = mprof__python_text(value);
        Py_XDECREF(value);
    }
    PyErr_Clear();
    Py_XDECREF(active);
    Py_XDECREF(ident);
    if (name && *name == '\0') {
        free(name);
        name = NULL;
    }
    return name;
}

/* Frees those that no span refers to any more. */
static void free_threads(thread_lane *thread)
{
    while (thread) {
        thread_lane *next = thread->next;
        if (thread->lane.open > 0 && thread->image == image) {
            thread->next = left;
            left = thread;
        } else {
            if (thread->lane.slot && thread->image == image) {
                mprof__lane_slot_release(thread->lane.slot);
            }
            free(thread->name);
            free(thread);
        }
        thread = next;
    }
}

static void free_finished(void)
{
    thread_lane *former = left;

    left = NULL;
    free_threads(former);
    free_threads(__atomic_exchange_n(&finished, NULL, __ATOMIC_ACQUIRE));
}

static thread_lane *this_thread(void)
{
    if (here && here->image != image) {
        here->lane = (mprof__lane){0};
        here->usual = NULL;
        here->image = image;
    }
    if (here) {
        return here;
    }
    free_finished();
    thread_lane *thread = calloc(1, sizeof *thread);
    if (thread) {
        thread->image = image;
        here = thread;
        pthread_setspecific(at_exit, thread);
    }
    return thread;
}

static void name_thread(thread_lane *thread)
{
    if (!thread->name) {
        thread->name = thread_name();
    }
    if (thread->usual && mprof__lane_slot_reclaim(thread->usual, thread->usual_renamed)) {
        thread->lane.slot = thread->usual;
        return;
    }
    thread->lane.slot =
        mprof__lane_slot_claim(thread->name ? MPROF_LANE_NAMED : MPROF_LANE_THREAD, thread->name);
    thread->usual = thread->lane.slot;
    if (thread->usual) {
        thread->usual_renamed = thread->usual->renamed;
    }
}

static mprof__lane *find_lane(void)
{
    thread_lane *thread = this_thread();
    if (!thread) {
        return NULL;
    }
    PyObject *task = current_task();
    if (task && task != asyncio.shell) {
        mprof__lane *lane = mprof__lane_find(task);
        return lane ? lane : add_task_lane(task);
    }
    const void *switched = current_greenlet(thread);
    if (switched) {
        mprof__lane *lane = mprof__lane_find(switched);
        return lane ? lane : mprof__lane_add(switched, MPROF_LANE_GREENLET, NULL);
    }
    if (!thread->lane.slot && !is_main()) {
        name_thread(thread);
    }
    return &thread->lane;
}

mprof__lane *mprof__context_lane(void)
{
    if (here && here->image == image && !asyncio.imported && !greenlet.current &&
        greenlet.tries == 0 && (here->lane.slot || is_main())) {
        return &here->lane;
    }
    if (!PyErr_Occurred()) { /* the usual case */
        mprof__lane *found = find_lane();
        if (PyErr_Occurred()) {
            PyErr_Clear();
        }
        return found;
    }
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    mprof__lane *lane = find_lane();
    PyErr_Restore(type, value, traceback);
    return lane;
}
