/* See monitor.h. Events belong to code, not to functions. A function of a module or class has its
 * code for itself: its events are its calls. A closure shares its code with others, decorated or
 * not: there the function's own entry point is replaced, at the price of C stack for its recursion.
 * Generators and coroutines are known at their creation, through that same entry point, and then by
 * their frame. */
#include "function_events.h"

#include <stdlib.h>
#include <string.h>

#include "agent/events/execution_context.h"
#include "agent/pointer_map.h"

#define FASTCALL 0x0080 /* METH_FASTCALL, which the limited API of 3.8 does not name */

/* What a code object carries for us. */
typedef struct watched_code {
    mprof__name *name;       /* of its only function; NULL: its functions are told apart */
    mprof__name *frame_name; /* of its generators whose creation is not seen, or NULL */
    PyObject *code;          /* borrowed: it takes us with it */
    struct watched_code *before, *next;
} watched_code;

/* A function whose entry point was replaced. */
typedef struct watched_function {
    mprof__name *name;
    mprof__vectorcall original;
    bool makes_suspendable;
    PyObject *weak; /* owned; tells of the function's death */
} watched_function;

/* A call that will end by an event. */
typedef struct watched_call {
    mprof_span span;
    const void *code;           /* borrowed; of a plain function */
    struct watched_call *below; /* in its lane, or among the spare ones */
} watched_call;

/* A generator, coroutine or async generator, from its creation to its end. */
typedef struct watched_frame {
    mprof_span span;
    mprof__name *name;
    const void *frame; /* borrowed; its address is its identity */
    PyObject *weak;    /* owned; tells of a death without an event. NULL: it is dying */
    bool is_begun;
    uint64_t died_ns;
    struct watched_frame *next; /* among the dying */
} watched_frame;

static struct {
    enum { UNTRIED, READY, FAILED } state;
    PyObject *monitoring; /* owned: sys.monitoring */
    long tool;
    long start_return; /* sets of events */
    long suspending;
    long unwind; /* PY_UNWIND | PY_THROW; only for all code at once before 3.15 */
    bool unwind_is_local;
    Py_ssize_t code_index;
    PyObject *on_death; /* owned: the callback of weak references */
} monitor;

static mprof__pointer_map functions; /* function -> watched_function */
static mprof__pointer_map frames;    /* frame -> watched_frame */
static mprof__pointer_map deaths;    /* weak reference -> function or frame, a key of the above */
static watched_code *watched;        /* all of them */
static watched_call *spare_calls;
static watched_frame *dying;
static bool is_asking; /* sys.monitoring, which has not raised its event yet */

static watched_code *find_code(PyObject *code)
{
    void *extra = NULL;
    mprof__python.code_extra_get(code, monitor.code_index, &extra);
    return extra;
}

/* ---- plain functions whose code is their own --------------------------------------------------
 */

static void begin_call(PyObject *code, mprof__name *name)
{
    watched_call *call = spare_calls;
    if (call) {
        spare_calls = call->below;
    } else if (!(call = malloc(sizeof *call))) {
        return;
    }
    mprof__span_begin(&call->span, name);
    mprof_lane *lane = call->span.lane;
    if (!lane) {
        call->below = spare_calls;
        spare_calls = call;
        return;
    }
    call->code = code;
    call->below = lane->top;
    lane->top = call;
}

/* The innermost call of this code ends. What lies above it ended without our being told. */
static void end_call(PyObject *code, bool by_exception)
{
    mprof_lane *lane = mprof__context_lane();
    watched_call *found = lane ? lane->top : NULL;

    while (found && found->code != code) {
        found = found->below;
    }
    while (found) {
        watched_call *call = lane->top;
        bool is_last = call == found;
        lane->top = call->below;
        mprof__span_end(&call->span, by_exception); /* the lane may be gone behind the last */
        call->below = spare_calls;
        spare_calls = call;
        if (is_last) {
            break;
        }
    }
}

/* ---- generators and coroutines ----------------------------------------------------------------
 */

static void forget_frame(watched_frame *one, bool by_exception)
{
    mprof__pointer_map_take(&frames, one->frame);
    if (one->weak) {
        mprof__pointer_map_take(&deaths, one->weak);
        Py_DECREF(one->weak);
    }
    mprof__span_end(&one->span, by_exception);
    free(one);
}

/* A generator that is dropped unfinished is dead for its weak references first, and closed then:
 * its `finally` still runs, which is told by an event, or there is none, and nothing is told. Which
 * of the two is known as soon as anything else happens. */
