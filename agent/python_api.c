/* See python_api.h. */
#include "python_api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "structmember.h"

#define VERSION(major, minor) ((uint32_t)(major) << 24 | (uint32_t)(minor) << 16)
#define FLAG_HAVE_VECTORCALL (1UL << 11)
#define OLDEST_MINOR 8
#define NEWEST_MINOR 15

mprof__python_api mprof__python;

/* The part of PyTypeObject that we read, in versions up to 3.11, which do not change any more. */
typedef struct old_type {
    PyVarObject head;
    const char *name;
    Py_ssize_t sizes[2];
    destructor dealloc;
    Py_ssize_t vectorcall_offset;
    void *slots_a[2];    /* getattr setattr */
    unaryfunc *as_async; /* the first function is am_await */
    reprfunc repr;
    void *slots_b[3]; /* as_number as_sequence as_mapping */
    void *slots_c[6]; /* hash call str getattro setattro as_buffer */
    unsigned long flags;
    const char *doc;
    void *slots_d[3]; /* traverse clear richcompare */
    Py_ssize_t weaklist_offset;
    getiterfunc iter;
    iternextfunc iternext;
} old_type;

/* PyObject_Vectorcall is an inline function up to 3.10. */
static PyObject *vectorcall_inline(PyObject *callable, PyObject *const *arguments, size_t count,
                                   PyObject *keywords)
{
    old_type *type = (old_type *)(void *)Py_TYPE(callable);
    mprof__vectorcall vectorcall = NULL;

    if ((type->flags & FLAG_HAVE_VECTORCALL) != 0) {
        memcpy(&vectorcall, (char *)callable + type->vectorcall_offset, sizeof vectorcall);
    }
    if (vectorcall) {
        return vectorcall(callable, arguments, count, keywords);
    }

    /* any other callable: a tuple and a dict */
    size_t positional = count & ~((size_t)1 << (8 * sizeof(size_t) - 1));
    Py_ssize_t named = keywords ? PyTuple_Size(keywords) : 0;
    PyObject *result = NULL;
    PyObject *tuple = PyTuple_New((Py_ssize_t)positional);
    PyObject *dict = named > 0 ? PyDict_New() : NULL;
    if (!tuple || (named > 0 && !dict)) {
        goto out;
    }
    for (size_t i = 0; i < positional; i++) {
        Py_INCREF(arguments[i]);
        PyTuple_SetItem(tuple, (Py_ssize_t)i, arguments[i]);
    }
    for (Py_ssize_t i = 0; i < named; i++) {
        if (PyDict_SetItem(dict, PyTuple_GetItem(keywords, i),
                           arguments[(Py_ssize_t)positional + i]) != 0) {
            goto out;
        }
    }
    result = PyObject_Call(callable, tuple, dict);
out:
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

/* PyCMethod_New, which 3.8 does not have. */
static PyObject *builtin_new_of_38(PyMethodDef *method, PyObject *self, PyObject *module,
                                   PyTypeObject *type)
{
    (void)type;
    return PyCFunction_NewEx(method, self, module);
}

static void *symbol(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

/* ISO C has no conversion from dlsym's result to a function. */
static bool find_function(void *pointer, const char *name)
{
    void *found = symbol(name);
    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

static bool find_type(PyTypeObject **type, const char *name)
{
    *type = symbol(name);
    return *type != NULL;
}

static uint32_t running_version(void)
{
    char *end = NULL;
    unsigned long numbers[3] = {0};
    const char *text = Py_GetVersion(); /* "3.11.2 (main, ...) [GCC 12.2.0]" */

    for (int i = 0; i < 3; i++) {
        numbers[i] = strtoul(text, &end, 10) & 0xff;
        if (end == text || *end != '.') {
            break;
        }
        text = end + 1;
    }
    return VERSION(numbers[0], numbers[1]) | (uint32_t)numbers[2] << 8;
}

/* ---- functions up to 3.10: what later versions have in their API ---- */

static mprof__vectorcall *entry_of_310(PyObject *function)
{
    old_type *type = (old_type *)(void *)Py_TYPE(function);
    return (mprof__vectorcall *)(void *)((char *)function + type->vectorcall_offset);
}

static mprof__vectorcall vectorcall_of_310(PyObject *function)
{
    return *entry_of_310(function);
}

static void set_vectorcall_of_310(PyObject *function, mprof__vectorcall vectorcall)
{
    *entry_of_310(function) = vectorcall;
}

static destructor free_function_of_310;
static mprof__function_watcher *on_function_of_310;

static void free_watched_function(PyObject *function)
{
    on_function_of_310(MPROF_FUNCTION_DESTROYED, function, NULL);
    free_function_of_310(function);
}

/* The interpreter frees every object through its type. Weak references would end too early. */
static int watch_functions_of_310(mprof__function_watcher *on_event)
{
    old_type *type = (old_type *)(void *)mprof__python.function_type;

    on_function_of_310 = on_event;
    if (type->dealloc != free_watched_function) {
        free_function_of_310 = type->dealloc;
        type->dealloc = free_watched_function;
    }
    return 0;
}

/* 3.11 calls functions of Python code without looking at their entry points. */
static void find_entry_points(mprof__python_api *api)
{
    old_type *type = (old_type *)(void *)api->function_type;

    if (api->version < VERSION(3, 11) && (type->flags & FLAG_HAVE_VECTORCALL) != 0 &&
        type->vectorcall_offset > 0) {
        api->vectorcall_of = vectorcall_of_310;
        api->function_set_vectorcall = set_vectorcall_of_310;
        api->function_watch = watch_functions_of_310;
    }
}

static void find_monitoring(mprof__python_api *api)
{
    bool all = api->version >= VERSION(3, 12);

    all &= find_function(&api->vectorcall_of, "PyVectorcall_Function");
    all &= find_function(&api->function_watch, "PyFunction_AddWatcher");
    all &= find_function(&api->code_extra_index, "PyUnstable_Eval_RequestCodeExtraIndex");
    all &= find_function(&api->code_extra_get, "PyUnstable_Code_GetExtra");
    all &= find_function(&api->code_extra_set, "PyUnstable_Code_SetExtra");
    if (!all || !find_function(&api->function_set_vectorcall, "PyFunction_SetVectorcall")) {
        api->function_set_vectorcall = NULL;
    }
}

/* The part of PyCodeObject that we read, of 3.8 to 3.10, which do not change any more. */
typedef struct code_of_310 {
    PyObject head;
    int counts[5]; /* arguments (three), locals, stack */
    int flags;
    int first_line;
    PyObject *parts[4]; /* instructions, constants, names, locals */
    PyObject *outer_names;
    PyObject *cell_names;
} code_of_310;

long mprof__python_code_flags(PyObject *code)
{
    if (mprof__python.version < VERSION(3, 11) && Py_TYPE(code) == mprof__python.code_type) {
        return ((code_of_310 *)(void *)code)->flags;
    }
    PyObject *value = PyObject_GetAttrString(code, "co_flags");
    long flags = value ? PyLong_AsLong(value) : 0;

    PyErr_Clear();
    Py_XDECREF(value);
    return flags > 0 ? flags : 0;
}

long mprof__python_attribute_code_flags(PyObject *object, const char *attribute)
{
    PyObject *code = PyObject_GetAttrString(object, attribute);
    long flags = code ? mprof__python_code_flags(code) : 0;

    PyErr_Clear();
    Py_XDECREF(code);
    return flags;
}

char *mprof__python_text(PyObject *value)
{
    char *copy = NULL;
    PyObject *bytes = NULL;

    if (value && PyUnicode_Check(value)) {
        bytes = PyUnicode_AsEncodedString(value, "utf-8", "backslashreplace");
    }
    if (bytes) {
        copy = strdup(PyBytes_AsString(bytes));
    }
    PyErr_Clear();
    Py_XDECREF(bytes);
    return copy;
}

mprof__python_fit mprof__python_load(void)
{
    mprof__python_api *api = &mprof__python;
    bool all = true;

    api->version = running_version();
    if (api->version < VERSION(3, OLDEST_MINOR)) {
        return MPROF_PYTHON_TOO_OLD;
    }
    if (strstr(Py_GetVersion(), "free-threading") || symbol("_Py_DecRefShared")) {
        return MPROF_PYTHON_FREE_THREADED;
    }
    if (api->version >= VERSION(3, NEWEST_MINOR + 1)) {
        return MPROF_PYTHON_TOO_NEW;
    }
    api->counts_all = symbol("_Py_NegativeRefcount") != NULL;
    if (!find_function(&api->vectorcall, "PyObject_Vectorcall")) {
        api->vectorcall = vectorcall_inline;
        all &= api->version < VERSION(3, 11);
    }
    if (!find_function(&api->builtin_new, "PyCMethod_New")) {
        api->builtin_new = builtin_new_of_38;
    }
    all &= find_function(&api->interpreter_get, "PyInterpreterState_Get") ||
           find_function(&api->interpreter_get, "_PyInterpreterState_Get"); /* in 3.8 */
    all &= find_function(&api->interpreter_main, "PyInterpreterState_Main");
    all &= find_function(&api->method_new, "PyMethod_New");
    all &= find_function(&api->utf8, "PyUnicode_AsUTF8AndSize");
    all &= find_type(&api->function_type, "PyFunction_Type");
    all &= find_type(&api->static_method_type, "PyStaticMethod_Type");
    all &= find_type(&api->class_method_type, "PyClassMethod_Type");
    all &= find_type(&api->generator_type, "PyGen_Type");
    all &= find_type(&api->coroutine_type, "PyCoro_Type");
    all &= find_type(&api->async_generator_type, "PyAsyncGen_Type");
    all &= find_type(&api->code_type, "PyCode_Type");
    all &= find_function(&api->function_code, "PyFunction_GetCode");
    if (!all) {
        return MPROF_PYTHON_UNKNOWN;
    }
    find_monitoring(api);
    if (api->version < VERSION(3, 12)) {
        find_entry_points(api);
    }
    return MPROF_PYTHON_FITS;
}

void mprof__python_unfit(char *text, size_t size, mprof__python_fit fit)
{
    uint32_t version = mprof__python.version;

    if (fit == MPROF_PYTHON_FREE_THREADED) {
        snprintf(text, size, "a free-threaded Python");
        return;
    }
    int length = snprintf(text, size, "%sPython %u.%u", fit == MPROF_PYTHON_UNKNOWN ? "this " : "",
                          (unsigned)(version >> 24), (unsigned)(version >> 16 & 0xff));
    if (fit != MPROF_PYTHON_UNKNOWN && length > 0 && (size_t)length < size) {
        snprintf(text + length, size - (size_t)length, " (this mprof supports 3.%d to 3.%d)",
                 OLDEST_MINOR, NEWEST_MINOR);
    }
}

/* In 3.8 the offsets cannot be given as members. */
static PyObject *make_type_of_38(PyType_Spec *spec, const mprof__python_layout *layout)
{
    PyObject *made = PyType_FromSpec(spec);
    old_type *type = (old_type *)(void *)made;

    if (type && layout->vectorcall_offset != 0) {
        type->vectorcall_offset = layout->vectorcall_offset;
        type->flags |= FLAG_HAVE_VECTORCALL;
    }
    if (type) {
        type->weaklist_offset = layout->weaklist_offset;
    }
    return made;
}

static PyObject *make_type(PyType_Spec *spec, const mprof__python_layout *layout)
{
    PyMemberDef members[3] = {{0}};
    PyType_Slot slots[32];
    PyType_Spec extended = *spec;
    int member = 0;
    int count = 0;

    if (layout->vectorcall_offset != 0) {
        members[member++] = (PyMemberDef){"__vectorcalloffset__", T_PYSSIZET,
                                          layout->vectorcall_offset, READONLY, NULL};
        extended.flags |= (unsigned)FLAG_HAVE_VECTORCALL;
    }
    if (layout->weaklist_offset != 0) {
        members[member++] = (PyMemberDef){"__weaklistoffset__", T_PYSSIZET, layout->weaklist_offset,
                                          READONLY, NULL};
    }
    while (spec->slots[count].slot != 0) {
        slots[count] = spec->slots[count];
        count++;
    }
    slots[count++] = (PyType_Slot){Py_tp_members, members};
    slots[count] = (PyType_Slot){0, NULL};
    extended.slots = slots;
    return PyType_FromSpec(&extended);
}

PyObject *mprof__python_type(PyType_Spec *spec, const mprof__python_layout *layout)
{
    bool is_38 = mprof__python.version < VERSION(3, 9);
    PyObject *made = is_38 ? make_type_of_38(spec, layout) : make_type(spec, layout);

    if (!made && !PyErr_Occurred()) { /* up to 3.11, of some allocations */
        PyErr_NoMemory();
    }
    /* in versions with stand-ins for functions; PyType_Spec takes no name without a dot */
    if (made && layout->shown_name && mprof__python.version < VERSION(3, 12)) {
        ((old_type *)(void *)made)->name = layout->shown_name;
    }
    return made;
}

iternextfunc mprof__python_iternext(PyTypeObject *type)
{
    return ((old_type *)(void *)type)->iternext;
}

void mprof__python_set_iter(PyTypeObject *type, getiterfunc iter)
{
    ((old_type *)(void *)type)->iter = iter;
}

unaryfunc mprof__python_await(PyTypeObject *type)
{
    return *((old_type *)(void *)type)->as_async;
}

int mprof__python_visit_type(PyObject *self, visitproc visit, void *context)
{
    return mprof__python.version < VERSION(3, 9) ? 0 : visit((PyObject *)Py_TYPE(self), context);
}

void mprof__python_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

mprof__python_frame_api mprof__python_frames;

PyObject *mprof__python_module(const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *module = text ? PyImport_ImportModuleLevelObject(text, NULL, NULL, NULL, 0) : NULL;
    Py_XDECREF(text);
    return module;
}

bool mprof__python_frames_load(void)
{
    mprof__python_frame_api *api = &mprof__python_frames;
    bool all = find_function(&api->set_trace, "PyEval_SetTrace");

    all &= find_function(&api->frame_line, "PyFrame_GetLineNumber");
    all &= find_function(&api->code_line, "PyCode_Addr2Line");
    all &= find_function(&api->add_audit_hook, "PySys_AddAuditHook");
    all &=
        find_function(&api->get_code, "PyFrame_GetCode") || mprof__python.version < VERSION(3, 9);
    return all;
}

/* The part of PyFrameObject that we read, of 3.8 to 3.10, which do not change any more. */
typedef struct frame_of_310 {
    PyVarObject head;
    PyObject *back;
    PyObject *code;
} frame_of_310;

/* Of 3.8 and 3.9. */
typedef struct frame_of_39 {
    frame_of_310 common;
    PyObject *dictionaries[3]; /* builtins, globals, locals */
    PyObject **stack[2];
    PyObject *trace;
    char flags[2];
    PyObject *generator;
    int last_instruction; /* -1: nothing has run */
    int line;             /* valid during an event */
} frame_of_39;

/* A whole frame of 3.8 and 3.9. */
typedef struct frame_of_39_variables {
    frame_of_39 head;
    int block;
    char is_executing;
    int blocks[20][3];
    PyObject *variables[];
} frame_of_39_variables;

/* The part of PyFunctionObject that we read, of 3.8 and 3.9. */
typedef struct function_of_39 {
    PyObject head;
    PyObject *code;
    PyObject *globals;
    PyObject *defaults[2]; /* positional, by keyword */
    PyObject *closure;     /* NULL: none */
} function_of_39;

/* The part of an evaluator's frame that we read, of 3.11, which does not change any more. */
typedef struct frame_of_311 {
    PyObject *function;
    PyObject *dictionaries[3]; /* globals, builtins, locals */
    PyObject *code;
    PyObject *object; /* NULL: not made yet */
    void *caller;     /* NULL: none */
} frame_of_311;

/* The part of PyThreadState that we use, of 3.11. */
typedef struct thread_of_311 {
    void *links[3];
    int fields[7];
    struct {
        uint8_t is_traced;
        frame_of_311 *frame; /* that runs now */
    } *running;
} thread_of_311;

void *mprof__python_hide_frame(PyObject *code)
{
    thread_of_311 *thread = (thread_of_311 *)(void *)PyThreadState_Get();
    frame_of_311 *frame = thread->running->frame;

    if (!frame || frame->code != code) {
        return NULL;
    }
    thread->running->frame = frame->caller;
    return frame;
}

void mprof__python_show_frame(void *frame)
{
    ((thread_of_311 *)(void *)PyThreadState_Get())->running->frame = frame;
}

PyObject *mprof__python_frame_code(PyObject *frame)
{
    if (mprof__python.version < VERSION(3, 11)) {
        return ((frame_of_310 *)(void *)frame)->code;
    }
    PyObject *code = mprof__python_frames.get_code(frame);
    Py_DECREF(code);
    return code;
}

PyObject *mprof__python_evaluated_code(void *frame)
{
    return mprof__python.version < VERSION(3, 11) ? ((frame_of_310 *)frame)->code
                                                  : ((frame_of_311 *)frame)->code;
}

PyObject *mprof__python_evaluated_frame(void *frame)
{
    return mprof__python.version < VERSION(3, 11) ? frame : ((frame_of_311 *)frame)->object;
}

/* The variables of a frame: locals, cells, and cells of outer functions. */
static PyObject **outer_cells_of_39(void *frame, PyObject *cell_names)
{
    frame_of_39_variables *whole = frame;
    code_of_310 *code = (code_of_310 *)(void *)whole->head.common.code;
    return whole->variables + code->counts[3] + PyTuple_Size(cell_names);
}

bool mprof__python_is_frame_of(void *frame, PyObject *function)
{
    PyObject *code = mprof__python_evaluated_code(frame);
    PyObject *closure = ((function_of_39 *)(void *)function)->closure;

    if (mprof__python.function_code(function) != code) {
        return false;
    }
    if (!closure) {
        return true;
    }
    PyObject **cells = outer_cells_of_39(frame, ((code_of_310 *)(void *)code)->cell_names);
    for (Py_ssize_t i = 0; i < PyTuple_Size(closure); i++) {
        if (cells[i] != PyTuple_GetItem(closure, i)) {
            return false;
        }
    }
    return true;
}

/* 3.8 has no function to replace the evaluator. The field of the interpreter's state is found by
 * its value: only this one holds the address of the default evaluator. */
static void **evaluator_of_38(void *usual)
{
    enum { WORDS = 512 }; /* the state has some 6 KiB */
    void **state = (void **)(void *)mprof__python.interpreter_get();

    for (size_t i = 0; i < WORDS; i++) {
        if (state[i] == usual) {
            return &state[i];
        }
    }
    return NULL;
}

mprof__frame_evaluator mprof__python_replace_evaluator(mprof__frame_evaluator ours,
                                                       mprof__frame_evaluator_of_38 ours_of_38)
{
    mprof__frame_evaluator (*get)(PyInterpreterState *) = NULL;
    void (*set)(PyInterpreterState *, mprof__frame_evaluator) = NULL;
    mprof__frame_evaluator before = NULL;
    void *usual = symbol("_PyEval_EvalFrameDefault");

    if (find_function(&get, "_PyInterpreterState_GetEvalFrameFunc") &&
        find_function(&set, "_PyInterpreterState_SetEvalFrameFunc")) {
        before = get(mprof__python.interpreter_get());
        set(mprof__python.interpreter_get(), ours);
    } else if (mprof__python.version < VERSION(3, 9) && usual) {
        void **place = evaluator_of_38(usual);
        if (place) {
            memcpy(&before, place, sizeof before);
            memcpy(place, &ours_of_38, sizeof ours_of_38);
        }
    }
    return before;
}

bool mprof__python_restore_evaluator(mprof__frame_evaluator ours,
                                     mprof__frame_evaluator_of_38 ours_of_38,
                                     mprof__frame_evaluator before)
{
    mprof__frame_evaluator (*get)(PyInterpreterState *) = NULL;
    void (*set)(PyInterpreterState *, mprof__frame_evaluator) = NULL;

    if (find_function(&get, "_PyInterpreterState_GetEvalFrameFunc") &&
        find_function(&set, "_PyInterpreterState_SetEvalFrameFunc")) {
        if (get(mprof__python.interpreter_get()) != ours) {
            return false;
        }
        set(mprof__python.interpreter_get(), before);
        return true;
    }
    void *own = NULL;
    memcpy(&own, &ours_of_38, sizeof own);
    void **place = mprof__python.version < VERSION(3, 9) ? evaluator_of_38(own) : NULL;
    if (place) {
        memcpy(place, &before, sizeof before);
    }
    return place != NULL;
}

int mprof__python_frame_event_line(PyObject *frame)
{
    if (mprof__python.version < VERSION(3, 10)) {
        return ((frame_of_39 *)(void *)frame)->line;
    }
    return mprof__python_frames.frame_line(frame);
}

/* The opcode RESUME, at which a function starts and a generator continues. */
static int resume_opcode(void)
{
    return mprof__python.version < VERSION(3, 13)   ? 151
           : mprof__python.version < VERSION(3, 14) ? 149
                                                    : 128;
}

static long last_instruction(PyObject *frame)
{
    PyObject *value = PyObject_GetAttrString(frame, "f_lasti");
    long offset = value ? PyLong_AsLong(value) : -1;
    Py_XDECREF(value);
    return offset;
}

bool mprof__python_is_yielding_from(long *flags)
{
    enum { GET_YIELD_FROM_ITER = 69 };
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    PyObject *code = frame ? PyObject_GetAttrString(frame, "f_code") : NULL;
    PyObject *bytes = code ? PyObject_GetAttrString(code, "co_code") : NULL;
    long offset = bytes ? last_instruction(frame) : -1;
    bool result = offset >= 0 && offset < PyBytes_Size(bytes) &&
                  PyBytes_AsString(bytes)[offset] == GET_YIELD_FROM_ITER;

    *flags = code ? mprof__python_code_flags(code) : 0;
    PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(code);
    return result;
}

bool mprof__python_frame_begins(PyObject *frame, PyObject *code)
{
    long offset = last_instruction(frame);

    if (mprof__python.version < VERSION(3, 11)) {
        return offset < 0;
    }
    /* from 3.11 on the frame is at a RESUME, whose argument is 0 only at the start of a function;
     * or, if an exception is thrown in, at the instruction that suspended it */
    PyObject *bytes = PyObject_GetAttrString(code, "co_code");
    bool begins = false;
    if (bytes && offset >= 0 && offset + 1 < PyBytes_Size(bytes)) {
        const char *instruction = PyBytes_AsString(bytes) + offset;
        begins = (unsigned char)instruction[0] == resume_opcode() && instruction[1] == 0;
    }
    Py_XDECREF(bytes);
    PyErr_Clear();
    return begins;
}

bool mprof__python_set_type_attribute(PyObject *type, PyObject *name, PyObject *value)
{
    PyObject *done =
        PyObject_CallMethod((PyObject *)&PyType_Type, "__setattr__", "OOO", type, name, value);
    Py_XDECREF(done);
    return done != NULL;
}
