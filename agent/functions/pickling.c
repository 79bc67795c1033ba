/* See pickling.h. Python code patches the libraries (memory_profiler/_pickling.py); it is executed
 * when the first of them has been loaded. As in module.c, we import the module ourselves when its
 * import is announced, so it is patched when the program gets it. */
#include "pickling.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "agent/python_api.h"
#include "function_events.h"
#include "pickling_source.h"
#include "stand_in.h"

#define DEPTH_MAX 8 /* imports inside imports */

static PyObject *hook; /* owned: a function of _pickling.py */
static __thread const char *loading[DEPTH_MAX];
static __thread unsigned depth;

/* undecorated(function): the function behind a stand-in, or the function itself if its calls are
 * recorded; None: it is not decorated. */
static PyObject *undecorated(PyObject *self, PyObject *object)
{
    PyObject *result = mprof__stand_in_function(object);
    (void)self;

    if (!result) {
        bool is_known =
            Py_TYPE(object) == mprof__python.function_type && mprof__function_events_has(object);
        result = is_known ? object : Py_None;
    }
    Py_INCREF(result);
    return result;
}

/* Runs _pickling.py in a namespace of its own. */
static bool load_hook(void)
{
    static PyMethodDef method = {"undecorated", undecorated, METH_O, NULL};
    PyObject *globals = PyDict_New();
    PyObject *builtins = mprof__python_module("builtins");
    PyObject *function = PyCFunction_NewEx(&method, NULL, NULL);
    PyObject *file = PyUnicode_FromString("<mprof pickling>");
    PyObject *code =
        Py_CompileString((const char *)mprof___pickling_py, "<mprof pickling>", Py_file_input);
    PyObject *result = NULL;

    if (globals && builtins && function && file && code &&
        PyDict_SetItemString(globals, "__builtins__", builtins) == 0 &&
        PyDict_SetItemString(globals, "__name__", file) == 0 &&
        PyDict_SetItemString(globals, "__file__", file) == 0 &&
        PyDict_SetItemString(globals, method.ml_name, function) == 0) {
        result = PyEval_EvalCode(code, globals, globals);
    }
    if (result) {
        hook = PyDict_GetItemString(globals, "hook");
        Py_XINCREF(hook);
    }
    Py_XDECREF(result);
    Py_XDECREF(code);
    Py_XDECREF(file);
    Py_XDECREF(function);
    Py_XDECREF(builtins);
    Py_XDECREF(globals);
    return hook != NULL;
}

static void load(const char *name)
{
    PyObject *module = PyImport_ImportModule(name);
    PyObject *result = NULL;

    if (module && (hook || load_hook())) {
        result = PyObject_CallFunction(hook, "Os", PyImport_GetModuleDict(), name);
    }
    PyErr_Clear();
    Py_XDECREF(result);
    Py_XDECREF(module);
}

/* By the last part of the name: packages contain copies under longer names. */
static bool is_pickler(const char *module)
{
    static const char *const names[] = {"cloudpickle", "cloudpickle_fast", "dill", "_dill",
                                        "canning"};
    const char *dot = strrchr(module, '.');
    const char *last = dot ? dot + 1 : module;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(last, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_being_loaded(const char *module)
{
    for (unsigned i = 0; i < depth; i++) {
        if (strcmp(loading[i], module) == 0) {
            return true;
        }
    }
    return false;
}

void mprof__pickling_imported(const char *module)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (!is_pickler(module) || depth == DEPTH_MAX || is_being_loaded(module)) {
        return;
    }
    loading[depth++] = module;
    PyErr_Fetch(&type, &value, &traceback);
    load(module);
    PyErr_Restore(type, value, traceback);
    depth--;
}
