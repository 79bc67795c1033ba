/* See monitor.h. Events belong to code, not to functions. A function of a module or class has its
 * code for itself: its events are its calls. A closure shares its code with others, decorated or
 * not: there the function's own entry point is replaced, at the price of C stack for its recursion.
 * Generators and coroutines are known at their creation, through that same entry point, and then by
 * their frame. */
#include "function_events.h"

#include "parse/number_map.h"

#include <stdlib.h>
#include <string.h>

#include "agent/events/execution_context.h"

#define FASTCALL 0x0080 /* METH_FASTCALL, which the limited API of 3.8 does not name */

/* What a code object carries for us. */
typedef struct watched_code {
    mprof__name *name;       /* of its only function; NULL: its functions are told apart */
    mprof__name *frame_name; /* of its generators whose creation is not seen, or NULL */
    bool is_pattern;         /* all functions of it are decorated, whoever made them */
    bool is_left;   /* its functions are told apart by now: what runs ends, nothing begins */
    PyObject *code; /* borrowed: it takes us with it */
    struct watched_code *before, *next;
} watched_code;

/* A decorated function, until it is deallocated. Its weak references are no measure of that: the
 * garbage collector clears them before finalisers run, which may call it, or keep it for ever. */
typedef struct watched_function {
    mprof__name *name;
    mprof__vectorcall
        original; /* its entry point is ours; NULL: its calls are events of its code */
    bool makes_suspendable;
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
    PyObject *made;    /* borrowed: the generator; NULL: its creation was not seen */
    PyObject *weak;    /* owned; tells of a death without an event. NULL: it is dying */
    bool is_begun;
    bool was_garbage; /* once, and finalisers went on with it */
    uint64_t died_ns; /* 0: it is not among the dying */
    struct watched_frame *before, *next;
} watched_frame;

static struct {
    enum { UNTRIED, READY, FAILED, ENDED } state;
    PyObject *monitoring; /* owned: sys.monitoring */
    long tool;
    long start_return; /* sets of events */
    long suspending;
    long unwind; /* PY_UNWIND | PY_THROW; only for all code at once before 3.15 */
    bool unwind_is_local;
    Py_ssize_t code_index;
    PyObject *on_death; /* owned: the callback of weak references */
} monitor;

static mprof__number_map functions; /* function -> watched_function */
static mprof__number_map frames;    /* frame -> watched_frame */
static mprof__number_map deaths;    /* weak reference -> watched_frame */
static watched_code *watched;       /* all of them */
static watched_call *spare_calls;
static watched_frame *dying;
static bool is_asking; /* sys.monitoring, which has not raised its event yet */