static void bury_dying(void)
{
    while (dying) {
        watched_frame *one = dying;
        dying = one->next;
        mprof__span_end_at(&one->span, false, one->died_ns);
        forget_frame(one, false);
    }
}

static int bury_later(void *unused)
{
    (void)unused;
    bury_dying();
    return 0;
}

static void let_die(watched_frame *one)
{
    if (!one->is_begun) {
        forget_frame(one, false);
        return;
    }
    mprof__pointer_map_take(&deaths, one->weak);
    Py_DECREF(one->weak);
    one->weak = NULL;
    one->died_ns = mprof__span_clock_ns();
    one->next = dying;
    if (!dying) {
        Py_AddPendingCall(bury_later, NULL); /* if it cannot be added, another event will come */
    }
    dying = one;
}

static void revive(watched_frame *one)
{
    watched_frame **link = &dying;
    while (*link && *link != one) {
        link = &(*link)->next;
    }
    if (*link == one) {
        *link = one->next;
    }
}

void mprof__monitor_flush(void)
{
    bury_dying();
}

typedef struct made_attributes {
    const char *frame;
    const char *code;
} made_attributes;

static made_attributes attributes_of(PyObject *made)
{
    if (Py_TYPE(made) == mprof__python.coroutine_type) {
        return (made_attributes){"cr_frame", "cr_code"};
    }
    if (Py_TYPE(made) == mprof__python.async_generator_type) {
        return (made_attributes){"ag_frame", "ag_code"};
    }
    return (made_attributes){"gi_frame", "gi_code"};
}

static bool watch_code(PyObject *code, mprof__name *name, long events);

static void watch_frame(PyObject *made, mprof__name *name)
{
    made_attributes attributes = attributes_of(made);
    PyObject *code = PyObject_GetAttrString(made, attributes.code);
    if (!code || !watch_code(code, NULL, monitor.start_return | monitor.suspending)) {
        PyErr_Clear();
        Py_XDECREF(code);
        return;
    }
    Py_DECREF(code);

    PyObject *frame = PyObject_GetAttrString(made, attributes.frame);
    PyObject *weak = frame ? PyWeakref_NewRef(made, monitor.on_death) : NULL;
    watched_frame *stale = frame ? mprof__pointer_map_find(&frames, frame) : NULL;
    watched_frame *one = calloc(1, sizeof *one);

    if (stale) {
        forget_frame(stale, false); /* closed without an event, and its frame's place used again */
    }
    if (weak && one) {
        *one = (watched_frame){.name = name, .frame = frame, .weak = weak};
        if (mprof__pointer_map_put(&frames, frame, one)) {
            if (mprof__pointer_map_put(&deaths, weak, one)) {
                weak = NULL;
                one = NULL;
            } else {
                mprof__pointer_map_take(&frames, frame);
            }
        }
    }
    PyErr_Clear();
    free(one);
    Py_XDECREF(weak);
    Py_XDECREF(frame); /* the generator keeps it */
}

/* That of the code that raised the event. */
static watched_frame *current_frame(void)
{
    return mprof__pointer_map_find(&frames, PyEval_GetFrame());
}

/* A generator whose creation was not seen, because its code is watched and not its function. */
static watched_frame *meet_frame(mprof__name *name)
{
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    watched_frame *one = frame ? calloc(1, sizeof *one) : NULL;

    if (one) {
        *one = (watched_frame){.name = name, .frame = frame};
        if (!mprof__pointer_map_put(&frames, frame, one)) {
            free(one);
            one = NULL;
        }
    }
    return one;
}

static void begin_frame(mprof__name *unseen)
{
    watched_frame *one = current_frame();
    if (one && one->is_begun) {
        forget_frame(one, false); /* its place is used again by another */
        one = NULL;
    }
    if (!one && unseen) {
        one = meet_frame(unseen);
    }
    if (one) {
        one->is_begun = true;
        mprof__span_begin(&one->span, one->name);
    }
}

/* ---- events ------------------------------------------------------------------------------------
 */

