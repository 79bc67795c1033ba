/* Prints where a version of CPython keeps what stacks are read from, by its own headers: "name
 * offset". Compiled by test_layouts.py. */
#include <Python.h>
#include <stddef.h>
#include <stdio.h>
#if PY_VERSION_HEX < 0x03090000
#include <code.h>
#include <frameobject.h>
#include <internal/pycore_gil.h>
#include <internal/pycore_pystate.h>
#else
#include <frameobject.h>
#include <internal/pycore_gil.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#endif
#endif

#define PRINT(name, type, field) printf("%s %zu\n", name, offsetof(type, field))

static void print_frames(void)
{
#if PY_VERSION_HEX < 0x030b0000
    PRINT("thread_frame", PyThreadState, frame);
    PRINT("frame_previous", PyFrameObject, f_back);
    PRINT("frame_code", PyFrameObject, f_code);
    PRINT("frame_globals", PyFrameObject, f_globals);
    PRINT("frame_instruction", PyFrameObject, f_lasti);
#if PY_VERSION_HEX < 0x030a0000
    PRINT("frame_executing", PyFrameObject, f_executing);
#else
    PRINT("frame_executing", PyFrameObject, f_state);
    printf("executing %d\n", FRAME_EXECUTING);
#endif
#else
    PRINT("frame_previous", _PyInterpreterFrame, previous);
    PRINT("frame_globals", _PyInterpreterFrame, f_globals);
    PRINT("frame_owner", _PyInterpreterFrame, owner);
#if PY_VERSION_HEX < 0x030d0000
    PRINT("thread_frame", PyThreadState, cframe);
    PRINT("holder_frame", _PyCFrame, current_frame);
    PRINT("frame_code", _PyInterpreterFrame, f_code);
    PRINT("frame_instruction", _PyInterpreterFrame, prev_instr);
#else
    PRINT("thread_frame", PyThreadState, current_frame);
    PRINT("frame_code", _PyInterpreterFrame, f_executable);
    PRINT("frame_instruction", _PyInterpreterFrame, instr_ptr);
#endif
#if PY_VERSION_HEX < 0x030e0000
    PRINT("frame_stacktop", _PyInterpreterFrame, stacktop);
#endif
#if PY_VERSION_HEX < 0x030c0000
    PRINT("frame_is_entry", _PyInterpreterFrame, is_entry);
#endif
#endif
}

static void print_lists(void)
{
    PRINT("runtime_interpreters", _PyRuntimeState, interpreters.head);
    PRINT("interpreter_next", PyInterpreterState, next);
    PRINT("interpreter_id", PyInterpreterState, id);
#if PY_VERSION_HEX < 0x030c0000
    PRINT("runtime_gil_holder", _PyRuntimeState, ceval.gil.last_holder);
    PRINT("runtime_gil_locked", _PyRuntimeState, ceval.gil.locked);
#else
    PRINT("interpreter_gil", PyInterpreterState, ceval.gil);
    PRINT("gil_holder", struct _gil_runtime_state, last_holder);
    PRINT("gil_locked", struct _gil_runtime_state, locked);
#endif
#if PY_VERSION_HEX < 0x030b0000
    PRINT("interpreter_threads", PyInterpreterState, tstate_head);
#else
    PRINT("interpreter_threads", PyInterpreterState, threads.head);
    PRINT("thread_native_id", PyThreadState, native_thread_id);
#endif
    PRINT("thread_next", PyThreadState, next);
    PRINT("thread_interpreter", PyThreadState, interp);
    PRINT("thread_id", PyThreadState, thread_id);
}

static void print_objects(void)
{
    PRINT("code_name", PyCodeObject, co_name);
    PRINT("code_file", PyCodeObject, co_filename);
    PRINT("code_first_line", PyCodeObject, co_firstlineno);
    PRINT("code_consts", PyCodeObject, co_consts);
#if PY_VERSION_HEX < 0x030a0000
    PRINT("code_lines", PyCodeObject, co_lnotab);
#else
    PRINT("code_lines", PyCodeObject, co_linetable);
#endif
#if PY_VERSION_HEX >= 0x030b0000
    PRINT("code_qualname", PyCodeObject, co_qualname);
    PRINT("code_bytecode", PyCodeObject, co_code_adaptive);
#endif
#if PY_VERSION_HEX >= 0x030c0000
    PRINT("code_version", PyCodeObject, co_version);
#endif
    printf("text_ascii %zu\ntext_compact %zu\n", sizeof(PyASCIIObject),
           sizeof(PyCompactUnicodeObject));
    PRINT("object_type", PyObject, ob_type);
    PRINT("type_name", PyTypeObject, tp_name);
    PRINT("bytes_size", PyBytesObject, ob_base.ob_size);
    PRINT("bytes_data", PyBytesObject, ob_sval);
    PRINT("text_length", PyASCIIObject, length);
    PRINT("text_state", PyASCIIObject, state);
    PRINT("dict_keys", PyDictObject, ma_keys);
    PRINT("dict_values", PyDictObject, ma_values);
}

int main(void)
{
    print_lists();
    print_frames();
    print_objects();
    return 0;
}
