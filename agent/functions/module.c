/* See module.h. After the audit event of an import, the import system looks into sys.modules once
 * more, under the module's lock: a module that we import or put there in between is what the
 * program gets. */
#include "module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE_NAME "memory_profiler"

static __thread bool is_importing; /* our own import raises the event as well */
static bool wants_lines;

/* Whether the import failed because the module itself is missing, not something it imports.
 * Consumes the exception. */
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

/* Finds the folder of our own memory_profiler: in a build tree next to the agent; in an
 * installation as configured, by an absolute path or one from the agent's folder; in a wheel two
 * folders above it. */
static bool find_package(char *folder, size_t size)
{
    static const char *const places[] = {"python", MPROF_PYTHON_PLACE, "../.."};
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

/* Imports our own package. Its folder is in sys.path only meanwhile: at the end, behind an
 * installed one, or for line reports at the beginning. NULL without an exception if that fails. */
static PyObject *import_own_package(void)
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
    PyObject *module = wants_lines ? import_own_package() : NULL;
    if (!module) {
        module = PyImport_ImportModule(MODULE_NAME);
    }
    if (!module && is_not_installed()) {
        module = import_own_package();
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

    if (is_importing) {
        return;
    }
    is_importing = true;
    PyErr_Fetch(&type, &value, &traceback);
    provide(profile);
    PyErr_Restore(type, value, traceback);
    is_importing = false;
}

void mprof__module_want_lines(void)
{
    wants_lines = true;
}

static PyObject *watch(PyObject *function)
{
    PyObject *package = import_own_package();
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

    if (wants_lines && !is_importing) {
        is_importing = true;
        PyErr_Fetch(&type, &value, &traceback);
        watched = watch(function);
        PyErr_Restore(type, value, traceback);
        is_importing = false;
    }
    if (!watched) {
        Py_INCREF(function);
        watched = function;
    }
    return watched;
}

static PyObject *gcd_import;      /* owned: the original function behind importlib.import_module */
static PyObject *profile_builtin; /* borrowed: never freed */

static PyObject *import_by_name(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    Py_ssize_t count = PyTuple_Size(arguments);
    PyObject *name = count > 0 ? PyTuple_GetItem(arguments, 0) : NULL;
    bool is_absolute = count < 3 || PyObject_IsTrue(PyTuple_GetItem(arguments, 2)) == 0;

    (void)self;
    if (is_absolute && name && PyUnicode_Check(name) &&
        PyUnicode_CompareWithASCIIString(name, MODULE_NAME) == 0) {
        mprof__module_provide(profile_builtin);
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
        profile_builtin = profile;
        hook_importlib();
        PyErr_Restore(type, value, traceback);
    }
}