static PyObject *nothing(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *on_start(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    bury_dying();
    mprof__span_check();
    watched_code *code = find_code(arguments[0]);
    (void)self;
    (void)count;
    if (code && code->name) {
        begin_call(arguments[0], code->name);
    } else if (code) {
        begin_frame(code->frame_name);
    }
    return nothing();
}

static PyObject *on_return(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    watched_code *code = find_code(arguments[0]);
    (void)self;
    (void)count;
    if (code && code->name) {
        end_call(arguments[0], false);
    } else if (code) {
        watched_frame *one = current_frame();
        if (one) {
            forget_frame(one, false);
        }
    }
    return nothing();
}

static PyObject *on_unwind(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    watched_code *code = find_code(arguments[0]);
    (void)self;
    if (code && code->name) {
        end_call(arguments[0], true);
    } else if (code) {
        watched_frame *one = current_frame();
        if (one) {
            bool is_close =
                count > 2 && PyErr_GivenExceptionMatches(arguments[2], PyExc_GeneratorExit);
            forget_frame(one, !is_close);
        }
    }
    return nothing();
}

static PyObject *on_yield(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    watched_frame *one = current_frame();
    (void)self;
    (void)arguments;
    (void)count;
    if (one) {
        mprof__span_suspend(&one->span);
    }
    return nothing();
}

static PyObject *on_resume(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    watched_frame *one = find_code(arguments[0]) ? current_frame() : NULL;
    (void)self;
    (void)count;
    if (one) {
        revive(one);
        mprof__span_resume(&one->span);
    }
    return nothing();
}

/* ---- functions whose entry point is replaced ---------------------------------------------------
 */

static PyObject *enter_function(PyObject *function, PyObject *const *arguments, size_t count,
                                PyObject *keywords)
{
    watched_function *one = mprof__pointer_map_find(&functions, function);
    mprof__name *name = one->name;
    mprof_span span;

    bury_dying();
    if (mprof__span_over) {
        mprof__vectorcall original = one->original;
        mprof__span_let_go(); /* forgets `one` */
        return original(function, arguments, count, keywords);
    }
    if (one->makes_suspendable) {
        PyObject *made = one->original(function, arguments, count, keywords);
        if (made) {
            watch_frame(made, name);
        }
        return made;
    }
    mprof__span_begin(&span, name);
    PyObject *result = one->original(function, arguments, count, keywords);
    mprof__span_end(&span, !result);
    return result;
}

static void forget_function(PyObject *function, watched_function *one)
{
    mprof__pointer_map_take(&functions, function);
    mprof__pointer_map_take(&deaths, one->weak);
    Py_DECREF(one->weak);
    free(one);
}

static PyObject *on_death(PyObject *self, PyObject *weak)
{
    void *dead = mprof__pointer_map_find(&deaths, weak);
    (void)self;
    if (dead) {
        watched_function *function = mprof__pointer_map_find(&functions, dead);
        if (function) {
            forget_function(dead, function);
        } else {
            let_die(dead);
        }
    }
    return nothing();
}

static bool replace_entry(PyObject *function, mprof__name *name, bool makes_suspendable)
{
    if (mprof__pointer_map_find(&functions, function)) {
        return true; /* decorated twice */
    }
    watched_function *one = calloc(1, sizeof *one);
    PyObject *weak = PyWeakref_NewRef(function, monitor.on_death);
    if (!one || !weak) {
        goto failed;
    }
    *one = (watched_function){.name = name,
                              .original = mprof__python.vectorcall_of(function),
                              .makes_suspendable = makes_suspendable,
                              .weak = weak};
    if (!mprof__pointer_map_put(&functions, function, one)) {
        goto failed;
    }
    if (!mprof__pointer_map_put(&deaths, weak, function)) {
        mprof__pointer_map_take(&functions, function);
        goto failed;
    }
    mprof__python.function_set_vectorcall(function, enter_function);
    return true;

failed:
    PyErr_Clear();
    Py_XDECREF(weak);
    free(one);
    return false;
}

/* ---- setting up --------------------------------------------------------------------------------
 */

static long event_number(const char *name)
{
    PyObject *events = PyObject_GetAttrString(monitor.monitoring, "events");
    PyObject *value = events ? PyObject_GetAttrString(events, name) : NULL;
    long number = value ? PyLong_AsLong(value) : -1;

    Py_XDECREF(events);
    Py_XDECREF(value);
    return number;
}

/* Calls a function of sys.monitoring, of which only failure matters. Consumes the exception. */
static bool call_monitoring(const char *method, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *arguments = Py_VaBuildValue(format, values);
    va_end(values);
    PyObject *function = arguments ? PyObject_GetAttrString(monitor.monitoring, method) : NULL;
    is_asking = true;
    PyObject *result = function ? PyObject_Call(function, arguments, NULL) : NULL;
    is_asking = false;

    Py_XDECREF(arguments);
    Py_XDECREF(function);
    Py_XDECREF(result);
    PyErr_Clear();
    return result != NULL;
}

bool mprof__monitor_caused_event(void)
{
    bool caused = is_asking;
    is_asking = false;
    return caused;
}

/* The numbers that no kind of tool is meant to have come first. */
static bool take_tool(void)
{
    static const long numbers[] = {4, 3};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (call_monitoring("use_tool_id", "(ls)", numbers[i], "mprof")) {
            monitor.tool = numbers[i];
            return true;
        }
    }
    return false;
}

