/* See module.h. The import system announces an import before it looks into sys.modules a last time
 * under the module's lock: what we import or put there in between is what the program gets. */
#include "module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE_NAME "memory_profiler"

/* Our own import announces itself as well. */
static __thread bool importing;
static bool wants_lines;

/* Whether the import failed for want of the module itself, not of something it needs. Consumes the
 * exception. */
static bool is_not_installed(void)
{
    bool result = false;
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (PyErr_GivenExceptionMatches(type, PyExc_ModuleNotFoundError)) {
        PyObject *name = PyObject_GetAttrString(value, "name");
        result = name && PyUnicode_Check(name) &&
                 PyUnicode_CompareWithASCIIString(name, MODULE_NAME) == 0;
        Py_XDECREF(name);
    }
    PyErr_Clear();
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return result;
}

static void add_module(PyObject *profile)
{
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *module = PyModule_New(MODULE_NAME);

    if (module && PyObject_SetAttrString(module, "profile", profile) == 0 &&
        PyModule_SetDocString(module, "mprof's decorator under the name its users know.") == 0) {
        PyDict_SetItemString(modules, MODULE_NAME, module);
    }
    PyErr_Clear();
    Py_XDECREF(module);
}

/* The folder of our own memory_profiler: beside us in a build, and in an installation where the
 * build was configured to put it, as a path from here or an absolute one. */
static bool find_package(char *folder, size_t size)
{
    static const char *const places[] = {"python", MPROF_PYTHON_PLACE};
    char file[PATH_MAX];
    Dl_info here;

    if (dladdr(MODULE_NAME, &here) == 0 || !here.dli_fname) {
        return false;
    }
    const char *slash = strrchr(here.dli_fname, '/');
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        int length = places[i][0] == '/' ? 0 : (int)(slash + 1 - here.dli_fname);
        int written = snprintf(folder, size, "%.*s%s", length, here.dli_fname, places[i]);
        if (written < 0 || (size_t)written >= size ||
            snprintf(file, sizeof file, "%s/" MODULE_NAME "/__init__.py", folder) >=
                (int)sizeof file) {
            continue;
        }
        if (access(file, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* Imports ours; the program's path is longer for that moment only: at its end, so that an installed
 * one is not hidden, or where it is to be hidden, at its beginning. NULL without an exception if it
 * cannot be had. */
static PyObject *import_ours(void)
{
    char folder[PATH_MAX];
    PyObject *module = NULL;
    PyObject *path = PySys_GetObject("path"); /* borrowed */
    PyObject *entry = NULL;

    if (!path || !PyList_Check(path) || !find_package(folder, sizeof folder)) {
        return NULL;
    }
    entry = PyUnicode_DecodeFSDefault(folder);
    if (entry && PyList_Insert(path, wants_lines ? 0 : PyList_Size(path), entry) == 0) {
        module = PyImport_ImportModule(MODULE_NAME);
        if (!module) {
            PyErr_Clear();
        }
        for (Py_ssize_t i = PyList_Size(path); i-- > 0;) {
            if (PyList_GetItem(path, i) == entry) {
                PySequence_DelItem(path, i);
                break;
            }
        }
    }
    Py_XDECREF(entry);
    PyErr_Clear();
    return module;
}

static void provide(PyObject *profile)
{
    PyObject *module = wants_lines ? import_ours() : NULL;
    if (!module) {
        module = PyImport_ImportModule(MODULE_NAME);
    }
    if (!module && is_not_installed()) {
        module = import_ours();
        if (!module) {
            add_module(profile);
        }
    }
    if (module) {
        if (PyObject_SetAttrString(module, "profile", profile) != 0) {
            PyErr_Clear();
        }
        Py_DECREF(module);
    }
}

void mprof__module_provide(PyObject *profile)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (importing) {
        return;
    }
    importing = true;
    PyErr_Fetch(&type, &value, &traceback);
    provide(profile);
    PyErr_Restore(type, value, traceback);
    importing = false;
}

void mprof__module_want_lines(void)
{
    wants_lines = true;
}

static PyObject *watch(PyObject *function)
{
    PyObject *package = import_ours();
    PyObject *part = package ? PyImport_ImportModule(MODULE_NAME "._process") : NULL;
    PyObject *watched = part ? PyObject_CallMethod(part, "watch", "O", function) : NULL;

    Py_XDECREF(package);
    Py_XDECREF(part);
    return watched;
}

PyObject *mprof__module_watch_lines(PyObject *function)
{
    PyObject *watched = NULL;
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (wants_lines && !importing) {
        importing = true;
        PyErr_Fetch(&type, &value, &traceback);
        watched = watch(function);
        PyErr_Restore(type, value, traceback);
        importing = false;
    }
    if (!watched) {
        Py_INCREF(function);
        watched = function;
    }
    return watched;
}

static PyObject *gcd_import;      /* owned: what importlib.import_module calls, as it was */
static PyObject *profile_to_give; /* borrowed: it lives as long as the process */

static PyObject *import_by_name(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    Py_ssize_t count = PyTuple_Size(arguments);
    PyObject *name = count > 0 ? PyTuple_GetItem(arguments, 0) : NULL;
    bool is_absolute = count < 3 || PyObject_IsTrue(PyTuple_GetItem(arguments, 2)) == 0;

    (void)self;
    if (is_absolute && name && PyUnicode_Check(name) &&
        PyUnicode_CompareWithASCIIString(name, MODULE_NAME) == 0) {
        mprof__module_provide(profile_to_give);
    }
    PyErr_Clear();
    return PyObject_Call(gcd_import, arguments, keywords);
}

static void hook_importlib(void)
{
    static PyMethodDef method = {"_gcd_import", (PyCFunction)(void (*)(void))import_by_name,
                                 METH_VARARGS | METH_KEYWORDS, NULL};
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *machinery = PyDict_GetItemString(modules, "_frozen_importlib");
    PyObject *function = NULL;

    if (!machinery) {
        return;
    }
    gcd_import = PyObject_GetAttrString(machinery, method.ml_name);
    function = gcd_import ? PyCFunction_NewEx(&method, NULL, NULL) : NULL;
    if (!function || PyObject_SetAttrString(machinery, method.ml_name, function) != 0) {
        PyErr_Clear();
    }
    Py_XDECREF(function);
}

void mprof__module_hook_importlib(PyObject *profile)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (!gcd_import) {
        PyErr_Fetch(&type, &value, &traceback);
        profile_to_give = profile;
        hook_importlib();
        PyErr_Restore(type, value, traceback);
    }
}
