/* Where CPython keeps things: offsets within its structures, in bytes. Versions before 3.13 have a
 * table each; later ones describe themselves. */
#ifndef MPROF_RECORD_PYTHON_LAYOUT_H
#define MPROF_RECORD_PYTHON_LAYOUT_H

#include "target_memory.h"

#include <mprof/error.h>

/* This field does not exist. */
#define MPROF__NO_FIELD UINT16_MAX

/* Enough for the fields of a frame, of a thread state and of a code object, in any version. */
#define MPROF__FRAME_BYTES 128
#define MPROF__THREAD_BYTES 256
#define MPROF__CODE_BYTES 256

/* How bytecode offsets map to lines. */
typedef enum mprof__line_format {
    MPROF__LINES_LNOTAB, /* 3.8 and 3.9 */
    MPROF__LINES_3_10,
    MPROF__LINES_3_11, /* and later */
} mprof__line_format;

typedef struct mprof__python_layout { /* offsets are of 16 bits */
    uint16_t version;                 /* major and minor: 0x030b */
    uint16_t runtime_interpreters;
    uint16_t runtime_gil_holder; /* no field: each interpreter has a GIL */
    uint16_t runtime_gil_locked;
    uint16_t interpreter_next;
    uint16_t interpreter_id;
    uint16_t interpreter_threads;
    uint16_t interpreter_gil; /* a pointer to the GIL */
    uint16_t gil_holder;
    uint16_t gil_locked;
    uint16_t thread_next;
    uint16_t thread_interpreter;
    uint16_t thread_frame;     /* a pointer to the innermost frame, or to what holds it: */
    uint16_t holder_frame;     /* a pointer to the innermost frame */
    uint16_t thread_id;        /* as pthread_self(3) */
    uint16_t thread_native_id; /* as gettid(2) */
    uint16_t frame_size;       /* bytes that hold all fields below */
    uint16_t frame_previous;
    uint16_t frame_code;
    uint16_t frame_globals;
    uint16_t frame_instruction; /* from 3.11 on an address; before, an index */
    uint16_t frame_stacktop;    /* 32 bits, negative while its own code runs */
    uint16_t frame_is_entry;    /* called from C */
    uint16_t frame_executing;   /* a byte: `executing` while the frame runs or waits for a call */
    uint8_t executing;
    uint16_t frame_owner;
    uint16_t first_shim_owner; /* frames of this owner and later ones are no function's */
    uint16_t code_size;        /* bytes that hold all fields below */
    uint16_t code_name;
    uint16_t code_qualname;
    uint16_t code_file;
    uint16_t code_first_line;
    uint16_t code_lines; /* the bytes object that maps bytecode to lines */
    uint16_t code_consts;
    uint16_t code_version;
    uint16_t code_bytecode;  /* within the code object, from 3.11 on */
    uint16_t text_ascii;     /* size of the head of an ASCII string */
    uint16_t text_compact;   /* and of another */
    uint16_t has_small_keys; /* from 3.11 on: the heads of a dict's keys */
    mprof__line_format lines;
} mprof__python_layout;

/* The same in all versions from 3.8 to 3.15; checked where they describe themselves. */
#define MPROF__OBJECT_TYPE 8
#define MPROF__TYPE_NAME 24
#define MPROF__BYTES_SIZE 16
#define MPROF__BYTES_DATA 32
#define MPROF__TEXT_LENGTH 16
#define MPROF__TEXT_STATE 32
#define MPROF__DICT_KEYS 32
#define MPROF__DICT_VALUES 40

/* The layout of a version, PY_VERSION_HEX or its upper 16 bits: false if the version is not
 * supported, or describes itself. */
bool mprof__python_layout_of_version(mprof__python_layout *out, uint32_t version);

/* What an interpreter says of itself in the bytes at the start of _PyRuntime. */
typedef enum mprof__python_description {
    MPROF__DESCRIBES_NOTHING, /* before 3.13, or not an interpreter */
    MPROF__DESCRIBES_LAYOUT,
    MPROF__DESCRIBES_FREE_THREADED,
    MPROF__DESCRIBES_UNKNOWN, /* a version or a layout that is not known */
} mprof__python_description;

/* Bytes of the description. */
#define MPROF__PYTHON_DESCRIPTION_SIZE 888

/* *version is set, unless it describes nothing. */
mprof__python_description mprof__python_layout_described(mprof__python_layout *out,
                                                         uint32_t *version, const void *bytes,
                                                         size_t size);

#endif