static bool register_callbacks(void)
{
    typedef PyObject *callback(PyObject *, PyObject *const *, Py_ssize_t);
    static const struct {
        const char *event;
        callback *function;
    } rows[] = {
        {"PY_START", on_start}, {"PY_RETURN", on_return}, {"PY_UNWIND", on_unwind},
        {"PY_YIELD", on_yield}, {"PY_RESUME", on_resume}, {"PY_THROW", on_resume},
    };
    static PyMethodDef methods[sizeof rows / sizeof rows[0]];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        long event = event_number(rows[i].event);
        methods[i] = (PyMethodDef){rows[i].event, NULL, FASTCALL, NULL};
        memcpy(&methods[i].ml_meth, &rows[i].function, sizeof methods[i].ml_meth);
        PyObject *function = mprof__python.builtin_new(&methods[i], NULL, NULL, NULL);
        bool done = event > 0 && function &&
                    call_monitoring("register_callback", "(llO)", monitor.tool, event, function);
        Py_XDECREF(function);
        if (!done) {
            return false;
        }
    }
    return true;
}

static void free_code(void *extra)
{
    watched_code *one = extra;

    if (!one) {
        return;
    }
    *(one->before ? &one->before->next : &watched) = one->next;
    if (one->next) {
        one->next->before = one->before;
    }
    free(one);
}

static bool set_up(void)
{
    static PyMethodDef death = {"mprof__on_death", on_death, METH_O, NULL};

    if (!mprof__python.function_set_vectorcall) {
        return false;
    }
    if (!monitor.monitoring) {
        PyObject *sys = mprof__python_module("sys");
        monitor.monitoring = sys ? PyObject_GetAttrString(sys, "monitoring") : NULL;
        Py_XDECREF(sys);
        if (!monitor.monitoring) {
            return false;
        }
        monitor.on_death = mprof__python.builtin_new(&death, NULL, NULL, NULL);
        monitor.code_index = mprof__python.code_extra_index(free_code);
    }
    if (!monitor.on_death || monitor.code_index < 0 || !take_tool()) {
        return false;
    }
    if (!register_callbacks()) {
        call_monitoring("free_tool_id", "(l)", monitor.tool);
        return false;
    }
    monitor.start_return = event_number("PY_START") | event_number("PY_RETURN");
    monitor.suspending = event_number("PY_YIELD") | event_number("PY_RESUME");
    monitor.unwind = event_number("PY_UNWIND") | event_number("PY_THROW");
    monitor.unwind_is_local = true; /* until it is refused */
    return true;
}

static bool is_ready(void)
{
    if (monitor.state == UNTRIED) {
        monitor.state = set_up() ? READY : FAILED;
        PyErr_Clear();
    }
    return monitor.state == READY;
}

static bool set_local_events(PyObject *code, long events)
{
    if (monitor.unwind_is_local) {
        if (call_monitoring("set_local_events", "(lOl)", monitor.tool, code,
                            events | monitor.unwind)) {
            return true;
        }
        monitor.unwind_is_local = false;
        if (!call_monitoring("set_events", "(ll)", monitor.tool, monitor.unwind)) {
            return false;
        }
    }
    return call_monitoring("set_local_events", "(lOl)", monitor.tool, code, events);
}

static bool watch_code(PyObject *code, mprof__name *name, long events)
{
    watched_code *known = find_code(code);
    if (known) {
        return known->name == name;
    }
    watched_code *fresh = calloc(1, sizeof *fresh);
    if (!fresh) {
        return false;
    }
    fresh->name = name;
    fresh->code = code;
    if (mprof__python.code_extra_set(code, monitor.code_index, fresh) != 0) {
        PyErr_Clear();
        free(fresh);
        return false;
    }
    fresh->next = watched;
    if (watched) {
        watched->before = fresh;
    }
    watched = fresh;
    if (!set_local_events(code, events)) {
        mprof__python.code_extra_set(code, monitor.code_index, NULL); /* frees it */
        return false;
    }
    return true;
}

