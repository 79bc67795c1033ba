/* See module.h. The import system announces an import before it looks into sys.modules a last time
 * under the module's lock: what we import or put there in between is what the program gets. */
#include "module.h"

#include <string.h>

#define MODULE_NAME "memory_profiler"

/* Our own import announces itself as well. */
static __thread bool importing;

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
        result = name != NULL && PyUnicode_Check(name) &&
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

    if (module != NULL && PyObject_SetAttrString(module, "profile", profile) == 0 &&
        PyModule_SetDocString(module, "mprof's decorator under the name its users know.") == 0) {
        PyDict_SetItemString(modules, MODULE_NAME, module);
    }
    PyErr_Clear();
    Py_XDECREF(module);
}

static void provide(PyObject *profile)
{
    PyObject *module = PyImport_ImportModule(MODULE_NAME);
    if (module != NULL) {
        if (PyObject_SetAttrString(module, "profile", profile) != 0) {
            PyErr_Clear();
        }
        Py_DECREF(module);
    } else if (is_not_installed()) {
        add_module(profile);
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