static PyObject *nothing(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

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

static void leave_dying(watched_frame *one)
{
    if (one->died_ns != 0) {
        *(one->before ? &one->before->next : &dying) = one->next;
        if (one->next) {
            one->next->before = one->before;
        }
        one->before = NULL;
        one->next = NULL;
        one->died_ns = 0;
    }
}

static void drop_weak(watched_frame *one)
{
    PyObject *weak = one->weak;
    if (weak) {
        one->weak = NULL;
        mprof__number_map_remove_pointer(&deaths, weak);
        Py_DECREF(weak);
    }
}

static void forget_frame(watched_frame *one, bool by_exception)
{
    mprof__number_map_remove_pointer(&frames, one->frame);
    leave_dying(one);
    drop_weak(one);
    mprof__span_end(&one->span, by_exception);
    free(one);
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

/* Whether it still has its frame: it is neither deallocated nor closed. */
static bool has_frame(const watched_frame *one)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (!one->weak) {
        return false;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *made = PyObject_CallObject(one->weak, NULL);
    PyObject *frame =
        made && made != Py_None ? PyObject_GetAttrString(made, attributes_of(made).frame) : NULL;
    bool result = frame && frame == one->frame;
    Py_XDECREF(frame);
    Py_XDECREF(made);
    PyErr_Restore(type, value, traceback);
    return result;
}

/* A generator that is dropped unfinished is dead for its weak references first, and closed then:
 * its `finally` still runs, which is told by an event, or there is none, and nothing is told. Which
 * of the two is known as soon as anything else happens. Garbage may also be found alive by then. */
static void bury_dying(void)
{
    while (dying) {
        watched_frame *one = dying;
        uint64_t died_ns = one->died_ns;
        leave_dying(one);
        if (!has_frame(one)) {
            mprof__span_end_at(&one->span, false, died_ns);
            forget_frame(one, false);
        }
    }
}

static int bury_later(void *unused)
{
    (void)unused;
    bury_dying();
    return 0;
}

static void begin_dying(watched_frame *one)
{
    if (!dying) {
        Py_AddPendingCall(bury_later, NULL); /* if it cannot be added, another event will come */
    }
    one->died_ns = mprof__span_clock_ns();
    one->next = dying;
    if (dying) {
        dying->before = one;
    }
    dying = one;
}

/* Has on_death called when the generator is cleared of its weak references. */
static bool await_death(watched_frame *one)
{
    one->weak = PyWeakref_NewRef(one->made, monitor.on_death);
    if (one->weak && !mprof__number_map_put_pointer(&deaths, one->weak, one)) {
        Py_DECREF(one->weak);
        one->weak = NULL;
    }
    return one->weak != NULL;
}

/* Who is referred to is not deallocated, but garbage: its finaliser, or that of other garbage, may
 * go on with it. */
static PyObject *on_death(PyObject *self, PyObject *weak)
{
    watched_frame *one = mprof__number_map_find_pointer(&deaths, weak);
    (void)self;

    if (one) {
        bool is_garbage = (uint32_t)one->made->ob_refcnt != 0;
        drop_weak(one);
        leave_dying(one);
        if (is_garbage) {
            one->was_garbage = true;
            if (!await_death(one)) {
                PyErr_Clear();
            }
        }
        if (!is_garbage && (!one->is_begun || monitor.state != READY)) {
            forget_frame(one, false);
        } else if (one->is_begun) {
            begin_dying(one);
        }
    }
    return nothing();
}

/* From here on functions die without our being told, and are called without events. */
void mprof__function_events_flush(void)
{
    bury_dying();
    monitor.state = ENDED;
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
    watched_frame *stale = frame ? mprof__number_map_find_pointer(&frames, frame) : NULL;
    watched_frame *one = frame ? calloc(1, sizeof *one) : NULL;

    if (stale) {
        forget_frame(stale, false); /* closed without an event, and its frame's place used again */
    }
    if (one) {
        *one = (watched_frame){.name = name, .frame = frame, .made = made};
        if (!mprof__number_map_put_pointer(&frames, frame, one)) {
            free(one);
        } else if (!await_death(one)) {
            forget_frame(one, false);
        }
    }
    PyErr_Clear();
    Py_XDECREF(frame); /* the generator keeps it */
}

/* That of the code that raised the event. */
static watched_frame *current_frame(void)
{
    return mprof__number_map_find_pointer(&frames, PyEval_GetFrame());
}

/* A generator whose creation was not seen, because its code is watched and not its function. */
static watched_frame *meet_frame(mprof__name *name)
{
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    watched_frame *one = frame ? calloc(1, sizeof *one) : NULL;

    if (one) {
        *one = (watched_frame){.name = name, .frame = frame};
        if (!mprof__number_map_put_pointer(&frames, frame, one)) {
            free(one);
            one = NULL;
        }
    }
    return one;
}

static void begin_frame(mprof__name *unseen)
{
    watched_frame *one = current_frame();
    if (one && (one->is_begun || (one->was_garbage && !has_frame(one)))) {
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

static PyObject *on_start(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    bury_dying();
    mprof__span_check();
    watched_code *code = find_code(arguments[0]);
    (void)self;
    (void)count;
    if (code && code->name) {
        if (!code->is_left) {
            begin_call(arguments[0], code->name);
        }
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
        leave_dying(one);
        mprof__span_resume(&one->span);
    }
    return nothing();
}

/* ---- functions whose entry point is replaced ---------------------------------------------------
 */

static PyObject *enter_function(PyObject *function, PyObject *const *arguments, size_t count,
                                PyObject *keywords)
{
    watched_function *one = mprof__number_map_find_pointer(&functions, function);
    mprof__name *name = one->name;
    mprof_span span;

    bury_dying();
    if (mprof__span_recorder_is_gone) {
        mprof__vectorcall original = one->original;
        mprof__span_detach(); /* forgets `one` */
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

/* Whether the calls of all functions of this code are its events. */
static bool tells_calls(const watched_code *code)
{
    return code && code->name && !code->is_left;
}

static void replace_entry(PyObject *function, watched_function *one)
{
    one->original = mprof__python.vectorcall_of(function);
    mprof__python.function_set_vectorcall(function, enter_function);
}

static void restore_entry(PyObject *function, watched_function *one)
{
    mprof__python.function_set_vectorcall(function, one->original);
    one->original = NULL;
}

static void tell_apart(uint64_t key, uint64_t value, void *code)
{
    PyObject *function = (PyObject *)(uintptr_t)key;
    watched_function *one = (watched_function *)(uintptr_t)value;

    if (!one->original && mprof__python.function_code(function) == code) {
        replace_entry(function, one);
    }
}

/* Somebody else has the code now, too, or it is nobody's: its events do not tell whose calls they
 * are. */
static void leave_code(watched_code *code)
{
    if (tells_calls(code) && !code->is_pattern) {
        code->is_left = true;
        mprof__number_map_each(&functions, tell_apart, code->code);
    }
}

/* `function.__code__ = code`: its calls are told under its name as before. */
static void follow_code(PyObject *function, watched_function *one, PyObject *code)
{
    watched_code *next = find_code(code);
    PyObject *before = mprof__python.function_code(function);

    if (before == code) {
        return;
    }
    one->makes_suspendable = (mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) != 0;
    if (!one->original) {
        replace_entry(function, one);
        leave_code(find_code(before));
    }
    if (tells_calls(next) && next->name != one->name) {
        leave_code(next);
    }
    if (tells_calls(next)) {
        restore_entry(function, one);
    }
}

/* Called for all functions of the interpreter. */
static int on_function(int event, PyObject *function, PyObject *value)
{
    enum { DESTROYED = 1, CODE_CHANGES = 2 };
    watched_function *one = event == DESTROYED || event == CODE_CHANGES
                                ? mprof__number_map_find_pointer(&functions, function)
                                : NULL;
    if (one) {
        PyObject *type;
        PyObject *error;
        PyObject *traceback;

        PyErr_Fetch(&type, &error, &traceback);
        if (event == DESTROYED) {
            mprof__number_map_remove_pointer(&functions, function);
            free(one);
        } else {
            follow_code(function, one, value);
        }
        PyErr_Restore(type, error, traceback);
    }
    return 0;
}

static bool watch_function(PyObject *function, const watched_function *what, bool by_code)
{
    watched_function *one = malloc(sizeof *one);
    if (!one || !mprof__number_map_put_pointer(&functions, function, one)) {
        free(one);
        return false;
    }
    *one = *what;
    if (!by_code) {
        replace_entry(function, one);
    }
    return true;
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

bool mprof__sys_monitoring_caused_event(void)
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

/* There are eight in an interpreter. It is ours for good: functions die when nobody records, too.
 */
static bool add_function_watcher(void)
{
    static bool is_added;

    is_added = is_added || mprof__python.function_watch(on_function) >= 0;
    return is_added;
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
    if (!monitor.on_death || monitor.code_index < 0 || !add_function_watcher() || !take_tool()) {
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
        return known->name == name && !known->is_left;
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

/* Whether it is decorated already. What is known may be of another that died untold, at the end of
 * the interpreter. */
static bool is_watched(PyObject *function, PyObject *code)
{
    watched_function *one = mprof__number_map_find_pointer(&functions, function);

    if (!one) {
        return false;
    }
    if (one->original ? mprof__python.vectorcall_of(function) == enter_function
                      : tells_calls(find_code(code))) {
        return true;
    }
    mprof__number_map_remove_pointer(&functions, function);
    free(one);
    return false;
}

static bool take(PyObject *function, PyObject *code, mprof__name *name)
{
    watched_function one = {.name = name,
                            .makes_suspendable =
                                (mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) != 0};

    if (is_watched(function, code)) {
        return true;
    }
    if (!one.makes_suspendable && owns_its_code(function, code) &&
        watch_code(code, name, monitor.start_return)) {
        watch_function(function, &one, true); /* else another code is not followed */
        return true;
    }
    return watch_function(function, &one, false);
}

bool mprof__function_events_watch_code(PyObject *code, mprof__name *name)
{
    if (!is_ready()) {
        return false;
    }
    mprof__span_expect_calls();
    if ((mprof__python_code_flags(code) & MPROF_CODE_SUSPENDABLE) == 0) {
        if (!watch_code(code, name, monitor.start_return)) {
            return false;
        }
        find_code(code)->is_pattern = true;
        return true;
    }
    if (!watch_code(code, NULL, monitor.start_return | monitor.suspending)) {
        return false;
    }
    find_code(code)->frame_name = name;
    return true;
}

bool mprof__function_events_watch(PyObject *function, mprof__name *name)
{
    if (Py_TYPE(function) != mprof__python.function_type || !is_ready()) {
        return false;
    }
    bool taken = take(function, mprof__python.function_code(function), name);
    PyErr_Clear();
    return taken;
}

bool mprof__function_events_has(PyObject *function)
{
    if (monitor.state != READY || Py_TYPE(function) != mprof__python.function_type) {
        return false;
    }
    PyObject *code = mprof__python.function_code(function);
    return tells_calls(find_code(code)) || is_watched(function, code);
}

static void release_function(uint64_t key, uint64_t value)
{
    PyObject *function = (PyObject *)(uintptr_t)key;
    watched_function *one = (watched_function *)(uintptr_t)value;

    if (one->original) {
        restore_entry(function, one);
    }
    free(one);
}

static void release_frame(uint64_t key, uint64_t value)
{
    watched_frame *one = (watched_frame *)(uintptr_t)value;

    (void)key;
    drop_weak(one);
    free(one);
}

void mprof__function_events_release(void)
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
    mprof__number_map_drain(&functions, release_function);
    mprof__number_map_drain(&frames, release_frame);
    monitor.state = UNTRIED;
}