static bool is_equal_text(PyObject *left, PyObject *right)
{
    return left && right && PyUnicode_Check(left) && PyUnicode_Check(right) &&
           PyUnicode_Compare(left, right) == 0;
}

/* Whether the code belongs to this function alone: it still has the name it was defined with, which
 * is not one inside of another function. */
static bool owns_its_code(PyObject *function, PyObject *code)
{
    PyObject *named = PyObject_GetAttrString(function, "__qualname__");
    PyObject *defined = PyObject_GetAttrString(code, "co_qualname");
    PyObject *locals = PyUnicode_FromString("<locals>");
    bool result =
        is_equal_text(named, defined) && locals && PyUnicode_Contains(defined, locals) == 0;

    Py_XDECREF(named);
    Py_XDECREF(defined);
    Py_XDECREF(locals);
    PyErr_Clear();
    return result;
}

static bool take(PyObject *function, PyObject *code, mprof__name *name)
{
    bool makes_suspendable =
        (mprof__python_code_flags(function, "__code__") & MPROF_CODE_SUSPENDABLE) != 0;

    if (!makes_suspendable && owns_its_code(function, code) &&
        watch_code(code, name, monitor.start_return)) {
        return true;
    }
    return replace_entry(function, name, makes_suspendable);
}

bool mprof__monitor_take_code(PyObject *code, mprof__name *name)
{
    if (!is_ready()) {
        return false;
    }
    mprof__span_expected();
    if ((mprof__python_flags_of_code(code) & MPROF_CODE_SUSPENDABLE) == 0) {
        return watch_code(code, name, monitor.start_return);
    }
    if (!watch_code(code, NULL, monitor.start_return | monitor.suspending)) {
        return false;
    }
    find_code(code)->frame_name = name;
    return true;
}

bool mprof__monitor_take(PyObject *function, mprof__name *name)
{
    if (Py_TYPE(function) != mprof__python.function_type || !is_ready()) {
        return false;
    }
    PyObject *code = PyObject_GetAttrString(function, "__code__");
    bool taken = code && take(function, code, name);
    PyErr_Clear();
    Py_XDECREF(code);
    return taken;
}

bool mprof__monitor_knows(PyObject *function)
{
    if (monitor.state != READY) {
        return false;
    }
    PyObject *code = PyObject_GetAttrString(function, "__code__");
    watched_code *known = code ? find_code(code) : NULL;
    bool result = (known && known->name) || mprof__pointer_map_find(&functions, function);

    PyErr_Clear();
    Py_XDECREF(code);
    return result;
}

static void release_function(const void *key, void *value)
{
    watched_function *one = value;
    PyObject *function = NULL;

    memcpy(&function, &key, sizeof key); /* keys are not written to by the map */
    mprof__python.function_set_vectorcall(function, one->original);
    mprof__pointer_map_take(&deaths, one->weak);
    Py_DECREF(one->weak);
    free(one);
}

static void release_frame(const void *key, void *value)
{
    watched_frame *one = value;

    (void)key;
    if (one->weak) {
        mprof__pointer_map_take(&deaths, one->weak);
        Py_DECREF(one->weak);
    }
    free(one);
}

void mprof__monitor_release(void)
{
    static const char *const events[] = {"PY_START", "PY_RETURN", "PY_UNWIND",
                                         "PY_YIELD", "PY_RESUME", "PY_THROW"};
    if (monitor.state != READY) {
        return;
    }
    bury_dying();
    while (watched) {
        PyObject *code = watched->code;
        Py_INCREF(code);
        call_monitoring("set_local_events", "(lOl)", monitor.tool, code, 0L);
        mprof__python.code_extra_set(code, monitor.code_index, NULL); /* frees it */
        Py_DECREF(code);
    }
    call_monitoring("set_events", "(ll)", monitor.tool, 0L);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        call_monitoring("register_callback", "(llO)", monitor.tool, event_number(events[i]),
                        Py_None);
    }
    call_monitoring("free_tool_id", "(l)", monitor.tool);
    mprof__pointer_map_drain(&functions, release_function);
    mprof__pointer_map_drain(&frames, release_frame);
    monitor.state = UNTRIED;
}
